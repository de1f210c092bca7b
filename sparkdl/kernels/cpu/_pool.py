"""Max pooling in numba, channels last: the inner loops run over C and vectorise. Imported when first used: it compiles.

oneDNN's is up to 8 times faster for few channels, but lets NaN lose, and takes -3.4e38 for the maximum of a window of
-inf. So its result is looked through, and made anew in the rare case.
Letters: B examples, D H W places of x, E V U places of y, C channels, KD KH KW window. Images have D = E = KD = 1.
"""

from typing import Any

import numpy as np
from numba import carray

from sparkdl.kernels.cpu._numba import as_pointer, f4, fast, ints, native, vec

LOWEST = f4(-3.4028234663852886e38)


@fast
def bytes_at(address: Any, n: Any) -> Any:
    """n uint8 at an address."""
    return carray(as_pointer(address), (n,), np.uint8)


@fast
def first(x: Any, y: Any, where: Any, index: Any) -> None:
    """The first cell of a window: the maximum so far."""
    for c in range(y.shape[0]):
        y[c] = x[c]
        where[c] = index


@fast
def better(x: Any, y: Any, where: Any, index: Any) -> None:
    """Another cell of a window, for all channels: it wins when greater or NaN, but never over NaN."""
    for c in range(y.shape[0]):
        wins = (not x[c] <= y[c]) & (y[c] == y[c])
        y[c] = x[c] if wins else y[c]
        where[c] = index if wins else where[c]


@fast
def first_of(at: Any, a: Any, axis: Any) -> Any:
    """Where along an axis the window of a place starts, padding counted; `a` as `max_pool` takes it."""
    return at * a[14 + axis] - a[17 + axis]


@fast
def pooled(a: Any) -> None:
    """y and where of x; `a` as `max_pool` takes it."""
    depth, height, width, c = a[4], a[5], a[6], a[7]
    for at in range(a[3] * a[8] * a[9] * a[10]):
        b, e, i, j = at // (a[8] * a[9] * a[10]), at // (a[9] * a[10]) % a[8], at // a[10] % a[9], at % a[10]
        near, top, left = first_of(e, a, 0), first_of(i, a, 1), first_of(j, a, 2)
        y, where = vec(a[1] + at * c * 4, c), bytes_at(a[2] + at * c, c)
        fresh = True
        for n in range(max(0, -near), min(a[11], depth - near)):
            for k in range(max(0, -top), min(a[12], height - top)):
                for m in range(max(0, -left), min(a[13], width - left)):
                    cell = ((b * depth + near + n) * height + top + k) * width + left + m
                    x, index = vec(a[0] + cell * c * 4, c), np.uint8((n * a[12] + k) * a[13] + m)
                    if fresh:
                        first(x, y, where, index)
                    else:
                        better(x, y, where, index)
                    fresh = False


@native
def max_pool(args: Any, unused: Any, unused_too: Any, unused_also: Any) -> Any:
    """args: x, y, where, B, D, H, W, C, E, V, U, KD, KH, KW, strides (3), padding before each axis (3)."""
    pooled(ints(args, 20))
    return 0


@fast
def suspicious(x: Any, y: Any) -> Any:
    """Whether x holds a NaN, or y what oneDNN starts from."""
    found = np.int32(0)
    for i in range(x.shape[0]):
        found |= np.int32(x[i] != x[i])
    for i in range(y.shape[0]):
        found |= np.int32(y[i] <= LOWEST)
    return found != 0


@native
def max_pool_mended(args: Any, unused: Any, unused_too: Any, unused_also: Any) -> Any:
    """Arguments as for `max_pool`, whose work oneDNN has done, but for NaN and -inf."""
    a = ints(args, 20)
    x, y = vec(a[0], a[3] * a[4] * a[5] * a[6] * a[7]), vec(a[1], a[3] * a[8] * a[9] * a[10] * a[7])
    if suspicious(x, y):
        pooled(a)
    return 0


@fast
def given(g: Any, where: Any, dx: Any, index: Any) -> None:
    """Add g to a cell of the window, for the channels whose maximum it was."""
    for c in range(g.shape[0]):
        dx[c] += g[c] if where[c] == index else f4(0.0)


@native
def max_pool_grad(args: Any, unused: Any, unused_too: Any, unused_also: Any) -> Any:
    """args: dx, g, where, and the rest as for `max_pool`."""
    a = ints(args, 20)
    depth, height, width, c = a[4], a[5], a[6], a[7]
    vec(a[0], a[3] * depth * height * width * c)[:] = f4(0.0)
    for at in range(a[3] * a[8] * a[9] * a[10]):
        b, e, i, j = at // (a[8] * a[9] * a[10]), at // (a[9] * a[10]) % a[8], at // a[10] % a[9], at % a[10]
        near, top, left = first_of(e, a, 0), first_of(i, a, 1), first_of(j, a, 2)
        g, where = vec(a[1] + at * c * 4, c), bytes_at(a[2] + at * c, c)
        for n in range(max(0, -near), min(a[11], depth - near)):
            for k in range(max(0, -top), min(a[12], height - top)):
                for m in range(max(0, -left), min(a[13], width - left)):
                    cell = ((b * depth + near + n) * height + top + k) * width + left + m
                    given(g, where, vec(a[0] + cell * c * 4, c), np.uint8((n * a[12] + k) * a[13] + m))
    return 0
