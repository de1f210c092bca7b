"""Running sums and products, and differences of neighbours."""

from typing import Any

import numpy as np

from sparkdl.base.errors import AxisError
from sparkdl.base.spec import numpy_dtype
from sparkdl.nd.dtypes import summed
from sparkdl.nd.elementwise import array, into, number
from sparkdl.nd.indexing import getitem, one_axis
from sparkdl.nd.manipulation import concat
from sparkdl.nd.op import Op, apply
from sparkdl.nd.ops import cumulative as ops
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.shape import Concat, reshape


def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False, out: Any = None
) -> Any:
    """Sums of all elements up to each along `axis`, which may be left out where there is one.

    dtype:           by default that of `sum`: integers and bools are added as 64-bit ones
    include_initial: begin with the sum of nothing, 0: the axis gets longer by one

    >>> from sparkdl.nd.array import NDArray
    >>> cumulative_sum(NDArray([1.0, 2.0, 3.0]), include_initial=True)
    NDArray([0., 1., 3., 6.], dtype=float32, device=cpu)
    """
    x, at = _standard("cumulative_sum", x, axis)
    return into(_running(ops.CumulativeSum(at), x, dtype, 0 if include_initial else None), out)


def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False, out: Any = None
) -> Any:
    """Products of all elements up to each along `axis`; arguments as of `cumulative_sum`, the first being 1.

    The gradient is exact where elements are 0, and costs a step for each element along the axis.
    """
    x, at = _standard("cumulative_prod", x, axis)
    return into(_running(ops.CumulativeProd(at), x, dtype, 1 if include_initial else None), out)


def cumsum(x: Any, axis: int | None = None, dtype: Any = None, *, out: Any = None) -> Any:
    """NumPy's `cumulative_sum`: without an axis x is flattened first.

    >>> from sparkdl.nd.array import NDArray
    >>> cumsum(NDArray([[1, 2], [3, 4]]))
    NDArray([ 1,  3,  6, 10], dtype=int64, device=cpu)
    """
    x, at = _flattened("cumsum", x, axis)
    return into(_running(ops.CumulativeSum(at), x, dtype, None), out)


def cumprod(x: Any, axis: int | None = None, dtype: Any = None, *, out: Any = None) -> Any:
    """NumPy's `cumulative_prod`: without an axis x is flattened first."""
    x, at = _flattened("cumprod", x, axis)
    return into(_running(ops.CumulativeProd(at), x, dtype, None), out)


def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    """x[k + 1] - x[k] along `axis`, `n` times over: each time the axis gets shorter by one. Of numbers.

    prepend, append: arrays as x but for the length of the axis, put before and behind x first

    >>> from sparkdl.nd.array import NDArray
    >>> diff(NDArray([1, 4, 9, 16]), n=2)
    NDArray([2, 2], dtype=int64, device=cpu)
    """
    x = number("diff", x)
    at = one_axis("diff", axis, len(x.spec.shape))
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise ValueError(f"diff: n must be an int >= 0. Got {n!r}.")
    given = [v for v in (prepend, x, append) if v is not None]
    x = concat([array("diff", v) for v in given], axis=at) if len(given) > 1 else x
    for _ in range(n):
        x = _steps(x, at)
    return x


def _steps(x: Any, axis: int) -> Any:
    lead = (slice(None),) * axis
    return getitem(x, (*lead, slice(1, None))) - getitem(x, (*lead, slice(None, -1)))


def _standard(who: str, x: Any, axis: int | None) -> tuple[Any, int]:
    x = array(who, x)
    ndim = len(x.spec.shape)
    if axis is None and ndim != 1:
        raise AxisError(f"{who}: axis must be given for an array of {ndim} axes. Got {x.spec}.")
    return x, one_axis(who, 0 if axis is None else axis, ndim)


def _flattened(who: str, x: Any, axis: int | None) -> tuple[Any, int]:
    x = array(who, x)
    if axis is None:
        return reshape(x, (x.spec.size,)), 0
    return x, one_axis(who, axis, len(x.spec.shape))


def _running(op: Op, x: Any, dtype: Any, first: int | None) -> Any:
    y = apply(op, cast(x, summed(x.spec.dtype, dtype)))
    if first is None:
        return y
    axis = op.axis  # type: ignore[attr-defined]
    shape = (*y.spec.shape[:axis], 1, *y.spec.shape[axis + 1 :])
    return apply(Concat(axis), np.full(shape, first, numpy_dtype(y.spec.dtype)), y)
