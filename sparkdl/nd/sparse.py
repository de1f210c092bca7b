"""`CSRArray`: a matrix of which only some elements are stored, row by row. For inputs of many columns, most of them 0.

Letters: B rows, I columns, N stored elements. Memory and time go with N, B and I, never with B I, but in `to_dense`.
Gradients flow through the values; indices are plain ints. Inside of `sparkdl.grad` and `sparkdl.compile` a matrix is
built of the values there; what must know the indices to tell how large its result is (`from_dense`, `from_coo`, sums of
two, picking rows) takes indices that are arrays, not symbols. All else takes both.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray as Numpy

from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.nd import csr
from sparkdl.nd.array import wrap
from sparkdl.nd.creation import arange, asarray, astype
from sparkdl.nd.dtypes import DTYPES, DType, summed
from sparkdl.nd.elementwise import array, divide, multiply, negative
from sparkdl.nd.indexing import getitem, one_axis
from sparkdl.nd.manipulation import concat, expand_dims, matrix_transpose, squeeze
from sparkdl.nd.op import apply, is_eager
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.index import ARRAY, GetItemGrad
from sparkdl.nd.ops.sparse import csr_matmul, csr_matmul_grad
from sparkdl.nd.promote import operands
from sparkdl.nd.reductions import sum as sum_
from sparkdl.nd.sorting import argsort, searchsorted


@dataclass(frozen=True, eq=False, repr=False)
class CSRArray:
    """A matrix (B, I) by its stored elements: those of row b are indptr[b] .. indptr[b+1]-1. Equality is identity.

    indptr:  ints (B + 1,), from 0, never falling, to N
    indices: ints (N,) of the same dtype, int32 or int64: columns, in any order. What stands twice counts as its sum
    values:  (N,) of any dtype; products take float32 and float64

    Arrays, NumPy's too, are kept, not copied; lists become arrays. What is known is checked: DTypeError and ShapeError
    for parts that do not fit together, BoundsError for a column that is not there. Symbols are not looked into.

    >>> x = CSRArray([0, 2, 3], [0, 2, 1], [1.0, 2.0, 3.0], (2, 3))
    >>> x
    CSRArray(shape=(2, 3), nnz=3, dtype=float32, device='cpu')
    >>> x.to_dense()
    NDArray([[1., 0., 2.],
             [0., 3., 0.]], dtype=float32, device=cpu)
    >>> x @ asarray([1.0, 10.0, 100.0])
    NDArray([201.,  30.], dtype=float32, device=cpu)
    """

    indptr: Any
    indices: Any
    values: Any
    shape: tuple[int, int]

    __array_ufunc__ = None  # numpy leaves `array @ ours` to us

    def __post_init__(self) -> None:
        for part in ("indptr", "indices", "values"):
            object.__setattr__(self, part, _part(part, getattr(self, part)))
        object.__setattr__(self, "shape", csr.check_shape("CSRArray", self.shape))
        csr.check_parts(self.indptr, self.indices, self.values, self.shape)

    @classmethod
    def from_dense(cls, x: Any, threshold: float = 0.0) -> "CSRArray":
        """The elements of a matrix (B, I) that are larger than `threshold` in magnitude, and NaN.

        Raises ShapeError unless x is a matrix, ValueError for a threshold below 0, and TypeError for what is traced or
        differentiated.

        >>> CSRArray.from_dense([[0.0, 2.0], [0.1, 0.0]], threshold=0.5).nnz
        1
        """
        dense = csr.known("CSRArray.from_dense", "x", asarray(x))
        if dense.ndim != 2:
            raise ShapeError(f"CSRArray.from_dense: x must be a matrix. Got the shape {dense.shape}.")
        kept = csr.stored(dense, threshold)
        rows, cols = np.nonzero(kept)
        ends = csr.starts(np.count_nonzero(kept, axis=1))
        return cls(wrap(ends), wrap(cols), wrap(dense[rows, cols]), dense.shape)

    @classmethod
    def from_coo(cls, rows: Any, cols: Any, values: Any, shape: tuple[int, int]) -> "CSRArray":
        """values[k] at (rows[k], cols[k]), in any order; what stands twice is added up. All three are (N,).

        Raises BoundsError for an index outside of the shape, DTypeError and ShapeError for what does not fit, and
        TypeError for rows or columns that are symbols.

        >>> CSRArray.from_coo([1, 0, 1], [0, 2, 0], [1.0, 2.0, 3.0], (2, 3)).to_dense()
        NDArray([[0., 0., 2.],
                 [4., 0., 0.]], dtype=float32, device=cpu)
        """
        who, lengths = "CSRArray.from_coo", csr.check_shape("CSRArray.from_coo", shape)
        r, c = (csr.coordinates(who, *x) for x in (("rows", rows, lengths[0]), ("cols", cols, lengths[1])))
        given = asarray(values)
        if not r.shape == c.shape == given.spec.shape:
            raise ShapeError(f"{who}: all must be of one length. Got {r.shape}, {c.shape} and values {given.spec}.")
        ends, columns, went = csr.merged(r, c, lengths[0])
        return cls(wrap(ends), wrap(columns), _scattered(given, columns.shape, wrap(went)), lengths)

    @classmethod
    def from_scipy(cls, x: Any) -> "CSRArray":
        """A matrix of `scipy.sparse`, or whatever has `indptr`, `indices`, `data` and `shape`, over the same memory.

        Raises TypeError for another format, as "csc" is: take its `tocsr()`.
        """
        missing = [name for name in ("indptr", "indices", "data", "shape") if not hasattr(x, name)]
        if missing or getattr(x, "format", "csr") != "csr":
            told = f"without {', '.join(missing)}" if missing else f"in the format {x.format!r}; take x.tocsr()"
            raise TypeError(f"CSRArray.from_scipy: x must be sparse rows. Got {type(x).__name__} {told}.")
        ends, ids = np.asarray(x.indptr), np.asarray(x.indices)
        if ends.dtype != ids.dtype:
            ends, ids = ends.astype(np.int64), ids.astype(np.int64)
        return cls(ends, ids, np.asarray(x.data), tuple(x.shape))

    def to_scipy(self) -> tuple[tuple[Numpy[Any], Numpy[Any], Numpy[Any]], tuple[int, int]]:
        """((data, indices, indptr), shape) as NumPy arrays, not copied: `scipy.sparse.csr_array(*x.to_scipy())`.

        Raises TypeError for what is traced or differentiated.
        """
        parts = (("values", self.values), ("indices", self.indices), ("indptr", self.indptr))
        data, ids, ends = (csr.known("CSRArray.to_scipy", name, x) for name, x in parts)
        return (data, ids, ends), self.shape

    @property
    def dtype(self) -> DType:
        """The values' type; it equals its name."""
        return DTYPES[self.values.spec.dtype]

    @property
    def nnz(self) -> int:
        """How many elements are stored, N."""
        return int(self.indices.spec.size)

    @property
    def ndim(self) -> int:
        """2."""
        return 2

    @property
    def device(self) -> str:
        """Where the elements lie."""
        return "cpu"

    def __repr__(self) -> str:
        return f"CSRArray(shape={self.shape}, nnz={self.nnz}, dtype={self.dtype}, device={self.device!r})"

    def __len__(self) -> int:
        return self.shape[0]

    def copy(self) -> "CSRArray":
        """The same matrix in memory of its own; symbols stay what they are."""
        ends, ids, values = (x.copy() if is_eager(x) else x for x in (self.indptr, self.indices, self.values))
        return CSRArray(ends, ids, values, self.shape)

    def astype(self, dtype: Any) -> "CSRArray":
        """The same matrix with values of another dtype; the indices are shared."""
        return replace(self, values=astype(self.values, dtype))

    def to_dense(self) -> Any:
        """All elements: (B, I)."""
        return _scattered(self.values, self.shape, self._rows(), self.indices)

    def sum(self, axis: int | None = None) -> Any:
        """The sum of all, of each column (I,) with axis 0, of each row (B,) with axis 1. Ints are summed in 64 bits."""
        if axis is None:
            return sum_(self.values)
        at = one_axis("CSRArray.sum", axis, 2)
        wide = cast(self.values, summed(self.values.spec.dtype, None))
        return _scattered(wide, (self.shape[1 - at],), self._rows() if at else self.indices)

    @property
    def T(self) -> "CSRArray":  # noqa: N802
        """The transposed matrix (I, B), again by rows; columns rise in each."""
        order = argsort(self.indices)
        ends = searchsorted(getitem(self.indices, order), arange(self.shape[1] + 1))
        kind = self.indptr.spec.dtype
        rows = getitem(cast(self._rows(), kind), order)
        return CSRArray(cast(ends, kind), rows, getitem(self.values, order), self.shape[::-1])

    def _rows(self) -> Any:
        """The row of each stored element: int64 (N,)."""
        return searchsorted(self.indptr, arange(self.nnz), side="right") - 1

    def __getitem__(self, key: Any) -> "CSRArray":
        """Rows: of a slice, of a vector of ints, or one, as a matrix (1, I) that is as sparse."""
        ends, at = csr.picked(csr.known("CSRArray", "indptr", self.indptr), key)
        kind = self.indptr.spec.dtype
        return CSRArray(
            cast(wrap(ends), kind), getitem(self.indices, at), getitem(self.values, at), (len(ends) - 1, self.shape[1])
        )

    def __matmul__(self, other: Any) -> Any:
        """x w.   w: (I, O) or (I,)   result: (B, O) or (B,)

        Raises DTypeError unless both meet in float32 or float64, ShapeError unless w has I rows.
        """
        if not _is_dense(other):
            return NotImplemented
        values, w, vector = self._factors(other, False)
        made = csr_matmul(self.indptr, self.indices, values, w)
        return squeeze(made, axis=1) if vector else made

    def __rmatmul__(self, other: Any) -> Any:
        """g x: the transposed product of the transposed g.   g: (M, B) or (B,)   result: (M, I) or (I,)"""
        if not _is_dense(other):
            return NotImplemented
        values, g, vector = self._factors(other, True)
        made = csr_matmul_grad(self.indptr, self.indices, values, g, self.shape[1])
        return squeeze(made, axis=1) if vector else matrix_transpose(made)

    def _factors(self, other: Any, first: bool) -> tuple[Any, Any, bool]:
        """Our values, the other factor, which may come first, as a matrix (I, O) or (B, O), and if it is a vector."""
        dense = array("CSRArray @", other)
        shape = dense.spec.shape
        if len(shape) not in (1, 2) or (shape[-1] != self.shape[0] if first else shape[0] != self.shape[1]):
            a, b = (shape, self.shape) if first else (self.shape, shape)
            raise ShapeError(f"CSRArray @: a matrix or vector of the same inner length must be given. Got {a} @ {b}.")
        values, made = operands("CSRArray @", self.values, dense)
        if made.spec.dtype not in ("float32", "float64"):
            got = f"{self.values.spec} and {dense.spec}"
            raise DTypeError(f"CSRArray @: both must meet in float32 or float64. Got {got}; take astype of one.")
        if len(shape) == 1:
            return values, expand_dims(made, axis=1), True
        return values, matrix_transpose(made) if first else made, False

    def __mul__(self, number: Any) -> "CSRArray":
        """Each element times a number, or an array without axes; dtypes meet as elsewhere."""
        return replace(self, values=multiply(self.values, _number("*", number)))

    __rmul__ = __mul__

    def __truediv__(self, number: Any) -> "CSRArray":
        """Each element divided by a number, or an array without axes."""
        return replace(self, values=divide(self.values, _number("/", number)))

    def __neg__(self) -> "CSRArray":
        return replace(self, values=negative(self.values))

    def __add__(self, other: Any) -> "CSRArray":
        """The sum of two of one shape: what either stores, in order, each place once."""
        if not isinstance(other, CSRArray):
            return NotImplemented
        if self.shape != other.shape:
            raise ShapeError(f"CSRArray +: both must have one shape. Got {self.shape} and {other.shape}.")
        rows, cols = concat([self._rows(), other._rows()]), concat([self.indices, other.indices])
        return CSRArray.from_coo(rows, cols, concat([self.values, other.values]), self.shape)

    def __sub__(self, other: Any) -> "CSRArray":
        return self + (-other) if isinstance(other, CSRArray) else NotImplemented


def _part(what: str, x: Any) -> Any:
    """A part as an array; an empty list among the ints is one of ints."""
    if isinstance(x, list | tuple) and not x and what != "values":
        return asarray(x, dtype="int64")
    return asarray(x)


def _scattered(values: Any, shape: tuple[int, ...], *places: Any) -> Any:
    """Zeros of that shape with the values added at their places."""
    return apply(GetItemGrad((ARRAY,) * len(places), shape), values, *places)


def _is_dense(x: Any) -> bool:
    if isinstance(x, CSRArray):
        raise TypeError("CSRArray @: one of the two must be dense. Got two CSRArrays; take to_dense() of one.")
    return hasattr(x, "spec") or isinstance(x, np.ndarray)


def _number(sign: str, x: Any) -> Any:
    """`x`. Raises TypeError unless it is a number, or an array without axes."""
    plain = isinstance(x, bool | int | float | complex | np.generic)
    if not plain and not ((hasattr(x, "spec") or isinstance(x, np.ndarray)) and x.shape == ()):
        told = f"an array of the shape {x.shape}" if hasattr(x, "shape") else type(x).__name__
        raise TypeError(f"CSRArray {sign}: the other must be a number, or an array without axes. Got {told}.")
    return x
