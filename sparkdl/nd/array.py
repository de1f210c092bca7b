"""NDArray: a buffer in memory, and the eager side of `apply`."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray as Numpy

from sparkdl.base.errors import DTypeError
from sparkdl.base.quiet import hush, restore
from sparkdl.base.spec import BFLOAT16, ITEMSIZE, NAMES, Spec, numpy_dtype
from sparkdl.kernels import table
from sparkdl.kernels.run import run_bound
from sparkdl.kernels.threads import count
from sparkdl.nd import memory
from sparkdl.nd.dtypes import DTYPES, DType, name_of
from sparkdl.nd.inplace import InPlace
from sparkdl.nd.memory import LARGE
from sparkdl.nd.op import Op
from sparkdl.nd.quick import Quick


class NDArray(InPlace, Quick):
    """An n-dimensional array: NumPy's memory, our functions.

    data:  an array (kept, not copied), numbers, or nested lists of them
    dtype: by default that of the array; of Python floats float32, of ints int64

    >>> NDArray([[1.0, 2.0]]) + 1.0
    NDArray([[2., 3.]], dtype=float32, device=cpu)
    """

    rank: ClassVar[int] = 1
    __slots__ = ("_data",)

    def __init__(self, data: ArrayLike, dtype: DTypeLike | None = None) -> None:
        made = np.asarray(data, _given(dtype))
        if dtype is None and not isinstance(data, np.ndarray | np.generic):
            made = by_default(made)  # Python floats are float32, as in Keras; arrays keep their dtype
        if made.dtype.name not in ITEMSIZE:
            raise DTypeError(f"NDArray: dtype must be one of {', '.join(ITEMSIZE)}. Got {made.dtype}.")
        if not (made.dtype.isnative and made.flags.aligned):  # as files have it; kernels take addresses
            made = made.astype(made.dtype.newbyteorder("="))
        self._data = made

    @property
    def spec(self) -> Spec:  # type: ignore[override]
        """Shape and dtype as a record."""
        return Spec(self._data.shape, NAMES[self._data.dtype])

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self._data.shape

    @property
    def dtype(self) -> DType:
        """The elements' type; it equals its name."""
        return DTYPES[NAMES[self._data.dtype]]

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next along each axis."""
        return self._data.strides

    @property
    def nbytes(self) -> int:
        """Bytes of the elements."""
        return self._data.nbytes

    @property
    def data(self) -> memoryview:
        """The memory, for those who take buffers; C order only."""
        return memoryview(self._data)  # type: ignore[arg-type]

    def numpy(self) -> Numpy[Any]:
        """The buffer as a NumPy array, not copied."""
        return self._data

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self._data.tolist()

    def item(self) -> Any:
        """The one element as a Python number. Raises ValueError when there are more."""
        return self._data.item()

    def copy(self, order: str = "C") -> "NDArray":
        """The same elements in memory of their own, in C or Fortran ("F") order."""
        return wrap(self._data.copy(order=order))  # type: ignore[arg-type]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Numpy[Any]:
        return np.array(self._data, dtype, copy=copy)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        if self._data.dtype.kind == "V":
            raise AttributeError("the array interface has no word for bfloat16; NumPy takes __array__ then.")
        return self._data.__array_interface__

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        if self.dtype == BFLOAT16:
            raise BufferError("NumPy's DLPack knows no bfloat16. Cast to float32 first.")
        return self._data.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._data.__dlpack_device__()

    def __buffer__(self, flags: int) -> memoryview:  # used from Python 3.12 on; before there is `data`
        return memoryview(self._data)  # type: ignore[arg-type]

    def _number(self, kind: str) -> Any:
        if self._data.shape != ():
            raise TypeError(f"{kind}: only an array without axes is one number. Got {self.spec}.")
        if kind == "index" and self._data.dtype.kind not in "iu":
            raise TypeError(f"an index must be an integer. Got {self.spec}.")
        if kind in ("int", "float") and self._data.dtype.kind == "c":
            raise TypeError(f"{kind}: a complex number has two parts. Got {self.spec}; take nd.real of it.")
        return self._data.item()

    def __repr__(self) -> str:
        said = np.array2string(self._data, separator=", ", prefix="NDArray(")
        return f"NDArray({said}, dtype={self.dtype}, device={self.device})"

    def run(self, op: Op, ins: tuple[Any, ...]) -> tuple["NDArray", ...]:
        """Apply `op` now. Plain numbers among `ins` take this array's dtype."""
        arrays = tuple([v._data if v.__class__ is NDArray else self._lift(v) for v in ins])
        fn = ELEMENTWISE.get(op.name) or _elementwise(op.name)
        if fn is not None:
            return (wrap(_each(fn, op, arrays)),)
        return tuple(map(wrap, execute(op, arrays)))

    def _lift(self, value: Any) -> Numpy[Any]:
        if isinstance(value, NDArray):
            return value._data
        return np.asarray(value) if isinstance(value, np.ndarray | np.generic) else np.asarray(value, self._data.dtype)

    def _own(self, value: Any) -> Numpy[Any]:
        """What is written into this array, as NumPy takes it."""
        if isinstance(value, NDArray):
            return value._data
        if hasattr(value, "spec"):
            raise TypeError(
                f"{value!r} cannot be written into an array: a function that is differentiated or compiled has no side "
                "effects. Make a new array, as with `y = y + x` or `nd.put(y, key, x)`."
            )
        return np.asarray(value)


