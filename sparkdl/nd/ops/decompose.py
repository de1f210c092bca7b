"""Decompositions of stacks of matrices. Letters: M rows, N columns, K the smaller of both.

Gradients of vectors are those of functions that do not hang on the vectors' signs, of complex ones not on their angles
(Wan and Zhang 2019); where two eigenvalues or singular values are equal there is none, and it comes as inf or NaN.
"""

from typing import Any

import numpy as np

from sparkdl.base.spec import COMPLEX, REAL_OF, Spec
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.arithmetic import square as squared
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.complexes import conj
from sparkdl.nd.ops.matrices import (
    adjoint,
    column,
    eye,
    first,
    hermitian,
    matrix,
    on_diagonal,
    plus,
    product,
    row,
    square,
    turned,
    weighted,
)
from sparkdl.nd.ops.shape import concat, slice_axis
from sparkdl.nd.ops.solve import solve


@op("cholesky")
class Cholesky(Op):
    """L of A = L L^H, lower.   A: (..., M, M), Hermitian and positive definite; only its lower half is read

    The gradient is Hermitian, as changes of A are taken to be. Murray 2016, Differentiation of the Cholesky
    decomposition.
    """

    def infer(self, *ins: Spec) -> Spec:
        return square(self.name, ins[0])

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        lower = outs[0]
        inner = hermitian(_half(product(adjoint(lower), conj(grads[0])), lower=True))
        left = solve(adjoint(lower), inner)
        return (conj(turned(solve(turned(lower), turned(left)))),)


def _half(x: Any, lower: bool) -> Any:
    """A triangle of square matrices, with half of the diagonal."""
    triangle = np.tri(x.spec.shape[-1])
    return weighted(x, (triangle if lower else triangle.T) - 0.5 * np.eye(x.spec.shape[-1]))


@op("eigh")
class Eigh(Op):
    """Eigenvalues (..., M), upwards, and eigenvectors as columns (..., M, M).   A: (..., M, M), Hermitian

    Only its lower half is read; the gradient is Hermitian, as changes of A are taken to be. Giles 2008.
    """

    def infer(self, *ins: Spec) -> tuple[Spec, Spec]:
        x = square(self.name, ins[0])
        return _eigenvalues(x), x

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (by_values, by_vectors), (w, v) = grads, outs
        inner = None if by_values is None else on_diagonal(by_values, v.spec.dtype)
        if by_vectors is not None:
            inner = plus(inner, product(adjoint(v), conj(by_vectors)) * _inverse_gaps(w, v.spec.dtype))
        return (conj(hermitian(product(product(v, inner), adjoint(v)))),)


@op("eigvalsh")
class EigvalsH(Op):
    """Eigenvalues (..., M), upwards.   A: (..., M, M), Hermitian; only its lower half is read"""

    def infer(self, *ins: Spec) -> Spec:
        return _eigenvalues(square(self.name, ins[0]))

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        _, v = apply(Eigh(), ins[0])
        return (conj(product(v * row(cast(grads[0], v.spec.dtype)), adjoint(v))),)


def _eigenvalues(x: Spec) -> Spec:
    return Spec(x.shape[:-1], REAL_OF.get(x.dtype, x.dtype))


def _inverse_gaps(w: Any, dtype: str) -> Any:
    """1 / (w_j - w_i) in row i and column j, 0 on the diagonal."""
    one = eye(w)
    return cast((1 - one) / (row(w) - column(w) + one), dtype)


