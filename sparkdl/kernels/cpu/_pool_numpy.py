"""Pooling in numpy, for any dtype: a pass over all of x for each cell of the window."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sparkdl.base.spec import Spec
from sparkdl.kernels.table import Array

Shape = tuple[int, ...]


def _cells(op: Any, x: Shape, y: Shape) -> Iterator[tuple[int, Any, Any]]:
    """For each cell of the window: its index, the places of y whose cell lies inside x, and those cells of x."""
    for index, cell in enumerate(np.ndindex(*op.pool)):
        axes = zip(cell, op.padding, op.strides, x[1:-1], y[1:-1], strict=True)
        pairs = [_inside(k - before, stride, size, places) for k, (before, _), stride, size, places in axes]
        yield index, (slice(None), *(p for p, _ in pairs)), (slice(None), *(c for _, c in pairs))


def _inside(offset: int, stride: int, size: int, places: int) -> tuple[slice, slice]:
    """Of the places 0 .. places-1 those with 0 <= place * stride + offset < size, and these cells."""
    first, stop = max(0, -(offset // stride)), min(places, (size - 1 - offset) // stride + 1)
    start = first * stride + offset
    count = max(stop - first, 0)
    return slice(first, first + count), slice(start, start + max((count - 1) * stride + 1, 0), stride)


def maximum(op: Any, x: Array) -> tuple[Array, Array]:
    """max_pool."""
    shape = op.output(Spec(x.shape, x.dtype.name)).shape
    y, where, seen = np.zeros(shape, x.dtype), np.zeros(shape, op.index()), np.zeros(shape, bool)
    for index, places, cells in _cells(op, x.shape, shape):
        best, value = y[places], x[cells]
        wins = ~seen[places] | (~(value <= best) & (best == best))
        np.copyto(best, value, where=wins)
        np.copyto(where[places], index, where=wins)
        seen[places] = True
    return y, where


def max_grad(op: Any, g: Array, where: Array) -> Array:
    """max_pool_grad."""
    dx = np.zeros(op.x_shape, g.dtype)
    for index, places, cells in _cells(op, op.x_shape, g.shape):
        dx[cells] += np.where(where[places] == index, g[places], 0)
    return dx


def _counts(op: Any, x: Shape, y: Shape) -> Array:
    """How many cells of each window lie inside x: (1,S',1)."""
    counts = np.zeros((1, *y[1:-1], 1), np.int32)
    for _, places, _ in _cells(op, x, y):
        counts[places] += 1
    return counts


def avg(op: Any, x: Array) -> Array:
    """avg_pool."""
    y = np.zeros(op.output(Spec(x.shape, x.dtype.name)).shape, x.dtype)
    for _, places, cells in _cells(op, x.shape, y.shape):
        y[places] += x[cells]
    return np.divide(y, _counts(op, x.shape, y.shape), out=y, casting="same_kind")


def avg_grad(op: Any, g: Array) -> Array:
    """avg_pool_grad."""
    dx = np.zeros(op.x_shape, g.dtype)
    share = (g / _counts(op, dx.shape, g.shape)).astype(g.dtype)
    for _, places, cells in _cells(op, dx.shape, g.shape):
        dx[cells] += share[places]
    return dx
