"""Ops that move elements, by NumPy. No arithmetic: every dtype stays as it is."""

import math
from typing import Any

import numpy as np

from sparkdl.kernels.table import PLAIN, Array, kernel, rowwise


def reshape(op: Any, x: Array) -> Array:
    """The same elements in C order."""
    return x.reshape(op.shape)


def transpose(op: Any, x: Array) -> Array:
    """Axes in another order."""
    return x.transpose(op.axes)


def broadcast_to(op: Any, x: Array) -> Array:
    """Repeated along axes of length 1."""
    return np.broadcast_to(x, op.shape)


def concat(op: Any, *xs: Array) -> Array:
    """One after another."""
    return np.concatenate(xs, op.axis)


def slice_axis(op: Any, x: Array) -> Array:
    """A stretch of one axis."""
    return np.asarray(x[(slice(None),) * op.axis + (slice(op.start, op.stop),)])


def pad_axis(op: Any, x: Array) -> Array:
    """Zeros before and after along one axis."""
    widths = [(0, 0)] * x.ndim
    widths[op.axis] = (op.start, op.size - op.start - x.shape[op.axis])
    return np.pad(x, widths)


def view(op: Any, flat: Array) -> Array:
    """A stretch of a vector under a shape."""
    return flat[op.offset : op.offset + math.prod(op.shape)].reshape(op.shape)


def pack(op: Any, *parts: Array) -> Array:
    """Parts at their offsets in a vector of zeros."""
    out = np.zeros(op.size, parts[0].dtype)
    for offset, part in zip(op.offsets, parts, strict=True):
        out[offset : offset + part.size] = part.ravel()
    return out


for _fn in (reshape, transpose, broadcast_to, concat, slice_axis, pad_axis, view, pack):
    PLAIN[_fn.__name__] = _fn  # eager arrays are views where they can be
    kernel(_fn.__name__, "ref")(rowwise(_fn))
