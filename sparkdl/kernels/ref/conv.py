"""The oracle's convolutions, in float64: a product of matrices for each cell of the window and each group."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sparkdl.kernels.ref.matmul import activated, wide
from sparkdl.kernels.table import Array, kernel, rowwise

Index = tuple[Any, ...]
Shape = tuple[int, ...]


def _padded(op: Any, x: Array) -> Array:
    return np.pad(wide(x), ((0, 0), *op.padding, (0, 0)))


def _every(start: int, count: int, step: int) -> slice:
    return slice(start, start + (count - 1) * step + 1, step)


def _terms(op: Any, w: Shape, y: Shape) -> Iterator[tuple[Index, Index, Index]]:
    """For each window cell and group: where in padded x (B,H',W',C/groups), in w (C/groups,O/groups), in y."""
    c, o = w[2], w[3] // op.groups
    for i, j, g in np.ndindex(w[0], w[1], op.groups):
        rows = _every(i * op.dilation[0], y[1], op.strides[0])
        cols = _every(j * op.dilation[1], y[2], op.strides[1])
        outs = slice(g * o, (g + 1) * o)
        yield (slice(None), rows, cols, slice(g * c, (g + 1) * c)), (i, j, slice(None), outs), (..., outs)


def conv2d(op: Any, x: Array, w: Array) -> Array:
    """x (B,H,W,C), w (KH,KW,C/groups,O) -> (B,H',W',O)."""
    xp = _padded(op, x)
    h, v = ((xp.shape[a + 1] - (w.shape[a] - 1) * op.dilation[a] - 1) // op.strides[a] + 1 for a in (0, 1))
    y = np.zeros((x.shape[0], h, v, w.shape[3]))
    for at_x, at_w, at_y in _terms(op, w.shape, y.shape):
        y[at_y] += xp[at_x] @ wide(w[at_w])
    return y


def conv2d_grad_input(op: Any, g: Array, w: Array) -> Array:
    """g (B,H',W',O), w (KH,KW,C/groups,O) -> (B,H,W,C)."""
    dx = _padded(op, np.zeros(op.x_shape))
    for at_x, at_w, at_y in _terms(op, w.shape, g.shape):
        dx[at_x] += wide(g[at_y]) @ wide(w[at_w]).T
    (top, _), (left, _) = op.padding
    return dx[:, top : top + op.x_shape[1], left : left + op.x_shape[2]]


def conv2d_grad_kernel(op: Any, x: Array, g: Array) -> Array:
    """x (B,H,W,C), g (B,H',W',O) -> (KH,KW,C/groups,O)."""
    xp, dw = _padded(op, x), np.zeros(op.w_shape)
    for at_x, at_w, at_y in _terms(op, op.w_shape, g.shape):
        dw[at_w] = np.tensordot(xp[at_x], wide(g[at_y]), ((0, 1, 2), (0, 1, 2)))
    return dw


def conv2d_bias(op: Any, x: Array, w: Array, b: Array) -> Array:
    """act(conv2d(x, w) + b)."""
    return activated(conv2d(op, x, w) + wide(b), op.act)


for function in (conv2d, conv2d_grad_input, conv2d_grad_kernel, conv2d_bias):
    kernel(function.__name__, "ref")(rowwise(function))
