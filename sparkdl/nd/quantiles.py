"""Quantiles. Floats stay in their dtype; integers are computed in float64, as in NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import KINDS, numpy_dtype
from sparkdl.nd.array import NDArray
from sparkdl.nd.elementwise import array, into, isfinite, isinf, isnan, where
from sparkdl.nd.indexing import getitem
from sparkdl.nd.manipulation import permute_dims
from sparkdl.nd.op import apply
from sparkdl.nd.ops.broadcast import check_kind
from sparkdl.nd.ops.shape import reshape
from sparkdl.nd.ops.sort import Nth
from sparkdl.nd.reductions import Axis
from sparkdl.nd.statistics import axes_of, floats

Numpy = np.ndarray[Any, Any]
Rule = Callable[[Any], tuple[Any, Any]]
METHODS: dict[str, Rule] = {  # place among the sorted -> the item at or before it, and how much of the next one
    "linear": lambda at: (np.floor(at), at - np.floor(at)),
    "lower": lambda at: (np.floor(at), 0.0 * at),
    "higher": lambda at: (np.ceil(at), 0.0 * at),
    "nearest": lambda at: (np.rint(at), 0.0 * at),
    "midpoint": lambda at: (np.floor(at), 0.5 * (np.floor(at) != at)),
}


def quantile(
    x: Any, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False, out: Any = None
) -> Any:
    """The value below which lie the share q of the elements over `axis`, all by default; NaN where there is one.

    x:      real numbers
    q:      a number within 0 .. 1, or an array of such whose axes then lead those of the result
    method: what is given between two elements a and b, at a + t (b - a): "linear" that, "lower" a, "higher" b,
            "nearest" the nearer of them (of two the one at an even place), "midpoint" (a + b) / 2

    Gradients flow to the elements that the value is made of. Raises ShapeError over an empty axis.

    >>> quantile(NDArray([1.0, 2.0, 4.0, 9.0]), 0.5)
    NDArray(3., dtype=float32, device=cpu)
    """
    return into(_quantile("quantile", x, _shares("quantile", q, 1.0), axis, method, keepdims), out)


def percentile(
    x: Any, q: Any, axis: Axis = None, *, method: str = "linear", keepdims: bool = False, out: Any = None
) -> Any:
    """`quantile`, q within 0 .. 100."""
    return into(_quantile("percentile", x, _shares("percentile", q, 100.0), axis, method, keepdims), out)


def median(x: Any, axis: Axis = None, *, keepdims: bool = False, out: Any = None) -> Any:
    """The middle element over `axis`, all by default, or the mean of the two in the middle; NaN where there is one.

    >>> median(NDArray([[3, 1], [8, 5]]), axis=1)
    NDArray([2. , 6.5], dtype=float64, device=cpu)
    """
    return into(_quantile("median", x, np.asarray(0.5), axis, "midpoint", keepdims), out)


def _shares(who: str, q: Any, whole: float) -> Numpy:
    if hasattr(q, "spec") and not isinstance(q, NDArray):
        raise TypeError(f"{who}: q must be known: numbers, or an array that is not traced. Got {q!r}.")
    given = np.asarray(q, np.float64)
    if not ((given >= 0) & (given <= whole)).all():
        raise ValueError(f"{who}: q must be within 0 .. {whole:g}. Got {q!r}.")
    return np.asarray(given / whole)


def _quantile(who: str, x: Any, q: Numpy, axis: Axis, method: str, keepdims: bool) -> Any:
    if method not in METHODS:
        raise ValueError(f"{who}: method must be one of {', '.join(METHODS)}. Got {method!r}.")
    x = array(who, x)
    check_kind(who, "real numeric", x.spec)
    axes = axes_of(who, x, axis)
    lines = _lines(floats(who, x) if method in ("linear", "midpoint") else x, axes)
    if lines.spec.shape[-1] == 0:
        raise ShapeError(f"{who}: the axes must not be empty. Got {x.spec} over axes {axes}.")
    found = _between(lines, q, METHODS[method])
    kept = tuple(1 if k in axes else n for k, n in enumerate(x.spec.shape) if keepdims or k not in axes)
    first = len(found.spec.shape) - q.ndim
    return reshape(permute_dims(found, (*range(first, first + q.ndim), *range(first))), (*q.shape, *kept))


def _lines(x: Any, axes: tuple[int, ...]) -> Any:
    """The axes as one, the last."""
    kept = tuple(k for k in range(len(x.spec.shape)) if k not in axes)
    length = int(np.prod([x.spec.shape[k] for k in axes], dtype=np.int64))
    return reshape(permute_dims(x, (*kept, *axes)), (*(x.spec.shape[k] for k in kept), length))


def _between(lines: Any, q: Numpy, rule: Rule) -> Any:
    """What a rule gives for each q.   lines: (..., N)   result: (..., shape of q)"""
    n, dtype = lines.spec.shape[-1], lines.spec.dtype
    at, part = rule(q * (n - 1))
    low, end = np.asarray(at, np.int64), np.full(q.shape, n - 1)
    wanted = np.stack([low, np.minimum(low + 1, n - 1) if part.any() else low, end])
    places, rank = np.unique(wanted, return_inverse=True)
    found = apply(Nth(tuple(places.tolist())), lines)
    made, high, last = (getitem(found, (..., k)) for k in rank.reshape(wanted.shape))
    if part.any():
        made = lerp(made, high, np.asarray(part, numpy_dtype(dtype)))
    if dtype not in KINDS["real floating"]:
        return made
    return where(isnan(last), last, made)  # NaN comes last


def lerp(a: Any, b: Any, t: Numpy) -> Any:
    """a + t (b - a), just a and b at t = 0 and 1, from the end that is nearer and finite. t is of their dtype."""
    gap = b - a
    made = where(where(t < 0.5, isfinite(a), isinf(b)), a + gap * t, b - gap * (1 - t))
    return where(t == 0, a, where(t == 1, b, made))
