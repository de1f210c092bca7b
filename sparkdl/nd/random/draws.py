"""Floats of a key's stream, drawn by one op each, shifted and scaled by arithmetic.

key: uint32[2] or a Key   shape: an int or ints   dtype: a real float   start: the number of the first element

Parameters are numbers, arrays or symbols that broadcast to the shape. All raise DTypeError for what is no key, no float
or no number, ShapeError for shapes that do not fit, and ValueError for parameters that are known and out of bounds.
"""

from typing import Any

import numpy as np

from sparkdl.kernels.table import LIBRARIES
from sparkdl.nd import elementwise as e
from sparkdl.nd.array import NDArray, execute, wrap
from sparkdl.nd.functions import exp, log
from sparkdl.nd.op import apply
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.random import Draw, RandomBits, RandomExponential, RandomNormal, RandomUniform
from sparkdl.nd.random.given import Shape, dtype_of, fits, key_of, parameter, shape_of, start_of

NATIVE = 1_000_000  # elements from which a native kernel is worth loading: NumPy takes 15 to 50 ns for each, it 1 to 7


def drawn(op: Draw, key: Any) -> Any:
    """An op's numbers: now by NumPy, or where they are many by what programs use, with the same bits."""
    if isinstance(key, NDArray) and int(np.prod(op.shape, dtype=np.int64)) >= NATIVE:
        return wrap(execute(op, (key.numpy(),), LIBRARIES["cpu"])[0])
    return apply(op, key)


def bits(key: Any, shape: Shape = (), dtype: Any = "uint32", *, start: int = 0) -> Any:
    """Random words, uint32 or uint64.

    >>> bits(np.zeros(2, np.uint32), 4)
    NDArray([ 768504805,  323543615, 4244168940, 2726800091], dtype=uint32, device=cpu)
    """
    who = "bits"
    lengths, first = shape_of(who, shape), start_of(who, start)
    return drawn(RandomBits(lengths, dtype_of(who, dtype, "unsigned integer"), first), key_of(who, key))


def uniform(
    key: Any, shape: Shape = (), dtype: Any = "float32", minval: Any = 0.0, maxval: Any = 1.0, *, start: int = 0
) -> Any:
    """minval + (maxval - minval) u, evenly in [minval, maxval); u of 24 digits in float32, of 53 in float64.

    What would round to maxval is the number below. minval must be <= maxval.

    >>> from sparkdl.nd.random import key
    >>> uniform(key(0), 3, minval=-1.0)
    NDArray([ 0.20101404, -0.99872243, -0.24648225], dtype=float32, device=cpu)
    """
    who, name = "uniform", dtype_of("uniform", dtype)
    u = drawn(RandomUniform(shape_of(who, shape), name, start_of(who, start)), key_of(who, key))
    if type(minval) in (int, float) and type(maxval) in (int, float) and (minval, maxval) == (0, 1):
        return u
    low = parameter(who, "minval", minval, name, np.isfinite, "finite")
    high = parameter(who, "maxval", maxval, name, np.isfinite, "finite")
    fits(who, u.shape, low, high)
    span = e.subtract(high, low)
    parameter(who, "maxval - minval", span, name, lambda x: np.isfinite(x) & (x >= 0), "finite and >= 0")
    y = e.add(low, e.multiply(u, span))
    return e.where(e.less(y, high), y, e.nextafter(high, low))


def normal(
    key: Any, shape: Shape = (), dtype: Any = "float32", loc: Any = 0.0, scale: Any = 1.0, *, start: int = 0
) -> Any:
    """loc + scale z of the standard normal z, by the inverse of its distribution function. scale >= 0.

    float32 reaches 6.3 standard deviations, float64 9.1: words of 32 and 64 bits hold no rarer ones.

    >>> from sparkdl.nd.random import key
    >>> normal(key(0), 3)
    NDArray([-8.4252709e-01, -8.0060138e-04, -4.9126205e-01], dtype=float32, device=cpu)
    """
    return _normal("normal", key, shape, dtype, loc, scale, start, float("inf"))


def truncated_normal(
    key: Any,
    shape: Shape = (),
    dtype: Any = "float32",
    loc: Any = 0.0,
    scale: Any = 1.0,
    *,
    bound: float = 2.0,
    start: int = 0,
) -> Any:
    """loc + scale z of the standard normal z given |z| < bound: Keras's, which draws others again.

    By the inverse of the distribution function, one word for each element. scale >= 0, bound > 0.
    """
    return _normal("truncated_normal", key, shape, dtype, loc, scale, start, float(bound))


def _normal(who: str, key: Any, shape: Any, dtype: Any, loc: Any, scale: Any, start: int, bound: float) -> Any:
    name, lengths = dtype_of(who, dtype), shape_of(who, shape)
    if not bound > 0:
        raise ValueError(f"{who}: bound must be > 0. Got {bound}.")
    z = drawn(RandomNormal(lengths, _wide(name), start_of(who, start), bound), key_of(who, key))
    return cast(_shifted(who, z, loc, scale), name)


def lognormal(
    key: Any, shape: Shape = (), dtype: Any = "float32", loc: Any = 0.0, scale: Any = 1.0, *, start: int = 0
) -> Any:
    """exp(loc + scale z) of the standard normal z. scale >= 0."""
    name = dtype_of("lognormal", dtype)
    made = _normal("lognormal", key, shape, _wide(name), loc, scale, start, float("inf"))
    return cast(exp(made), name)


def exponential(key: Any, shape: Shape = (), dtype: Any = "float32", scale: Any = 1.0, *, start: int = 0) -> Any:
    """scale times -log(1 - u), u of 31 bits in float32, of 63 in float64; never 0 for scale 1. scale >= 0."""
    who, name = "exponential", dtype_of("exponential", dtype)
    made = drawn(RandomExponential(shape_of(who, shape), _wide(name), start_of(who, start)), key_of(who, key))
    return cast(_shifted(who, made, 0.0, scale), name)


def gumbel(
    key: Any, shape: Shape = (), dtype: Any = "float32", loc: Any = 0.0, scale: Any = 1.0, *, start: int = 0
) -> Any:
    """loc - scale log(x) of the standard exponential x: the largest of many. scale >= 0."""
    who, name = "gumbel", dtype_of("gumbel", dtype)
    made = drawn(RandomExponential(shape_of(who, shape), _wide(name), start_of(who, start)), key_of(who, key))
    return cast(_shifted(who, e.negative(log(made)), loc, scale), name)


def _shifted(who: str, z: Any, loc: Any, scale: Any) -> Any:
    """loc + scale z; what is left out by default is not computed."""
    dtype = z.spec.dtype
    if type(scale) not in (int, float) or scale != 1:
        factor = parameter(who, "scale", scale, dtype, lambda s: np.isfinite(s) & (s >= 0), "finite and >= 0")
        fits(who, z.shape, factor)
        z = e.multiply(z, factor)
    if type(loc) not in (int, float) or loc != 0:
        middle = parameter(who, "loc", loc, dtype, np.isfinite, "finite")
        fits(who, z.shape, middle)
        z = e.add(z, middle)
    return z


def _wide(dtype: str) -> str:
    """The dtype in which numbers of a dtype are drawn: half precision is rounded in the end."""
    return dtype if dtype == "float64" else "float32"
