"""Ops that work element by element and broadcast like NumPy.

Programs never call these one by one: the fuse pass writes chains of them as one loop (`kernels/codegen`).
"""

import math
from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.reduce import unbroadcast


def broadcast(who: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape. Raises ShapeError naming all of them.

    >>> broadcast("add", (3, 1), (4,))
    (3, 4)
    """
    ndim = max(map(len, shapes))
    padded = [(1,) * (ndim - len(s)) + s for s in shapes]
    out = tuple(next((n for n in column if n != 1), 1) for column in zip(*padded, strict=True))
    if any(n not in (1, m) for s in padded for n, m in zip(s, out, strict=True)):
        raise ShapeError(f"{who}: shapes must broadcast. Got {' and '.join(map(str, shapes))}.")
    return out


def _floating(who: str, x: Spec) -> Spec:
    if not x.dtype.startswith("float"):
        raise ShapeError(f"{who}: dtype must be a float. Got {x}; cast it first.")
    return x


def _same_dtype(who: str, ins: tuple[Spec, ...]) -> str:
    if len({s.dtype for s in ins}) != 1:
        raise ShapeError(f"{who}: dtypes must agree. Got {' and '.join(map(str, ins))}; cast one.")
    return ins[0].dtype


class Unary(Op):
    """One float input; `slope(y, x)` is dy/dx."""

    def infer(self, *ins: Spec) -> Spec:
        return _floating(self.name, ins[0])

    def slope(self, y: Any, x: Any) -> Any:
        raise TypeError(f"{self.name} has no gradient")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (grads[0] * self.slope(outs[0], ins[0]),)


class Binary(Op):
    """Two inputs of one dtype; `parts(g, y, a, b)` are the gradients before un-broadcasting."""

    def infer(self, *ins: Spec) -> Spec:
        return Spec(broadcast(self.name, ins[0].shape, ins[1].shape), _same_dtype(self.name, ins))

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        raise TypeError(f"{self.name} has no gradient")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        da, db = self.parts(grads[0], outs[0], *ins)
        return unbroadcast(da, ins[0].spec), unbroadcast(db, ins[1].spec)


class Compare(Op):
    """Two inputs of one dtype to bool; no gradient flows."""

    def infer(self, *ins: Spec) -> Spec:
        _same_dtype(self.name, ins)
        return Spec(broadcast(self.name, ins[0].shape, ins[1].shape), "bool")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None, None)


# --- arithmetic -----------------------------------------------------------------------------------------------------


@op("add")
class Add(Binary):
    """a + b."""

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        return g, g


@op("subtract")
class Subtract(Binary):
    """a - b."""

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        return g, negative(g)


@op("multiply")
class Multiply(Binary):
    """a * b."""

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        return g * b, g * a


@op("divide")
class Divide(Binary):
    """a / b, floats only."""

    def infer(self, *ins: Spec) -> Spec:
        _floating(self.name, ins[0])
        return super().infer(*ins)

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        return g / b, negative(g * y / b)


@op("power")
class Power(Binary):
    """a ** b, floats only. The gradient of b needs a > 0; where a = 0 it is 0."""

    def infer(self, *ins: Spec) -> Spec:
        _floating(self.name, ins[0])
        return super().infer(*ins)

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        safe = where(greater(a, 0.0), a, a * 0.0 + 1.0)
        return g * b * power(a, b - 1.0), g * y * log(safe)


@op("maximum")
class Maximum(Binary):
    """The larger; NaN wins. Where equal, each gets half the gradient."""

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        return _halves(g, greater(a, b), equal(a, b))


@op("minimum")
class Minimum(Binary):
    """The smaller; NaN wins. Where equal, each gets half the gradient."""

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        return _halves(g, less(a, b), equal(a, b))


def _halves(g: Any, first: Any, tie: Any) -> tuple[Any, Any]:
    share = cast(first, g.spec.dtype) + 0.5 * cast(tie, g.spec.dtype)
    return g * share, g * (1.0 - share)


@op("negative")
class Negative(Op):
    """-x, any signed dtype."""

    def infer(self, *ins: Spec) -> Spec:
        return ins[0]

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (negative(grads[0]),)


@op("absolute")
class Absolute(Unary):
    """|x|."""

    def slope(self, y: Any, x: Any) -> Any:
        return sign(x)


@op("sign")
class Sign(Unary):
    """-1, 0 or 1; NaN stays."""

    def slope(self, y: Any, x: Any) -> Any:
        return x * 0.0


@op("floor")
class Floor(Unary):
    """The largest whole number <= x."""

    def slope(self, y: Any, x: Any) -> Any:
        return x * 0.0


@op("square")
class Square(Unary):
    """x * x."""

    def slope(self, y: Any, x: Any) -> Any:
        return 2.0 * x


@op("sqrt")
class Sqrt(Unary):
    """Square root; NaN below 0."""

    def slope(self, y: Any, x: Any) -> Any:
        return 0.5 / y


@op("rsqrt")
class Rsqrt(Unary):
    """1 / sqrt(x)."""

    def slope(self, y: Any, x: Any) -> Any:
        return -0.5 * y / x


# --- transcendental -------------------------------------------------------------------------------------------------


@op("exp")
class Exp(Unary):
    """e ** x."""

    def slope(self, y: Any, x: Any) -> Any:
        return y


@op("expm1")
class Expm1(Unary):
    """e ** x - 1, exact near 0."""

    def slope(self, y: Any, x: Any) -> Any:
        return y + 1.0


@op("log")
class Log(Unary):
    """Natural logarithm."""

    def slope(self, y: Any, x: Any) -> Any:
        return 1.0 / x


@op("log1p")
class Log1p(Unary):
    """log(1 + x), exact near 0."""

    def slope(self, y: Any, x: Any) -> Any:
        return 1.0 / (1.0 + x)


@op("sin")
class Sin(Unary):
    """Sine of radians."""

    def slope(self, y: Any, x: Any) -> Any:
        return cos(x)


@op("cos")
class Cos(Unary):
    """Cosine of radians."""

    def slope(self, y: Any, x: Any) -> Any:
        return negative(sin(x))


@op("tanh")
class Tanh(Unary):
    """Hyperbolic tangent."""

    def slope(self, y: Any, x: Any) -> Any:
        return 1.0 - square(y)


@op("sigmoid")
class Sigmoid(Unary):
    """1 / (1 + exp(-x))."""

    def slope(self, y: Any, x: Any) -> Any:
        return y * (1.0 - y)


@op("erf")
class Erf(Unary):
    """2/sqrt(pi) times the integral of exp(-t^2) from 0 to x."""

    def slope(self, y: Any, x: Any) -> Any:
        return (2.0 / math.sqrt(math.pi)) * exp(negative(square(x)))


@op("relu")
class Relu(Unary):
    """max(x, 0); NaN stays. The gradient at 0 is 0."""

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (where(less_equal(outs[0], 0.0), 0.0, grads[0]),)


# --- comparison and choice ------------------------------------------------------------------------------------------


@op("greater")
class Greater(Compare):
    """a > b."""


@op("greater_equal")
class GreaterEqual(Compare):
    """a >= b."""


@op("less")
class Less(Compare):
    """a < b."""


@op("less_equal")
class LessEqual(Compare):
    """a <= b."""


@op("equal")
class Equal(Compare):
    """a == b; NaN equals nothing."""


@op("not_equal")
class NotEqual(Compare):
    """a != b."""


@op("logical_and")
class LogicalAnd(Compare):
    """Both, of bools."""


@op("logical_or")
class LogicalOr(Compare):
    """Either, of bools."""


@op("logical_not")
class LogicalNot(Op):
    """Not, of a bool."""

    def infer(self, *ins: Spec) -> Spec:
        return Spec(ins[0].shape, "bool")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None,)


@op("where")
class Where(Op):
    """a where the condition holds, else b."""

    def infer(self, *ins: Spec) -> Spec:
        if ins[0].dtype != "bool":
            raise ShapeError(f"where: the condition must be bool. Got {ins[0]}.")
        return Spec(broadcast(self.name, *(s.shape for s in ins)), _same_dtype(self.name, ins[1:]))

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        g, condition = grads[0], ins[0]
        return (
            None,
            unbroadcast(where(condition, g, 0.0), ins[1].spec),
            unbroadcast(where(condition, 0.0, g), ins[2].spec),
        )


@op("cast")
class Cast(Op):
    """Another dtype; floats to ints truncate."""

    dtype: str

    def infer(self, *ins: Spec) -> Spec:
        return Spec(ins[0].shape, self.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (cast(grads[0], ins[0].spec.dtype) if ins[0].spec.dtype.startswith("float") else None,)


# --- functions ------------------------------------------------------------------------------------------------------


def add(a: Any, b: Any) -> Any:
    """a + b.

    >>> from sparkdl.nd.array import NDArray
    >>> add(NDArray([1.0, 2.0]), 0.5)
    NDArray([1.5, 2.5], dtype=float32)
    """
    return apply(Add(), a, b)


def subtract(a: Any, b: Any) -> Any:
    """a - b."""
    return apply(Subtract(), a, b)


def multiply(a: Any, b: Any) -> Any:
    """a * b."""
    return apply(Multiply(), a, b)


def divide(a: Any, b: Any) -> Any:
    """a / b."""
    return apply(Divide(), a, b)


def power(a: Any, b: Any) -> Any:
    """a ** b."""
    return apply(Power(), a, b)


def maximum(a: Any, b: Any) -> Any:
    """The larger of two; NaN wins."""
    return apply(Maximum(), a, b)


def minimum(a: Any, b: Any) -> Any:
    """The smaller of two; NaN wins."""
    return apply(Minimum(), a, b)


def clip(x: Any, low: Any, high: Any) -> Any:
    """x held within [low, high]."""
    return minimum(maximum(x, low), high)


def negative(x: Any) -> Any:
    """-x."""
    return apply(Negative(), x)


def absolute(x: Any) -> Any:
    """|x|."""
    return apply(Absolute(), x)


def sign(x: Any) -> Any:
    """-1, 0 or 1."""
    return apply(Sign(), x)


def floor(x: Any) -> Any:
    """The largest whole number <= x."""
    return apply(Floor(), x)


def square(x: Any) -> Any:
    """x * x."""
    return apply(Square(), x)


def sqrt(x: Any) -> Any:
    """Square root."""
    return apply(Sqrt(), x)


def rsqrt(x: Any) -> Any:
    """1 / sqrt(x)."""
    return apply(Rsqrt(), x)


def exp(x: Any) -> Any:
    """e ** x."""
    return apply(Exp(), x)


def expm1(x: Any) -> Any:
    """e ** x - 1."""
    return apply(Expm1(), x)


def log(x: Any) -> Any:
    """Natural logarithm."""
    return apply(Log(), x)


def log1p(x: Any) -> Any:
    """log(1 + x)."""
    return apply(Log1p(), x)


def sin(x: Any) -> Any:
    """Sine."""
    return apply(Sin(), x)


def cos(x: Any) -> Any:
    """Cosine."""
    return apply(Cos(), x)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return apply(Tanh(), x)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return apply(Sigmoid(), x)


def erf(x: Any) -> Any:
    """The error function."""
    return apply(Erf(), x)


def relu(x: Any) -> Any:
    """max(x, 0)."""
    return apply(Relu(), x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x above 0, alpha (e^x - 1) below. Clevert et al. 2016."""
    return where(greater(x, 0.0), x, alpha * expm1(minimum(x, 0.0)))


def gelu(x: Any, approximate: bool = False) -> Any:
    """x times the normal distribution function; by tanh when `approximate`. Hendrycks & Gimpel 2016."""
    if approximate:
        return 0.5 * x * (1.0 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * square(x))))
    return 0.5 * x * (1.0 + erf(x * math.sqrt(0.5)))