new: Callable[[type], Any] = object.__new__


def wrap(data: Numpy[Any]) -> NDArray:
    """NumPy's array of a dtype that we know as ours, the same memory and unchecked."""
    made: NDArray = new(NDArray)
    made._data = data
    return made


WORTH = 1 << 20  # elements from which a kernel that is compiled first pays: a second once, then kept on disk
ELEMENTWISE: dict[str, Callable[..., Any]] = {}
_OUT: dict[Any, Any] = {}  # dtypes of results, by the op's name and the dtypes of what it is given


def _elementwise(name: str) -> Callable[..., Any] | None:
    """NumPy's function, from the table that is filled when kernels are first needed."""
    if not ELEMENTWISE:
        from sparkdl.kernels.ref.elementwise import FUNCTIONS

        ELEMENTWISE.update({k: fn for k, fn in FUNCTIONS.items() if k != "cast"})
    return ELEMENTWISE.get(name)


def _each(fn: Callable[..., Any], op: Op, arrays: tuple[Numpy[Any], ...]) -> Numpy[Any]:
    """An elementwise function. Only dtypes are checked before; shapes that do not fit NumPy finds out."""
    key = (op.name, *[a.dtype for a in arrays])
    dtype = _OUT.get(key)
    if dtype is None:
        dtype = _OUT[key] = numpy_dtype(op.specs(tuple(Spec((), NAMES[a.dtype]) for a in arrays))[0].dtype)
    token = hush()  # IEEE results are what is asked for, not warnings
    try:
        if arrays[0].nbytes >= LARGE and fn.__class__ is np.ufunc and _plainly(arrays):
            return fn(*arrays, out=memory.empty(arrays[0].shape, dtype))  # type: ignore[no-any-return]
        made = fn(*arrays)
        return made if made.__class__ is np.ndarray and made.dtype is dtype else np.asarray(made, dtype)
    except ValueError:
        op.specs(tuple(Spec(a.shape, NAMES[a.dtype]) for a in arrays))
        raise
    finally:
        restore(token)


def _plainly(arrays: tuple[Numpy[Any], ...]) -> bool:
    """Whether the result lies in memory as the first does: all in C order, of its shape or without axes."""
    shape = arrays[0].shape
    return all(a.flags.c_contiguous and (a.shape == shape or not a.shape) for a in arrays)


def execute(op: Op, arrays: tuple[Numpy[Any], ...], libraries: tuple[str, ...] = table.EAGER) -> tuple[Numpy[Any], ...]:
    """Run an op on NumPy arrays: as a plain function of NumPy, or with the first kernel of `libraries` that serves."""
    ins = tuple(Spec(a.shape, NAMES[a.dtype]) for a in arrays)
    outs = op.specs(ins)
    if libraries is table.EAGER and (plain := table.eager(op.name)) is not None:
        return _computed(plain, op, arrays, outs)
    if libraries is table.EAGER and sum(s.size for s in (*ins, *outs)) >= WORTH:
        libraries = table.LIBRARIES["cpu"]
    prepared = table.prepare(op, ins, outs, libraries, count())
    given = arrays if prepared.strided else tuple(np.asarray(a, order="C") for a in arrays)
    made, scratch = (tuple(_empty(s) for s in specs) for specs in (outs, prepared.scratch))
    run_bound(prepared.bind(given, made, scratch))
    return made


def _computed(plain: Any, op: Op, arrays: tuple[Numpy[Any], ...], outs: tuple[Spec, ...]) -> tuple[Numpy[Any], ...]:
    """What the function gives, views and all, in the dtypes that the op says."""
    token = hush()
    try:
        made = plain(op, *arrays)
        many = made if isinstance(made, tuple) else (made,)
        return tuple([np.asarray(m, numpy_dtype(s.dtype)) for m, s in zip(many, outs, strict=True)])
    finally:
        restore(token)


def _empty(spec: Spec) -> Numpy[Any]:
    return np.empty(spec.shape, numpy_dtype(spec.dtype))


def _given(dtype: Any) -> Any:
    if dtype is None:
        return None
    return numpy_dtype(name_of(dtype))


def by_default(made: Numpy[Any]) -> Numpy[Any]:
    """What NumPy made of Python floats, in our default dtype."""
    default = {"float64": "float32", "complex128": "complex64"}.get(made.dtype.name)
    return made.astype(default) if default else made