@op("svd")
class SVD(Op):
    """U (..., M, K), S (..., K), downwards, and Vh (..., K, N) of A = U S Vh. `full`: square U and Vh.

    Giles 2008; Townsend 2016, Differentiating the singular value decomposition. What `full` adds has no gradient.
    """

    full: bool = False

    def infer(self, *ins: Spec) -> tuple[Spec, Spec, Spec]:
        x = matrix(self.name, ins[0])
        *lead, m, n = x.shape
        k = min(m, n)
        u, vh = ((m, m), (n, n)) if self.full else ((m, k), (k, n))
        return Spec((*lead, *u), x.dtype), _singular(x), Spec((*lead, *vh), x.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        k, (by_u, by_s, by_vh) = outs[1].spec.shape[-1], grads
        if outs[0].spec.shape[-1] + outs[2].spec.shape[-2] > 2 * k and not (by_u is None and by_vh is None):
            raise TypeError("svd: vectors of full_matrices=True have no gradient: take full_matrices=False.")
        u, v = first(outs[0], k, -1), adjoint(first(outs[2], k, -2))
        pair = (None if by_u is None else conj(by_u), None if by_vh is None else turned(by_vh))
        return (conj(_svd_back(u, outs[1], v, pair[0], by_s, pair[1])),)


def _singular(x: Spec) -> Spec:
    return Spec((*x.shape[:-2], min(x.shape[-2:])), REAL_OF.get(x.dtype, x.dtype))


def _svd_back(u: Any, s: Any, v: Any, by_u: Any, by_s: Any, by_v: Any) -> Any:
    """U [skew(U^H gU) / E S + S skew(V^H gV) / E + gS] V^H, and what leads out of the columns' spaces."""
    dtype = u.spec.dtype
    wide, gaps = cast(s, dtype), _inverse_gaps(squared(s), dtype)
    inner = None if by_s is None else on_diagonal(by_s, dtype)
    if by_u is not None:
        turn = _skew(product(adjoint(u), by_u))
        inner = plus(inner, turn * gaps * row(wide))
        if dtype in COMPLEX:  # the angles of u_i and v_i are fixed together: half of the skew diagonal is theirs
            inner = plus(inner, turn * eye(turn) / row(wide + wide))
    if by_v is not None:
        inner = plus(inner, _skew(product(adjoint(v), by_v)) * gaps * column(wide))
    back = product(product(u, inner), adjoint(v))
    if by_u is not None and u.spec.shape[-2] > s.spec.shape[-1]:
        back = back + product(_outside(u, by_u) / row(wide), adjoint(v))
    if by_v is not None and v.spec.shape[-2] > s.spec.shape[-1]:
        back = back + product(u, adjoint(_outside(v, by_v) / row(wide)))
    return back


def _skew(x: Any) -> Any:
    return x - adjoint(x)


def _outside(u: Any, g: Any) -> Any:
    """The part of g that is orthogonal to the columns of u."""
    return g - product(u, product(adjoint(u), g))


@op("svdvals")
class SVDVals(Op):
    """Singular values (..., K), downwards.   A: (..., M, N)"""

    def infer(self, *ins: Spec) -> Spec:
        return _singular(matrix(self.name, ins[0]))

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        u, _, vh = apply(SVD(), ins[0])
        return (conj(product(u * row(cast(grads[0], u.spec.dtype)), vh)),)


@op("qr")
class QR(Op):
    """Q (..., M, K), its columns orthonormal, and R (..., K, N), upper triangular. `complete`: Q square, R as A.

    Walter and Lehmann 2010; Roberts and Roberts 2020, QR and LQ decomposition matrix backpropagation algorithms. The
    first min(M, N) columns must be independent. What `complete` adds to Q has no gradient.
    """

    complete: bool = False

    def infer(self, *ins: Spec) -> tuple[Spec, Spec]:
        x = matrix(self.name, ins[0])
        *lead, m, n = x.shape
        k = m if self.complete else min(m, n)
        return Spec((*lead, m, k), x.dtype), Spec((*lead, k, n), x.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        m, n = ins[0].spec.shape[-2:]
        if self.complete and m > n and grads[0] is not None:
            raise TypeError("qr: Q of mode='complete' has no gradient for more rows than columns: take 'reduced'.")
        k = min(m, n)
        q, r = first(outs[0], k, -1), first(outs[1], k, -2)
        by_q, by_r = (None if g is None else conj(g) for g in grads)
        by_r = None if by_r is None else first(by_r, k, -2)
        return (conj(_tall_back(q, r, by_q, by_r) if n <= m else _wide_back(q, r, by_q, by_r, ins[0])),)


def _tall_back(q: Any, r: Any, by_q: Any, by_r: Any) -> Any:
    """(gQ + Q sym(R gR^H - gQ^H Q)) R^-H; sym mirrors the triangle."""
    inner = None if by_r is None else product(by_r, adjoint(r))
    if by_q is not None:
        inner = plus(inner, product(adjoint(q), by_q) * -1)
    half = _half(inner, lower=False)
    back = plus(by_q, product(q, half + adjoint(half)))
    return adjoint(solve(r, adjoint(back)))


def _wide_back(q: Any, r: Any, by_q: Any, by_r: Any, x: Any) -> Any:
    """A = [X Y], R = [U V]: X = Q U as above, and V = Q^H Y."""
    m, n = x.spec.shape[-2:]
    u, y = slice_axis(r, -1, 0, m), slice_axis(x, -1, m, n)
    if by_r is None:
        return concat([_tall_back(q, u, by_q, None), weighted(y, 0)], -1)
    by_v = slice_axis(by_r, -1, m, n)
    by_q = plus(by_q, product(y, adjoint(by_v)))
    return concat([_tall_back(q, u, by_q, slice_axis(by_r, -1, 0, m)), product(q, by_v)], -1)
