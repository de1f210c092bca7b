"""What each elementwise op computes, as a NumPy function: the oracle in float64, and the eager kernel as it stands."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sparkdl.base.spec import BFLOAT16, Specs
from sparkdl.kernels.table import PLAIN, Array, Arrays, Bound, Prepared, kernel


def _erf(x: Array) -> Any:
    return np.vectorize(math.erf, otypes=[np.float64])(x) if x.size else x


def _sigmoid(x: Array) -> Any:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def _complex(a: Array, b: Array) -> Any:
    """Part by part: a + 1j * b would turn an infinite b into NaN."""
    made = np.empty(np.broadcast_shapes(a.shape, b.shape), np.result_type(a.dtype, b.dtype, np.complex64))
    made.real, made.imag = a, b
    return made


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "power": np.power,
    "maximum": np.maximum, "minimum": np.minimum, "negative": np.negative, "absolute": np.abs, "sign": np.sign,
    "floor": np.floor, "square": np.square, "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x), "exp": np.exp,
    "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tanh": np.tanh,
    "sigmoid": _sigmoid, "erf": _erf, "relu": lambda x: np.maximum(x, 0), "greater": np.greater,
    "greater_equal": np.greater_equal, "less": np.less, "less_equal": np.less_equal, "equal": np.equal,
    "not_equal": np.not_equal, "logical_and": np.logical_and, "logical_or": np.logical_or,
    "logical_not": np.logical_not, "where": np.where, "cast": lambda x: x, "logical_xor": np.logical_xor,
    "isfinite": np.isfinite, "isinf": np.isinf, "isnan": np.isnan, "signbit": np.signbit,
    "floor_divide": np.floor_divide, "remainder": np.remainder, "ceil": np.ceil, "trunc": np.trunc, "round": np.round,
    "log2": np.log2, "log10": np.log10, "logaddexp": np.logaddexp, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "atan2": np.arctan2, "hypot": np.hypot, "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or,
    "bitwise_xor": np.bitwise_xor, "bitwise_left_shift": np.left_shift, "bitwise_right_shift": np.right_shift,
    "bitwise_invert": np.invert, "nextafter": np.nextafter, "copysign": np.copysign, "conj": np.conj, "real": np.real,
    "imag": np.imag, "complex": _complex,
}  # fmt: skip


def _prepare(fn: Callable[..., Any], wide: bool) -> Callable[[Any, Specs, Specs], Prepared]:
    def prepare(op: Any, ins: Specs, outs: Specs) -> Prepared:
        def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
            def run() -> None:
                with np.errstate(all="ignore"):  # IEEE results are what is asked for, not warnings
                    o[0][...] = fn(*(widened(x) if wide else x for x in i))

            return run

        return Prepared(bind, strided=True)

    return prepare


def widened(x: Array) -> Array:
    """Floats as float64; the rest as they are."""
    return x.astype(np.float64) if x.dtype.kind == "f" or x.dtype.name == BFLOAT16 else x


def _eager(fn: Callable[..., Any]) -> Callable[..., Any]:
    return lambda op, *xs: fn(*xs)


for _name, _fn in FUNCTIONS.items():
    PLAIN[_name] = _eager(_fn)
    kernel(_name, "ref")(_prepare(_fn, wide=True))
