"""numba code of batch normalisation with the relu behind it, channels last, float32.

Pixels are taken in rows of some hundred floats, so that 16 channels vectorise as 512 do: a row is C times a power of
two, what belongs to a channel is repeated along it, and sums along it are folded by halves. Sums are float32 over a
block of rows and float64 over the blocks. Deviations from the mean of the blocks before are summed, so that one pass
over x gives mean and variance, and a mean far above the deviation costs no accuracy.

Where y lies over the shortcut, loops get one array for both: they need no check for overlap.
"""

from typing import Any

import numpy as np
from numba import carray

from sparkdl.kernels.cpu._line import added, copied, zeroed
from sparkdl.kernels.cpu._numba import as_pointer, double_of, f4, fast, ints, vec

BLOCK = 64  # rows whose sums are float32


@fast
def doubles(address: Any, n: Any) -> Any:
    return carray(as_pointer(address), (n,), np.float64)


@fast
def repeated(y: Any, channels: Any) -> Any:
    """The first C of y, over and over."""
    n = channels
    while n < y.shape[0]:
        copied(y[:n], y[n : 2 * n])
        n *= 2


@fast
def folded(y: Any, channels: Any) -> Any:
    """The sum of each channel, in the first C of y."""
    n = y.shape[0]
    while n > channels:
        n //= 2
        added(y[n : 2 * n], y[:n])


@fast
def deviations(x: Any, c: Any, first: Any, second: Any) -> Any:
    """first += x - c, second += (x - c)^2"""
    for j in range(x.shape[0]):
        d = x[j] - c[j]
        first[j] += d
        second[j] += d * d


@fast
def joined(first: Any, second: Any, n: Any, c: Any, count: Any, mean: Any, m2: Any) -> Any:
    """Add n pixels' deviations from c to the mean and squares of `count` others: Chan, Golub and LeVeque 1979."""
    part, share, weight = 1.0 / n, n / (count + n), count * (n / (count + n))
    for j in range(mean.shape[0]):
        off = np.float64(first[j]) * part
        step = np.float64(c[j]) + off - mean[j]
        mean[j] += step * share
        m2[j] += np.float64(second[j]) - off * off * n + step * step * weight


@fast
def statistics(x: Any, whole: Any, row: Any, mean: Any, m2: Any, work: Any) -> Any:
    """mean, m2 (C) of x (whole,): m2 is the sum of the squared deviations. work: 3 rows."""
    c, first, second, channels = vec(work, row), vec(work + 4 * row, row), vec(work + 8 * row, row), mean.shape[0]
    mean[:] = 0.0
    m2[:] = 0.0
    zeroed(c)
    start, count, begun = 0, 0, False
    while start < whole:
        stop = min(start + (BLOCK if begun else 4) * row, whole)
        zeroed(first)
        zeroed(second)
        for at in range(start, stop, row):
            deviations(vec(x + 4 * at, min(row, stop - at)), c, first, second)
        folded(first, channels)
        folded(second, channels)
        n = (stop - start) // channels
        if begun:
            joined(first, second, n, c, count, mean, m2)
            start, count = stop, count + n
            for j in range(channels):
                c[j] = f4(mean[j])
        else:  # there is no mean yet: that of the first few rows
            begun = True
            for j in range(channels):
                c[j] = first[j] / f4(n)
        repeated(c, channels)


@fast
def scales(gamma: Any, beta: Any, mean: Any, m2: Any, pixels: Any, eps: Any, work: Any, row: Any) -> Any:
    """The rows of work: mean, gamma / sqrt(variance + eps), beta."""
    middle, scale, offset = vec(work, row), vec(work + 4 * row, row), vec(work + 8 * row, row)
    channels = mean.shape[0]
    for j in range(channels):
        middle[j] = mean[j]
        scale[j] = f4(gamma[j] / np.sqrt(m2[j] / pixels + eps))
        offset[j] = beta[j]
    repeated(middle, channels)
    repeated(scale, channels)
    repeated(offset, channels)
    return middle, scale, offset


@fast
def rectified(x: Any, mean: Any, scale: Any, beta: Any, y: Any) -> Any:
    for j in range(x.shape[0]):
        z = (x[j] - mean[j]) * scale[j] + beta[j]
        y[j] = f4(0.0) if z <= f4(0.0) else z


@fast
def summed(x: Any, mean: Any, scale: Any, beta: Any, r: Any, y: Any) -> Any:
    for j in range(x.shape[0]):
        z = (x[j] - mean[j]) * scale[j] + beta[j] + r[j]
        y[j] = f4(0.0) if z <= f4(0.0) else z


@fast
def summed_over(x: Any, mean: Any, scale: Any, beta: Any, y: Any) -> Any:
    """The same where y holds r."""
    for j in range(x.shape[0]):
        z = (x[j] - mean[j]) * scale[j] + beta[j] + y[j]
        y[j] = f4(0.0) if z <= f4(0.0) else z


def batch_norm_relu(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: x, gamma, beta, shortcut or 0, y, mean, variance, float64 (2, C), work (3 rows), pixels, C, row, eps."""
    a = ints(args, 13)
    pixels, channels, row, work = a[9], a[10], a[11], a[8]
    m, m2, whole = doubles(a[7], channels), doubles(a[7] + 8 * channels, channels), pixels * channels
    statistics(a[0], whole, row, m, m2, work)
    mean, variance = vec(a[5], channels), vec(a[6], channels)
    for j in range(channels):
        mean[j] = f4(m[j])
        variance[j] = f4(m2[j] / pixels)
    middle, scale, offset = scales(
        vec(a[1], channels), vec(a[2], channels), mean, m2, pixels, double_of(a[12]), work, row
    )
    for at in range(0, whole, row):
        n = min(row, whole - at)
        x, y = vec(a[0] + 4 * at, n), vec(a[4] + 4 * at, n)
        if a[3] == 0:
            rectified(x, middle, scale, offset, y)
        elif a[3] == a[4]:
            summed_over(x, middle, scale, offset, y)
        else:
            summed(x, middle, scale, offset, vec(a[3] + 4 * at, n), y)
    return 0
