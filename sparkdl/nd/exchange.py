"""Arrays of other libraries as ours, their memory and not a copy: DLPack, the buffer protocol, NumPy's interface.

The way out needs no functions: an NDArray has `__dlpack__`, `__array_interface__`, `__array__` and `data`.
"""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray as Numpy

from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import BFLOAT16, ITEMSIZE, numpy_dtype
from sparkdl.nd.array import NDArray
from sparkdl.nd.creation import on_cpu
from sparkdl.nd.dtypes import name_of

_NEAR = (1, 3, 11)  # DLPack's numbers of memory that the CPU reads: its own, and what CUDA and ROCm pin for it
_FAR = {2: "CUDA", 4: "OpenCL", 7: "Vulkan", 8: "Metal", 10: "ROCm", 13: "CUDA managed", 14: "oneAPI"}


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> NDArray:
    """The array that another library hands over by DLPack (data-apis.org/array-api: from_dlpack), in the same memory.

    x:      what has `__dlpack__` and `__dlpack_device__`, as arrays of NumPy, torch, JAX and CuPy do
    device: "cpu" asks a library to copy from its device; None takes only what lies in the CPU's memory
    copy:   True for memory of its own, False to raise where the memory cannot be shared

    What the library says is read-only is read-only here. torch's bfloat16 is taken too, seen as ints on the way.
    Raises TypeError for what has no `__dlpack__`, BufferError for memory of another device and for elements that we
    have no dtype for, ValueError for another `device` and where copy=False cannot be met.

    >>> import numpy as np
    >>> a = np.zeros(2)
    >>> from_dlpack(a)[0] = 1.0
    >>> a
    array([1., 0.])
    """
    on_cpu("from_dlpack", device)
    if not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
        raise TypeError(f"from_dlpack: x must have __dlpack__ and __dlpack_device__. Got {type(x).__name__}.")
    _reachable(x, device, copy)
    data = _bfloat16(x) if str(getattr(x, "dtype", "")).endswith(BFLOAT16) else _taken(x, device, copy)
    if data.dtype.name not in ITEMSIZE:
        raise BufferError(f"from_dlpack: elements must be one of {', '.join(ITEMSIZE)}. Got {data.dtype}.")
    return NDArray(data.copy() if copy and _shared(data, x) else data)


def _reachable(x: Any, device: Any, copy: bool | None) -> None:
    """Raise unless the memory is the CPU's, or may be copied to it."""
    kind = int(x.__dlpack_device__()[0])
    if kind in _NEAR:
        return
    where = _FAR.get(kind, f"of DLPack's number {kind}")
    if device is None:
        raise BufferError(f"from_dlpack: x must lie in the CPU's memory. It is on a device: {where}. Say device='cpu'.")
    if copy is False:
        raise ValueError(f"from_dlpack: x is on a device, {where}: it needs a copy, and copy is False.")


def _taken(x: Any, device: Any, copy: bool | None) -> Numpy[Any]:
    near = int(x.__dlpack_device__()[0]) in _NEAR
    try:
        return np.from_dlpack(x, device=None if near else device, copy=copy)
    except TypeError:  # from before DLPack 1.0: it knows neither word, and never copies
        if not near:
            raise
        return np.from_dlpack(x)
    except RuntimeError as error:
        raise BufferError(f"from_dlpack: {type(x).__name__} of {getattr(x, 'dtype', '?')}: {error}") from error


def _bfloat16(x: Any) -> Numpy[Any]:
    """NumPy's DLPack knows no bfloat16: the library shows its memory as int16, and we see it as what it is."""
    if isinstance(x, NDArray | np.ndarray):
        return _numpy(x)
    if getattr(x, "requires_grad", False):
        raise BufferError("from_dlpack: x requires a gradient, which would be lost. Take x.detach().")
    int16 = getattr(sys.modules.get(type(x).__module__.partition(".")[0]), "int16", None)
    if int16 is None or not hasattr(x, "view"):
        raise BufferError(f"from_dlpack: bfloat16 of {type(x).__name__} cannot be shared. Cast it to float32 first.")
    return np.from_dlpack(x.view(int16)).view(numpy_dtype(BFLOAT16))


def _shared(data: Numpy[Any], x: Any) -> bool:
    """Whether the memory may still be the other's: known only of NumPy's and ours, assumed of the rest."""
    return not isinstance(x, NDArray | np.ndarray) or np.shares_memory(data, _numpy(x))


def _numpy(x: Any) -> Numpy[Any]:
    return x.numpy() if isinstance(x, NDArray) else x


def frombuffer(buffer: Any, dtype: Any = None, count: int = -1, offset: int = 0) -> NDArray:
    """The memory of an object with the buffer protocol as a vector, not copied.   result: (count,)

    buffer: bytes, bytearray, memoryview, array.array, mmap, ...; of bytes the result is read-only
    dtype:  that of the elements; by default as the buffer says, which is uint8 of bytes
    count:  how many elements, -1 for all
    offset: bytes before the first

    Raises TypeError for what is no buffer, DTypeError for elements that are no numbers, ShapeError where the bytes do
    not divide into elements or are too few. Elements that do not lie at multiples of their size are copied.

    >>> frombuffer(bytes([0, 0, 128, 63]), "float32")
    NDArray([1.], dtype=float32, device=cpu)
    """
    try:
        view = memoryview(buffer)
    except TypeError as error:
        raise TypeError(f"frombuffer: buffer must have the buffer protocol. Got {type(buffer).__name__}.") from error
    if not view.c_contiguous:
        raise ShapeError(f"frombuffer: the memory must be in one piece. Got strides {view.strides} of {view.shape}.")
    kind = _elements(view) if dtype is None else numpy_dtype(name_of(dtype))
    size = _counted(view.nbytes, kind.itemsize, count, offset)
    return NDArray(np.frombuffer(view, kind, size, offset) if size else np.zeros(0, kind))


def _elements(view: memoryview) -> Any:
    try:
        kind = np.asarray(view).dtype
    except (ValueError, TypeError) as error:
        raise DTypeError(f"frombuffer: elements must be numbers or bools. Got format {view.format!r}.") from error
    if kind.name not in ITEMSIZE:
        raise DTypeError(f"frombuffer: elements must be numbers or bools. Got {kind}, format {view.format!r}.")
    return kind


def _counted(nbytes: int, width: int, count: int, offset: int) -> int:
    if not 0 <= offset <= nbytes:
        raise ShapeError(f"frombuffer: offset must lie within the {nbytes} bytes. Got {offset}.")
    left = nbytes - offset
    if count < 0 and left % width:
        raise ShapeError(f"frombuffer: {left} bytes do not divide into elements of {width}. Give count or offset.")
    if count * width > left:
        raise ShapeError(f"frombuffer: {count} elements of {width} bytes need more than the {left} bytes there are.")
    return left // width if count < 0 else count


def from_interface(x: Any, /) -> NDArray:
    """The memory that an object shows by NumPy's `__array_interface__`, not copied; strides and read-only as it says.

    Raises TypeError where it has none, DTypeError for elements that are no numbers.
    """
    if not isinstance(getattr(x, "__array_interface__", None), dict):
        raise TypeError(f"from_interface: x must have __array_interface__. Got {type(x).__name__}.")
    data = x.numpy() if isinstance(x, NDArray) else np.asarray(x)
    if data.dtype.name not in ITEMSIZE:
        raise DTypeError(f"from_interface: elements must be numbers or bools. Got {data.dtype}.")
    return NDArray(data)
