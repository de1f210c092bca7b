"""numba code of Winograd's convolution: tiles of 6 x 6 pixels into 36 planes, one for each product, and back.

Each function is made for a matrix of `_sandwich.py`, by number. Tiles are counted through the images row by row;
`first` and `last` say which are meant. Tables of addresses lie in memory lent by the plan, 36 entries each.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numba import carray

from sparkdl.kernels.cpu._numba import as_pointer, fast, ints, native
from sparkdl.kernels.cpu._sandwich import MATRICES, sandwich
from sparkdl.kernels.cpu._tiles import PLANES, WIDTH


@fast
def table(address: Any) -> Any:
    return carray(as_pointer(address), (PLANES,), np.int64)


@fast
def at_pixels(entries: Any, x: Any, elsewhere: Any, sizes: Any, y0: Any, x0: Any, n: Any) -> Any:
    """Addresses of the n x n pixels from (y0, x0) on of an image at x; those beyond its edge are `elsewhere`."""
    high, wide, channels = sizes
    for i in range(n):
        for j in range(n):
            inside = 0 <= y0 + i < high and 0 <= x0 + j < wide
            entries[i * n + j] = x + 4 * channels * ((y0 + i) * wide + x0 + j) if inside else elsewhere


@fast
def at_planes(entries: Any, start: Any, gap: Any, count: Any) -> Any:
    """Addresses in planes `gap` bytes apart."""
    for k in range(count):
        entries[k] = start + k * gap


@lru_cache(None)
def gathered(kind: int, step: int) -> Any:
    """Tiles of images (B,H,W,C), `step` pixels apart, into planes (36, T, C)."""
    n = len(MATRICES[kind][0])

    def gather(args: Any, first: Any, last: Any, d: Any) -> Any:
        """args: x, planes, tables, zeros, H, W, C, top, left, tiles across, tiles of an image, gap of planes."""
        a = ints(args, 12)
        channels, across, each, gap = a[6], a[9], a[10], a[11]
        ins, outs = a[2], a[2] + 8 * PLANES
        for t in range(first, last):
            image, at = t // each, t % each
            y0, x0 = at // across * step - a[7], at % across * step - a[8]
            at_pixels(table(ins), a[0] + 4 * image * a[4] * a[5] * channels, a[3], (a[4], a[5], channels), y0, x0, n)
            at_planes(table(outs), a[1] + 4 * (t - first) * channels, gap, PLANES)
            for c in range(0, channels - WIDTH + 1, WIDTH):
                sandwich(kind, ins, outs, 4 * c, 0, 0)
            if channels % WIDTH:
                sandwich(kind, ins, outs, 4 * (channels - WIDTH), 0, 0)
        return 0

    return native(gather)


@lru_cache(None)
def scattered(kind: int, relu: int) -> Any:
    """Planes (36, T, C) into tiles of images (B,H,W,C), plus a bias (C,), through relu where it is 1."""
    step = len(MATRICES[kind])

    def scatter(args: Any, first: Any, last: Any, d: Any) -> Any:
        """args: planes, y, tables, bias, nowhere, H, W, C, tiles across, tiles of an image, gap of planes."""
        a = ints(args, 11)
        channels, across, each, gap = a[7], a[8], a[9], a[10]
        ins, outs = a[2], a[2] + 8 * PLANES
        for t in range(first, last):
            image, at = t // each, t % each
            y0, x0 = at // across * step, at % across * step
            at_planes(table(ins), a[0] + 4 * (t - first) * channels, gap, PLANES)
            y = a[1] + 4 * image * a[5] * a[6] * channels
            at_pixels(table(outs), y, a[4], (a[5], a[6], channels), y0, x0, step)
            for c in range(0, channels - WIDTH + 1, WIDTH):
                sandwich(kind, ins, outs, 4 * c, a[3], relu)
            if channels % WIDTH:
                sandwich(kind, ins, outs, 4 * (channels - WIDTH), a[3], relu)
        return 0

    return native(scatter)


@lru_cache(None)
def turned(kind: int) -> Any:
    """All planes of `size` floats into others: taps into planes of products, and products into gradients of taps."""
    n, m = len(MATRICES[kind][0]), len(MATRICES[kind])

    def turn(args: Any, b: Any, c: Any, d: Any) -> Any:
        """args: ins, outs, tables, size, gap of ins (negative: backwards), gap of outs."""
        a = ints(args, 6)
        ins, outs, size = a[2], a[2] + 8 * PLANES, a[3]
        at_planes(table(ins), a[0], a[4], n * n)
        at_planes(table(outs), a[1], a[5], m * m)
        for k in range(0, size - WIDTH + 1, WIDTH):
            sandwich(kind, ins, outs, 4 * k, 0, 0)
        if size % WIDTH:
            sandwich(kind, ins, outs, 4 * (size - WIDTH), 0, 0)
        return 0

    return native(turn)
