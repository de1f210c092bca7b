"""Functions that give the elements of arrays another order or shape. Eager arrays become views where they can."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from sparkdl.base.errors import AxisError, DTypeError, ShapeError
from sparkdl.base.spec import KINDS, numpy_dtype
from sparkdl.nd.dtypes import common
from sparkdl.nd.elementwise import array, into
from sparkdl.nd.indexing import getitem, one_axis
from sparkdl.nd.op import is_eager
from sparkdl.nd.ops import shape as ops
from sparkdl.nd.ops.broadcast import broadcast
from sparkdl.nd.promote import as_dtype

Ints = int | tuple[int, ...]


def many_axes(who: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """Axes counted from the front, in the order given. Raises AxisError when one is not there or given twice."""
    found = tuple(one_axis(who, a, ndim) for a in (axis if isinstance(axis, tuple | list | range) else (axis,)))
    if len(set(found)) != len(found):
        raise AxisError(f"{who}: axes must be distinct. Got {axis}.")
    return found


def reshape(x: Any, /, shape: Any, *, copy: bool | None = None) -> Any:
    """The same elements in C order under another shape; one length may be -1, which is then computed.

    copy: True for memory of its own, False to raise ValueError where a view cannot be had, None for what is needed

    >>> from sparkdl.nd.array import NDArray
    >>> reshape(NDArray([[1.0, 2.0], [3.0, 4.0]]), (-1,)).shape
    (4,)
    """
    x, lengths = array("reshape", x), _lengths(x, shape)
    made = ops.reshape(x, lengths)
    if copy is False and is_eager(made) and x.size and not np.shares_memory(made.numpy(), x.numpy()):
        raise ValueError(f"reshape: {x.shape} to {lengths} needs a copy with these strides, {x.strides}.")
    return made.copy() if copy and is_eager(made) else made


def _lengths(x: Any, shape: Any) -> tuple[int, ...]:
    given = tuple(int(n) for n in (shape if isinstance(shape, tuple | list) else (shape,)))
    known = math.prod(n for n in given if n != -1)
    if given.count(-1) > 1 or any(n < -1 for n in given):
        raise ShapeError(f"reshape: lengths must be >= 0, one at most -1. Got {given}.")
    if -1 in given and (known == 0 or x.spec.size % known):
        raise ShapeError(f"reshape: {x.spec} has {x.spec.size} elements, which {given} does not divide.")
    return tuple(x.spec.size // known if n == -1 else n for n in given)


def permute_dims(x: Any, /, axes: Sequence[int]) -> Any:
    """Axes in another order: axis k of the result is axis `axes[k]` of x."""
    x = array("permute_dims", x)
    order = many_axes("permute_dims", tuple(axes), len(x.spec.shape))
    if len(order) != len(x.spec.shape):
        raise AxisError(f"permute_dims: axes must name each of the {len(x.spec.shape)} axes once. Got {axes}.")
    return ops.transpose(x, order)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Axes in another order, NumPy's name; reversed by default."""
    return permute_dims(x, tuple(reversed(range(len(x.spec.shape)))) if axes is None else axes)


def matrix_transpose(x: Any, /) -> Any:
    """The last two axes exchanged.   x: (..., M, N)   result: (..., N, M)"""
    ndim = len(array("matrix_transpose", x).spec.shape)
    if ndim < 2:
        raise ShapeError(f"matrix_transpose: x must have two axes or more. Got {x.spec}.")
    return ops.transpose(x, (*range(ndim - 2), ndim - 1, ndim - 2))


