"""numba code of a b and a' b, float32, in blocks that stay in cache.

Goto, van de Geijn: Anatomy of high-performance matrix multiplication, 2008.
"""

from typing import Any

from sparkdl.kernels.cpu._line import copied
from sparkdl.kernels.cpu._numba import fast, ints, vec
from sparkdl.kernels.cpu._tile import packed, product


@fast
def gathered(a: Any, row: Any, k: Any, m: Any, into: Any) -> Any:
    """k rows of m numbers, side by side."""
    for i in range(k):
        copied(vec(a + i * row, m), vec(into + 4 * m * i, m))


def blocks(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: a (m, k), or (k, m) when turned, b (k, n), c (m, n), room for a block of a and of b, m, k, n, the most of
    each in a block, turned.
    """
    s = ints(args, 12)
    m, k, n = s[5], s[6], s[7]
    for kk in range(0, k, s[9]):
        deep = min(s[9], k - kk)
        for nn in range(0, n, s[10]):
            wide = min(s[10], n - nn)
            packed(s[1] + 4 * (kk * n + nn), 4 * n, deep, wide, s[4])
            for mm in range(0, m, s[8]):
                high, out = min(s[8], m - mm), s[2] + 4 * (mm * n + nn)
                if s[11] != 0:
                    gathered(s[0] + 4 * (kk * m + mm), 4 * m, deep, high, s[3])
                    product(s[3], 4, 4 * high, s[4], out, 4 * n, high, deep, wide, min(kk, 1))
                else:
                    product(s[0] + 4 * (mm * k + kk), 4 * k, 4, s[4], out, 4 * n, high, deep, wide, min(kk, 1))
    return 0
