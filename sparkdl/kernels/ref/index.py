"""Indexing, by NumPy's own."""

from typing import Any

import numpy as np

from sparkdl.kernels.table import Array, plain


def _key(op: Any, arrays: tuple[Array, ...]) -> tuple[Any, ...]:
    given = iter(arrays)
    key = tuple(next(given) if entry == "array" else _entry(entry) for entry in op.key)
    return key if "..." in op.key else (*key, ...)  # so that one item is an array without axes, and a view


def _entry(entry: Any) -> Any:
    if entry == "...":
        return ...
    if entry is None or isinstance(entry, int):
        return entry
    stop = entry.start + entry.step * entry.count
    return slice(entry.start, None if stop < 0 else stop, entry.step)


@plain("getitem", moves=True)
def getitem(op: Any, x: Array, *arrays: Array) -> Array:
    """Items; a view where no arrays pick them."""
    return np.asarray(x[_key(op, arrays)])


@plain("getitem_grad")
def getitem_grad(op: Any, g: Array, *arrays: Array) -> Array:
    """Zeros with g added at the key, one after another; slices pick nothing twice."""
    out = np.zeros(op.shape, g.dtype)
    if arrays:
        np.add.at(out, _key(op, arrays), g)
    else:
        out[_key(op, arrays)] = g
    return out


@plain("setitem", moves=True)
def setitem(op: Any, x: Array, v: Array, *arrays: Array) -> Array:
    """A copy with v at the key."""
    out = np.array(x)
    out[_key(op, arrays)] = v
    return out
