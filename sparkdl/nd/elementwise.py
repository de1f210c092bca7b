"""Elementwise functions of the array API standard: operands promoted and broadcast, then one op.

`out`, where it is taken, is an array that the result is written into and that is returned. Arguments x, x1, x2 are
arrays or symbols of any shapes that broadcast; of x1 and x2 one may be a number, a NumPy array or scalar.
"""

import builtins
from typing import Any

import numpy as np

from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import KINDS
from sparkdl.nd.op import Op, apply, is_eager
from sparkdl.nd.ops import analysis, arithmetic, bits, choice
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.promote import operands


def into(result: Any, out: Any) -> Any:
    """`result`, or `out` with it written in. Raises unless shapes agree and the dtype of `out` can hold it."""
    if out is None:
        return result
    if not hasattr(out, "_writable"):
        raise DTypeError(f"out must be an array. Got {type(out).__name__}.")
    if out.shape != result.shape:
        raise ShapeError(f"out must have the shape {result.shape}. Got {out.shape}.")
    out[...] = result
    return out


def unary(op: Op, x: Any, out: Any) -> Any:
    """An op of one array."""
    return into(apply(op, array(op.name, x)), out)


def binary(op: Op, a: Any, b: Any, out: Any) -> Any:
    """An op of two, in the dtype in which they meet."""
    return into(apply(op, *operands(op.name, a, b)), out)


def array(who: str, x: Any) -> Any:
    """`x`; a NumPy array as one of ours. Raises DTypeError for what is none."""
    if hasattr(x, "spec"):
        return x
    if isinstance(x, np.ndarray | np.generic):
        from sparkdl.nd.array import NDArray

        return NDArray(x)
    raise DTypeError(f"{who}: x must be an array. Got {type(x).__name__}; take nd.asarray of it.")


def _whole(op: Op, x: Any, out: Any) -> Any:
    """Integers stay as they are."""
    x = array(op.name, x)
    return into(x if x.spec.dtype in KINDS["integer"] else apply(op, x), out)


def _told(op: Op, x: Any, known: builtins.bool, out: Any) -> Any:
    """A question that only floats need be asked; of integers the answer is known."""
    x = array(op.name, x)
    if x.spec.dtype not in KINDS["integer"]:
        return into(apply(op, x), out)
    from sparkdl.nd.array import NDArray

    return into(NDArray(np.full(x.spec.shape, known)), out)


