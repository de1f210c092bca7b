"""Sorting by NumPy. Downwards is upwards of what has the opposite order: -x of floats, ~x of ints and bools."""

from typing import Any

import numpy as np

from sparkdl.kernels.table import Array, plain


def _turned(op: Any, x: Array) -> Array:
    """What is sorted upwards instead. ~x = -1 - x does not overflow; NaN stays NaN, which NumPy puts last."""
    if not op.descending:
        return x
    return np.asarray(-x if x.dtype.kind == "f" else ~x)


@plain("sort")
def sort(op: Any, x: Array) -> Array:
    """Sorted values."""
    slow = _has_minus_zero(x)  # other values that are equal look alike
    return _turned(op, np.sort(_turned(op, x), op.axis, kind="stable" if slow else "quicksort"))


def _has_minus_zero(x: Array) -> bool:
    """Whether there is a -0."""
    return bool(x.dtype.kind == "f" and np.signbit(x[x == 0]).any())


@plain("nth")
def nth(op: Any, x: Array) -> Array:
    """Elements at their places, the others left in disorder; NumPy puts NaN last here, too."""
    places = list(op.places)
    return np.asarray(np.partition(x, places)[..., places] if places else x[..., :0])


@plain("argsort")
def argsort(op: Any, x: Array) -> Array:
    """Indices that sort."""
    return np.argsort(_turned(op, x), op.axis, kind="stable")


@plain("top_k")
def top_k(op: Any, x: Array) -> tuple[Array, Array]:
    """The largest, and where they are."""
    key = np.moveaxis(np.asarray(-x if x.dtype.kind == "f" else ~x), op.axis, -1)
    order = np.moveaxis(_least(key, op.k), -1, op.axis)
    return np.take_along_axis(x, order, op.axis), order


def _least(key: Array, k: int) -> Array:
    """Indices of the k least of each line, in order: found by their bound where they are few, else by sorting all."""
    few = 0 < 8 * k <= key.shape[-1]
    bound = np.partition(key, k - 1)[..., k - 1 : k] if few else key
    if not few or (bound != bound).any():  # NaN is no bound
        return np.argsort(key, kind="stable")[..., :k]
    below, equal = key < bound, key == bound
    room = k - below.sum(-1, keepdims=True)
    picked = below | (equal & (equal.cumsum(-1) <= room))
    at = np.nonzero(picked)[-1].reshape((*key.shape[:-1], k))
    order = np.argsort(np.take_along_axis(key, at, -1), kind="stable")
    return np.take_along_axis(at, order, -1)


@plain("searchsorted")
def searchsorted(op: Any, line: Array, values: Array) -> Array:
    """Places by halving."""
    return np.asarray(np.searchsorted(line, values, "right" if op.right else "left"))
