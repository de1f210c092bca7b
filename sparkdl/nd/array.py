"""NDArray: a buffer in memory, and the eager side of `apply`."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray as Numpy

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import ITEMSIZE, Spec, numpy_dtype
from sparkdl.kernels import table
from sparkdl.kernels.run import run_bound
from sparkdl.kernels.threads import count
from sparkdl.nd.op import Op
from sparkdl.nd.operators import Operators


class NDArray(Operators):
    """An n-dimensional array.

    >>> NDArray([[1.0, 2.0]]) + 1.0
    NDArray([[2., 3.]], dtype=float32)
    """

    rank: ClassVar[int] = 1
    __slots__ = ("_data",)

    def __init__(self, data: ArrayLike, dtype: DTypeLike | None = None) -> None:
        made = np.asarray(data, dtype)
        if dtype is None and made.dtype == np.float64 and not isinstance(data, np.ndarray | np.generic):
            made = made.astype(np.float32)  # Python floats are float32, as in Keras; arrays keep their dtype
        if made.dtype.name not in ITEMSIZE:
            raise ShapeError(f"NDArray: dtype must be one of {', '.join(ITEMSIZE)}. Got {made.dtype}.")
        if not (made.dtype.isnative and made.flags.aligned):  # as files have it; kernels take addresses
            made = made.astype(made.dtype.newbyteorder("="))
        self._data = made

    @property
    def spec(self) -> Spec:
        """Shape and dtype as a record."""
        return Spec(self._data.shape, self._data.dtype.name)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self._data.shape

    @property
    def dtype(self) -> str:
        """Name of the element type."""
        return self._data.dtype.name

    def numpy(self) -> Numpy[Any]:
        """The buffer as a NumPy array, not copied."""
        return self._data

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Numpy[Any]:
        return np.array(self._data, dtype, copy=copy)

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        return f"NDArray({np.array2string(self._data, separator=', ', prefix='NDArray(')}, dtype={self.dtype})"

    def run(self, op: Op, ins: tuple[Any, ...]) -> tuple["NDArray", ...]:
        """Apply `op` now. Plain numbers among `ins` take this array's dtype."""
        arrays = tuple(self._lift(v) for v in ins)
        return tuple(map(NDArray, execute(op, arrays)))

    def _lift(self, value: Any) -> Numpy[Any]:
        if isinstance(value, NDArray):
            return value.numpy()
        return np.asarray(value) if isinstance(value, np.ndarray | np.generic) else np.asarray(value, self.dtype)


def execute(op: Op, arrays: tuple[Numpy[Any], ...], libraries: tuple[str, ...] = table.EAGER) -> tuple[Numpy[Any], ...]:
    """Run an op on NumPy arrays with the first kernel of `libraries` that serves."""
    ins = tuple(Spec(a.shape, a.dtype.name) for a in arrays)
    outs = op.specs(ins)
    prepared = table.prepare(op, ins, outs, libraries, count())
    given = arrays if prepared.strided else tuple(np.asarray(a, order="C") for a in arrays)
    made, scratch = (tuple(_empty(s) for s in specs) for specs in (outs, prepared.scratch))
    run_bound(prepared.bind(given, made, scratch))
    return made


def _empty(spec: Spec) -> Numpy[Any]:
    return np.empty(spec.shape, numpy_dtype(spec.dtype))
