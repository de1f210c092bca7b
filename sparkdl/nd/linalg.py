"""Linear algebra: the `linalg` extension of the array API standard, for stacks of matrices (..., M, N).

Matrices are of floats, real or complex; half precision is computed in float32. All has gradients, but for ranks and
where it is said; those by eigenvectors and singular vectors want distinct values, and functions that do not hang on the
vectors' signs. Raises DTypeError for other elements, ShapeError for other shapes (a ValueError both), LinAlgError (a
ValueError, and NumPy's) for a matrix without an inverse or decomposition.
"""

import builtins
from typing import Any, NamedTuple

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import REAL_OF
from sparkdl.kernels.ref.linalg import LinAlgError
from sparkdl.nd.array import wrap
from sparkdl.nd.dtypes import finfo
from sparkdl.nd.elementwise import array
from sparkdl.nd.indexing import getitem, one_axis
from sparkdl.nd.manipulation import expand_dims, matrix_transpose, roll
from sparkdl.nd.norms import matrix_norm, vector_norm
from sparkdl.nd.op import apply
from sparkdl.nd.ops import decompose, matrices, solve as ops
from sparkdl.nd.ops.broadcast import broadcast, check_kind
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.shape import broadcast_to, reshape
from sparkdl.nd.products import matmul, outer, tensordot, vecdot
from sparkdl.nd.promote import as_dtype, operands
from sparkdl.nd.reductions import max as max_, sum as sum_

