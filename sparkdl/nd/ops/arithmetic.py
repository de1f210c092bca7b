"""Elementwise arithmetic."""

from typing import Any, ClassVar

from sparkdl.base.spec import COMPLEX, REAL_OF, Spec
from sparkdl.nd.op import apply, op
from sparkdl.nd.ops.broadcast import Binary, Flat, Unary, check_kind
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

    takes: ClassVar[str] = "floating"

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        return g / b, negative(g * y / b)


@op("maximum")
class Maximum(Binary):
    """The larger; NaN wins. Where equal, each gets half the gradient."""

    takes: ClassVar[str] = "real numeric"

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        return _halves(g, greater(a, b), equal(a, b))


@op("minimum")
class Minimum(Binary):
    """The smaller; NaN wins. Where equal, each gets half the gradient."""

    takes: ClassVar[str] = "real numeric"

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        return _halves(g, less(a, b), equal(a, b))


def _halves(g: Any, first: Any, tie: Any) -> tuple[Any, Any]:
    share = cast(first, g.spec.dtype) + 0.5 * cast(tie, g.spec.dtype)
    return g * share, g * (1.0 - share)


@op("floor_divide")
class FloorDivide(Binary):
    """The largest whole number <= a / b; no gradient flows."""

    takes: ClassVar[str] = "real numeric"

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None, None)


@op("remainder")
class Remainder(Binary):
    """a - b floor(a / b), with the sign of b."""

    takes: ClassVar[str] = "real numeric"

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        return g, negative(g * apply(FloorDivide(), a, b))


@op("negative")
class Negative(Unary):
    """-x."""

    takes: ClassVar[str] = "numeric"

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (negative(grads[0]),)


@op("absolute")
class Absolute(Unary):
    """|x|; of complex numbers the length, a real number."""

    takes: ClassVar[str] = "numeric"

    def infer(self, *ins: Spec) -> Spec:
        x = check_kind(self.name, self.takes, ins[0])
        return Spec(x.shape, REAL_OF.get(x.dtype, x.dtype))

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (g,), (x,) = grads, ins
        if x.spec.dtype not in COMPLEX:
            return (g * sign(x),)
        from sparkdl.nd.ops.complexes import conj

        return (cast(g, x.spec.dtype) * conj(sign(x)),)


@op("sign")
class Sign(Unary):
    """-1, 0 or 1; x / |x| of complex numbers; NaN stays."""

    takes: ClassVar[str] = "numeric"

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (g,), (y,), (x,) = grads, outs, ins
        if x.spec.dtype not in COMPLEX:
            return (None,)
        from sparkdl.nd.ops.complexes import conj, real

        length = cast(absolute(x), x.spec.dtype)
        along = cast(real(g * y), x.spec.dtype) * conj(y)
        return ((g - along) / length,)


@op("floor")
class Floor(Flat):
    """The largest whole number <= x."""


@op("ceil")
class Ceil(Flat):
    """The least whole number >= x."""


@op("trunc")
class Trunc(Flat):
    """The whole number next to x towards 0."""


@op("round")
class Round(Flat):
    """The nearest whole number, the even one where two are."""

    takes: ClassVar[str] = "numeric"


@op("square")
class Square(Unary):
    """x * x."""

    takes: ClassVar[str] = "numeric"

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
    NDArray([1.5, 2.5], dtype=float32, device=cpu)
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


def floor_divide(a: Any, b: Any) -> Any:
    """The largest whole number <= a / b."""
    return apply(FloorDivide(), a, b)


def remainder(a: Any, b: Any) -> Any:
    """a - b floor(a / b)."""
    return apply(Remainder(), a, b)