def moveaxis(x: Any, source: Ints, destination: Ints, /) -> Any:
    """Axes at other places, the others in their order."""
    ndim = len(array("moveaxis", x).spec.shape)
    start, end = many_axes("moveaxis", source, ndim), many_axes("moveaxis", destination, ndim)
    if len(start) != len(end):
        raise ShapeError(f"moveaxis: source and destination must be as many. Got {source} and {destination}.")
    order = [k for k in range(ndim) if k not in start]
    for to, axis in sorted(zip(end, start, strict=True)):
        order.insert(to, axis)
    return ops.transpose(x, order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged."""
    ndim = len(x.spec.shape)
    order = list(range(ndim))
    a, b = one_axis("swapaxes", axis1, ndim), one_axis("swapaxes", axis2, ndim)
    order[a], order[b] = b, a
    return ops.transpose(x, order)


def expand_dims(x: Any, /, axis: Ints = 0) -> Any:
    """New axes of length 1 at `axis`, places in the result."""
    x = array("expand_dims", x)
    count = len(axis) if isinstance(axis, tuple) else 1
    ndim = len(x.spec.shape) + count
    at, rest = many_axes("expand_dims", axis, ndim), iter(x.spec.shape)
    return ops.reshape(x, tuple(1 if k in at else next(rest) for k in range(ndim)))


def squeeze(x: Any, /, axis: Ints) -> Any:
    """Without the axes `axis`, which must have length 1."""
    shape = array("squeeze", x).spec.shape
    gone = many_axes("squeeze", axis, len(shape))
    if any(shape[a] != 1 for a in gone):
        raise ShapeError(f"squeeze: axes {axis} must have length 1. Got {x.spec}.")
    return ops.reshape(x, tuple(n for k, n in enumerate(shape) if k not in gone))


def broadcast_to(x: Any, /, shape: Sequence[int]) -> Any:
    """x repeated along new leading axes and axes of length 1; a read-only view of eager arrays."""
    return ops.broadcast_to(array("broadcast_to", x), tuple(shape))


def broadcast_arrays(*arrays: Any) -> tuple[Any, ...]:
    """All in their common shape."""
    shape = broadcast("broadcast_arrays", *(array("broadcast_arrays", x).spec.shape for x in arrays))
    return tuple(ops.broadcast_to(x, shape) for x in arrays)


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that these broadcast to."""
    return broadcast("broadcast_shapes", *shapes)


def concat(arrays: Sequence[Any], /, *, axis: int | None = 0, out: Any = None) -> Any:
    """Arrays one after another along `axis`, in their common dtype; flattened first when it is None."""
    xs = _alike("concat", arrays)
    if axis is None:
        return into(ops.concat([ops.reshape(x, (x.spec.size,)) for x in xs], 0), out)
    return into(ops.concat(xs, one_axis("concat", axis, len(xs[0].spec.shape))), out)


def stack(arrays: Sequence[Any], /, *, axis: int = 0, out: Any = None) -> Any:
    """Arrays of one shape beside one another along a new axis."""
    xs = _alike("stack", arrays)
    if len({x.spec.shape for x in xs}) != 1:
        raise ShapeError(f"stack: all must have one shape. Got {', '.join(str(x.spec) for x in xs)}.")
    at = one_axis("stack", axis, len(xs[0].spec.shape) + 1)
    return into(ops.concat([expand_dims(x, axis=at) for x in xs], at), out)


def _alike(who: str, arrays: Sequence[Any]) -> list[Any]:
    if not len(arrays):
        raise ValueError(f"{who}: at least one array must be given. Got none.")
    xs = [array(who, x) for x in arrays]
    dtype = common(x.spec.dtype for x in xs)
    return [as_dtype(x, dtype) for x in xs]


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The parts along `axis`, which they lack."""
    shape = array("unstack", x).spec.shape
    at = one_axis("unstack", axis, len(shape))
    return tuple(getitem(x, (*(slice(None),) * at, k)) for k in range(shape[at]))


def split(x: Any, parts: int | Sequence[int], axis: int = 0) -> list[Any]:
    """NumPy's: so many equal parts, or parts that end before each of the indices and at the end."""
    at = one_axis("split", axis, len(x.spec.shape))
    n = x.spec.shape[at]
    if isinstance(parts, int):
        if parts < 1 or n % parts:
            raise ShapeError(f"split: axis {axis} of {x.spec} must divide into {parts} equal parts.")
        parts = range(n // parts, n, n // parts)
    ends = [0, *(min(k if k >= 0 else k + n, n) for k in parts), n]
    return [getitem(x, (*(slice(None),) * at, slice(a, b))) for a, b in pairwise(ends)]


def flip(x: Any, /, *, axis: Ints | None = None) -> Any:
    """Backwards along `axis`, all by default; a view of eager arrays."""
    ndim = len(array("flip", x).spec.shape)
    turned = tuple(range(ndim)) if axis is None else many_axes("flip", axis, ndim)
    return getitem(x, (*(slice(None, None, -1 if k in turned else 1) for k in range(ndim)), ...))


def roll(x: Any, /, shift: Ints, *, axis: Ints | None = None) -> Any:
    """Moved by `shift` along `axis`, what leaves at the end coming in at the front; flattened for it when None."""
    shape = array("roll", x).spec.shape
    if axis is None:
        return ops.reshape(_rolled(ops.reshape(x, (x.spec.size,)), _one(shift), 0), shape)
    axes = tuple(one_axis("roll", a, len(shape)) for a in (axis if isinstance(axis, tuple) else (axis,)))
    shifts = shift if isinstance(shift, tuple) else (shift,) * len(axes)
    if len(shifts) != len(axes):
        raise ShapeError(f"roll: shift and axis must be as many. Got {shift} and {axis}.")
    for by, at in zip(shifts, axes, strict=True):
        x = _rolled(x, by, at)
    return x


def _one(shift: Ints) -> int:
    if isinstance(shift, tuple):
        if len(shift) != 1:
            raise ShapeError(f"roll: shift must be an int where axis is None. Got {shift}.")
        return shift[0]
    return shift


def _rolled(x: Any, by: int, axis: int) -> Any:
    n = x.spec.shape[axis]
    cut = -by % n if n else 0
    if cut == 0:
        return getitem(x, ...)
    return ops.concat([ops.slice_axis(x, axis, cut, n), ops.slice_axis(x, axis, 0, cut)], axis)


def tile(x: Any, repetitions: Sequence[int], /) -> Any:
    """x repeated as a whole, so many times along each axis; the shorter of shape and `repetitions` is led by ones."""
    x = array("tile", x)
    ndim = max(len(x.spec.shape), len(repetitions))
    shape = (1,) * (ndim - len(x.spec.shape)) + x.spec.shape
    times = (1,) * (ndim - len(repetitions)) + tuple(repetitions)
    apart = ops.reshape(x, [m for n in shape for m in (1, n)])
    wide = ops.broadcast_to(apart, [m for t, n in zip(times, shape, strict=True) for m in (t, n)])
    return ops.reshape(wide, tuple(t * n for t, n in zip(times, shape, strict=True)))


def repeat(x: Any, repeats: Any, /, *, axis: int | None = None) -> Any:
    """Each element so many times, one beside the other; flattened when `axis` is None.

    repeats: an int, or ints for each item along the axis, whose values must be known (no symbols)
    """
    x = array("repeat", x)
    if axis is None:
        x, axis = ops.reshape(x, (x.spec.size,)), 0
    at = one_axis("repeat", axis, len(x.spec.shape))
    n = x.spec.shape[at]
    counts = _counts(repeats, n)
    return getitem(x, (*(slice(None),) * at, np.repeat(np.arange(n), counts)))


def _counts(repeats: Any, n: int) -> Any:
    if hasattr(repeats, "spec") and not is_eager(repeats):
        raise TypeError("repeat: repeats must be known: the shape of the result hangs on them. Got a symbol.")
    counts = np.asarray(repeats)
    if counts.dtype.name not in KINDS["integer"]:
        raise DTypeError(f"repeat: repeats must be integers. Got {counts.dtype}.")
    if counts.size not in (1, n) or counts.ndim > 1 or (counts < 0).any():
        raise ShapeError(f"repeat: repeats must be one int >= 0, or {n} of them. Got {counts}.")
    return np.broadcast_to(counts, (n,))


def tril(x: Any, /, *, k: int = 0) -> Any:
    """The lower triangle of matrices (..., M, N), 0 above diagonal k."""
    return _triangle("tril", x, lambda rows, cols: cols - rows <= k)


def triu(x: Any, /, *, k: int = 0) -> Any:
    """The upper triangle of matrices (..., M, N), 0 below diagonal k."""
    return _triangle("triu", x, lambda rows, cols: cols - rows >= k)


def _triangle(who: str, x: Any, kept: Any) -> Any:
    from sparkdl.nd.elementwise import where

    if len(array(who, x).spec.shape) < 2:
        raise ShapeError(f"{who}: x must have two axes or more. Got {x.spec}.")
    rows, cols = np.ogrid[: x.spec.shape[-2], : x.spec.shape[-1]]
    return where(kept(rows, cols), x, np.zeros((), numpy_dtype(x.spec.dtype)))


def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Any]:
    """Coordinates of a grid from vectors, a read-only view for each. "xy": the second gives rows; "ij": the first."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij'. Got {indexing!r}.")
    xs = _alike("meshgrid", arrays) if arrays else []
    order = [1, 0, *range(2, len(xs))] if indexing == "xy" and len(xs) > 1 else list(range(len(xs)))
    lengths = tuple(xs[k].spec.size for k in order)
    placed = [tuple(-1 if order[k] == n else 1 for k in range(len(xs))) for n in range(len(xs))]
    return [ops.broadcast_to(reshape(x, at), lengths) for x, at in zip(xs, placed, strict=True)]
