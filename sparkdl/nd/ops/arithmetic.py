"""Elementwise arithmetic."""

from typing import Any

from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.broadcast import Binary, Unary, floating
from sparkdl.nd.ops.choice import cast, equal, greater, less


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
        floating(self.name, ins[0])
        return super().infer(*ins)

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        return g / b, negative(g * y / b)


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
