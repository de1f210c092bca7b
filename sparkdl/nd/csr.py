"""Sparse rows before they are an array: checks of their parts, and where rows and elements are.

Letters: B rows, I columns, N stored elements. Row b holds the elements indptr[b] .. indptr[b+1]-1.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray as Numpy

from sparkdl.base.errors import BoundsError, DTypeError, ShapeError
from sparkdl.base.spec import KINDS
from sparkdl.nd.op import is_eager

Ints = Numpy[np.int64]


def known(who: str, what: str, x: Any) -> Numpy[Any]:
    """The elements of x. Raises TypeError for a value that is traced or differentiated: it has none yet."""
    if hasattr(x, "spec") and not is_eager(x):
        raise TypeError(f"{who}: {what} must be known here: the shape of the result hangs on it. Got {x!r}.")
    return np.asarray(x)


def check_shape(who: str, shape: Any) -> tuple[int, int]:
    """The shape as two ints. Raises ShapeError for anything else."""
    given = tuple(shape) if isinstance(shape, tuple | list) else ()
    if len(given) != 2 or not all(hasattr(n, "__index__") and not isinstance(n, bool) and n >= 0 for n in given):
        raise ShapeError(f"{who}: shape must be two ints >= 0, (rows, columns). Got {shape!r}.")
    return given[0].__index__(), given[1].__index__()


def check_parts(indptr: Any, indices: Any, values: Any, shape: tuple[int, int]) -> None:
    """Raise DTypeError, ShapeError or BoundsError unless these are sparse rows; elements are seen where known."""
    for what, x in (("indptr", indptr), ("indices", indices)):
        if x.spec.dtype not in ("int32", "int64") or x.spec.dtype != indptr.spec.dtype:
            raise DTypeError(f"CSRArray: {what} must be int32 or int64, both alike. Got {x.spec}; cast it.")
    if indptr.spec.shape != (shape[0] + 1,):
        raise ShapeError(f"CSRArray: indptr must have the shape ({shape[0] + 1},) for {shape}. Got {indptr.spec}.")
    if len(indices.spec.shape) != 1 or values.spec.shape != indices.spec.shape:
        raise ShapeError(f"CSRArray: indices and values must be two (N,). Got {indices.spec} and {values.spec}.")
    if is_eager(indptr):
        _check_ends(indptr.numpy(), indices.spec.size)
    if is_eager(indices):
        check_within("CSRArray", "indices", indices.numpy(), shape[1])


def _check_ends(indptr: Numpy[Any], count: int) -> None:
    if indptr[0] != 0 or indptr[-1] != count:
        ends = int(indptr[0]), int(indptr[-1])
        raise ShapeError(f"CSRArray: indptr must lead from 0 to the {count} stored elements. Got {ends}.")
    falls = np.flatnonzero(indptr[1:] < indptr[:-1])
    if falls.size:
        k = int(falls[0])
        raise ShapeError(f"CSRArray: indptr must not fall. Got {indptr[k]} at {k}, then {indptr[k + 1]}.")


def check_within(who: str, what: str, ids: Numpy[Any], count: int) -> None:
    """Raise BoundsError naming the first index that is not of 0 .. count-1."""
    if ids.size and (ids.min() < 0 or ids.max() >= count):
        k = int(np.flatnonzero((ids < 0) | (ids >= count))[0])
        raise BoundsError(f"{who}: {what} must lie within 0 .. {count - 1}. Got {ids[k]} at {k}.")


def coordinates(who: str, what: str, ids: Any, count: int) -> Ints:
    """A vector of indices 0 .. count-1. Raises ShapeError, DTypeError, BoundsError; TypeError where not known."""
    found = known(who, what, ids)
    if found.ndim != 1:
        raise ShapeError(f"{who}: {what} must be a vector. Got the shape {found.shape}.")
    if found.size and found.dtype.name not in KINDS["integer"]:
        raise DTypeError(f"{who}: {what} must be integers. Got {found.dtype}.")
    check_within(who, what, found, count)
    return found.astype(np.int64)


def stored(x: Numpy[Any], threshold: float) -> Numpy[np.bool_]:
    """Which elements are larger than the threshold in magnitude, or NaN. Raises ValueError unless it is >= 0."""
    if not threshold >= 0:
        raise ValueError(f"CSRArray.from_dense: threshold must be >= 0. Got {threshold}.")
    if x.dtype.kind == "c":
        return np.asarray(~(np.abs(x) <= threshold))
    low = (x >= -threshold) if x.dtype.kind != "b" else True  # no np.abs: that of the least int is negative
    return np.asarray(~(low & (x <= threshold)))


def merged(rows: Ints, cols: Ints, count: int) -> tuple[Ints, Ints, Ints]:
    """Coordinates in order, each once: the indptr of `count` rows, the columns, and where each that was given went."""
    order = np.lexsort((cols, rows))
    r, c = rows[order], cols[order]
    first = np.ones(len(order), bool)
    first[1:] = (r[1:] != r[:-1]) | (c[1:] != c[:-1])
    went = np.empty(len(order), np.int64)
    went[order] = np.cumsum(first) - 1
    return starts(np.bincount(r[first], minlength=count)), c[first], went


def starts(counts: Numpy[Any]) -> Ints:
    """The indptr of rows with so many elements."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)))


def picked(indptr: Numpy[Any], key: Any) -> tuple[Ints, Any]:
    """The indptr of the rows at a key, and where their elements are: a slice where the rows follow one another."""
    count = len(indptr) - 1
    rows = np.arange(count)[key] if isinstance(key, slice) else _rows(key, count)
    if rows.size and (np.diff(rows) == 1).all():
        ends = indptr[rows[0] : rows[-1] + 2].astype(np.int64)
        return ends - ends[0], slice(int(ends[0]), int(ends[-1]))
    made = starts(np.diff(indptr)[rows])
    return made, np.arange(made[-1]) + np.repeat(indptr[rows] - made[:-1], np.diff(made))


def _rows(key: Any, count: int) -> Ints:
    taken = isinstance(key, list | np.ndarray) or hasattr(key, "__index__")
    ids = np.atleast_1d(known("CSRArray", "the rows", key)) if taken else np.zeros(0)
    if not taken or ids.ndim > 1 or (ids.size and ids.dtype.name not in KINDS["integer"]):
        raise BoundsError(f"CSRArray: rows are picked by an int, a slice, or a vector of ints. Got {key!r}.")
    if ids.size and not (-count <= ids.min() and ids.max() < count):
        raise BoundsError(f"CSRArray: rows must lie within {-count} .. {count - 1}. Got {key!r}.")
    ids = ids.astype(np.int64)
    return np.where(ids < 0, ids + count, ids)
