"""Reductions that leave NaN out. Arguments are as of the functions without `nan`."""

from typing import Any

from sparkdl.base.spec import KINDS
from sparkdl.nd import reductions
from sparkdl.nd.elementwise import array, into, isnan, logical_not, where
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.reductions import Axis
from sparkdl.nd.statistics import floats


def nansum(x: Any, axis: Axis = None, dtype: Any = None, *, keepdims: bool = False, out: Any = None) -> Any:
    """Sum over `axis` of what is not NaN; 0 of nothing.

    >>> from sparkdl.nd.array import NDArray
    >>> nansum(NDArray([1.0, float("nan"), 2.0]))
    NDArray(3., dtype=float32, device=cpu)
    """
    return reductions.sum(_instead("nansum", x, 0.0), axis=axis, dtype=dtype, keepdims=keepdims, out=out)


def nanmean(x: Any, axis: Axis = None, *, keepdims: bool = False, out: Any = None) -> Any:
    """Mean over `axis` of what is not NaN; NaN of nothing. Integers are computed in float64."""
    x = floats("nanmean", x)
    total = nansum(x, axis, keepdims=keepdims)
    count = reductions.sum(logical_not(isnan(x)), axis=axis, keepdims=keepdims)
    return into(total / cast(count, x.spec.dtype), out)


def nanmax(x: Any, axis: Axis = None, *, keepdims: bool = False, out: Any = None) -> Any:
    """The largest over `axis` that is not NaN; NaN where all are. Raises ShapeError over an empty axis."""
    return _extreme(reductions.max, "nanmax", x, float("-inf"), axis, keepdims, out)


def nanmin(x: Any, axis: Axis = None, *, keepdims: bool = False, out: Any = None) -> Any:
    """The least over `axis` that is not NaN; NaN where all are. Raises ShapeError over an empty axis."""
    return _extreme(reductions.min, "nanmin", x, float("inf"), axis, keepdims, out)


def _extreme(fn: Any, who: str, x: Any, least: float, axis: Axis, keepdims: bool, out: Any) -> Any:
    made = fn(_instead(who, x, least), axis=axis, keepdims=keepdims)
    if made.spec.dtype in KINDS["floating"]:
        none = reductions.all(isnan(x), axis=axis, keepdims=keepdims)
        made = where(none, float("nan"), made)
    return into(made, out)


def _instead(who: str, x: Any, value: float) -> Any:
    """x with `value` for NaN."""
    x = array(who, x)
    return where(isnan(x), value, x) if x.spec.dtype in KINDS["floating"] else x
