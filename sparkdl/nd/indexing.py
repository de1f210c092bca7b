"""Indexing: `x[key]` for arrays, symbols and values that are differentiated, and `take` along an axis.

A key is an int, a slice, an ellipsis, None (a new axis), an array of ints or of bools, or a tuple of these. Where
arrays pick, the places of the other axes follow NumPy's rules. Bools, whose count hangs on them, serve where they are
known.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparkdl.base.errors import AxisError, BoundsError, DTypeError, ShapeError
from sparkdl.base.spec import KINDS
from sparkdl.nd.elementwise import into
from sparkdl.nd.op import apply
from sparkdl.nd.ops.index import ARRAY, GAP, GetItem, Key, SetItem, span


def getitem(x: Any, key: Any) -> Any:
    """x[key]. Raises IndexError naming the shape for a key that does not fit."""
    if type(x).rank == 1 and all(_concrete(k) for k in _tuple(key)):
        return _eager(x, key)
    parsed, arrays = parse(x, key)
    return apply(GetItem(parsed), x, *arrays)


def put(x: Any, key: Any, values: Any) -> Any:
    """x with `values` at `key`, a new array: what `x[key] = values` is where arrays are not written to.

    values: an array or a number that broadcasts to x[key]; of items picked twice, the last stays

    >>> from sparkdl.nd.array import NDArray
    >>> put(NDArray([1.0, 2.0, 3.0]), slice(0, 2), 0.0)
    NDArray([0., 0., 3.], dtype=float32, device=cpu)
    """
    from sparkdl.nd.ops.shape import broadcast_to
    from sparkdl.nd.promote import as_dtype

    parsed, arrays = parse(x, key)
    shape = apply(GetItem(parsed), x, *arrays).spec.shape
    given = as_dtype(values, x.spec.dtype)
    if not hasattr(given, "spec"):
        from sparkdl.nd.array import NDArray

        given = NDArray(given)
    return apply(SetItem(parsed), x, broadcast_to(given, shape), *arrays)


def parse(x: Any, key: Any) -> tuple[Key, list[Any]]:
    """The key of an op, and the arrays of ints that it needs."""
    shape, entries = x.spec.shape, _expanded(x, _tuple(key))
    picks = any(_is_array(k) for k in entries)
    parsed: list[Any] = []
    arrays: list[Any] = []
    axis = 0
    for entry in entries:
        if entry is None or entry is Ellipsis:
            parsed.append(GAP if entry is Ellipsis else None)
            continue
        made, given = _parsed(entry, axis, shape, picks)
        parsed.append(made)
        arrays += given
        axis += 1
    return tuple(parsed), arrays


def _parsed(entry: Any, axis: int, shape: tuple[int, ...], picks: bool) -> tuple[Any, list[Any]]:
    n = shape[axis]
    if isinstance(entry, slice):
        return span(slice(*map(_plain, (entry.start, entry.stop, entry.step))), n), []
    if isinstance(entry, _Found):
        return ARRAY, [entry.within(axis, n)]
    if _is_array(entry):
        return ARRAY, [_within(entry, axis, n)]
    k = _plain(entry)
    if not isinstance(k, int):
        raise BoundsError(f"an index must be ints, slices, ..., None or arrays of ints or bools. Got {entry!r}.")
    if not -n <= k < n:
        raise BoundsError(f"index {k} of axis {axis} must lie within {-n} .. {n - 1}. The shape is {shape}.")
    return (ARRAY, [np.asarray(k % n)]) if picks else (k % n, [])


def _within(ids: Any, axis: int, n: int) -> Any:
    """Indices; checked where their values are known. Negative ones count from the end."""
    if type(ids).__name__ == "NDArray" or isinstance(ids, np.ndarray):
        values = np.asarray(ids)
        if values.size and not (-n <= values.min() and values.max() < n):
            raise BoundsError(f"indices of axis {axis} must lie within {-n} .. {n - 1}. Got {values}.")
    return ids


def _expanded(x: Any, entries: tuple[Any, ...]) -> list[Any]:
    """An entry for each axis: bools as ints, the ellipsis as the slices that it stands for, itself if it is none."""
    flat: list[Any] = []
    for entry in entries:
        flat += _from_bools(entry) if _is_bool(entry) else [entry]
    ndim, missing = len(x.spec.shape), len(x.spec.shape) - sum(k is not None and k is not Ellipsis for k in flat)
    if missing < 0 or sum(k is Ellipsis for k in flat) > 1:
        raise BoundsError(f"an array of {ndim} axes takes so many indices at most, and one ellipsis. Got {entries!r}.")
    at = next((k for k, entry in enumerate(flat) if entry is Ellipsis), len(flat))
    dots = [slice(None)] * missing if missing else flat[at : at + 1]
    return [*flat[:at], *dots, *flat[at + 1 :]]


@dataclass(frozen=True)
class _Found:
    """Where an axis of a mask is true, and how long that axis is."""

    ids: Any
    length: int

    def within(self, axis: int, n: int) -> Any:
        """The indices. Raises BoundsError unless the mask is as long as the axis."""
        if self.length != n:
            raise BoundsError(f"a mask must be as long as axis {axis}, {n}. Got {self.length}.")
        return self.ids


def _from_bools(mask: Any) -> list[Any]:
    if not _concrete(mask):
        raise TypeError("how many items a mask picks is not known while tracing: take nd.where instead.")
    known = np.asarray(mask)
    if not known.shape:  # a new axis, of which one item is picked or none
        return [None, np.zeros(int(known), np.int64)]
    return [_Found(ids, n) for ids, n in zip(np.nonzero(known), known.shape, strict=True)]


def _eager(x: Any, key: Any) -> Any:
    """By NumPy itself: a view, even of one item, where no arrays pick."""
    from sparkdl.nd.array import wrap

    keys = numpy_key(key)
    basic = not any(isinstance(k, np.ndarray | bool) for k in keys)
    try:
        found = x.numpy()[(*keys, ...) if basic and Ellipsis not in keys else keys]
    except IndexError as error:
        raise BoundsError(f"an array of shape {x.shape}: {error}.") from error
    return wrap(np.asarray(found))


def numpy_key(key: Any) -> tuple[Any, ...]:
    """A key as NumPy takes it. Raises IndexError for arrays of floats and for other things."""
    return tuple(_numpy_entry(k) for k in _tuple(key))


def _numpy_entry(entry: Any) -> Any:
    if isinstance(entry, slice):
        return slice(*map(_plain, (entry.start, entry.stop, entry.step)))
    if entry is None or entry is Ellipsis or isinstance(entry, int):
        return entry
    if isinstance(entry, list) and not entry:
        return np.zeros(0, np.int64)
    made = np.asarray(entry)
    if made.dtype.kind not in "iub":
        raise BoundsError(f"an index must be ints, slices, ..., None or arrays of ints or bools. Got {entry!r}.")
    return made


def take(x: Any, indices: Any, /, *, axis: int | None = None, out: Any = None) -> Any:
    """Items of x by index along `axis`.   x: (..., N, ...)   indices: ints (K,)   result: (..., K, ...)

    axis: may be left out where x has one axis. Negative indices count from the end; one outside raises IndexError.

    >>> from sparkdl.nd.array import NDArray
    >>> take(NDArray([[1, 2, 3]]), NDArray([2, 0]), axis=1)
    NDArray([[3, 1]], dtype=int64, device=cpu)
    """
    ndim = len(x.spec.shape)
    if axis is None:
        if ndim != 1:
            raise ShapeError(f"take: axis must be given for an array of {ndim} axes.")
        axis = 0
    ids = check_indices("take", indices)
    where = one_axis("take", axis, ndim)
    return into(getitem(x, (*(slice(None),) * where, ids)), out)


def one_axis(who: str, axis: Any, ndim: int) -> int:
    """The axis counted from the front. Raises AxisError when there is none."""
    if isinstance(axis, bool) or not hasattr(axis, "__index__"):
        raise TypeError(f"{who}: axis must be an int. Got {axis!r}.")
    k = int(axis)
    if not -ndim <= k < ndim:
        raise AxisError(f"{who}: axis must be within {-ndim} .. {ndim - 1}. Got {k}.")
    return k % ndim


def check_indices(who: str, ids: Any) -> Any:
    """`ids` as an array. Raises DTypeError unless they are ints."""
    dtype = ids.spec.dtype if hasattr(ids, "spec") else np.asarray(ids).dtype.name
    if dtype not in KINDS["integer"]:
        raise DTypeError(f"{who}: indices must be integers. Got {dtype}.")
    return ids if hasattr(ids, "spec") else np.asarray(ids)


def _tuple(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _concrete(entry: Any) -> bool:
    return not hasattr(entry, "spec") or type(entry).rank == 1


def _is_array(entry: Any) -> bool:
    """Whether an entry picks by an array: one without axes does in NumPy, too, but for a plain int."""
    return hasattr(entry, "spec") or isinstance(entry, np.ndarray | list | _Found)


def _is_bool(entry: Any) -> bool:
    if hasattr(entry, "spec"):
        return bool(entry.spec.dtype == "bool")
    return isinstance(entry, bool | np.bool_) or (
        isinstance(entry, np.ndarray | list) and np.asarray(entry).dtype == bool
    )


def _plain(k: Any) -> Any:
    """An int that may come as a NumPy scalar or an array without axes."""
    return k.__index__() if hasattr(k, "__index__") and not isinstance(k, bool) else k
