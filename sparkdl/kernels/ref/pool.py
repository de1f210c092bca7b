"""The oracle's pooling, in float64: window by window."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sparkdl.kernels.ref.matmul import wide
from sparkdl.kernels.table import Array, kernel, rowwise

Shape = tuple[int, ...]


def _windows(op: Any, x: Shape) -> Iterator[tuple[tuple[int, int], list[tuple[int, int, int]]]]:
    """For each output place (i, j): the cells (index in the window, row, column) that lie inside x, row-major."""
    (kh, kw), (sh, sw), ((top, bottom), (left, right)) = op.pool, op.strides, op.padding
    _, height, width, _ = x
    for i, j in np.ndindex((height + top + bottom - kh) // sh + 1, (width + left + right - kw) // sw + 1):
        cells = [(k * kw + m, i * sh - top + k, j * sw - left + m) for k, m in np.ndindex(kh, kw)]
        yield (i, j), [cell for cell in cells if 0 <= cell[1] < height and 0 <= cell[2] < width]


def _shape(op: Any, x: Shape) -> Shape:
    i, j = list(_windows(op, x))[-1][0]
    return x[0], i + 1, j + 1, x[3]


def max_pool2d(op: Any, x: Array) -> tuple[Array, Array]:
    """x (B,H,W,C) -> y, where (B,H',W',C). np.argmax takes the first maximum, and NaN for one."""
    y = np.zeros(_shape(op, x.shape))
    where = np.zeros(y.shape, np.int64)
    for (i, j), cells in _windows(op, x.shape):
        window = np.stack([wide(x[:, row, col]) for _, row, col in cells])
        best = np.argmax(window, axis=0)
        y[:, i, j] = np.take_along_axis(window, best[None], axis=0)[0]
        where[:, i, j] = np.array([index for index, _, _ in cells])[best]
    return y, where


def max_pool2d_grad(op: Any, g: Array, where: Array) -> Array:
    """g (B,H',W',C) to the cells that `where` names -> (B,H,W,C)."""
    dx = np.zeros(op.x_shape)
    for (i, j), cells in _windows(op, op.x_shape):
        for index, row, col in cells:
            dx[:, row, col] += np.where(where[:, i, j] == index, wide(g[:, i, j]), 0.0)
    return dx


def avg_pool2d(op: Any, x: Array) -> Array:
    """x (B,H,W,C) -> (B,H',W',C), the mean of the cells inside x."""
    y = np.zeros(_shape(op, x.shape))
    for (i, j), cells in _windows(op, x.shape):
        y[:, i, j] = np.mean([wide(x[:, row, col]) for _, row, col in cells], axis=0)
    return y


def avg_pool2d_grad(op: Any, g: Array) -> Array:
    """g (B,H',W',C) -> (B,H,W,C)."""
    dx = np.zeros(op.x_shape)
    for (i, j), cells in _windows(op, op.x_shape):
        for _, row, col in cells:
            dx[:, row, col] += wide(g[:, i, j]) / len(cells)
    return dx


for function in (max_pool2d, max_pool2d_grad, avg_pool2d, avg_pool2d_grad):
    kernel(function.__name__, "ref")(rowwise(function))
