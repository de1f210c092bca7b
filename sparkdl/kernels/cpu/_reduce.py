"""numba code of reductions, float32.

Long sums are taken in tiles, so that the error grows with the number of tiles and not of terms.
Maxima go through sortable integers, which vectorise; NaN is looked for on its own, as it may have either sign.
"""

from typing import Any

import numpy as np

from sparkdl.kernels.cpu._line import added, total, zeroed
from sparkdl.kernels.cpu._numba import bits_of, f4, fast, float_of, ints, vec

TILE = 4096
_MAGNITUDE, _INFINITY = np.int32(0x7FFFFFFF), np.int32(0x7F800000)


@fast
def added8(x0: Any, x1: Any, x2: Any, x3: Any, x4: Any, x5: Any, x6: Any, x7: Any, y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] += ((x0[j] + x1[j]) + (x2[j] + x3[j])) + ((x4[j] + x5[j]) + (x6[j] + x7[j]))


@fast
def rows_added(x: Any, start: Any, stop: Any, y: Any) -> Any:
    """y += rows start .. stop-1 of the matrix at address x."""
    n = y.shape[0]
    i = start
    while i + 8 <= stop:
        at = x + 4 * i * n
        s = 4 * n
        added8(
            vec(at, n), vec(at + s, n), vec(at + 2 * s, n), vec(at + 3 * s, n),
            vec(at + 4 * s, n), vec(at + 5 * s, n), vec(at + 6 * s, n), vec(at + 7 * s, n), y,
        )  # fmt: skip
        i += 8
    while i < stop:
        added(vec(x + 4 * i * n, n), y)
        i += 1


def sum_rows(args: Any, start: Any, stop: Any, part: Any) -> Any:
    """y[k] = sum over rows start .. stop-1 of x[k].

    args: x (outer, rows, cols), for each part y (outer, cols) and a tile (cols,), outer, rows, cols.
    """
    a = ints(args, 6)
    outer, rows, cols = a[3], a[4], a[5]
    tile = vec(a[2] + 4 * part * cols, cols)
    for k in range(outer):
        y, x = vec(a[1] + 4 * (part * outer + k) * cols, cols), a[0] + 4 * k * rows * cols
        zeroed(y)
        for first in range(start, stop, 512):
            zeroed(tile)
            rows_added(x, first, min(first + 512, stop), tile)
            added(tile, y)
    return 0


def sum_last(args: Any, first: Any, last: Any, part: Any) -> Any:
    """y[i] = sum of row i.   args: x (rows, cols), y (rows,), rows, cols."""
    a = ints(args, 4)
    cols, y = a[3], vec(a[1], a[2])
    for i in range(first, last):
        s = 0.0
        for start in range(0, cols, TILE):
            s += np.float64(total(vec(a[0] + 4 * (i * cols + start), min(TILE, cols - start))))
        y[i] = f4(s)
    return 0


@fast
def sortable(x: Any) -> Any:
    """float32 -> int32 with the same order; its own inverse on the bits."""
    bits = bits_of(x)
    return bits ^ ((bits >> np.int32(31)) & _MAGNITUDE)


@fast
def top_of(x: Any) -> Any:
    """The largest sortable integer of a row, and whether there is a NaN."""
    top, magnitude = np.int32(-2147483647), np.int32(0)
    for j in range(x.shape[0]):
        top = max(top, sortable(x[j]))
        magnitude = max(magnitude, bits_of(x[j]) & _MAGNITUDE)
    return top, magnitude > _INFINITY


@fast
def bottom_of(x: Any) -> Any:
    """The smallest sortable integer of a row, and whether there is a NaN."""
    bottom, magnitude = np.int32(2147483647), np.int32(0)
    for j in range(x.shape[0]):
        bottom = min(bottom, sortable(x[j]))
        magnitude = max(magnitude, bits_of(x[j]) & _MAGNITUDE)
    return bottom, magnitude > _INFINITY


@fast
def place_of(x: Any, value: Any) -> Any:
    """Index of the first element equal to `value`; 0 equals -0. A minimum of indices vectorises, a search does not."""
    n = np.int32(x.shape[0])
    found = n
    for j in range(n):
        found = min(found, np.int32(j) if x[j] == value else n)
    return np.int64(found)


@fast
def place_of_nan(x: Any) -> Any:
    n = np.int32(x.shape[0])
    found = n
    for j in range(n):
        found = min(found, np.int32(j) if x[j] != x[j] else n)
    return np.int64(found)


@fast
def unsorted(key: Any) -> Any:
    return float_of(key ^ ((key >> np.int32(31)) & _MAGNITUDE))


def extreme_last(args: Any, first: Any, last: Any, part: Any) -> Any:
    """y[i] = maximum (or minimum) of row i.   args: x (rows, cols), y (rows,), rows, cols, whether minimum."""
    a = ints(args, 5)
    cols, y = a[3], vec(a[1], a[2])
    for i in range(first, last):
        x = vec(a[0] + 4 * i * cols, cols)
        key, nan = bottom_of(x) if a[4] != 0 else top_of(x)
        y[i] = f4(np.nan) if nan else unsorted(key)
    return 0


def argmax_last(args: Any, first: Any, last: Any, part: Any) -> Any:
    """y[i] = index of the first maximum of row i.   args: x (rows, cols), y int64 (rows,), rows, cols."""
    a = ints(args, 4)
    cols, y = a[3], ints(a[1], a[2])
    for i in range(first, last):
        x = vec(a[0] + 4 * i * cols, cols)
        key, nan = top_of(x)
        y[i] = place_of_nan(x) if nan else place_of(x, unsorted(key))
    return 0
