"""What is known of an array before it exists: its shape and its dtype."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

BFLOAT16 = "bfloat16"  # float32 without its lower half; NumPy knows it through ml_dtypes only
ITEMSIZE = {
    "bool": 1, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "float16": 2, "bfloat16": 2, "int32": 4, "uint32": 4,
    "float32": 4, "int64": 8, "uint64": 8, "float64": 8,
}  # fmt: skip


def numpy_dtype(name: str) -> "np.dtype[Any]":
    """NumPy's dtype of that name; loads ml_dtypes when it is bfloat16.

    >>> numpy_dtype("bfloat16").itemsize
    2
    """
    if name == BFLOAT16:
        import ml_dtypes  # noqa: F401  enters the name
    return np.dtype(name)


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
