"""Dtypes: their names, how they promote, what they can hold.

A dtype equals its name, as in Keras, and NumPy's dtype: `nd.float32 == "float32"`. Within a kind dtypes promote as the
array API standard says (data-apis.org/array-api, type promotion). Between kinds, where the standard is silent: bool
gives way to all, integers to the floats they meet, whatever their widths (int64 with float32 is float32, as in torch
and JAX). Python numbers take the dtype of the array beside them; a float beside integers makes float32, the default.
uint64 and signed integers have no common dtype: TypeError.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import numpy as np

from sparkdl.base.errors import DTypeError
from sparkdl.base.spec import BFLOAT16, COMPLEX_OF, ITEMSIZE, KINDS, REAL_OF, SIGNED, UNSIGNED, numpy_dtype


class DType:
    """A dtype. It equals its name and NumPy's dtype, and stands for them wherever one is asked for.

    >>> DType("float32") == "float32", np.zeros(2, DType("int8")).dtype
    (True, dtype('int8'))
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def dtype(self) -> "np.dtype[Any]":
        """NumPy's, which NumPy itself asks for."""
        return numpy_dtype(self.name)

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return ITEMSIZE[self.name]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType | np.dtype):
            return self.name == other.name
        if isinstance(other, type) and issubclass(other, np.generic):
            return self.dtype == other
        return self.name == other

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return self.name


DTYPES = {name: DType(name) for name in ITEMSIZE}
DEFAULTS: dict[type, str] = {bool: "bool", int: "int64", float: "float32", complex: "complex64"}
_GROUPS = {
    "signed integer": "signed integer", "unsigned integer": "unsigned integer", "integral": "integer",
    "real floating": "real floating", "complex floating": "complex floating", "numeric": "numeric", "bool": "bool",
}  # fmt: skip


def name_of(dtype: Any) -> str:
    """The name of a dtype given as a name, a NumPy dtype or a Python type. Raises DTypeError for others.

    >>> name_of(float), name_of(np.dtype("int8"))
    ('float32', 'int8')
    """
    if isinstance(dtype, DType):
        return dtype.name
    if isinstance(dtype, str) and dtype in ITEMSIZE:
        return dtype
    if isinstance(dtype, type) and dtype in DEFAULTS:
        return DEFAULTS[dtype]
    try:
        name = str(np.dtype(dtype).name)
    except TypeError:
        name = str(dtype)
    if name not in ITEMSIZE:
        raise DTypeError(f"dtype must be one of {', '.join(ITEMSIZE)}. Got {dtype!r}.")
    return name


@lru_cache(1024)
def promoted(a: str, b: str) -> str:
    """The dtype that both are cast to when they meet.

    >>> promoted("int8", "uint8"), promoted("float16", "bfloat16"), promoted("float64", "complex64")
    ('int16', 'float32', 'complex128')
    """
    if a == b or b == "bool":
        return a
    if a == "bool":
        return b
    if a in KINDS["floating"] or b in KINDS["floating"]:
        return _floats(a, b)
    return _integers(a, b)


def _floats(a: str, b: str) -> str:
    if a in KINDS["integer"] or b in KINDS["integer"]:
        return b if a in KINDS["integer"] else a
    if a in REAL_OF or b in REAL_OF:
        parts = [REAL_OF.get(d, d) for d in (a, b)]
        return COMPLEX_OF[_floats(*parts)]
    if a != b and ITEMSIZE[a] == ITEMSIZE[b]:  # float16 and bfloat16
        return "float32"
    return a if ITEMSIZE[a] >= ITEMSIZE[b] else b


def _integers(a: str, b: str) -> str:
    if (a in SIGNED) == (b in SIGNED):
        return a if ITEMSIZE[a] >= ITEMSIZE[b] else b
    signed, unsigned = (a, b) if a in SIGNED else (b, a)
    if unsigned == "uint64":
        raise DTypeError(f"{a} and {b} have no common dtype. Cast one.")
    return signed if ITEMSIZE[signed] > ITEMSIZE[unsigned] else f"int{16 * ITEMSIZE[unsigned]}"


def with_number(dtype: str, number: Any) -> str:
    """The dtype in which an array and a Python number meet."""
    if type(number) not in DEFAULTS:
        raise DTypeError(f"an array of {dtype} meets numbers and arrays only. Got {type(number).__name__}.")
    if type(number) is bool or dtype in KINDS["complex floating"]:
        return dtype
    if isinstance(number, complex):
        return COMPLEX_OF.get(dtype, "complex64")
    if isinstance(number, float):
        return dtype if dtype in KINDS["floating"] else "float32"
    return "int64" if dtype == "bool" else dtype


