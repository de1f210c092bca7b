"""The oracle's convolutions, in float64: a product of matrices for each cell of the window and each group.

One code for any number of axes: S are the places of x, S' those of y, K the window's lengths.
"""

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
    """For each window cell and group: where in padded x (B,S',C/groups), in w (C/groups,O/groups), in y."""
    c, o = w[-2], w[-1] // op.groups
    for *cell, g in np.ndindex(*w[:-2], op.groups):
        places = [_every(k * d, n, s) for k, d, n, s in zip(cell, op.dilation, y[1:-1], op.strides, strict=True)]
        outs = slice(g * o, (g + 1) * o)
        yield (slice(None), *places, slice(g * c, (g + 1) * c)), (*cell, slice(None), outs), (..., outs)


def conv(op: Any, x: Array, w: Array) -> Array:
    """x (B,S,C), w (K,C/groups,O) -> (B,S',O)."""
    xp = _padded(op, x)
    axes = zip(xp.shape[1:-1], w.shape[:-2], op.dilation, op.strides, strict=True)
    places = [(n - (k - 1) * d - 1) // s + 1 for n, k, d, s in axes]
    y = np.zeros((x.shape[0], *places, w.shape[-1]))
    for at_x, at_w, at_y in _terms(op, w.shape, y.shape):
        y[at_y] += xp[at_x] @ wide(w[at_w])
    return y


def conv_grad_input(op: Any, g: Array, w: Array) -> Array:
    """g (B,S',O), w (K,C/groups,O) -> (B,S,C)."""
    dx = _padded(op, np.zeros(op.x_shape))
    for at_x, at_w, at_y in _terms(op, w.shape, g.shape):
        dx[at_x] += wide(g[at_y]) @ wide(w[at_w]).T
    inside = (slice(before, before + n) for (before, _), n in zip(op.padding, op.x_shape[1:-1], strict=True))
    return dx[(slice(None), *inside)]


def conv_grad_kernel(op: Any, x: Array, g: Array) -> Array:
    """x (B,S,C), g (B,S',O) -> (K,C/groups,O)."""
    xp, dw = _padded(op, x), np.zeros(op.w_shape)
    axes = tuple(range(x.ndim - 1))
    for at_x, at_w, at_y in _terms(op, op.w_shape, g.shape):
        dw[at_w] = np.tensordot(xp[at_x], wide(g[at_y]), (axes, axes))
    return dw


def conv_bias(op: Any, x: Array, w: Array, b: Array, *shortcut: Array) -> Array:
    """act(conv(x, w) + b), and act(conv(x, w) + b + r)."""
    return activated(sum(map(wide, shortcut), conv(op, x, w) + wide(b)), op.act)


for name in ("conv2d", "conv3d"):
    kernel(name, "ref")(rowwise(conv))
    kernel(f"{name}_grad_input", "ref")(rowwise(conv_grad_input))
    kernel(f"{name}_grad_kernel", "ref")(rowwise(conv_grad_kernel))
    kernel(f"{name}_bias", "ref")(rowwise(conv_bias))
kernel("conv2d_bias_add", "ref")(rowwise(conv_bias))
