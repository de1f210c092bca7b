"""Reductions: sums, products, extremes, means and the like over axes."""

import builtins
from typing import Any

import numpy as np

from sparkdl.base.spec import COMPLEX, numpy_dtype
from sparkdl.nd.dtypes import summed
from sparkdl.nd.elementwise import array, into, not_equal
from sparkdl.nd.functions import conj, real, sqrt
from sparkdl.nd.manipulation import many_axes
from sparkdl.nd.op import apply
from sparkdl.nd.ops import reduce as ops
from sparkdl.nd.ops.broadcast import check_kind
from sparkdl.nd.ops.choice import cast

Axis = int | tuple[int, ...] | None
Flag = builtins.bool


def _axes(who: str, x: Any, axis: Axis) -> tuple[int, ...]:
    ndim = len(x.spec.shape)
    return tuple(range(ndim)) if axis is None else tuple(sorted(many_axes(who, axis, ndim)))


def _total(make: Any, who: str, x: Any, axis: Axis, dtype: Any, keepdims: Flag, out: Any) -> Any:
    x = array(who, x)
    wide = cast(x, summed(x.spec.dtype, dtype))
    check_kind(who, "numeric", wide.spec)
    return into(apply(make(_axes(who, x, axis), keepdims), wide), out)


def sum(  # noqa: A001
    x: Any, /, *, axis: Axis = None, dtype: Any = None, keepdims: Flag = False, out: Any = None
) -> Any:
    """Sum over `axis`, all by default. Integers and bools are summed as 64-bit ones, unless `dtype` says otherwise.

    >>> from sparkdl.nd.array import NDArray
    >>> sum(NDArray([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    NDArray([4., 6.], dtype=float32, device=cpu)
    """
    return _total(ops.Sum, "sum", x, axis, dtype, keepdims, out)


def prod(x: Any, /, *, axis: Axis = None, dtype: Any = None, keepdims: Flag = False, out: Any = None) -> Any:
    """Product over `axis`, all by default. Integers and bools are multiplied as 64-bit ones, unless `dtype` says
    otherwise. The gradient is exact where one element is 0."""
    return _total(ops.Prod, "prod", x, axis, dtype, keepdims, out)


def max(x: Any, /, *, axis: Axis = None, keepdims: Flag = False, out: Any = None) -> Any:  # noqa: A001
    """The largest over `axis`; NaN wins. Of real numbers. Raises ShapeError over an empty axis."""
    return _extreme(ops.Max, "max", x, axis, keepdims, out)


def min(x: Any, /, *, axis: Axis = None, keepdims: Flag = False, out: Any = None) -> Any:  # noqa: A001
    """The least over `axis`; NaN wins. Of real numbers. Raises ShapeError over an empty axis."""
    return _extreme(ops.Min, "min", x, axis, keepdims, out)


def _extreme(make: Any, who: str, x: Any, axis: Axis, keepdims: Flag, out: Any) -> Any:
    check_kind(who, "real numeric", array(who, x).spec)
    return into(apply(make(_axes(who, x, axis), keepdims), array(who, x)), out)


def mean(x: Any, /, *, axis: Axis = None, keepdims: Flag = False, out: Any = None) -> Any:
    """Arithmetic mean over `axis`, of floats; NaN of nothing."""
    x = _floats("mean", x)
    total = apply(ops.Sum(_axes("mean", x, axis), keepdims), x)
    return into(total / _number(_count(x, _axes("mean", x, axis)), x.spec.dtype), out)


def var(x: Any, /, *, axis: Axis = None, correction: float = 0.0, keepdims: Flag = False, out: Any = None) -> Any:
    """Mean of squared distances from the mean over `axis`, of real floats; divided by n - `correction`."""
    x = _floats("var", x)
    axes = _axes("var", x, axis)
    away = x - mean(x, axis=axes, keepdims=True)
    squares = real(away * conj(away)) if x.spec.dtype in COMPLEX else away * away
    left = builtins.max(_count(x, axes) - correction, 0.0)
    total = apply(ops.Sum(axes, keepdims), squares)
    return into(total / _number(left, squares.spec.dtype), out)


def std(x: Any, /, *, axis: Axis = None, correction: float = 0.0, keepdims: Flag = False, out: Any = None) -> Any:
    """The square root of `var`."""
    return into(sqrt(var(x, axis=axis, correction=correction, keepdims=keepdims)), out)


def all(x: Any, /, *, axis: Axis = None, keepdims: Flag = False, out: Any = None) -> Any:  # noqa: A001
    """Whether all over `axis` are true, or not 0; True of nothing."""
    return into(_judged(ops.All, "all", x, axis, keepdims), out)


def any(x: Any, /, *, axis: Axis = None, keepdims: Flag = False, out: Any = None) -> Any:  # noqa: A001
    """Whether one over `axis` is true, or not 0; False of nothing."""
    return into(_judged(ops.AnyOf, "any", x, axis, keepdims), out)


def _judged(make: Any, who: str, x: Any, axis: Axis, keepdims: Flag) -> Any:
    x = array(who, x)
    told = x if x.spec.dtype == "bool" else not_equal(x, _number(0, x.spec.dtype))
    return apply(make(_axes(who, x, axis), keepdims), told)


def _floats(who: str, x: Any) -> Any:
    x = array(who, x)
    check_kind(who, "floating", x.spec)
    return x


def _count(x: Any, axes: tuple[int, ...]) -> int:
    count = 1
    for a in axes:
        count *= x.spec.shape[a]
    return count


def _number(value: float, dtype: str) -> Any:
    return np.asarray(value, numpy_dtype(dtype))
