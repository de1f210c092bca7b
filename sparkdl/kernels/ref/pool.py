"""The oracle's pooling, in float64: window by window, over any number of axes."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sparkdl.kernels.ref.matmul import wide
from sparkdl.kernels.table import Array, kernel, rowwise

Shape = tuple[int, ...]


def _places(op: Any, x: Shape) -> Shape:
    """How many windows there are along each axis."""
    axes = zip(x[1:-1], op.pool, op.strides, op.padding, strict=True)
    return tuple((n + sum(pad) - k) // s + 1 for n, k, s, pad in axes)


def _windows(op: Any, x: Shape) -> Iterator[tuple[Any, list[tuple[int, Any]]]]:
    """For each place of y: its index, and the cells (number in the window, index in x) that lie inside x, row-major."""
    starts = [before for before, _ in op.padding]
    for place in np.ndindex(*_places(op, x)):
        corner = [i * s - before for i, s, before in zip(place, op.strides, starts, strict=True)]
        cells = [tuple(a + b for a, b in zip(corner, cell, strict=True)) for cell in np.ndindex(*op.pool)]
        inside = [all(0 <= at < n for at, n in zip(cell, x[1:-1], strict=True)) for cell in cells]
        yield (slice(None), *place), [(k, (slice(None), *cells[k])) for k, there in enumerate(inside) if there]


def max_pool(op: Any, x: Array) -> tuple[Array, Array]:
    """x (B,S,C) -> y, where (B,S',C). np.argmax takes the first maximum, and NaN for one."""
    y = np.zeros((x.shape[0], *_places(op, x.shape), x.shape[-1]))
    where = np.zeros(y.shape, np.int64)
    for at, cells in _windows(op, x.shape):
        window = np.stack([wide(x[cell]) for _, cell in cells])
        best = np.argmax(window, axis=0)
        y[at] = np.take_along_axis(window, best[None], axis=0)[0]
        where[at] = np.array([number for number, _ in cells])[best]
    return y, where


def max_pool_grad(op: Any, g: Array, where: Array) -> Array:
    """g (B,S',C) to the cells that `where` names -> (B,S,C)."""
    dx = np.zeros(op.x_shape)
    for at, cells in _windows(op, op.x_shape):
        for number, cell in cells:
            dx[cell] += np.where(where[at] == number, wide(g[at]), 0.0)
    return dx


def avg_pool(op: Any, x: Array) -> Array:
    """x (B,S,C) -> (B,S',C), the mean of the cells inside x."""
    y = np.zeros((x.shape[0], *_places(op, x.shape), x.shape[-1]))
    for at, cells in _windows(op, x.shape):
        y[at] = np.mean([wide(x[cell]) for _, cell in cells], axis=0)
    return y


def avg_pool_grad(op: Any, g: Array) -> Array:
    """g (B,S',C) -> (B,S,C)."""
    dx = np.zeros(op.x_shape)
    for at, cells in _windows(op, op.x_shape):
        for _, cell in cells:
            dx[cell] += wide(g[at]) / len(cells)
    return dx


for axes in ("2d", "3d"):
    kernel(f"max_pool{axes}", "ref")(rowwise(max_pool))
    kernel(f"max_pool{axes}_grad", "ref")(rowwise(max_pool_grad))
    kernel(f"avg_pool{axes}", "ref")(rowwise(avg_pool))
    kernel(f"avg_pool{axes}_grad", "ref")(rowwise(avg_pool_grad))
