"""Histograms: how many elements lie between edges, or are a number."""

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import KINDS, numpy_dtype
from sparkdl.nd.array import NDArray
from sparkdl.nd.elementwise import array, equal, where
from sparkdl.nd.indexing import check_indices, getitem
from sparkdl.nd.ops import histogram as ops
from sparkdl.nd.ops.broadcast import check_kind
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.shape import reshape
from sparkdl.nd.promote import operands
from sparkdl.nd.quantiles import lerp
from sparkdl.nd.reductions import max as max_, min as min_, sum as sum_
from sparkdl.nd.searching import known
from sparkdl.nd.sorting import searchsorted
from sparkdl.nd.statistics import floats


def bincount(x: Any, weights: Any = None, minlength: int = 0, *, length: int | None = None) -> Any:
    """How often each of 0, 1, 2, ... comes in x (int64), or the sum of the weights where it does.

    x:         ints >= 0, (K,)
    weights:   real numbers (K,); integers are added up as float64. Their gradient is the result's at x
    minlength: the least length of the result, which is else the largest of x plus 1
    length:    the length itself, and what lies outside 0 .. length - 1 is left out. Where values are not known, while
               tracing, it must be given

    >>> bincount(NDArray([0, 2, 2]))
    NDArray([1, 0, 2], dtype=int64, device=cpu)
    """
    ids = array("bincount", check_indices("bincount", x))
    if len(ids.spec.shape) != 1:
        raise ShapeError(f"bincount: x must have one axis. Got {ids.spec}.")
    n = _length(ids, minlength) if length is None else _whole("length", length)
    return ops.bincount(n, ids, None if weights is None else _reals("bincount", weights))


def _length(ids: Any, minlength: int) -> int:
    values = known("bincount", ids, "Give length=, the length of the result.")
    if values.size and values.min() < 0:
        raise ValueError(f"bincount: x must be >= 0. Got {values.min()}.")
    return builtins.max(_whole("minlength", minlength), int(values.max()) + 1 if values.size else 0)


def _whole(name: str, n: Any) -> int:
    if isinstance(n, bool) or not hasattr(n, "__index__") or n.__index__() < 0:
        raise ValueError(f"bincount: {name} must be an int >= 0. Got {n!r}.")
    return int(n.__index__())


def _reals(who: str, x: Any) -> Any:
    x = floats(who, x)
    check_kind(who, "real floating", x.spec)
    return x


def histogram(
    x: Any,
    bins: Any = 10,
    range: tuple[float, float] | None = None,
    density: bool = False,
    weights: Any = None,
) -> tuple[Any, Any]:
    """How many elements of x lie in each of the bins, and the edges of the bins.

    x:       real numbers of any shape. NaN, and what lies outside of the bins, is not counted
    bins:    how many bins of one width, or their edges (N + 1,), rising. A bin has its left edge; the last one both
    range:   where the first bin begins and the last one ends; the least and the largest of x by default
    density: divide by the bins' widths and the total: an integral of 1
    weights: in the shape of x: sums of them instead of counts

    The result is (N,) of int64, or of floats with density or weights, and (N + 1,) edges: in the dtype of x, float64
    where x has integers. Edges given as an array keep their dtype. Raises ValueError for edges that fall, and where the
    range is not finite.

    >>> histogram(NDArray([0.0, 1.0, 1.0, 4.0]), 2)
    (NDArray([3, 1], dtype=int64, device=cpu), NDArray([0., 2., 4.], dtype=float32, device=cpu))
    """
    x = array("histogram", x)
    check_kind("histogram", "real numeric", x.spec)
    w = None if weights is None else _reals("histogram", weights)
    if w is not None and w.spec.shape != x.spec.shape:
        raise ShapeError(f"histogram: weights must have the shape of x. Got {w.spec} and {x.spec}.")
    flat = reshape(x, (x.spec.size,))
    edges = _given_edges(flat, bins) if np.ndim(bins) or hasattr(bins, "spec") else _even_edges(flat, bins, range)
    counts = ops.bincount(edges.spec.size - 1, _bins(flat, edges), None if w is None else reshape(w, flat.spec.shape))
    return (_density(counts, edges) if density else counts), edges


def _bins(x: Any, edges: Any) -> Any:
    """The bin of each element, -1 or too large where it has none."""
    x, edges = operands("histogram", x, edges)
    at = searchsorted(edges, x, side="right") - 1
    return where(equal(x, getitem(edges, -1)), np.asarray(edges.spec.size - 2), at)


def _density(counts: Any, edges: Any) -> Any:
    edges = floats("histogram", edges)
    counts = cast(counts, edges.spec.dtype)
    return counts / (getitem(edges, slice(1, None)) - getitem(edges, slice(None, -1))) / sum_(counts)


def _given_edges(x: Any, bins: Any) -> Any:
    edges = bins if hasattr(bins, "spec") else NDArray(_numbers(x, bins))
    check_kind("histogram", "real numeric", edges.spec)
    if len(edges.spec.shape) != 1 or edges.spec.size < 2:
        raise ShapeError(f"histogram: bins must be a count, or two edges or more along one axis. Got {edges.spec}.")
    if isinstance(edges, NDArray) and not (edges.numpy()[1:] >= edges.numpy()[:-1]).all():
        raise ValueError(f"histogram: edges must rise. Got {edges.numpy()}.")
    return edges


def _numbers(x: Any, bins: Sequence[float]) -> Any:
    """A list of edges: beside floats in their dtype."""
    given = np.asarray(bins)
    exact = isinstance(bins, np.ndarray) or x.spec.dtype in KINDS["integer"]
    return given if exact else given.astype(numpy_dtype(x.spec.dtype))


def _even_edges(x: Any, bins: Any, ends: tuple[float, float] | None) -> Any:
    if isinstance(bins, bool) or not hasattr(bins, "__index__") or bins.__index__() < 1:
        raise ValueError(f"histogram: bins must be an int >= 1, or edges. Got {bins!r}.")
    x = floats("histogram", x)
    count, dtype = bins.__index__(), numpy_dtype(x.spec.dtype)
    if ends is None and not isinstance(x, NDArray) and x.spec.size:
        low, high = _spread(min_(x), max_(x))
        return lerp(low, high, np.linspace(0, 1, count + 1).astype(dtype))
    low, high = _ends(x, ends)
    return NDArray(np.linspace(low, high, count + 1).astype(dtype))


def _spread(low: Any, high: Any) -> tuple[Any, Any]:
    """Room around the only value, where both are one."""
    one = equal(low, high)
    return where(one, low - 0.5, low), where(one, high + 0.5, high)


def _ends(x: NDArray, ends: tuple[float, float] | None) -> tuple[float, float]:
    if ends is None:
        ends = (float(x.numpy().min()), float(x.numpy().max())) if x.size else (0.0, 1.0)
    low, high = map(float, ends)
    if not (np.isfinite(low) and np.isfinite(high) and low <= high):
        raise ValueError(f"histogram: the range must be finite and rise. Got {low} .. {high}.")
    return (low, high) if low < high else (low - 0.5, high + 0.5)
