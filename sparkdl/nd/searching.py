"""Where something is: extremes, elements that are not 0, items by index along an axis."""

from typing import Any

import numpy as np

from sparkdl.base.errors import BoundsError, ShapeError
from sparkdl.base.spec import numpy_dtype
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.elementwise import array, into, not_equal
from sparkdl.nd.indexing import check_indices, one_axis
from sparkdl.nd.op import apply
from sparkdl.nd.ops import reduce
from sparkdl.nd.ops.along import TakeAlong
from sparkdl.nd.ops.broadcast import broadcast
from sparkdl.nd.ops.shape import broadcast_to, reshape
from sparkdl.nd.ops.sort import ordered
from sparkdl.nd.reductions import Axis, sum as sum_

Numpy = np.ndarray[Any, Any]


def argmax(x: Any, /, *, axis: int | None = None, keepdims: bool = False, out: Any = None) -> Any:
    """Index (int64) of the first maximum along `axis`, of the flattened x by default; of the first NaN if there is one.

    x of real numbers or bools. Raises ShapeError over an empty axis.

    >>> from sparkdl.nd.array import NDArray
    >>> argmax(NDArray([[1.0, 5.0], [7.0, 2.0]]), axis=1)
    NDArray([1, 0], dtype=int64, device=cpu)
    """
    return into(_extreme(reduce.ArgMax, "argmax", x, axis, keepdims), out)


def argmin(x: Any, /, *, axis: int | None = None, keepdims: bool = False, out: Any = None) -> Any:
    """Index (int64) of the first minimum along `axis`; as `argmax`."""
    return into(_extreme(reduce.ArgMin, "argmin", x, axis, keepdims), out)


def _extreme(make: Any, who: str, x: Any, axis: int | None, keepdims: bool) -> Any:
    x = array(who, x)
    ordered(who, x.spec)
    ndim = len(x.spec.shape)
    at = 0 if axis is None else one_axis(who, axis, ndim)
    found = apply(make(at), reshape(x, (x.spec.size,)) if axis is None else x)
    if not keepdims:
        return found
    return reshape(found, tuple(1 if axis is None or k == at else n for k, n in enumerate(x.spec.shape)))


def count_nonzero(x: Any, /, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many elements over `axis`, all by default, are not 0 (or True); int64. NaN is not 0."""
    return sum_(_told(array("count_nonzero", x)), axis=axis, dtype="int64", keepdims=keepdims)


def nonzero(x: Any, /) -> tuple[NDArray, ...]:
    """Indices (int64) of the elements that are not 0: for each axis of x an array (count,), in C order.

    How many there are hangs on the values: symbols raise TypeError, arrays without axes ShapeError.

    >>> nonzero(NDArray([0.0, 2.0, 3.0]))
    (NDArray([1, 2], dtype=int64, device=cpu),)
    """
    x = array("nonzero", x)
    if not x.spec.shape:
        raise ShapeError("nonzero: x must have one axis or more. Got one without axes; compare it with 0.")
    told = known("nonzero", _told(x), "Take nd.where(x != 0, ...), or nd.count_nonzero.")
    return tuple(wrap(ids.astype(np.int64, copy=False)) for ids in np.nonzero(told))


def argwhere(x: Any, /) -> NDArray:
    """Indices of the elements that are not 0, one row for each.   x: any   result: int64 (count, ndim)"""
    x = array("argwhere", x)
    told = known("argwhere", _told(x), "Take nd.where(x != 0, ...), or nd.count_nonzero.")
    return wrap(np.argwhere(told).astype(np.int64, copy=False))


def take_along_axis(x: Any, indices: Any, /, *, axis: int = -1) -> Any:
    """For each index the item of x there along `axis`.   x: (..., N, ...)   indices: ints (..., K, ...)   (..., K, ...)

    The other axes broadcast. Negative indices count from the end; one outside raises IndexError. With the indices of
    `argsort` or `argmax(keepdims=True)` it gives sorted lines and maxima; gradients are added up where items came from.

    >>> take_along_axis(NDArray([[1.0, 5.0], [7.0, 2.0]]), NDArray([[1], [0]]))
    NDArray([[5.],
             [7.]], dtype=float32, device=cpu)
    """
    x, ids = array("take_along_axis", x), array("take_along_axis", check_indices("take_along_axis", indices))
    ndim = len(x.spec.shape)
    if len(ids.spec.shape) != ndim:
        raise ShapeError(f"take_along_axis: indices must have as many axes as x. Got {x.spec} and {ids.spec}.")
    at = one_axis("take_along_axis", axis, ndim)
    _within(ids, at, x.spec.shape[at])
    rest = broadcast("take_along_axis", *((*s[:at], 1, *s[at + 1 :]) for s in (x.spec.shape, ids.spec.shape)))
    wide = (broadcast_to(v, (*rest[:at], v.spec.shape[at], *rest[at + 1 :])) for v in (x, ids))
    return apply(TakeAlong(at), *wide)


def _within(ids: Any, axis: int, n: int) -> None:
    """Checked where their values are known."""
    if isinstance(ids, NDArray) and ids.size:
        least, most = int(ids.numpy().min()), int(ids.numpy().max())
        if least < -n or most >= n:
            said = f"indices of axis {axis} must lie within {-n} .. {n - 1}. Got {least} .. {most}"
            raise BoundsError(f"take_along_axis: {said}.")


def known(who: str, x: Any, instead: str) -> Numpy:
    """The numbers of an array. Raises TypeError for a value that is traced or differentiated, saying what to do."""
    if not isinstance(x, NDArray):
        raise TypeError(f"{who}: the shape of the result hangs on the values, which are not known of {x!r}. {instead}")
    return x.numpy()


def _told(x: Any) -> Any:
    """Which elements are not 0."""
    return x if x.spec.dtype == "bool" else not_equal(x, np.zeros((), numpy_dtype(x.spec.dtype)))
