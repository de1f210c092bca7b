"""numba code of random_normal and random_exponential in float64, with the bits of `kernels/ref/_exact.py`."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from sparkdl.kernels.cpu._draws import placed, plainly
from sparkdl.kernels.cpu._numba import as_pointer, double_of, exact, fast, ints
from sparkdl.kernels.ref._exact import DOUBLE, LOG_EVEN, LOG_ODD

i8, u8 = np.int64, np.uint64
TOP, BOTTOM = DOUBLE.middle
TAIL_TOP, TAIL_BOTTOM = DOUBLE.tail
FAR_TOP, FAR_BOTTOM = DOUBLE.far or DOUBLE.tail
MOST = i8(2**63 - 1)


@intrinsic
def bits_of_double(context: Any, x: Any) -> Any:
    """float64 -> int64 bits."""

    def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(64))

    return types.int64(types.float64), build


@plainly
def total(x: Any, terms: Any) -> Any:
    """A polynomial by Horner's rule."""
    y = x * terms[0] + terms[1]
    for k in range(2, len(terms)):
        y = y * x + terms[k]
    return y


@plainly
def log(x: Any, less: Any) -> Any:
    """log(x) of normal x > 0; less: x - 1."""
    bits = bits_of_double(x)
    part = double_of((bits & i8(0xFFFFFFFFFFFFF)) | i8(0x3FE0000000000000))
    low = part < 0.70710678
    power = (bits >> i8(52)) - i8(1022) - (i8(1) if low else i8(0))
    e = np.float64(power)
    f = less if power == 0 else ((part + part if low else part) - 1.0)
    s = f / (f + 2.0)
    z = s * s
    w = z * z
    rest = w * total(w, LOG_EVEN) + z * total(w, LOG_ODD)
    half = 0.5 * f * f
    return e * 6.93147180369123816490e-01 - ((half - (s * (half + rest) + e * 1.90821492927058770002e-10)) - f)


@fast
def magnitude(w: Any, j: Any) -> Any:
    """63 bits of two words."""
    return i8((u8(w[2 * j]) | (u8(w[2 * j + 1]) << u8(32))) >> u8(1))


@plainly
def middle(m: Any, step: Any) -> Any:
    """A number whose probability lies near the median."""
    q = (np.float64(m) + 0.5) * step
    r = 0.180625 - q * q
    return total(r, TOP) / total(r, BOTTOM) * q


@plainly
def tail(m: Any, step: Any, outside: Any) -> Any:
    """A number far out."""
    p = (np.float64(MOST - m) + 0.5) * step + outside
    r = np.sqrt(-log(p, p - 1.0))
    if r > 5.0:
        return total(r - 5.0, FAR_TOP) / total(r - 5.0, FAR_BOTTOM)
    return total(r - 1.6, TAIL_TOP) / total(r - 1.6, TAIL_BOTTOM)


@exact
def normal(args: Any, first: Any, last: Any, part: Any) -> Any:
    """args: key, y, a buffer of TILE words for each part, start in words, inside, outside, bound."""
    a = ints(args, 7)
    step, outside, bound = double_of(a[4]) * 5.421010862427522e-20, double_of(a[5]), double_of(a[6])  # 2^-64
    while first < last:
        w = placed(args, 2 * first, part, 2 * (last - first))
        y = carray(as_pointer(a[1] + 8 * first), (w.shape[0] // 2,), np.float64)
        for j in range(y.shape[0]):
            y[j] = middle(magnitude(w, j), step)
        for j in range(y.shape[0]):
            m = magnitude(w, j)
            if (np.float64(m) + 0.5) * step > 0.425:
                y[j] = tail(m, step, outside)
        for j in range(y.shape[0]):
            z = bound if y[j] > bound else y[j]
            y[j] = -z if w[2 * j] & np.uint32(1) else z
        first += y.shape[0]
    return 0


@exact
def exponential(args: Any, first: Any, last: Any, part: Any) -> Any:
    """args: key, y, a buffer, start."""
    while first < last:
        w = placed(args, 2 * first, part, 2 * (last - first))
        y = carray(as_pointer(ints(args, 4)[1] + 8 * first), (w.shape[0] // 2,), np.float64)
        for j in range(y.shape[0]):
            m = magnitude(w, j)
            left = (np.float64(MOST - m) + 0.5) * 1.0842021724855044e-19  # 2^-63
            y[j] = -log(left, -((np.float64(m) + 0.5) * 1.0842021724855044e-19))
        first += y.shape[0]
    return 0
