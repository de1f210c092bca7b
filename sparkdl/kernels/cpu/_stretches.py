"""numba code of loops that go by stretches of a flat vector: which of them are zero, and so need not be read."""

from typing import Any

import numpy as np

from sparkdl.kernels.codegen.idle import STRETCH
from sparkdl.kernels.cpu._gather import index
from sparkdl.kernels.cpu._numba import bits_of, fast, ints, vec as vec  # vec: the loops use it too


@fast
def blank(x: Any) -> Any:
    """Whether all of a float32 row is +0. What is not mostly shows at its start."""
    bits = np.int32(0)
    for j in range(min(16, x.shape[0])):
        bits |= bits_of(x[j])
    if bits == 0:
        for j in range(x.shape[0]):
            bits |= bits_of(x[j])
    return bits == 0


@fast
def marked(filled: Any, first: Any, table: Any, count: Any) -> Any:
    """filled[s] <- whether stretch first + s may hold something.

    table: address of `count` scatters, six int64 each: address of the ids, how many, whether they are int64, first
    element, rows, cols. A stretch that is not within one scatter may.
    """
    for s in range(filled.shape[0]):
        filled[s] = 1
    a = ints(table, 6 * count)
    for k in range(count):
        start, stop = a[6 * k + 3], a[6 * k + 3] + a[6 * k + 4] * a[6 * k + 5]
        low, high = (start + STRETCH - 1) // STRETCH - first, stop // STRETCH - first
        for s in range(max(low, 0), min(high, filled.shape[0])):
            filled[s] = 0
    for k in range(count):
        noted(filled, first, a[6 * k], a[6 * k + 1], a[6 * k + 2], a[6 * k + 3], a[6 * k + 4], a[6 * k + 5])


@fast
def noted(filled: Any, first: Any, ids: Any, size: Any, wide: Any, start: Any, rows: Any, cols: Any) -> Any:
    """Mark the stretches of the rows that are numbered; a number outside is of none."""
    for i in range(size):
        row = index(ids, i, wide)
        if 0 <= row < rows:
            at = start + row * cols
            low, high = at // STRETCH - first, (at + cols - 1) // STRETCH + 1 - first
            for s in range(max(low, 0), min(high, filled.shape[0])):
                filled[s] = 1
