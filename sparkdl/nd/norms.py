"""Norms of vectors and matrices, of floats; half precision is computed in float32.

Gradients where a norm has none are those of its smallest slope: 0 of a vector of zeros.
"""

import math
from typing import Any

from sparkdl.base.spec import COMPLEX, REAL_OF, Spec
from sparkdl.nd.elementwise import abs as abs_, array, equal, not_equal, where
from sparkdl.nd.functions import conj, real, sqrt
from sparkdl.nd.manipulation import many_axes
from sparkdl.nd.op import apply
from sparkdl.nd.ops.broadcast import check_kind
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.decompose import SVDVals
from sparkdl.nd.ops.matrices import matrix
from sparkdl.nd.ops.shape import reshape
from sparkdl.nd.reductions import max as max_, min as min_, sum as sum_

Axes = tuple[int, ...]


def vector_norm(x: Any, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False, ord: float = 2) -> Any:
    """The length of x over `axis`, all axes by default: (sum of |x|^ord)^(1/ord), real.

    ord: inf for the largest |x|, -inf for the smallest, 0 for how many are not 0

    >>> from sparkdl.nd.array import NDArray
    >>> vector_norm(NDArray([3.0, 4.0]))
    NDArray(5., dtype=float32, device=cpu)
    """
    x = array("vector_norm", x)
    check_kind("vector_norm", "floating", x.spec)
    if isinstance(ord, str) or not hasattr(ord, "__float__"):
        raise ValueError(f"vector_norm: ord must be a number, inf or -inf. Got {ord!r}.")
    ndim = len(x.spec.shape)
    axes = tuple(range(ndim)) if axis is None else many_axes("vector_norm", axis, ndim)
    return cast(_vector(_wide(x), axes, keepdims, ord), _real(x.spec))


def _vector(x: Any, axes: Axes, keep: bool, order: float) -> Any:
    if order == 2:
        return _length(x, axes, keep)
    if order == 0:
        return sum_(cast(not_equal(x, 0), _real(x.spec)), axis=axes, keepdims=keep)
    size = abs_(x)
    if math.isinf(order):
        return _largest(size, axes, keep) if order > 0 else min_(size, axis=axes, keepdims=keep)
    if order == 1:
        return sum_(size, axis=axes, keepdims=keep)
    return _root(sum_(size**order, axis=axes, keepdims=keep), order)


def _length(x: Any, axes: Axes, keep: bool) -> Any:
    squares = real(x * conj(x)) if x.spec.dtype in COMPLEX else x * x
    return _root(sum_(squares, axis=axes, keepdims=keep), 2)


def _root(total: Any, order: float) -> Any:
    """total^(1/order), with the gradient 0 instead of NaN at 0."""
    if order < 0:
        return total ** (1 / order)
    zero = equal(total, 0)
    safe = where(zero, 1.0, total)
    return where(zero, 0.0, sqrt(safe) if order == 2 else safe ** (1 / order))


def _largest(size: Any, axes: Axes, keep: bool) -> Any:
    """The largest of what is not negative; 0 of nothing."""
    empty = any(size.spec.shape[a] == 0 for a in axes)
    return (sum_ if empty else max_)(size, axis=axes, keepdims=keep)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The size of matrices, real.   x: (..., M, N)   result: (...), with `keepdims` (..., 1, 1)

    ord: "fro" for the length of all elements, "nuc" for the sum of singular values, 2 and -2 for the largest and
         smallest of these, 1 and -1 for the largest and smallest sum of |x| down a column, inf and -inf along a row

    >>> from sparkdl.nd.array import NDArray
    >>> matrix_norm(NDArray([[1.0, -2.0], [3.0, 4.0]]), ord=1)
    NDArray(6., dtype=float32, device=cpu)
    """
    x = array("matrix_norm", x)
    matrix("matrix_norm", x.spec)
    if ord not in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise ValueError(f"matrix_norm: ord must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf. Got {ord!r}.")
    made = cast(_matrix(_wide(x), ord), _real(x.spec))
    return reshape(made, (*made.spec.shape, 1, 1)) if keepdims else made


def _matrix(x: Any, order: Any) -> Any:
    if order == "fro":
        return _length(x, _last(x, 2), False)
    if order in ("nuc", 2, -2):
        sizes = apply(SVDVals(), x)
        if order == "nuc":
            return sum_(sizes, axis=-1)
    else:
        sizes = sum_(abs_(x), axis=-2 if abs(order) == 1 else -1)
    return _largest(sizes, _last(sizes, 1), False) if order > 0 else min_(sizes, axis=-1)


def _last(x: Any, count: int) -> Axes:
    ndim = len(x.spec.shape)
    return tuple(range(ndim - count, ndim))


def _wide(x: Any) -> Any:
    return cast(x, "float32") if x.spec.dtype in ("float16", "bfloat16") else x


def _real(x: Spec) -> str:
    return REAL_OF.get(x.dtype, x.dtype)
