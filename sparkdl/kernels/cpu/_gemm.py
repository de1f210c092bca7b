"""numba code of a' b, float32, in blocks that stay in cache. Goto, van de Geijn: Anatomy of high-performance matrix
multiplication, 2008.
"""

from typing import Any

from sparkdl.kernels.cpu._numba import fast, ints, vec
from sparkdl.kernels.cpu._tile import copied, packed, product


@fast
def block(a: Any, row: Any, k: Any, m: Any, into: Any) -> Any:
    """k rows of m numbers, side by side."""
    for i in range(k):
        copied(vec(a + i * row, m), vec(into + 4 * m * i, m))


def turned(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: a (k, m), b (k, n), c (m, n), room for a block of a and of b, m, k, n, and the most of each in a block."""
    s = ints(args, 11)
    m, k, n = s[5], s[6], s[7]
    for kk in range(0, k, s[9]):
        deep = min(s[9], k - kk)
        for nn in range(0, n, s[10]):
            wide = min(s[10], n - nn)
            packed(s[1] + 4 * (kk * n + nn), 4 * n, deep, wide, s[4])
            for mm in range(0, m, s[8]):
                high = min(s[8], m - mm)
                block(s[0] + 4 * (kk * m + mm), 4 * m, deep, high, s[3])
                product(s[3], 4, 4 * high, s[4], s[2] + 4 * (mm * n + nn), 4 * n, high, deep, wide, min(kk, 1))
    return 0
