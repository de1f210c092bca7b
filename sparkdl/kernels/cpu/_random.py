"""numba code of Philox4x32-10 and dropout, float32. The words equal those of `base.rng.philox` bit for bit.

A tile of 1,024 words is drawn into a buffer first: rounds vectorise over counters, then keeping over elements.
"""

from typing import Any

import numpy as np
from numba import carray

from sparkdl.kernels.cpu._line import copied
from sparkdl.kernels.cpu._numba import as_pointer, double_of, f4, fast, ints, vec

TILE = 1024
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
_32 = np.uint64(32)


@fast
def words(address: Any, n: Any) -> Any:
    """n uint32 at an address."""
    return carray(as_pointer(address), (n,), np.uint32)


@fast
def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Ten rounds on one counter."""
    for _ in range(10):
        p0, p1 = _M0 * np.uint64(c0), _M1 * np.uint64(c2)
        c0, c1 = np.uint32(p1 >> _32) ^ c1 ^ k0, np.uint32(p1)
        c2, c3 = np.uint32(p0 >> _32) ^ c3 ^ k1, np.uint32(p0)
        k0, k1 = np.uint32(k0 + _W0), np.uint32(k1 + _W1)
    return c0, c1, c2, c3


@fast
def drawn(low: Any, high: Any, block: Any, k0: Any, k1: Any, w: Any) -> Any:
    """Fill w (4 n,) with the words of counters (low, high, block .. block + n - 1, 0)."""
    for q in range(w.shape[0] // 4):
        a, b, c, d = philox(low, high, np.uint32(block + q), np.uint32(0), k0, k1)
        w[4 * q] = a
        w[4 * q + 1] = b
        w[4 * q + 2] = c
        w[4 * q + 3] = d


@fast
def kept(y: Any, w: Any, threshold: Any, scale: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = y[j] * scale if w[j] >= threshold else f4(0.0)


def dropout(args: Any, first: Any, last: Any, part: Any) -> Any:
    """args: x, ids, key, y, a buffer of TILE words for each part, examples, elements of each, threshold, scale."""
    a = ints(args, 9)
    x, y, n = a[0], a[3], a[6]
    ids, key = carray(as_pointer(a[1]), (a[5],), np.int64), words(a[2], 2)
    buffer = words(a[4] + 4 * TILE * part, TILE)
    threshold, scale = np.uint32(a[7]), f4(double_of(a[8]))
    for i in range(first, last):
        low, high = np.uint32(ids[i]), np.uint32(ids[i] >> 32)
        for start in range(0, n, TILE):
            count = min(TILE, n - start)
            at = 4 * (i * n + start)
            drawn(low, high, start // 4, key[0], key[1], buffer[: (count + 3) // 4 * 4])
            if x != y:
                copied(vec(x + at, count), vec(y + at, count))
            kept(vec(y + at, count), buffer[:count], threshold, scale)
    return 0
