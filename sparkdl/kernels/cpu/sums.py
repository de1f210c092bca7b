"""Sums of large eager arrays. NumPy's own reach two thirds of what memory gives; its `einsum` reaches all of it.

Both add in blocks and then add the blocks, so that the rounding grows with the root of the count, not with the count.
"""

import math
from typing import Any

import numpy as np

from sparkdl.kernels.table import PLAIN, Array, in_single

LARGE = 1 << 16  # elements
BLOCK = 1024  # that are added one after another


def total(op: Any, x: Array) -> Array:
    """The sum of an eager array, in its dtype; half precision in float32."""
    ndim, axes = x.ndim, op.axes
    if x.size >= LARGE and x.dtype.char in "fd" and x.flags.c_contiguous:
        if axes == tuple(range(len(axes))):
            return _kept(op, x, _leading(x, len(axes)))
        if axes == tuple(range(ndim - len(axes), ndim)):
            return _kept(op, x, _trailing(x, len(axes)))
    return np.asarray(x.sum(axes, keepdims=op.keepdims, dtype=None if x.dtype.kind in "fc" else x.dtype))


def _kept(op: Any, x: Array, made: Array) -> Array:
    """In the shape that the op says."""
    shape = (1 if k in op.axes else n for k, n in enumerate(x.shape) if op.keepdims or k not in op.axes)
    return np.asarray(made).reshape(tuple(shape))


def _leading(x: Array, count: int) -> Array:
    rows, cols = math.prod(x.shape[:count]), math.prod(x.shape[count:])
    if cols == 1:
        return _trailing(x, x.ndim)
    blocks = rows // BLOCK
    head, tail = np.split(x.reshape(rows, cols), [blocks * BLOCK])
    parts = np.einsum("kij->kj", head.reshape(blocks, BLOCK, cols))
    return np.asarray(parts.sum(0) + tail.sum(0))


def _trailing(x: Array, count: int) -> Array:
    rows, cols = math.prod(x.shape[: x.ndim - count]), math.prod(x.shape[x.ndim - count :])
    blocks = cols // BLOCK
    table = x.reshape(rows, cols)
    if blocks < 2:
        return table @ np.ones(cols, x.dtype)
    parts = np.einsum("kij->ki", table[:, : blocks * BLOCK].reshape(rows, blocks, BLOCK))
    return np.asarray(parts.sum(1) + table[:, blocks * BLOCK :].sum(1))


PLAIN["sum"] = in_single(total)