def softplus(x: Any) -> Any:
    """log(1 + e^x), without overflow."""
    return maximum(x, 0.0) + log1p(exp(negative(absolute(x))))


def greater(a: Any, b: Any) -> Any:
    """a > b."""
    return apply(Greater(), a, b)


def greater_equal(a: Any, b: Any) -> Any:
    """a >= b."""
    return apply(GreaterEqual(), a, b)


def less(a: Any, b: Any) -> Any:
    """a < b."""
    return apply(Less(), a, b)


def less_equal(a: Any, b: Any) -> Any:
    """a <= b."""
    return apply(LessEqual(), a, b)


def equal(a: Any, b: Any) -> Any:
    """a == b."""
    return apply(Equal(), a, b)


def not_equal(a: Any, b: Any) -> Any:
    """a != b."""
    return apply(NotEqual(), a, b)


def logical_and(a: Any, b: Any) -> Any:
    """Both."""
    return apply(LogicalAnd(), a, b)


def logical_or(a: Any, b: Any) -> Any:
    """Either."""
    return apply(LogicalOr(), a, b)


def logical_not(x: Any) -> Any:
    """Not."""
    return apply(LogicalNot(), x)


def isnan(x: Any) -> Any:
    """Whether each is NaN."""
    return not_equal(x, x)


def where(condition: Any, a: Any, b: Any) -> Any:
    """a where `condition` holds, else b. One of a, b must be an array; a number takes its dtype."""
    return apply(Where(), condition, _like(a, b), _like(b, a))


def cast(x: Any, dtype: str) -> Any:
    """x with another dtype."""
    return x if x.spec.dtype == dtype else apply(Cast(dtype), x)


def _like(value: Any, other: Any) -> Any:
    """A plain number as a NumPy scalar of the other operand's dtype: beside a bool it would become one."""
    import numpy as np

    return value if hasattr(value, "spec") else np.asarray(value, other.spec.dtype)
