"""Oracles of layers over windows, in plain NumPy, float64, for any number of axes: cell by cell.

out: lengths of the output's axes. before: cells of padding before each axis.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Shape = tuple[int, ...]
Oracle = Callable[..., Any]


def window_cells(size: int, out: int, k: int, stride: int, before: int, dilation: int) -> list[list[tuple[int, int]]]:
    """For each output position, pairs (cell of the window, cell of the image) that lie inside the image."""
    starts = [i * stride - before for i in range(out)]
    return [[(a, s + a * dilation) for a in range(k) if 0 <= s + a * dilation < size] for s in starts]


def places(x: Shape, out: Shape, window: Shape, strides: Shape, before: Shape, dilation: Shape) -> Iterator[Any]:
    """For each place of the output: its index, and pairs (cell of the window, cell of x)."""
    axes = [window_cells(*axis) for axis in zip(x, out, window, strides, before, dilation, strict=True)]
    for at in np.ndindex(*out):
        cells = itertools.product(*(axis[i] for axis, i in zip(axes, at, strict=True)))
        yield at, [tuple(zip(*cell, strict=True)) for cell in cells]


def conv(out: Shape, strides: Any = None, before: Any = None, dilation: Any = None, groups: int = 1) -> Oracle:
    """Convolution, kernel (K, C / groups, filters)."""

    def oracle(p, x, training):
        kernel, n = p["kernel"], len(out) - 1
        y = np.zeros((len(x), *out))
        per, made = kernel.shape[-2], kernel.shape[-1] // groups
        slide = strides or (1,) * n, before or (0,) * n, dilation or (1,) * n
        for (at, cells), g in itertools.product(
            places(x.shape[1:-1], out[:-1], kernel.shape[:n], *slide), range(groups)
        ):
            into, frm = slice(g * made, (g + 1) * made), slice(g * per, (g + 1) * per)
            for a, cell in cells:
                y[(slice(None), *at, into)] += x[(slice(None), *cell, frm)] @ kernel[(*a, slice(None), into)]
        return y + p.get("bias", 0)

    return oracle


def transposed(out: Shape, strides: Shape, before: Any = None, dilation: Any = None) -> Oracle:
    """Transposed convolution, kernel (K, filters, C): each input cell adds its window; `before` cells are cut off."""

    def oracle(p, x, training):
        kernel, n = p["kernel"], len(out) - 1
        y = np.zeros((len(x), *out))
        cut, far = before or (0,) * n, dilation or (1,) * n
        for at in np.ndindex(*x.shape[1:-1]):
            for a in np.ndindex(*kernel.shape[:n]):
                to = [i * s + k * d - b for i, s, k, d, b in zip(at, strides, a, far, cut, strict=True)]
                if all(0 <= t < m for t, m in zip(to, out[:-1], strict=True)):
                    y[(slice(None), *to)] += x[(slice(None), *at)] @ kernel[a].T
        return y + p.get("bias", 0)

    return oracle


def depthwise(out: Shape, strides: Any = None, before: Any = None, kernel: str = "kernel") -> Oracle:
    """Each channel with its own windows, kernel (K, C, M): output channel c M + m."""

    def oracle(p, x, training):
        w, parts = p[kernel], []
        for c in range(x.shape[-1]):
            one = conv((*out[:-1], w.shape[-1]), strides, before)
            parts.append(one({"kernel": w[(..., slice(c, c + 1), slice(None))]}, x[..., c : c + 1], training))
        return np.concatenate(parts, -1) + (p.get("bias", 0) if kernel == "kernel" else 0)

    return oracle


def separable(out: Shape, strides: Any = None, before: Any = None) -> Oracle:
    """Depthwise, then the channels mixed by pointwise_kernel (1, ..., C M, filters)."""

    def oracle(p, x, training):
        y = depthwise(out, strides, before, "depthwise_kernel")(p, x, training)
        return y @ p["pointwise_kernel"].reshape(y.shape[-1], -1) + p.get("bias", 0)

    return oracle


def pool(reduce: Any, out: Shape, size: Any = None, strides: Any = None, before: Any = None) -> Oracle:
    """`reduce` over the cells of each window that lie inside x."""

    def oracle(p, x, training):
        n = len(out) - 1
        y = np.zeros((len(x), *out))
        window = size or (2,) * n
        slide = window, strides or window, before or (0,) * n, (1,) * n
        for at, cells in places(x.shape[1:-1], out[:-1], *slide):
            y[(slice(None), *at)] = reduce([x[(slice(None), *cell)] for _, cell in cells])
        return y

    return oracle
