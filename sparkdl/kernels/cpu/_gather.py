"""numba code of lookups, float32 rows. An index outside the table is never used as an address."""

from typing import Any

import numpy as np
from numba import carray

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


@fast
def copied(x: Any, y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = x[j]


@fast
def added(x: Any, y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] += x[j]


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