def summed(dtype: str, wanted: Any) -> str:
    """The dtype in which sums and products of a dtype are made: integers and bools in 64 bits, unless one is wanted.

    >>> summed("int8", None), summed("uint8", None), summed("float16", None), summed("int8", "float64")
    ('int64', 'uint64', 'float16', 'float64')
    """
    if wanted is not None:
        return name_of(wanted)
    if dtype in KINDS["integer or bool"]:
        return "uint64" if dtype in UNSIGNED else "int64"
    return dtype


def result_type(*arrays_and_dtypes: Any) -> DType:
    """The dtype that these arrays, dtypes and Python numbers have in common. Numbers count last.

    >>> result_type("int8", "int32"), result_type("float32", 1.5), result_type("int8", 2)
    (int32, float32, int8)
    """
    numbers = [x for x in arrays_and_dtypes if type(x) in DEFAULTS]
    known = [x.spec.dtype if hasattr(x, "spec") else name_of(x) for x in arrays_and_dtypes if type(x) not in DEFAULTS]
    if not known:
        if not numbers:
            raise DTypeError("result_type: at least one array, dtype or number must be given. Got none.")
        known = [DEFAULTS[type(numbers[0])]]
    return DTYPES[reduce(with_number, numbers, reduce(promoted, known))]


def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether a dtype, or an array's, promotes to `to`: then no value is lost but to rounding of integers.

    >>> can_cast("int8", "int16"), can_cast("float64", "float32")
    (True, False)
    """
    given, wanted = from_.spec.dtype if hasattr(from_, "spec") else name_of(from_), name_of(to)
    try:
        return promoted(given, wanted) == wanted
    except DTypeError:
        return False


def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether a dtype is of a kind: a dtype, "bool", "signed integer", "unsigned integer", "integral", "real floating",
    "complex floating", "numeric", or a tuple of such.

    >>> isdtype("float32", "real floating"), isdtype("int8", ("bool", "integral"))
    (True, True)
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in kind)
    name = name_of(dtype)
    if isinstance(kind, str) and kind in _GROUPS:
        return name in KINDS[_GROUPS[kind]]
    if isinstance(kind, str) and kind not in ITEMSIZE:
        raise ValueError(f"isdtype: kind must be a dtype or one of {', '.join(_GROUPS)}. Got {kind!r}.")
    return name == name_of(kind)


@dataclass(frozen=True)
class FloatInfo:
    """What a float dtype can hold. For complex dtypes: what their parts can."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True)
class IntegerInfo:
    """What an integer dtype can hold."""

    bits: int
    max: int
    min: int
    dtype: DType


def finfo(type: Any, /) -> FloatInfo:
    """Limits of a float dtype, or of an array's.

    >>> finfo("float32").eps
    1.1920928955078125e-07
    """
    name = _dtype_of(type)
    if name not in KINDS["floating"]:
        raise DTypeError(f"finfo: dtype must be a float. Got {name}.")
    name = REAL_OF.get(name, name)
    found = _info(name)
    numbers = (float(found.eps), float(found.max), float(found.min), float(found.smallest_normal))
    return FloatInfo(8 * ITEMSIZE[name], *numbers, DTYPES[name])


def iinfo(type: Any, /) -> IntegerInfo:
    """Limits of an integer dtype, or of an array's.

    >>> iinfo("int8").max
    127
    """
    name = _dtype_of(type)
    if name not in KINDS["integer"]:
        raise DTypeError(f"iinfo: dtype must be an integer. Got {name}.")
    found = np.iinfo(name)
    return IntegerInfo(found.bits, int(found.max), int(found.min), DTYPES[name])


def _dtype_of(given: Any) -> str:
    return str(given.spec.dtype) if hasattr(given, "spec") else name_of(given)


def _info(name: str) -> Any:
    if name == BFLOAT16:
        import ml_dtypes

        return ml_dtypes.finfo(numpy_dtype(name))  # type: ignore[no-untyped-call]
    return np.finfo(name)


def common(dtypes: Iterable[str]) -> str:
    """The one dtype of several."""
    return reduce(promoted, dtypes)
