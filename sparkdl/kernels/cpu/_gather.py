"""numba code of lookups, float32 rows. An index outside the table is never used as an address."""

from typing import Any

import numpy as np
from numba import carray

from sparkdl.kernels.cpu._line import added, copied
from sparkdl.kernels.cpu._numba import as_pointer, f4, fast, ints, vec
from sparkdl.kernels.cpu._shape import zero_bytes


@fast
def index(address: Any, i: Any, wide: Any) -> Any:
    """Index i of int64 (wide) or int32."""
    if wide:
        return carray(as_pointer(address), (i + 1,), np.int64)[i]
    return np.int64(carray(as_pointer(address), (i + 1,), np.int32)[i])


@fast
def filled(y: Any, value: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = value


def take(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: table, ids, y, rows of the table, ids, cols, wide."""
    a = ints(args, 7)
    cols = a[5]
    for i in range(a[4]):
        k = index(a[1], i, a[6])
        y = vec(a[2] + 4 * i * cols, cols)
        if 0 <= k < a[3]:
            copied(vec(a[0] + 4 * k * cols, cols), y)
        else:
            filled(y, f4(np.nan))
    return 0


def take_grad(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: g, ids, y, rows of y, ids, cols, wide."""
    a = ints(args, 7)
    cols = a[5]
    zero_bytes(a[2], 4 * a[3] * cols)
    for i in range(a[4]):
        k = index(a[1], i, a[6])
        if 0 <= k < a[3]:
            added(vec(a[0] + 4 * i * cols, cols), vec(a[2] + 4 * k * cols, cols))
    return 0


@fast
def cleared(y: Any, last: Any, rows: Any, cols: Any) -> Any:
    """Zero the rows of y that were written last; last: how many, then their numbers; all of them where it is -1."""
    if last[0] < 0:
        zero_bytes(y, 4 * rows * cols)
    for i in range(last[0]):
        filled(vec(y + 4 * last[i + 1] * cols, cols), f4(0.0))


def take_grad_again(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: as `take_grad`, after y the rows written last, which are zeroed instead of all."""
    a = ints(args, 8)
    rows, size, cols, n = a[4], a[5], a[6], 0
    last = ints(a[3], size + 1)
    cleared(a[2], last, rows, cols)
    for i in range(size):
        k = index(a[1], i, a[7])
        if 0 <= k < rows:
            added(vec(a[0] + 4 * i * cols, cols), vec(a[2] + 4 * k * cols, cols))
            n += 1
            last[n] = k
    last[0] = n
    return 0


def one_hot(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: ids, y, ids, depth, wide."""
    a = ints(args, 5)
    y = vec(a[1], a[2] * a[3])
    filled(y, f4(0.0))
    for i in range(a[2]):
        k = index(a[0], i, a[4])
        if 0 <= k < a[3]:
            y[i * a[3] + k] = f4(1.0)
    return 0
