"""What is known of an array before it exists: its shape and its dtype."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

BFLOAT16 = "bfloat16"  # float32 without its lower half; NumPy knows it through ml_dtypes only
ITEMSIZE = {
    "bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "float16": 2, "bfloat16": 2, "int32": 4, "uint32": 4,
    "float32": 4, "int64": 8, "uint64": 8, "float64": 8, "complex64": 8, "complex128": 16,
}  # fmt: skip
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
KINDS: dict[str, frozenset[str]] = {  # what ops may take, in the words of the array API standard
    "bool": frozenset(("bool",)),
    "signed integer": frozenset(SIGNED),
    "unsigned integer": frozenset(UNSIGNED),
    "integer": frozenset(SIGNED + UNSIGNED),
    "integer or bool": frozenset(("bool", *SIGNED, *UNSIGNED)),
    "real floating": frozenset(FLOATS),
    "complex floating": frozenset(COMPLEX),
    "floating": frozenset(FLOATS + COMPLEX),
    "real numeric": frozenset(SIGNED + UNSIGNED + FLOATS),
    "numeric": frozenset(SIGNED + UNSIGNED + FLOATS + COMPLEX),
    "any": frozenset(ITEMSIZE),
}
REAL_OF = {"complex64": "float32", "complex128": "float64"}
COMPLEX_OF = {"float16": "complex64", "bfloat16": "complex64", "float32": "complex64", "float64": "complex128"}


class _Names(dict[Any, str]):
    """Names of NumPy's dtypes, each asked for once: NumPy takes 3 us to say one."""

    def __missing__(self, dtype: Any) -> str:
        self[dtype] = dtype.name
        return self[dtype]


NAMES = _Names()
_DTYPES: dict[str, Any] = {}


def numpy_dtype(name: str) -> "np.dtype[Any]":
    """NumPy's dtype of that name; loads ml_dtypes when it is bfloat16.

    >>> numpy_dtype("bfloat16").itemsize
    2
    """
    if name not in _DTYPES:
        if name == BFLOAT16:
            import ml_dtypes  # noqa: F401  enters the name
        _DTYPES[name] = np.dtype(name)
    return _DTYPES[name]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Spec:
    """Shape and dtype of an array in C order.

    >>> Spec((2, 3)).nbytes
    24
    """

    shape: tuple[int, ...]
    dtype: str = "float32"

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the elements, without padding."""
        return self.size * ITEMSIZE[self.dtype]

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


Specs = tuple[Spec, ...]
