"""Random words to floats by +, -, *, / and square roots alone, each rounded as IEEE says: the same bits everywhere.

`kernels/cpu/_random.py` writes the float32 formulas once more, for numba; they must round in the same places.

normal       q(p), the inverse of the normal distribution function, by Wichura, "Algorithm AS 241: the percentage points
             of the normal distribution" (Applied Statistics 37, 1988): PPND7 in float32, PPND16 in float64
logarithm    in float32 Cephes' polynomial, in float64 that of fdlibm's e_log.c

A word's lowest bit is the sign or is dropped; m are the others: 31 bits, or 63 of two words in float64. A normal number
lies (m + 1/2) / 2^32 from the median in probability; its tail is computed from the complement, so that it is as exact
as the middle. An exponential one is -log(1 - u) of u = (m + 1/2) / 2^31, exact near 0 and far out.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparkdl.kernels.table import Array

Terms = tuple[float, ...]


@dataclass(frozen=True)
class Quantile:
    """Coefficients, highest power first: numerators and denominators of the middle, the tail, and far out."""

    dtype: str
    bits: int
    middle: tuple[Terms, Terms]
    tail: tuple[Terms, Terms]
    far: tuple[Terms, Terms] | None = None  # below e^-25, where float32's draws never are


SINGLE = Quantile(
    "float32",
    31,
    ((59.109374720, 159.29113202, 50.434271938, 3.3871327179), (67.187563600, 78.757757664, 17.895169469, 1.0)),
    ((0.17023821103, 1.3067284816, 2.7568153900, 1.4234372777), (0.12021132975, 0.73700164250, 1.0)),
)
DOUBLE = Quantile(
    "float64",
    63,
    (
        (
            2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
            1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0,
        ),
        (
            5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
            5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
        ),
    ),
    (
        (
            7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
            3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0,
        ),
        (
            1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
            6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0,
        ),
    ),
    (
        (
            2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
            2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0,
        ),
        (
            2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
            1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
        ),
    ),
)  # fmt: skip
LOG_SINGLE: Terms = (
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
    2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
LOG_EVEN: Terms = (1.531383769920937332e-01, 2.222219843214978396e-01, 3.999999999940941908e-01)
LOG_ODD: Terms = (
    1.479819860511658591e-01,
    1.818357216161805012e-01,
    2.857142874366239149e-01,
    6.666666666666735130e-01,
)


def table(words: Array) -> Quantile:
    """The formulas for words of that width."""
    return SINGLE if words.dtype == np.uint32 else DOUBLE


def normal(words: Array, inside: float, outside: float, bound: float) -> Array:
    """Standard normal numbers of words uint32 (n,), or uint64 (n,) for float64.

    Where |z| < bound is wanted: inside is P(|z| < bound), outside that of z > bound. Else 1, 0 and infinity.
    """
    t = table(words)
    one, m = np.dtype(t.dtype).type, (words >> 1).astype(f"int{t.bits + 1}")
    step, half = one(inside * 0.5 ** (t.bits + 1)), one(0.5)
    q = (m.astype(t.dtype) + half) * step
    z = _ratio(one(0.180625) - q * q, t.middle) * q
    (k,) = np.nonzero(q > one(0.425))
    z[k] = _tail(((2**t.bits - 1 - m[k]).astype(t.dtype) + half) * step + one(outside), t)
    z = np.minimum(z, one(bound))
    return np.asarray(np.where(words & 1, -z, z))


def _tail(p: Array, t: Quantile) -> Array:
    """The z > 0 that is exceeded with probability p < 0.075."""
    one = np.dtype(t.dtype).type
    r = np.sqrt(-log(p, p - 1))
    z = _ratio(r - one(1.6), t.tail)
    return z if t.far is None else np.asarray(np.where(r > 5.0, _ratio(r - 5.0, t.far), z))


def _ratio(x: Array, terms: tuple[Terms, Terms]) -> Array:
    quotient: Array = _sum(x, terms[0]) / _sum(x, terms[1])
    return quotient


def _sum(x: Array, terms: Terms) -> Array:
    """The polynomial by Horner's rule."""
    one = x.dtype.type
    total: Array = x * one(terms[0]) + one(terms[1])
    for term in terms[2:]:
        total = total * x + one(term)
    return total


def exponential(words: Array) -> Array:
    """Standard exponential numbers > 0 of words uint32 (n,), or uint64 (n,) for float64."""
    t = table(words)
    one, m = np.dtype(t.dtype).type, (words >> 1).astype(f"int{t.bits + 1}")
    step, half = one(0.5**t.bits), one(0.5)
    left = ((2**t.bits - 1 - m).astype(t.dtype) + half) * step
    made: Array = -log(left, -((m.astype(t.dtype) + half) * step))
    return made


def log(x: Array, less: Array) -> Array:
    """log(x) of normal x > 0. less: x - 1, which near 1 may be known better than x is."""
    part, power = np.frexp(x)
    low = part < x.dtype.type(0.70710678)
    e = (power - low).astype(x.dtype)
    f = np.where(e == 0, less, np.where(low, part + part, part) - x.dtype.type(1))
    return _log_single(f, e) if x.dtype == np.float32 else _log_double(f, e)


def _log_single(f: Array, e: Array) -> Array:
    one: Any = np.float32
    z = f * f
    y = _sum(f, LOG_SINGLE) * f * z + e * one(-2.12194440e-4) - one(0.5) * z
    made: Array = f + y + e * one(0.693359375)
    return made


def _log_double(f: Array, e: Array) -> Array:
    s = f / (f + 2.0)
    w = (s * s) * (s * s)
    rest = w * _sum(w, LOG_EVEN) + (s * s) * _sum(w, LOG_ODD)
    half = 0.5 * f * f
    low = e * 1.90821492927058770002e-10
    return e * 6.93147180369123816490e-01 - ((half - (s * (half + rest) + low)) - f)
