"""Sorting and searching in what is sorted. NaN comes last, whichever way is up; equal elements keep their order."""

from typing import Any

import numpy as np

from sparkdl.base.errors import ShapeError
from sparkdl.nd.elementwise import array
from sparkdl.nd.indexing import check_indices, getitem, one_axis
from sparkdl.nd.op import apply
from sparkdl.nd.ops import sort as ops
from sparkdl.nd.promote import operands


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The lines of x along `axis`, sorted; x of real numbers or bools, of one axis or more.

    descending: the largest first
    stable:     whether equal ones must keep their order; they do in either case

    The gradient of an element goes to where it came from.

    >>> from sparkdl.nd.array import NDArray
    >>> sort(NDArray([3.0, 1.0, 2.0]), descending=True)
    NDArray([3., 2., 1.], dtype=float32, device=cpu)
    """
    x = array("sort", x)
    return apply(ops.Sort(one_axis("sort", axis, len(x.spec.shape)), bool(descending)), x)


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The indices (int64) that sort the lines of x along `axis`. Arguments as of `sort`.

    >>> from sparkdl.nd.array import NDArray
    >>> argsort(NDArray([3.0, 1.0, 2.0]))
    NDArray([1, 2, 0], dtype=int64, device=cpu)
    """
    x = array("argsort", x)
    return apply(ops.ArgSort(one_axis("argsort", axis, len(x.spec.shape)), bool(descending)), x)


def top_k(x: Any, k: int, axis: int = -1) -> tuple[Any, Any]:
    """The k largest along `axis`, the largest first, and their indices (int64); of equal ones the first come first.

    x: (..., N, ...) of real numbers or bools   both results: (..., k, ...)

    These are the first k of `sort(x, descending=True)`: NaN counts as less than all. Gradients flow through the values.
    Raises ShapeError unless 0 <= k <= N.

    >>> from sparkdl.nd.array import NDArray
    >>> top_k(NDArray([3.0, 1.0, 2.0]), 2)
    (NDArray([3., 2.], dtype=float32, device=cpu), NDArray([0, 2], dtype=int64, device=cpu))
    """
    x = array("top_k", x)
    if isinstance(k, bool) or not hasattr(k, "__index__"):
        raise TypeError(f"top_k: k must be an int. Got {k!r}.")
    values, indices = apply(ops.TopK(k.__index__(), one_axis("top_k", axis, len(x.spec.shape))), x)
    return values, indices


def searchsorted(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Any:
    """Where the values of x2 belong in x1, so that it stays sorted: indices 0 .. N (int64), in the shape of x2.

    x1:     (N,) of real numbers, sorted upwards; not checked
    x2:     an array, or a number
    side:   "left": x1[k - 1] < value <= x1[k]; "right": x1[k - 1] <= value < x1[k]
    sorter: ints (N,) that sort x1 where it is not

    >>> from sparkdl.nd.array import NDArray
    >>> searchsorted(NDArray([1.0, 2.0, 3.0]), NDArray([2.0, 9.0]))
    NDArray([1, 3], dtype=int64, device=cpu)
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right'. Got {side!r}.")
    line, values = operands("searchsorted", array("searchsorted", x1), x2)
    if sorter is not None:
        line = getitem(line, _order(sorter, line))
    return apply(ops.SearchSorted(side == "right"), line, _lifted(values))


def _order(sorter: Any, line: Any) -> Any:
    ids = check_indices("searchsorted", sorter)
    if ids.shape != line.spec.shape:
        raise ShapeError(f"searchsorted: sorter must have the shape of x1, {line.spec.shape}. Got {ids.shape}.")
    return ids


def _lifted(values: Any) -> Any:
    return values if hasattr(values, "spec") else np.asarray(values)
