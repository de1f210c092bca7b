"""numba code of binary cross-entropy from logits, float32.

With e = exp(-|z|), a row's sum of log(1 + e) is the logarithm of a product: one log for a tile of elements instead of
one each. The product is float64: the factors are within 1 .. 2, so that a tile of 1000 stays below 2^1000.
All work is on the output, into which the logits are copied first unless they lie there.
"""

import math
from typing import Any

import numpy as np

from sparkdl.kernels.cpu._gather import index
from sparkdl.kernels.cpu._numba import bits_of, exp, f4, fast, float_of, ints, vec
from sparkdl.kernels.cpu._sparse import bounds

TILE = 960


@fast
def copied(x: Any, y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = x[j]


@fast
def added(x: Any, y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] += x[j]


@fast
def softened(y: Any, scale: Any) -> Any:
    """y <- scale sigmoid(y); sum of max(y, 0), and the product of 1 + exp(-|y|), which is NaN where y is.

    The maximum is taken on the bits: a sum of a choice does not vectorise.
    """
    s, product = f4(0.0), 1.0
    for j in range(y.shape[0]):
        z = y[j]
        e = exp(-abs(z))
        q = f4(1.0) / (f4(1.0) + e)
        bits = bits_of(z)
        s += float_of(bits & ~(bits >> np.int32(31)))
        product *= 1.0 + np.float64(e)
        y[j] = scale * (e * q if z < f4(0.0) else q)
    return np.float64(s), product


@fast
def crossed(z: Any, t: Any) -> Any:
    """sum(z t), where t = 0 takes no part."""
    s = f4(0.0)
    for j in range(z.shape[0]):
        s += z[j] * t[j] if t[j] != f4(0.0) else f4(0.0)
    return np.float64(s)


@fast
def lowered(y: Any, t: Any, scale: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] -= scale * t[j]


@fast
def row_crossed(y: Any, t: Any, i: Any, given: Any, indptr: Any, indices: Any, size: Any, wide: Any) -> Any:
    """sum(z t) of row i; NaN when an index is outside."""
    cols = y.shape[0]
    if given == 1:
        return crossed(y, vec(t + 4 * i * cols, cols))
    values, s = vec(t, size), 0.0
    start, stop = bounds(indptr, i, size, wide)
    for k in range(start, stop):
        j = index(indices, k, wide)
        if not 0 <= j < cols:
            return np.nan
        if values[k] != f4(0.0):
            s += np.float64(y[j] * values[k])
    return s


@fast
def row_lowered(y: Any, t: Any, i: Any, given: Any, indptr: Any, indices: Any, size: Any, wide: Any, scale: Any) -> Any:
    """y -= scale t of row i."""
    cols = y.shape[0]
    if given == 1:
        lowered(y, vec(t + 4 * i * cols, cols), scale)
        return
    values = vec(t, size)
    start, stop = bounds(indptr, i, size, wide)
    for k in range(start, stop):
        j = index(indices, k, wide)
        if 0 <= j < cols:
            y[j] -= scale * values[k]


def sigmoid_xent(args: Any, first: Any, last: Any, part: Any) -> Any:
    """args: logits, indptr, indices, targets, g or 0, loss, y, total or 0, rows, cols, elements, 1 or 3 targets, wide.

    y is sigmoid(z), or with g the gradient of the logits, whose sum over the rows is the total, one for each part.
    Rows first .. last - 1 are done.
    """
    a = ints(args, 13)
    rows, cols, size, given, wide = a[8], a[9], a[10], a[11], a[12]
    loss = vec(a[5], rows)
    totals = a[7] + 4 * part * cols
    if a[7] != 0:
        zeroed(vec(totals, cols))
    for i in range(first, last):
        y = vec(a[6] + 4 * i * cols, cols)
        if a[0] != a[6]:
            copied(vec(a[0] + 4 * i * cols, cols), y)
        s = -row_crossed(y, a[3], i, given, a[1], a[2], size, wide)
        scale = vec(a[4], rows)[i] / f4(cols) if a[4] != 0 else f4(1.0)
        for start in range(0, cols, TILE):
            top, product = softened(vec(a[6] + 4 * (i * cols + start), min(TILE, cols - start)), scale)
            s += top + math.log(product)
        loss[i] = f4(s / cols)
        if a[4] != 0:
            row_lowered(y, a[3], i, given, a[1], a[2], size, wide, scale)
        if a[7] != 0:
            added(y, vec(totals, cols))
    return 0


@fast
def zeroed(y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = f4(0.0)


@fast
def scaled(y: Any, k: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] *= k


def sigmoid_xent_grad(args: Any, first: Any, last: Any, part: Any) -> Any:
    """args: probs, indptr, indices, targets, g, y, rows, cols, elements, arrays of targets, wide."""
    a = ints(args, 11)
    rows, cols, size, given, wide = a[6], a[7], a[8], a[9], a[10]
    for i in range(first, last):
        y = vec(a[5] + 4 * i * cols, cols)
        if a[0] != a[5]:
            copied(vec(a[0] + 4 * i * cols, cols), y)
        scale = vec(a[4], rows)[i] / f4(cols)
        scaled(y, scale)
        row_lowered(y, a[3], i, given, a[1], a[2], size, wide, scale)
    return 0
