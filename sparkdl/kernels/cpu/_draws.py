"""numba code of the ops random_bits, random_uniform, random_normal and random_exponential.

Their numbers have the bits of `kernels/ref/_exact.py`: what computes floats is compiled without fastmath, so that
nothing is reordered or contracted, and repeats its operations one by one.
"""

from typing import Any

import numpy as np
from numba import carray, njit

from sparkdl.kernels.cpu._numba import ALONE, as_pointer, bits_of, double_of, exact, f4, fast, float_of, ints, vec
from sparkdl.kernels.cpu._random import TILE, philox, words

f8, i4, u8 = np.float64, np.int32, np.uint64


def plainly(fn: Any) -> Any:
    """A helper of exact kernels, inlined; `fast` ones may compute with ints only."""
    return njit(error_model="numpy", cache=True, forceinline=True, **ALONE)(fn)


@fast
def tile(first: Any, k0: Any, k1: Any, w: Any) -> Any:
    """Fill w (4 n,) with the words of a key's stream from 4 first on."""
    for q in range(w.shape[0] // 4):
        at = u8(first + q)
        a, b, c, d = philox(np.uint32(at), np.uint32(at >> u8(32)), np.uint32(0), np.uint32(1), k0, k1)
        w[4 * q] = a
        w[4 * q + 1] = b
        w[4 * q + 2] = c
        w[4 * q + 3] = d


@plainly
def log(x: Any, less: Any) -> Any:
    """log(x) of normal float32 x > 0; less: x - 1."""
    bits = bits_of(x)
    part = float_of((bits & i4(0x7FFFFF)) | i4(0x3F000000))
    low = part < f4(0.70710678)
    power = (bits >> i4(23)) - i4(126) - (i4(1) if low else i4(0))
    e = f4(power)
    f = less if power == i4(0) else ((part + part if low else part) - f4(1.0))
    p = f * f4(7.0376836292e-2) + f4(-1.1514610310e-1)
    p = p * f + f4(1.1676998740e-1)
    p = p * f + f4(-1.2420140846e-1)
    p = p * f + f4(1.4249322787e-1)
    p = p * f + f4(-1.6668057665e-1)
    p = p * f + f4(2.0000714765e-1)
    p = p * f + f4(-2.4999993993e-1)
    p = p * f + f4(3.3333331174e-1)
    z = f * f
    y = p * f * z + e * f4(-2.12194440e-4) - f4(0.5) * z
    return f + y + e * f4(0.693359375)


@plainly
def normal_of(word: Any, step: Any, outside: Any, bound: Any) -> Any:
    """A standard normal number, by PPND7."""
    m = i4(word >> np.uint32(1))
    q = (f4(m) + f4(0.5)) * step
    r = f4(0.180625) - q * q
    a = r * f4(59.109374720) + f4(159.29113202)
    a = a * r + f4(50.434271938)
    a = a * r + f4(3.3871327179)
    b = r * f4(67.187563600) + f4(78.757757664)
    b = b * r + f4(17.895169469)
    b = b * r + f4(1.0)
    p = (f4(i4(2147483647) - m) + f4(0.5)) * step + outside
    s = np.sqrt(-log(p, p - f4(1.0))) - f4(1.6)
    c = s * f4(0.17023821103) + f4(1.3067284816)
    c = c * s + f4(2.7568153900)
    c = c * s + f4(1.4234372777)
    d = s * f4(0.12021132975) + f4(0.73700164250)
    d = d * s + f4(1.0)
    far = q > f4(0.425)
    z = c / d if far else a / b * q
    z = bound if z > bound else z
    return -z if word & np.uint32(1) else z


@plainly
def exponential_of(word: Any) -> Any:
    """A standard exponential number."""
    m = i4(word >> np.uint32(1))
    step = f4(4.656612873077393e-10)  # 2^-31
    left = (f4(i4(2147483647) - m) + f4(0.5)) * step
    return -log(left, -((f4(m) + f4(0.5)) * step))


@plainly
def single(w: Any) -> Any:
    """24 digits."""
    return f4(i4(w >> np.uint32(8))) * f4(5.960464477539063e-08)


@plainly
def double(a: Any, b: Any) -> Any:
    """53 digits of two words."""
    return f8(np.int64((u8(a) | (u8(b) << u8(32))) >> u8(11))) * 1.1102230246251565e-16


@fast
def placed(args: Any, first: Any, part: Any, left: Any) -> Any:
    """The next words of a part: at most TILE - 4, from word `first` of what is drawn on."""
    a = ints(args, 4)  # key, y, buffer, start
    key, at = words(a[0], 2), a[3] + first
    count = min(TILE - 4, left)
    ahead = at & 3
    buffer = words(a[2] + 4 * TILE * part, TILE)
    tile(at >> 2, key[0], key[1], buffer[: (ahead + count + 3) // 4 * 4])
    return buffer[ahead : ahead + count]


def bits(args: Any, first: Any, last: Any, part: Any) -> Any:
    """args: key, y, a buffer of TILE words for each part, start; all counted in words, as uint64 are two."""
    while first < last:
        w = placed(args, first, part, last - first)
        y = words(ints(args, 4)[1] + 4 * first, w.shape[0])
        for j in range(w.shape[0]):
            y[j] = w[j]
        first += w.shape[0]
    return 0


@exact
def uniform(args: Any, first: Any, last: Any, part: Any) -> Any:
    """The same args."""
    while first < last:
        w = placed(args, first, part, last - first)
        y = vec(ints(args, 4)[1] + 4 * first, w.shape[0])
        for j in range(w.shape[0]):
            y[j] = single(w[j])
        first += w.shape[0]
    return 0


@exact
def uniform_double(args: Any, first: Any, last: Any, part: Any) -> Any:
    """The same args; units are pairs of words."""
    while first < last:
        w = placed(args, 2 * first, part, 2 * (last - first))
        y = carray(as_pointer(ints(args, 4)[1] + 8 * first), (w.shape[0] // 2,), f8)
        for j in range(y.shape[0]):
            y[j] = double(w[2 * j], w[2 * j + 1])
        first += y.shape[0]
    return 0


@exact
def normal(args: Any, first: Any, last: Any, part: Any) -> Any:
    """The same args, and inside, outside, bound."""
    a = ints(args, 7)
    step = f4(double_of(a[4]) * 2.3283064365386963e-10)  # 2^-32
    outside, bound = f4(double_of(a[5])), f4(double_of(a[6]))
    while first < last:
        w = placed(args, first, part, last - first)
        y = vec(a[1] + 4 * first, w.shape[0])
        for j in range(w.shape[0]):
            y[j] = normal_of(w[j], step, outside, bound)
        first += w.shape[0]
    return 0


@exact
def exponential(args: Any, first: Any, last: Any, part: Any) -> Any:
    """args: as those of bits."""
    while first < last:
        w = placed(args, first, part, last - first)
        y = vec(ints(args, 4)[1] + 4 * first, w.shape[0])
        for j in range(w.shape[0]):
            y[j] = exponential_of(w[j])
        first += w.shape[0]
    return 0
