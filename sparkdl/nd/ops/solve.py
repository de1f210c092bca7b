"""Inverses, linear systems and determinants of stacks of matrices. Gradients: Giles 2008, An extended collection of
matrix derivative results; of the pseudoinverse: Golub and Pereyra 1973."""

from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import COMPLEX, REAL_OF, Spec
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.arithmetic import negative
from sparkdl.nd.ops.broadcast import broadcast, same_dtype
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.complexes import conj, imag
from sparkdl.nd.ops.matrices import adjoint, matrix, plus, product, scalar, square, turned
from sparkdl.nd.ops.reduce import sum as sum_


@op("inv")
class Inv(Op):
    """A^-1.   A: (..., M, M)"""

    def infer(self, *ins: Spec) -> Spec:
        return square(self.name, ins[0])

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        back = turned(outs[0])
        return (negative(product(product(back, grads[0]), back)),)


@op("solve")
class Solve(Op):
    """X of A X = B.   A: (..., M, M)   B: (..., M, K), the same leading axes"""

    def infer(self, *ins: Spec) -> Spec:
        a, b = square(self.name, ins[0]), ins[1]
        same_dtype(self.name, ins)
        if len(b.shape) != len(a.shape) or b.shape[:-1] != a.shape[:-1]:
            raise ShapeError(f"{self.name}: B must be {a.dtype}[...,{a.shape[-1]},K] for {a}. Got {b}.")
        return b

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        db = solve(turned(ins[0]), grads[0])
        return negative(product(db, turned(outs[0]))), db


@op("pinv")
class Pinv(Op):
    """The pseudoinverse, by singular values above `rtol` times the largest.   A: (..., M, N)   rtol: within (...)

    Its gradient is true for changes that leave the rank as it is.
    """

    def infer(self, *ins: Spec) -> Spec:
        a, rtol = matrix(self.name, ins[0]), ins[1]
        lead = a.shape[:-2]
        if broadcast(self.name, rtol.shape, lead) != lead:
            raise ShapeError(f"{self.name}: rtol must broadcast to {lead}, the leading axes of {a}. Got {rtol}.")
        if rtol.dtype != REAL_OF.get(a.dtype, a.dtype):
            raise ShapeError(f"{self.name}: rtol must be {REAL_OF.get(a.dtype, a.dtype)} for {a}. Got {rtol}.")
        return Spec((*lead, a.shape[-1], a.shape[-2]), a.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        a, p, ph, gh = ins[0], outs[0], adjoint(outs[0]), turned(grads[0])  # gh: adjoint of the conjugated gradient
        inner, square_ = product(gh, p), product(ph, p)
        left = product(inner, ph)
        da = negative(adjoint(product(p, inner)))
        da = da + (left - product(a, product(p, left)))
        return conj(da + product(square_, gh - product(inner, a))), None


@op("det")
class Det(Op):
    """The determinant.   A: (..., M, M)   result: (...)"""

    def infer(self, *ins: Spec) -> Spec:
        x = square(self.name, ins[0])
        return Spec(x.shape[:-2], x.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (scalar(grads[0]) * apply(Cofactors(), ins[0]),)


@op("cofactors")
class Cofactors(Op):
    """det(A) A^-T, singular matrices' too: the gradient of the determinant. Its own gradient takes an inverse."""

    def infer(self, *ins: Spec) -> Spec:
        return square(self.name, ins[0])

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (g,), (y,), back = grads, outs, turned(inv(ins[0]))
        return (back * sum_(g * y, (-2, -1), True) - product(product(back, turned(g)), y),)


@op("slogdet")
class SLogDet(Op):
    """The determinant's sign (of complex ones det / |det|), and the logarithm of its size.   A: (..., M, M)"""

    def infer(self, *ins: Spec) -> tuple[Spec, Spec]:
        x = square(self.name, ins[0])
        return Spec(x.shape[:-2], x.dtype), Spec(x.shape[:-2], REAL_OF.get(x.dtype, x.dtype))

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (by_sign, by_log), dtype = grads, ins[0].spec.dtype
        total = None if by_log is None else cast(by_log, dtype)
        if by_sign is not None and dtype in COMPLEX:  # the angle turns with Im tr(A^-1 dA)
            total = plus(total, cast(imag(by_sign * outs[0]), dtype) * 1j)
        return (None if total is None else scalar(total) * turned(inv(ins[0])),)


def inv(x: Any) -> Any:
    """The inverse of matrices (..., M, M)."""
    return apply(Inv(), x)


def solve(a: Any, b: Any) -> Any:
    """X of A X = B.   a: (..., M, M)   b: (..., M, K)"""
    return apply(Solve(), a, b)
