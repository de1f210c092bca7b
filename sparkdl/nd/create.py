"""Arrays from nothing, numbers and NumPy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sparkdl.nd.array import NDArray

Shape = int | Sequence[int]


def asarray(data: ArrayLike, dtype: str | None = None) -> NDArray:
    """An array of `data`, copied. Python floats become float32; NumPy arrays keep their dtype.

    >>> asarray([1, 2]).dtype
    'int64'
    """
    return NDArray(np.array(data) if isinstance(data, np.ndarray) else data, dtype)


def from_numpy(data: np.ndarray[Any, Any]) -> NDArray:
    """The same memory as an NDArray, not copied."""
    return NDArray(data)


def zeros(shape: Shape, dtype: str = "float32") -> NDArray:
    """All 0."""
    return NDArray(np.zeros(shape, dtype))


def ones(shape: Shape, dtype: str = "float32") -> NDArray:
    """All 1."""
    return NDArray(np.ones(shape, dtype))


def full(shape: Shape, value: float, dtype: str = "float32") -> NDArray:
    """All `value`."""
    return NDArray(np.full(shape, value, dtype))


def arange(start: float, stop: float | None = None, step: float = 1, dtype: str | None = None) -> NDArray:
    """Evenly spaced numbers from `start` (0 when alone) to before `stop`.

    >>> arange(3).numpy().tolist()
    [0, 1, 2]
    """
    first, last = (0, start) if stop is None else (start, stop)
    return NDArray(np.arange(first, last, step), dtype)
