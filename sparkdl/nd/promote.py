"""Operands before an op sees them: one dtype for all, as `dtypes.py` says; plain numbers and NumPy arrays lifted."""

from typing import Any

import numpy as np

from sparkdl.base.errors import DTypeError
from sparkdl.base.spec import numpy_dtype
from sparkdl.nd.dtypes import DEFAULTS, name_of, promoted, with_number
from sparkdl.nd.ops.choice import cast


def operands(who: str, a: Any, b: Any) -> tuple[Any, Any]:
    """Both in the dtype in which they meet. One must be an array or a symbol; the other may be a number."""
    try:
        if a.spec.dtype == b.spec.dtype:
            return a, b
    except AttributeError:
        pass
    dtype = _meeting(who, a, b)
    return as_dtype(a, dtype), as_dtype(b, dtype)


def as_dtype(x: Any, dtype: str) -> Any:
    """An array, symbol or number in that dtype. A number that it cannot hold raises OverflowError."""
    if hasattr(x, "spec"):
        return cast(x, dtype)
    if isinstance(x, np.ndarray | np.generic):
        return x.astype(numpy_dtype(dtype))
    return np.asarray(x, numpy_dtype(dtype))


def _meeting(who: str, a: Any, b: Any) -> str:
    first, second = _dtype(a), _dtype(b)
    if first is None and second is None:
        raise DTypeError(f"{who}: one of the two must be an array. Got {type(a).__name__} and {type(b).__name__}.")
    if first is None or second is None:
        number = a if first is None else b
        if type(number) not in DEFAULTS:
            raise DTypeError(f"{who}: operands must be arrays or numbers. Got {type(number).__name__}.")
        return with_number(str(first or second), number)
    return promoted(first, second)


def _dtype(x: Any) -> str | None:
    if hasattr(x, "spec"):
        return str(x.spec.dtype)
    return name_of(x.dtype) if isinstance(x, np.ndarray | np.generic) else None
