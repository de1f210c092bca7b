"""Algebra: cheaper forms of the same numbers, to the last bit; but a scaled sum is rounded elsewhere.

What is not here is not equal: x - x and x * 0 are NaN where x is not finite; x ** 0.5 and sqrt(x) differ at -inf.
"""

import math

import numpy as np

from sparkdl.base.spec import BFLOAT16
from sparkdl.compile.site import Site, Table
from sparkdl.graph.graph import Ref
from sparkdl.nd.ops.analysis import Relu
from sparkdl.nd.ops.arithmetic import (
    Absolute,
    Add,
    Multiply,
    Negative,
    Rsqrt,
    Sqrt,
    Square,
    Subtract,
)
from sparkdl.nd.ops.reduce import Sum


def plus_nothing(s: Site) -> Ref | None:
    """x + 0 -> x, but for the sign of 0."""
    return s.beside(0.0)


def times_one(s: Site) -> Ref | None:
    """x * 1 -> x. x * 0 stays: it is NaN where x is."""
    return s.beside(1.0)


def less_nothing(s: Site) -> Ref | None:
    """x - 0 -> x."""
    return _kept(s, 0.0)


def over_one(s: Site) -> Ref | None:
    """x / 1 -> x."""
    return _kept(s, 1.0)


def to_the_first(s: Site) -> Ref | None:
    """x ** 1 -> x."""
    return _kept(s, 1.0)


def _kept(s: Site, neutral: float) -> Ref | None:
    return s.ins[0] if s.constant(s.ins[1]) == neutral and s.spec(s.ins[0]) == s.out else None


def scaled_sum(s: Site) -> Ref | None:
    """c * sum(x) over everything -> sum(c * x), and so for sum(x) / c: the factor joins the loop that the sum ends."""
    for at in (0, 1) if isinstance(s.op, Multiply) else (0,):
        inner = s.made(s.ins[at], Sum)
        if inner and s.out.shape == () and s.spec(s.ins[at]) == s.out and s.constant(s.ins[1 - at]) is not None:
            return s.write(s.op_of(s.ins[at]), s.write(s.op, inner[0], s.ins[1 - at]))
    return None


def times_itself(s: Site) -> Ref | None:
    """x * x -> square(x), of floats."""
    return s.write(Square(), s.ins[0]) if s.ins[0] == s.ins[1] and s.out.dtype.startswith("float") else None


def to_the_second(s: Site) -> Ref | None:
    """x ** 2 -> square(x)."""
    fits = s.constant(s.ins[1]) == 2.0 and s.spec(s.ins[0]) == s.out
    return s.write(Square(), s.ins[0]) if fits else None


def over_a_power_of_two(s: Site) -> Ref | None:
    """x / c -> x * (1 / c) where 1 / c is exact."""
    c = s.constant(s.ins[1])
    if c is None or s.out.dtype == BFLOAT16 or abs(math.frexp(c)[0]) != 0.5 or s.spec(s.ins[1]).shape != ():
        return None
    kind = np.finfo(s.out.dtype)
    exact = float(kind.tiny) <= abs(1.0 / c) <= float(kind.max)
    return s.write(Multiply(), s.ins[0], s.number(1.0 / c, s.out.dtype)) if exact else None


def one_over_root(s: Site) -> Ref | None:
    """1 / sqrt(x) -> rsqrt(x)."""
    inner = s.made(s.ins[1], Sqrt) if s.constant(s.ins[0]) == 1.0 else None
    return s.write(Rsqrt(), inner[0]) if inner and s.spec(inner[0]) == s.out else None


def twice_negative(s: Site) -> Ref | None:
    """-(-x) -> x."""
    inner = s.made(s.ins[0], Negative)
    return inner[0] if inner else None


def negative_difference(s: Site) -> Ref | None:
    """x + -y -> x - y, x - -y -> x + y."""
    for at in (1, 0) if isinstance(s.op, Add) else (1,):
        if inner := s.made(s.ins[at], Negative):
            return s.write(Subtract() if isinstance(s.op, Add) else Add(), s.ins[1 - at], inner[0])
    return None


def even(s: Site) -> Ref | None:
    """|-x|, ||x|| -> |x|, and so for the square."""
    inner = s.made(s.ins[0], Negative) or s.made(s.ins[0], Absolute)
    return s.write(s.op, inner[0]) if inner else None


def twice_clipped(s: Site) -> Ref | None:
    """relu(relu(x)) -> relu(x)."""
    return s.ins[0] if s.made(s.ins[0], Relu) else None


def clipped_at_zero(s: Site) -> Ref | None:
    """maximum(x, 0) -> relu(x), which fuses with the product before it. Both keep NaN."""
    x = s.beside(0.0) if s.out.dtype.startswith("float") else None
    return None if x is None else s.write(Relu(), x)


RULES: Table = {
    "add": (plus_nothing, negative_difference),
    "subtract": (less_nothing, negative_difference),
    "multiply": (times_one, scaled_sum, times_itself),
    "divide": (over_one, scaled_sum, one_over_root, over_a_power_of_two),
    "power": (to_the_first, to_the_second),
    "negative": (twice_negative,),
    "absolute": (even,),
    "square": (even,),
    "relu": (twice_clipped,),
    "maximum": (clipped_at_zero,),
}
