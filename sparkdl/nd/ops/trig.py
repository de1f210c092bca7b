"""Functions of angles, and the hyperbolic ones. tanh, an activation, stands in `analysis.py`."""

from typing import Any, ClassVar

from sparkdl.nd.op import apply, op
from sparkdl.nd.ops.arithmetic import negative, rsqrt, sqrt, square
from sparkdl.nd.ops.broadcast import Binary, Unary


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


@op("tan")
class Tan(Unary):
    """Tangent of radians."""

    def slope(self, y: Any, x: Any) -> Any:
        return 1.0 + square(y)


@op("asin")
class Asin(Unary):
    """The angle whose sine is x; NaN outside -1 .. 1."""

    def slope(self, y: Any, x: Any) -> Any:
        return rsqrt(1.0 - square(x))


@op("acos")
class Acos(Unary):
    """The angle whose cosine is x; NaN outside -1 .. 1."""

    def slope(self, y: Any, x: Any) -> Any:
        return negative(rsqrt(1.0 - square(x)))


@op("atan")
class Atan(Unary):
    """The angle whose tangent is x."""

    def slope(self, y: Any, x: Any) -> Any:
        return 1.0 / (1.0 + square(x))


@op("sinh")
class Sinh(Unary):
    """(e^x - e^-x) / 2."""

    def slope(self, y: Any, x: Any) -> Any:
        return cosh(x)


@op("cosh")
class Cosh(Unary):
    """(e^x + e^-x) / 2."""

    def slope(self, y: Any, x: Any) -> Any:
        return sinh(x)


@op("asinh")
class Asinh(Unary):
    """The x whose sinh it is."""

    def slope(self, y: Any, x: Any) -> Any:
        return rsqrt(1.0 + square(x))


@op("acosh")
class Acosh(Unary):
    """The x >= 0 whose cosh it is; NaN below 1."""

    def slope(self, y: Any, x: Any) -> Any:
        return 1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0))


@op("atanh")
class Atanh(Unary):
    """The x whose tanh it is; NaN outside -1 .. 1."""

    def slope(self, y: Any, x: Any) -> Any:
        return 1.0 / (1.0 - square(x))


@op("atan2")
class Atan2(Binary):
    """The angle of the point (b, a), in its quadrant."""

    takes: ClassVar[str] = "real floating"

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        part = g / (square(a) + square(b))
        return part * b, negative(part * a)


@op("hypot")
class Hypot(Binary):
    """sqrt(a^2 + b^2), without overflow."""

    takes: ClassVar[str] = "real floating"

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        return g * a / y, g * b / y


def sin(x: Any) -> Any:
    """Sine."""
    return apply(Sin(), x)


def cos(x: Any) -> Any:
    """Cosine."""
    return apply(Cos(), x)


def sinh(x: Any) -> Any:
    """Hyperbolic sine."""
    return apply(Sinh(), x)


def cosh(x: Any) -> Any:
    """Hyperbolic cosine."""
    return apply(Cosh(), x)
