"""What ops of matrices share: checks, and products and transposes over the last two axes, whatever leads them.

Gradients are those of complexes.py. The literature writes its formulas for their conjugates: where a function is not
holomorphic (Cholesky, QR, eigenvectors, singular vectors), a `vjp` conjugates what comes and what it gives.
"""

from typing import Any

import numpy as np

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec, numpy_dtype
from sparkdl.nd.ops.batched import batch_matmul
from sparkdl.nd.ops.broadcast import check_kind
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.complexes import conj
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.shape import reshape, slice_axis, transpose


def matrix(who: str, x: Spec) -> Spec:
    """`x`. Raises DTypeError unless it is of floats, ShapeError unless it has the axes of matrices."""
    if len(x.shape) < 2:
        raise ShapeError(f"{who}: x must be matrices (..., M, N). Got {x}.")
    return check_kind(who, "floating", x)


def square(who: str, x: Spec) -> Spec:
    """`x`. Raises ShapeError unless it is of square matrices, DTypeError unless of floats."""
    if len(x.shape) < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{who}: x must be square matrices (..., M, M). Got {x}.")
    return check_kind(who, "floating", x)


def product(a: Any, b: Any) -> Any:
    """(..., M, K) x (..., K, N), the same leading axes on both sides."""
    return matmul(a, b) if len(a.spec.shape) == 2 else batch_matmul(a, b)


def turned(x: Any) -> Any:
    """The last two axes exchanged."""
    n = len(x.spec.shape)
    return transpose(x, (*range(n - 2), n - 1, n - 2))


def adjoint(x: Any) -> Any:
    """The last two axes exchanged, and conjugated."""
    return conj(turned(x))


def hermitian(x: Any) -> Any:
    """Half of x and its adjoint."""
    return (x + adjoint(x)) * 0.5


def weighted(x: Any, weights: Any) -> Any:
    """x times known numbers, in the dtype of x."""
    return x * np.asarray(weights, numpy_dtype(x.spec.dtype))


def eye(x: Any) -> Any:
    """The identity as large as the square matrices of x, and of their dtype."""
    return np.eye(x.spec.shape[-1], dtype=numpy_dtype(x.spec.dtype))


def row(x: Any) -> Any:
    """Vectors (..., N) as matrices (..., 1, N)."""
    return reshape(x, (*x.spec.shape[:-1], 1, x.spec.shape[-1]))


def column(x: Any) -> Any:
    """Vectors (..., N) as matrices (..., N, 1)."""
    return reshape(x, (*x.spec.shape, 1))


def scalar(x: Any) -> Any:
    """Numbers (...) as matrices (..., 1, 1)."""
    return reshape(x, (*x.spec.shape, 1, 1))


def on_diagonal(v: Any, dtype: str) -> Any:
    """Vectors (..., N) as diagonal matrices (..., N, N) of that dtype."""
    wide = cast(v, dtype)
    return row(wide) * eye(wide)


def first(x: Any, count: int, axis: int) -> Any:
    """The first items along an axis, -1 or -2."""
    return x if x.spec.shape[axis] == count else slice_axis(x, axis, 0, count)


def plus(a: Any, b: Any) -> Any:
    """a + b, None for what is not there."""
    if a is None or b is None:
        return b if a is None else a
    return a + b
