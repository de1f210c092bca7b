"""Elementwise functions of analysis, and the activations made of them."""

import math
from typing import Any, ClassVar

from sparkdl.base.spec import COMPLEX
from sparkdl.nd.op import apply, op
from sparkdl.nd.ops.arithmetic import absolute, maximum, minimum, negative, square
from sparkdl.nd.ops.broadcast import Binary, Unary
from sparkdl.nd.ops.choice import greater, less_equal, where


@op("power")
class Power(Binary):
    """a ** b. The gradient of b needs a > 0; where a = 0 it is 0."""

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        if a.spec.dtype in COMPLEX:
            return g * b * power(a, b - 1.0), g * y * log(a)
        safe = where(greater(a, 0.0), a, a * 0.0 + 1.0)
        return g * b * power(a, b - 1.0), g * y * log(safe)


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


@op("log2")
class Log2(Unary):
    """Logarithm to the base 2, exact for its powers."""

    def slope(self, y: Any, x: Any) -> Any:
        return (1.0 / math.log(2.0)) / x


@op("log10")
class Log10(Unary):
    """Logarithm to the base 10."""

    def slope(self, y: Any, x: Any) -> Any:
        return (1.0 / math.log(10.0)) / x


@op("logaddexp")
class LogAddExp(Binary):
    """log(exp(a) + exp(b)), without overflow."""

    takes: ClassVar[str] = "real floating"

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        first = sigmoid(a - b)
        return g * first, g * (1.0 - first)


@op("tanh")
class Tanh(Unary):
    """Hyperbolic tangent."""

    def slope(self, y: Any, x: Any) -> Any:
        return 1.0 - square(y)


@op("sigmoid")
class Sigmoid(Unary):
    """1 / (1 + exp(-x))."""

    takes: ClassVar[str] = "real floating"

    def slope(self, y: Any, x: Any) -> Any:
        return y * (1.0 - y)


@op("erf")
class Erf(Unary):
    """2/sqrt(pi) times the integral of exp(-t^2) from 0 to x."""

    takes: ClassVar[str] = "real floating"

    def slope(self, y: Any, x: Any) -> Any:
        return (2.0 / math.sqrt(math.pi)) * exp(negative(square(x)))


@op("relu")
class Relu(Unary):
    """max(x, 0); NaN stays. The gradient at 0 is 0."""

    takes: ClassVar[str] = "real floating"

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (where(less_equal(outs[0], 0.0), 0.0, grads[0]),)


def power(a: Any, b: Any) -> Any:
    """a ** b."""
    return apply(Power(), a, b)


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