def add(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """x1 + x2, of numbers.

    >>> from sparkdl.nd.array import NDArray
    >>> add(NDArray([1.0, 2.0]), 0.5)
    NDArray([1.5, 2.5], dtype=float32, device=cpu)
    """
    return binary(arithmetic.Add(), x1, x2, out)


def subtract(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """x1 - x2, of numbers."""
    return binary(arithmetic.Subtract(), x1, x2, out)


def multiply(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """x1 x2, of numbers."""
    return binary(arithmetic.Multiply(), x1, x2, out)


def divide(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """x1 / x2, of floats. Integers must be cast: their quotients are none."""
    return binary(arithmetic.Divide(), x1, x2, out)


def floor_divide(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """The largest whole number <= x1 / x2, of real numbers."""
    return binary(arithmetic.FloorDivide(), x1, x2, out)


def remainder(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """x1 - x2 floor(x1 / x2): the remainder with the sign of x2, of real numbers."""
    return binary(arithmetic.Remainder(), x1, x2, out)


def pow(x1: Any, x2: Any, /, *, out: Any = None) -> Any:  # noqa: A001
    """x1 to the power x2, of numbers. Integers to negative ones raise ValueError."""
    return binary(analysis.Power(), x1, x2, out)


def maximum(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """The larger; NaN wins. Equal ones share the gradient."""
    return binary(arithmetic.Maximum(), x1, x2, out)


def minimum(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """The smaller; NaN wins. Equal ones share the gradient."""
    return binary(arithmetic.Minimum(), x1, x2, out)


def copysign(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """|x1| with the sign of x2, of real floats."""
    return binary(bits.CopySign(), x1, x2, out)


def nextafter(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """The float next to x1 on the way to x2."""
    return binary(bits.NextAfter(), x1, x2, out)


def bitwise_and(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """Bits that both have, of integers or bools."""
    return binary(bits.BitwiseAnd(), x1, x2, out)


def bitwise_or(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """Bits that one has, of integers or bools."""
    return binary(bits.BitwiseOr(), x1, x2, out)


def bitwise_xor(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """Bits that just one has, of integers or bools."""
    return binary(bits.BitwiseXor(), x1, x2, out)


def bitwise_left_shift(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """x1 2^x2 without the bits that leave, of integers."""
    return binary(bits.BitwiseLeftShift(), x1, x2, out)


def bitwise_right_shift(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """floor(x1 / 2^x2), of integers."""
    return binary(bits.BitwiseRightShift(), x1, x2, out)


def equal(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """x1 == x2; NaN equals nothing."""
    return binary(choice.Equal(), x1, x2, out)


def not_equal(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """x1 != x2."""
    return binary(choice.NotEqual(), x1, x2, out)


def logical_and(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """Both, of bools."""
    return binary(choice.LogicalAnd(), x1, x2, out)


def logical_or(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """One at least, of bools."""
    return binary(choice.LogicalOr(), x1, x2, out)


def logical_xor(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """Just one, of bools."""
    return binary(choice.LogicalXor(), x1, x2, out)


def greater(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """x1 > x2, of real numbers."""
    return binary(choice.Greater(), x1, x2, out)


def greater_equal(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """x1 >= x2, of real numbers."""
    return binary(choice.GreaterEqual(), x1, x2, out)


def less(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """x1 < x2, of real numbers."""
    return binary(choice.Less(), x1, x2, out)


def less_equal(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """x1 <= x2, of real numbers."""
    return binary(choice.LessEqual(), x1, x2, out)


def abs(x: Any, /, *, out: Any = None) -> Any:  # noqa: A001
    """|x|, of numbers; of complex ones the length."""
    return unary(arithmetic.Absolute(), x, out)


def negative(x: Any, /, *, out: Any = None) -> Any:
    """-x, of numbers."""
    return unary(arithmetic.Negative(), x, out)


def sign(x: Any, /, *, out: Any = None) -> Any:
    """-1, 0 or 1; x / |x| of complex numbers; NaN stays."""
    return unary(arithmetic.Sign(), x, out)


def square(x: Any, /, *, out: Any = None) -> Any:
    """x x, of numbers."""
    return unary(arithmetic.Square(), x, out)


def signbit(x: Any, /, *, out: Any = None) -> Any:
    """Whether x is below 0 or -0, of real floats."""
    return unary(choice.SignBit(), x, out)


def logical_not(x: Any, /, *, out: Any = None) -> Any:
    """Not, of bools."""
    return unary(choice.LogicalNot(), x, out)


def bitwise_invert(x: Any, /, *, out: Any = None) -> Any:
    """All bits turned, of integers or bools."""
    return unary(bits.BitwiseInvert(), x, out)


def floor(x: Any, /, *, out: Any = None) -> Any:
    """The largest whole number <= x, of real numbers."""
    return _whole(arithmetic.Floor(), x, out)


def ceil(x: Any, /, *, out: Any = None) -> Any:
    """The least whole number >= x, of real numbers."""
    return _whole(arithmetic.Ceil(), x, out)


def trunc(x: Any, /, *, out: Any = None) -> Any:
    """The whole number next to x towards 0, of real numbers."""
    return _whole(arithmetic.Trunc(), x, out)


def round(x: Any, /, *, out: Any = None) -> Any:  # noqa: A001
    """The nearest whole number, the even one where two are."""
    return _whole(arithmetic.Round(), x, out)


def isfinite(x: Any, /, *, out: Any = None) -> Any:
    """Whether x is neither infinite nor NaN, of numbers."""
    return _told(choice.IsFinite(), x, True, out)


def isinf(x: Any, /, *, out: Any = None) -> Any:
    """Whether x is infinite, of numbers."""
    return _told(choice.IsInf(), x, False, out)


def isnan(x: Any, /, *, out: Any = None) -> Any:
    """Whether x is NaN, of numbers."""
    return _told(choice.IsNan(), x, False, out)


def positive(x: Any, /, *, out: Any = None) -> Any:
    """x itself, in memory of its own, of numbers."""
    x = number("positive", x)
    return into(x.copy() if is_eager(x) else x, out)


def reciprocal(x: Any, /, *, out: Any = None) -> Any:
    """1 / x, of floats."""
    return divide(1.0, array("reciprocal", x), out=out)


def clip(x: Any, /, min: Any = None, max: Any = None, *, out: Any = None) -> Any:
    """x held within [min, max], of real numbers; the result has the dtype of x. NaN bounds give NaN.

    min, max: numbers or arrays that broadcast with x, None where there is no bound

    >>> from sparkdl.nd.array import NDArray
    >>> clip(NDArray([-2.0, 0.3, 5.0]), -1.0, 1.0)
    NDArray([-1. ,  0.3,  1. ], dtype=float32, device=cpu)
    """
    x = made = array("clip", x)
    for fn, bound in ((maximum, min), (minimum, max)):
        if bound is not None:
            made = fn(made, bound)
    if made.spec.dtype != x.spec.dtype:
        made = cast(made, x.spec.dtype)
    return into(made, out)


def where(condition: Any, x1: Any, x2: Any, /) -> Any:
    """x1 where `condition` (bools) holds, else x2; all three broadcast. One of x1 and x2 may be a number.

    >>> from sparkdl.nd.array import NDArray
    >>> where(NDArray([True, False]), NDArray([1.0, 2.0]), 0.0)
    NDArray([1., 0.], dtype=float32, device=cpu)
    """
    return apply(choice.Where(), array("where", condition), *operands("where", x1, x2))


def number(who: str, x: Any) -> Any:
    """`x` as an array. Raises DTypeError for bools."""
    x = array(who, x)
    if x.spec.dtype not in KINDS["numeric"]:
        raise DTypeError(f"{who}: dtype must be a numeric. Got {x.spec}; cast it first.")
    return x
