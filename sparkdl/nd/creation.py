"""Arrays from nothing, numbers, nested lists and other libraries' arrays.

dtype: a name; by default float32 for floats, int64 for ints, bool, complex64.   device: "cpu" or None
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import KINDS, numpy_dtype
from sparkdl.nd.array import NDArray, by_default, wrap
from sparkdl.nd.dtypes import DEFAULTS, name_of
from sparkdl.nd.elementwise import array
from sparkdl.nd.op import is_eager
from sparkdl.nd.ops.choice import cast

Shape = int | Sequence[int]


def _dtype(dtype: Any, default: str = "float32") -> Any:
    return numpy_dtype(default if dtype is None else name_of(dtype))


def _shape(who: str, shape: Any) -> tuple[int, ...]:
    lengths = tuple(n.__index__() for n in (shape if isinstance(shape, tuple | list) else (shape,)))
    if any(n < 0 for n in lengths):
        raise ShapeError(f"{who}: lengths must be >= 0. Got {shape}.")
    return lengths


def on_cpu(who: str, device: Any) -> None:
    """Raise ValueError unless the device is the one there is."""
    if device not in (None, "cpu"):
        raise ValueError(f"{who}: device must be 'cpu' or None. Got {device!r}.")


def asarray(
    obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None, order: str = "K"
) -> NDArray:
    """An array of numbers, nested lists, or another array; NumPy's and other libraries' arrays keep their dtype.

    copy:  True for memory of its own, False to raise ValueError where the memory cannot be shared, None for what is
           needed
    order: "C" or "F" for rows or columns next to one another; "K" keeps what there is

    >>> asarray([1, 2]).dtype, asarray([1.0]).dtype, asarray(np.zeros(2)).dtype
    (int64, float32, float64)
    """
    on_cpu("asarray", device)
    if hasattr(obj, "spec") and not isinstance(obj, NDArray):
        return obj if dtype is None else cast(obj, name_of(dtype))  # type: ignore[no-any-return]
    given = obj.numpy() if isinstance(obj, NDArray) else obj
    known = hasattr(given, "__array__") or hasattr(given, "__array_interface__") or _is_buffer(given)
    if known:
        made = NDArray(_checked(np.asarray(given, order=order)), dtype)  # type: ignore[call-overload]
    else:
        made = _from_lists(given, dtype)
    return _as_asked(obj, given, made, copy, known)


def _is_buffer(obj: Any) -> bool:
    """Whether it shows its memory with a dtype, as memoryview and array.array do. Bytes are text to NumPy."""
    if isinstance(obj, list | tuple | bool | int | float | complex | str | bytes):
        return False
    try:
        memoryview(obj).release()
    except TypeError:
        return False
    return True


def _as_asked(obj: Any, given: Any, made: NDArray, copy: bool | None, known: bool) -> NDArray:
    shared = known and np.shares_memory(made.numpy(), np.asarray(given))
    if copy is False and not shared and made.size:
        raise ValueError(f"asarray: {type(obj).__name__} needs a copy to become {made.spec}, and copy is False.")
    if copy and shared:
        return made.copy("K")
    return obj if isinstance(obj, NDArray) and made.numpy() is obj.numpy() else made


def _checked(data: Any) -> Any:
    if data.dtype.kind in "OUSMmV" and data.dtype.name not in KINDS["any"]:
        raise DTypeError(f"asarray: elements must be numbers or bools. Got {data.dtype}.")
    return data


def _from_lists(obj: Any, dtype: Any) -> NDArray:
    """Numbers and nested lists of them; arrays may stand within. Ragged ones raise ShapeError."""
    try:
        made = np.asarray(_unwrapped(obj))
    except (ValueError, OverflowError) as error:
        if isinstance(error, OverflowError):
            raise
        raise ShapeError(f"asarray: lists must be nested evenly. {error}") from error
    if made.dtype.kind == "O" and made.size and all(isinstance(v, int) for v in made.ravel()):
        raise OverflowError("asarray: an int does not fit into 64 bits.")
    _checked(made)
    return NDArray(by_default(made) if dtype is None else made, dtype)


def _unwrapped(obj: Any) -> Any:
    if isinstance(obj, list | tuple):
        return [_unwrapped(v) for v in obj]
    if hasattr(obj, "spec"):
        return obj.numpy() if is_eager(obj) else obj
    return obj


def from_numpy(data: np.ndarray[Any, Any]) -> NDArray:
    """The same memory as an NDArray, not copied."""
    return NDArray(data)


def copy(x: Any, order: str = "C") -> NDArray:
    """The same elements in memory of their own, in C or Fortran ("F") order."""
    return array("copy", x).copy(order)  # type: ignore[no-any-return]


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """x with another dtype; floats to ints drop the fraction. copy=False gives x itself where nothing changes."""
    on_cpu("astype", device)
    x, name = array("astype", x), name_of(dtype)
    if x.spec.dtype == name:
        return x.copy("K") if copy and isinstance(x, NDArray) else x
    return cast(x, name)


def empty(shape: Shape, *, dtype: Any = None, device: Any = None) -> NDArray:
    """An array whose elements are whatever is in memory."""
    on_cpu("empty", device)
    return wrap(np.empty(_shape("empty", shape), _dtype(dtype)))


def zeros(shape: Shape, dtype: Any = None, *, device: Any = None) -> NDArray:
    """All 0."""
    on_cpu("zeros", device)
    return wrap(np.zeros(_shape("zeros", shape), _dtype(dtype)))


def ones(shape: Shape, dtype: Any = None, *, device: Any = None) -> NDArray:
    """All 1."""
    on_cpu("ones", device)
    return wrap(np.ones(_shape("ones", shape), _dtype(dtype)))


def full(shape: Shape, fill_value: Any, *, dtype: Any = None, device: Any = None) -> NDArray:
    """All `fill_value`, a number or an array without axes; of its dtype by default."""
    on_cpu("full", device)
    value = np.asarray(fill_value)
    default = DEFAULTS.get(type(fill_value), value.dtype.name)
    return wrap(np.full(_shape("full", shape), value, _dtype(dtype, default)))


def empty_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> NDArray:
    """As x in shape and, by default, in dtype; its elements are whatever is in memory."""
    return empty(x.spec.shape, dtype=dtype or x.spec.dtype, device=device)


def zeros_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> NDArray:
    """0 for each element of x."""
    return zeros(x.spec.shape, dtype or x.spec.dtype, device=device)


def ones_like(x: Any, /, *, dtype: Any = None, device: Any = None) -> NDArray:
    """1 for each element of x."""
    return ones(x.spec.shape, dtype or x.spec.dtype, device=device)


def full_like(x: Any, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> NDArray:
    """`fill_value` for each element of x."""
    return full(x.spec.shape, fill_value, dtype=dtype or x.spec.dtype, device=device)


def arange(
    start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None, device: Any = None
) -> NDArray:
    """Evenly spaced numbers from `start` (0 when alone) to before `stop`.

    >>> arange(3)
    NDArray([0, 1, 2], dtype=int64, device=cpu)
    """
    on_cpu("arange", device)
    first, last = (0, start) if stop is None else (start, stop)
    whole = all(isinstance(v, int) for v in (first, last, step))
    return wrap(np.arange(first, last, step).astype(_dtype(dtype, "int64" if whole else "float32")))


def linspace(
    start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True
) -> NDArray:
    """`num` evenly spaced numbers from `start` to `stop`, which comes last where `endpoint`."""
    on_cpu("linspace", device)
    default = "complex64" if isinstance(start, complex) or isinstance(stop, complex) else "float32"
    return wrap(np.linspace(start, stop, num, endpoint=endpoint).astype(_dtype(dtype, default)))


def eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None, device: Any = None) -> NDArray:
    """A matrix with 1 on diagonal k and 0 elsewhere; square by default."""
    on_cpu("eye", device)
    return wrap(np.eye(n_rows, n_cols, k, _dtype(dtype)))
