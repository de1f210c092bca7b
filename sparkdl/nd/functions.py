"""Elementwise functions of analysis: powers, exponentials, angles, and the parts of complex numbers.

`x` is an array or a symbol of floats; `out`, where it is taken, an array that the result is written into.
"""

from typing import Any

import numpy as np

from sparkdl.base.spec import COMPLEX, numpy_dtype
from sparkdl.nd.elementwise import binary, into, number, unary
from sparkdl.nd.ops import analysis, arithmetic, complexes, trig


def hypot(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """sqrt(x1^2 + x2^2) without overflow, of real floats."""
    return binary(trig.Hypot(), x1, x2, out)


def atan2(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """The angle of the point (x2, x1) in radians, -pi .. pi, of real floats."""
    return binary(trig.Atan2(), x1, x2, out)


def logaddexp(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """log(exp(x1) + exp(x2)) without overflow, of real floats."""
    return binary(analysis.LogAddExp(), x1, x2, out)


def sqrt(x: Any, /, *, out: Any = None) -> Any:
    """Square root; NaN below 0."""
    return unary(arithmetic.Sqrt(), x, out)


def rsqrt(x: Any, /, *, out: Any = None) -> Any:
    """1 / sqrt(x)."""
    return unary(arithmetic.Rsqrt(), x, out)


def exp(x: Any, /, *, out: Any = None) -> Any:
    """e^x."""
    return unary(analysis.Exp(), x, out)


def expm1(x: Any, /, *, out: Any = None) -> Any:
    """e^x - 1, exact near 0."""
    return unary(analysis.Expm1(), x, out)


def log(x: Any, /, *, out: Any = None) -> Any:
    """Natural logarithm."""
    return unary(analysis.Log(), x, out)


def log1p(x: Any, /, *, out: Any = None) -> Any:
    """log(1 + x), exact near 0."""
    return unary(analysis.Log1p(), x, out)


def log2(x: Any, /, *, out: Any = None) -> Any:
    """Logarithm to the base 2."""
    return unary(analysis.Log2(), x, out)


def log10(x: Any, /, *, out: Any = None) -> Any:
    """Logarithm to the base 10."""
    return unary(analysis.Log10(), x, out)


def sin(x: Any, /, *, out: Any = None) -> Any:
    """Sine of radians."""
    return unary(trig.Sin(), x, out)


def cos(x: Any, /, *, out: Any = None) -> Any:
    """Cosine of radians."""
    return unary(trig.Cos(), x, out)


def tan(x: Any, /, *, out: Any = None) -> Any:
    """Tangent of radians."""
    return unary(trig.Tan(), x, out)


def asin(x: Any, /, *, out: Any = None) -> Any:
    """The angle whose sine is x, in radians."""
    return unary(trig.Asin(), x, out)


def acos(x: Any, /, *, out: Any = None) -> Any:
    """The angle whose cosine is x, in radians."""
    return unary(trig.Acos(), x, out)


def atan(x: Any, /, *, out: Any = None) -> Any:
    """The angle whose tangent is x, in radians."""
    return unary(trig.Atan(), x, out)


def sinh(x: Any, /, *, out: Any = None) -> Any:
    """Hyperbolic sine."""
    return unary(trig.Sinh(), x, out)


def cosh(x: Any, /, *, out: Any = None) -> Any:
    """Hyperbolic cosine."""
    return unary(trig.Cosh(), x, out)


def tanh(x: Any, /, *, out: Any = None) -> Any:
    """Hyperbolic tangent."""
    return unary(analysis.Tanh(), x, out)


def asinh(x: Any, /, *, out: Any = None) -> Any:
    """The number whose sinh is x."""
    return unary(trig.Asinh(), x, out)


def acosh(x: Any, /, *, out: Any = None) -> Any:
    """The number >= 0 whose cosh is x."""
    return unary(trig.Acosh(), x, out)


def atanh(x: Any, /, *, out: Any = None) -> Any:
    """The number whose tanh is x."""
    return unary(trig.Atanh(), x, out)


def sigmoid(x: Any, /, *, out: Any = None) -> Any:
    """1 / (1 + e^-x), of real floats."""
    return unary(analysis.Sigmoid(), x, out)


def erf(x: Any, /, *, out: Any = None) -> Any:
    """The error function, of real floats."""
    return unary(analysis.Erf(), x, out)


def relu(x: Any, /, *, out: Any = None) -> Any:
    """max(x, 0), of real floats; NaN stays."""
    return unary(analysis.Relu(), x, out)


def conj(x: Any, /, *, out: Any = None) -> Any:
    """x - iy of x + iy; a real number itself."""
    return into(complexes.conj(number("conj", x)), out)


def real(x: Any, /, *, out: Any = None) -> Any:
    """x of x + iy; a real number itself."""
    return into(complexes.real(number("real", x)), out)


def imag(x: Any, /, *, out: Any = None) -> Any:
    """y of x + iy; 0 of real numbers."""
    x = number("imag", x)
    return into(complexes.imag(x) if x.spec.dtype in COMPLEX else _zeros(x), out)


def _zeros(x: Any) -> Any:
    from sparkdl.nd.array import NDArray

    return NDArray(np.zeros(x.spec.shape, numpy_dtype(x.spec.dtype)))