__all__ = [
    "EighResult", "LinAlgError", "QRResult", "SVDResult", "SlogdetResult", "cholesky", "cross", "det", "diagonal",
    "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "outer",
    "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip


class EighResult(NamedTuple):
    """Eigenvalues (..., M), upwards, and eigenvectors as columns (..., M, M)."""

    eigenvalues: Any
    eigenvectors: Any


class QRResult(NamedTuple):
    """Q, whose columns are orthonormal, and R, upper triangular."""

    Q: Any
    R: Any


class SlogdetResult(NamedTuple):
    """The determinant's sign and the logarithm of its size."""

    sign: Any
    logabsdet: Any


class SVDResult(NamedTuple):
    """U, singular values downwards, and the adjoint of V."""

    U: Any
    S: Any
    Vh: Any


def cholesky(x: Any, /, *, upper: bool = False) -> Any:
    """L of x = L L^H, lower triangular; with `upper` U of x = U^H U.   x: (..., M, M), symmetric or Hermitian

    Raises LinAlgError unless x is positive definite. Only its lower half is read; the gradient is symmetric.

    >>> from sparkdl.nd.array import NDArray
    >>> cholesky(NDArray([[4.0, 2.0], [2.0, 2.0]]))
    NDArray([[2., 0.],
             [1., 1.]], dtype=float32, device=cpu)
    """
    lower = apply(decompose.Cholesky(), array("cholesky", x))
    return matrices.adjoint(lower) if upper else lower


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The vector at right angles to two, of numbers. `axis`, of length 3 in both, is counted from the end in both, the
    other axes broadcast.

    >>> from sparkdl.nd.array import NDArray
    >>> cross(NDArray([1, 0, 0]), NDArray([0, 1, 0]))
    NDArray([0, 0, 1], dtype=int64, device=cpu)
    """
    a, b = operands("cross", array("cross", x1), array("cross", x2))
    check_kind("cross", "numeric", a.spec)
    shortest = min(len(a.spec.shape), len(b.spec.shape))
    at = one_axis("cross", axis, shortest) - shortest
    if a.spec.shape[at] != 3 or b.spec.shape[at] != 3:
        raise ShapeError(f"cross: axis {axis} must have length 3 in both. Got {a.spec} and {b.spec}.")
    broadcast("cross", a.spec.shape, b.spec.shape)
    return roll(a, -1, axis=at) * roll(b, -2, axis=at) - roll(a, -2, axis=at) * roll(b, -1, axis=at)


def det(x: Any, /) -> Any:
    """The determinant.   x: (..., M, M)   result: (...). The gradient is exact for singular matrices, too.

    >>> from sparkdl.nd.array import NDArray
    >>> det(NDArray([[3.0, 0.0], [1.0, 2.0]]))
    NDArray(6., dtype=float32, device=cpu)
    """
    return apply(ops.Det(), array("det", x))


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """Elements whose column is their row + `offset`, of any dtype; a view of eager arrays in C order.

    x: (..., M, N)   result: (..., count)

    >>> from sparkdl.nd.array import NDArray
    >>> diagonal(NDArray([[1, 2], [3, 4]]), offset=1)
    NDArray([2], dtype=int64, device=cpu)
    """
    x = array("diagonal", x)
    if len(x.spec.shape) < 2:
        raise ShapeError(f"diagonal: x must be matrices (..., M, N). Got {x.spec}.")
    *lead, m, n = x.spec.shape
    offset = _whole("diagonal", "offset", offset)
    row, column = builtins.max(-offset, 0), builtins.max(offset, 0)
    count, step = builtins.max(min(m - row, n - column), 0), n + 1
    start = row * n + column if count else 0
    return getitem(reshape(x, (*lead, m * n)), (..., slice(start, start + count * step, step)))


def eigh(x: Any, /) -> EighResult:
    """Eigenvalues (..., M), upwards, and eigenvectors as columns.   x: (..., M, M), symmetric or Hermitian

    Only the lower half of x is read; the gradient is symmetric.

    >>> from sparkdl.nd.array import NDArray
    >>> eigh(NDArray([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    NDArray([1., 2.], dtype=float32, device=cpu)
    """
    return EighResult(*apply(decompose.Eigh(), array("eigh", x)))


def eigvalsh(x: Any, /) -> Any:
    """Eigenvalues (..., M), upwards.   x: (..., M, M), symmetric or Hermitian; only its lower half is read"""
    return apply(decompose.EigvalsH(), array("eigvalsh", x))


def inv(x: Any, /) -> Any:
    """The inverse.   x: (..., M, M). Raises LinAlgError for a singular matrix.

    >>> from sparkdl.nd.array import NDArray
    >>> inv(NDArray([[2.0, 0.0], [0.0, 4.0]]))
    NDArray([[0.5 , 0.  ],
             [0.  , 0.25]], dtype=float32, device=cpu)
    """
    return apply(ops.Inv(), array("inv", x))


def matrix_power(x: Any, n: int, /) -> Any:
    """Products of so many x; of its inverse where n < 0, the identity where n is 0.   x: (..., M, M)"""
    x, times = array("matrix_power", x), _whole("matrix_power", "n", n)
    matrices.square("matrix_power", x.spec)
    if times == 0:
        return broadcast_to(wrap(matrices.eye(x)), x.spec.shape)
    base = made = inv(x) if times < 0 else x
    for bit in f"{abs(times):b}"[1:]:
        made = matrices.product(made, made)
        made = matrices.product(made, base) if bit == "1" else made
    return made


def _whole(who: str, name: str, n: Any) -> int:
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"{who}: {name} must be an int. Got {n!r}.")
    return int(n)


def matrix_rank(x: Any, /, *, rtol: Any = None) -> Any:
    """How many singular values are above `rtol` times the largest, int64.   x: (..., M, N)   result: (...)

    rtol: a number, or an array of the shape (...); by default the larger of M and N times the dtype's epsilon
    """
    x = array("matrix_rank", x)
    values = svdvals(x)
    if 0 in x.spec.shape[-2:]:
        return sum_(cast(values > 0, "int64"), axis=-1)
    least = as_column(_rtol(x, rtol)) * max_(values, axis=-1, keepdims=True)
    return sum_(cast(values > least, "int64"), axis=-1)


def pinv(x: Any, /, *, rtol: Any = None) -> Any:
    """The pseudoinverse (Moore and Penrose's).   x: (..., M, N)   result: (..., N, M)

    rtol: singular values up to so many times the largest count as 0; as for `matrix_rank`. The gradient is true for
          changes that leave the rank as it is
    """
    x = array("pinv", x)
    matrices.matrix("pinv", x.spec)
    return apply(ops.Pinv(), x, _rtol(x, rtol))


def _rtol(x: Any, rtol: Any) -> Any:
    if rtol is None:
        rtol = builtins.max(x.spec.shape[-2:]) * finfo(x.spec.dtype).eps
    return as_dtype(rtol, REAL_OF.get(x.spec.dtype, x.spec.dtype))


def qr(x: Any, /, *, mode: str = "reduced") -> QRResult:
    """Q, whose columns are orthonormal, and R, upper triangular, of x = Q R.   x: (..., M, N)

    mode: "reduced" for Q (..., M, K), K the smaller of M and N; "complete" for Q (..., M, M), which has no gradient
          where M > N
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete'. Got {mode!r}.")
    return QRResult(*apply(decompose.QR(mode == "complete"), array("qr", x)))


def slogdet(x: Any, /) -> SlogdetResult:
    """The determinant's sign (of complex ones det / |det|) and the logarithm of its size: it cannot overflow.

    x: (..., M, M)   results: (...). Singular matrices give 0 and -inf, and have no gradient (LinAlgError).
    """
    return SlogdetResult(*apply(ops.SLogDet(), array("slogdet", x)))


def solve(x1: Any, x2: Any, /) -> Any:
    """The X of x1 X = x2.   x1: (..., M, M)   x2: (M,) or (..., M, K)   result: (..., M) or (..., M, K)

    Leading axes broadcast. Raises LinAlgError for a singular matrix.

    >>> from sparkdl.nd.array import NDArray
    >>> solve(NDArray([[2.0, 0.0], [0.0, 4.0]]), NDArray([1.0, 1.0]))
    NDArray([0.5 , 0.25], dtype=float32, device=cpu)
    """
    a, b = operands("solve", array("solve", x1), array("solve", x2))
    size = matrices.square("solve", a.spec).shape[-1]
    vector = len(b.spec.shape) == 1
    if not b.spec.shape or b.spec.shape[-1 if vector else -2] != size:
        raise ShapeError(f"solve: x2 must be ({size},) or (..., {size}, K) for {a.spec}. Got {b.spec}.")
    b = as_column(b) if vector else b
    lead = broadcast("solve", a.spec.shape[:-2], b.spec.shape[:-2])
    made = ops.solve(*(broadcast_to(x, (*lead, *x.spec.shape[-2:])) for x in (a, b)))
    return reshape(made, made.spec.shape[:-1]) if vector else made


def as_column(x: Any) -> Any:
    """With an axis of length 1 at the end."""
    return expand_dims(x, axis=-1)


def svd(x: Any, /, *, full_matrices: bool = True) -> SVDResult:
    """U, singular values S downwards, and Vh of x = U S Vh.   x: (..., M, N), K the smaller of M and N

    full_matrices: U (..., M, M) and Vh (..., N, N), whose gradients are refused (TypeError) where M != N;
                   otherwise U (..., M, K) and Vh (..., K, N)
    """
    x = array("svd", x)
    full = full_matrices and matrices.matrix("svd", x.spec).shape[-1] != x.spec.shape[-2]
    return SVDResult(*apply(decompose.SVD(full), x))


def svdvals(x: Any, /) -> Any:
    """Singular values (..., K), downwards.   x: (..., M, N), K the smaller of M and N"""
    return apply(decompose.SVDVals(), array("svdvals", x))


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sum of `diagonal`, of numbers; integers are summed as 64-bit ones unless `dtype` says otherwise.

    >>> from sparkdl.nd.array import NDArray
    >>> trace(NDArray([[1, 2], [3, 4]]))
    NDArray(5, dtype=int64, device=cpu)
    """
    x = array("trace", x)
    check_kind("trace", "numeric", x.spec)
    return sum_(diagonal(x, offset=offset), axis=-1, dtype=dtype)
