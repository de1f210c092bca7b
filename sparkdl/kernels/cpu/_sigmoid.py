"""numba code of binary cross-entropy from logits, float32.

With e = exp(-|z|), a row's sum of log(1 + e) is the logarithm of a product: one log for a tile of elements instead of
one each. The product is float64, as 1 + 1e-9 is 1 in float32; the factors are within 1 .. 2, so that a tile of 1000
stays below 2^1000.
All work is on the output, into which the logits are copied first unless they lie there.
"""

import math
from typing import Any

import numpy as np

from sparkdl.kernels.cpu._gather import index
from sparkdl.kernels.cpu._line import copied, zeroed
from sparkdl.kernels.cpu._numba import bits_of, exp, f4, fast, float_of, ints, vec
from sparkdl.kernels.cpu._sparse import bounds
from sparkdl.kernels.cpu.sigmoid import TILE


@fast
def softened(y: Any, bias: Any, total: Any, small: Any, scale: Any) -> Any:
    """z = y + bias, y <- scale sigmoid(z), which is added to the total, small <- exp(-|z|); the sum of max(z, 0).

    The maximum is taken on the bits: a sum of a choice does not vectorise.
    """
    s = f4(0.0)
    for j in range(y.shape[0]):
        z = y[j] + bias[j]
        e = exp(-abs(z))
        q = f4(1.0) / (f4(1.0) + e)
        bits = bits_of(z)
        s += float_of(bits & ~(bits >> np.int32(31)))
        small[j] = e
        y[j] = scale * (e * q if z < f4(0.0) else q)
        total[j] += y[j]
    return np.float64(s)


@fast
def product(e: Any) -> Any:
    """The product of 1 + e over a tile, a multiple of 4 long; NaN where an e is.

    Four factors are multiplied in float32, as 1 + x + ..., of which the x is kept: that rounds no small x away.
    """
    q = e.shape[0] // 4
    a, b, c, d = e[:q], e[q : 2 * q], e[2 * q : 3 * q], e[3 * q :]
    made = 1.0
    for j in range(q):
        x, y = a[j] + b[j] + a[j] * b[j], c[j] + d[j] + c[j] * d[j]
        made *= 1.0 + np.float64(x + y + x * y)
    return made


@fast
def crossed(z: Any, bias: Any, t: Any) -> Any:
    """sum((z + bias) t), where t = 0 takes no part."""
    s = f4(0.0)
    for j in range(z.shape[0]):
        s += (z[j] + bias[j]) * t[j] if t[j] != f4(0.0) else f4(0.0)
    return np.float64(s)


@fast
def lowered(y: Any, t: Any, scale: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] -= scale * t[j]


@fast
def row_crossed(z: Any, bias: Any, t: Any, i: Any, indptr: Any, indices: Any, size: Any, wide: Any) -> Any:
    """sum(z t) of sparse row i, bias (an address or 0) added to z; NaN when an index is outside."""
    cols, values, s = z.shape[0], vec(t, size), 0.0
    start, stop = bounds(indptr, i, size, wide)
    for k in range(start, stop):
        j = index(indices, k, wide)
        if not 0 <= j < cols:
            return np.nan
        if values[k] != f4(0.0):
            shift = vec(bias, cols)[j] if bias != 0 else f4(0.0)
            s += np.float64((z[j] + shift) * values[k])
    return s


@fast
def row_lowered(y: Any, total: Any, t: Any, i: Any, indptr: Any, indices: Any, size: Any, wide: Any, scale: Any) -> Any:
    """y -= scale t of sparse row i, and the same of the total (an address or 0)."""
    cols, values = y.shape[0], vec(t, size)
    start, stop = bounds(indptr, i, size, wide)
    for k in range(start, stop):
        j = index(indices, k, wide)
        if 0 <= j < cols:
            y[j] -= scale * values[k]
            if total != 0:
                vec(total, cols)[j] -= scale * values[k]


def sigmoid_xent(args: Any, first: Any, last: Any, part: Any) -> Any:
    """args: logits, indptr, indices, targets, g or 0, bias or 0, loss, y, total or 0, rows, cols, elements,
    1 or 3 targets, wide, three tiles: for the bias and the total, where there is none, and for exp(-|z|).

    y is sigmoid(z), or with g the gradient of the logits, whose sum over the rows is the total. All that is done with
    an element is done tile by tile, while it is near. Rows first .. last - 1 are done; each part has a total and tiles
    of its own.
    """
    a = ints(args, 17)
    rows, cols, size, dense, wide = a[9], a[10], a[11], a[12] == 1, a[13]
    none, nowhere, room = a[14] + 4 * TILE * part, a[15] + 4 * TILE * part, a[16] + 4 * TILE * part
    zeroed(vec(none, TILE))
    zeroed(vec(nowhere, TILE))
    loss, totals = vec(a[6], rows), a[8] + 4 * part * cols if a[8] != 0 else 0
    if totals != 0:
        zeroed(vec(totals, cols))
    for i in range(first, last):
        s = 0.0 if dense else -row_crossed(vec(a[0] + 4 * i * cols, cols), a[5], a[3], i, a[1], a[2], size, wide)
        scale = vec(a[4], rows)[i] / f4(cols) if a[4] != 0 else f4(1.0)
        for start in range(0, cols, TILE):
            n, at = min(TILE, cols - start), 4 * (i * cols + start)
            y = vec(a[7] + at, n)
            if a[0] != a[7]:
                copied(vec(a[0] + at, n), y)
            bias = vec(a[5] + 4 * start if a[5] != 0 else none, n)
            total = vec(totals + 4 * start if totals != 0 else nowhere, n)
            if dense:
                s -= crossed(y, bias, vec(a[3] + at, n))
            small = vec(room, (n + 3) // 4 * 4)
            zeroed(small[n:])
            s += softened(y, bias, total, small, scale)
            s += math.log(product(small))
            if dense and a[4] != 0:
                lowered(y, vec(a[3] + at, n), scale)
                lowered(total, vec(a[3] + at, n), scale)
        loss[i] = f4(s / cols)
        if a[4] != 0 and not dense:
            row_lowered(vec(a[7] + 4 * i * cols, cols), totals, a[3], i, a[1], a[2], size, wide, scale)
    return 0


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
        if given == 1:
            lowered(y, vec(a[3] + 4 * i * cols, cols), scale)
        else:
            row_lowered(y, 0, a[3], i, a[1], a[2], size, wide, scale)
    return 0
