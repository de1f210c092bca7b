"""How far vectors lie apart. Those of two arrays are taken along one axis and the others broadcast; `cdist` takes every
row of one with every row of the other.

Results are real floats, of ints and bools float32; half precision is computed in float32. Formulas: Deza and Deza,
Encyclopedia of Distances (2009), chapters 1, 3 and 17; ND4J has the same under Transforms. NaN makes NaN.
"""

import math
from collections.abc import Callable
from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import KINDS
from sparkdl.nd.elementwise import abs as abs_, array, equal, maximum, minimum, not_equal, where
from sparkdl.nd.functions import sqrt
from sparkdl.nd.indexing import one_axis
from sparkdl.nd.manipulation import concat, expand_dims, matrix_transpose, moveaxis
from sparkdl.nd.norms import vector_norm
from sparkdl.nd.ops.broadcast import broadcast, check_kind
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.passing import stop_gradient
from sparkdl.nd.ops.shape import slice_axis
from sparkdl.nd.products import matmul
from sparkdl.nd.promote import operands
from sparkdl.nd.reductions import max as max_, sum as sum_

_BLOCK = 1 << 24  # elements of differences that `cdist` has at a time
_HALVES = ("float16", "bfloat16")


def cosine_similarity(x: Any, y: Any, /, *, axis: int = -1) -> Any:
    """<x, y> / (|x| |y|), within -1 .. 1 but for rounding; 0, and no gradient, where one of them is 0.

    Vectors of any size: neither 1e30 nor 1e-30 overflows. ND4J gives NaN for vectors of zeros; 0 is scikit-learn's.

    >>> from sparkdl.nd.array import NDArray
    >>> cosine_similarity(NDArray([1.0, 0.0]), NDArray([[2.0, 0.0], [0.0, 3.0]]))
    NDArray([1., 0.], dtype=float32, device=cpu)
    """
    a, b, dtype = _vectors("cosine_similarity", x, y, axis)
    return cast(sum_(_unit(a) * _unit(b), axis=-1), dtype)


def cosine_distance(x: Any, y: Any, /, *, axis: int = -1) -> Any:
    """1 - `cosine_similarity`, as ND4J's and SciPy's; 1 where one of the vectors is 0."""
    return 1.0 - cosine_similarity(x, y, axis=axis)


def euclidean_distance(x: Any, y: Any, /, *, axis: int = -1) -> Any:
    """(sum of (x - y)^2)^(1/2). The gradient is 0 between equal vectors, where there is no slope.

    >>> from sparkdl.nd.array import NDArray
    >>> euclidean_distance(NDArray([0.0, 0.0]), NDArray([3.0, 4.0]))
    NDArray(5., dtype=float32, device=cpu)
    """
    a, b, dtype = _vectors("euclidean_distance", x, y, axis)
    return cast(_euclidean(a, b), dtype)


def manhattan_distance(x: Any, y: Any, /, *, axis: int = -1) -> Any:
    """Sum of |x - y|. The gradient is 0 between equal elements."""
    a, b, dtype = _vectors("manhattan_distance", x, y, axis)
    return cast(_manhattan(a, b), dtype)


def hamming_distance(x: Any, y: Any, /, *, axis: int = -1, fraction: bool = False) -> Any:
    """How many elements differ, as ND4J counts; with `fraction` divided by how many there are, as SciPy does.

    It has no gradient. Ints are compared as ints; NaN differs from everything.
    """
    a, b, dtype = _vectors("hamming_distance", x, y, axis, exact=True)
    return _differing(a, b, dtype, fraction)


def jaccard_distance(x: Any, y: Any, /, *, axis: int = -1) -> Any:
    """1 - sum of min(x, y) / sum of max(x, y), for elements >= 0; 0 between two vectors of zeros.

    Of sets, given as bools: 1 - |intersection| / |union|. This is ND4J's; SciPy's for bools. At ties the gradient goes
    as those of `minimum` and `maximum`.

    >>> from sparkdl.nd.array import NDArray
    >>> jaccard_distance(NDArray([True, True, False]), NDArray([True, False, False]))
    NDArray(0.5, dtype=float32, device=cpu)
    """
    a, b, dtype = _vectors("jaccard_distance", x, y, axis)
    return cast(_jaccard(a, b), dtype)


def cdist(x: Any, y: Any, metric: str = "euclidean") -> Any:
    """The distance of every row of x from every row of y.   x: (..., M, K)   y: (..., N, K)   result: (..., M, N)

    metric: "euclidean", "manhattan", "cosine", "hamming" (the fraction that differs, as in SciPy's cdist) or "jaccard"

    Differences are taken, not the expanded square, which would lose the digits of near points; they are held for some
    rows at a time. Under a gradient all of them are kept: M N K elements.

    >>> from sparkdl.nd.array import NDArray
    >>> cdist(NDArray([[0.0], [1.0]]), NDArray([[0.0], [3.0], [5.0]]), "manhattan")
    NDArray([[0., 3., 5.],
             [1., 2., 4.]], dtype=float32, device=cpu)
    """
    if metric not in _METRICS:
        raise ValueError(f"cdist: metric must be one of {', '.join(_METRICS)}. Got {metric!r}.")
    for side in (x, y):
        if len(array("cdist", side).spec.shape) < 2:
            raise ShapeError(f"cdist: both must be rows (..., M, K). Got {x.spec} and {y.spec}.")
    a, b, dtype = _vectors("cdist", x, y, -1, exact=metric == "hamming", rows=True)
    if metric == "cosine":
        return cast(1.0 - matmul(_unit(a), matrix_transpose(_unit(b))), dtype)
    return cast(_in_blocks(a, b, _METRICS[metric]), dtype)


def _in_blocks(a: Any, b: Any, metric: Callable[[Any, Any], Any]) -> Any:
    lead = broadcast("cdist", a.spec.shape[:-2], b.spec.shape[:-2])
    count, right = a.spec.shape[-2], expand_dims(b, axis=-3)
    step = max(1, _BLOCK // max(1, math.prod(lead) * math.prod(b.spec.shape[-2:])))
    ends = range(0, max(count, 1), step)
    parts = [slice_axis(a, -2, k, min(k + step, count)) for k in ends]
    made = [metric(expand_dims(part, axis=-2), right) for part in parts]
    return made[0] if len(made) == 1 else concat(made, axis=-2)


def _vectors(who: str, x: Any, y: Any, axis: int, exact: bool = False, rows: bool = False) -> tuple[Any, Any, str]:
    """Both in one dtype to compute in, the vectors along the last axis; and the dtype of the result.

    exact: leave elements as they are   rows: the last axis but one need not broadcast
    """
    a, b = operands(who, array(who, x), array(who, y))
    check_kind(who, "any" if exact else "real numeric", _counted(a).spec)
    a, b = (moveaxis(v, one_axis(who, axis, len(v.spec.shape)), -1) for v in (a, b))
    if a.spec.shape[-1] != b.spec.shape[-1]:
        raise ShapeError(f"{who}: vectors must agree in length. Got {x.spec} and {y.spec}, along axis {axis}.")
    broadcast(who, *(v.spec.shape[: -2 if rows else -1] for v in (a, b)))
    dtype = str(a.spec.dtype) if a.spec.dtype in KINDS["real floating"] else "float32"
    wide = a.spec.dtype if exact else ("float32" if dtype in _HALVES else dtype)
    return cast(a, wide), cast(b, wide), dtype


def _counted(x: Any) -> Any:
    """Bools as the numbers 0 and 1."""
    return cast(x, "uint8") if x.spec.dtype == "bool" else x


def _unit(x: Any) -> Any:
    """Vectors divided by their length; those of zeros as they are, and without a gradient."""
    if not x.spec.shape[-1]:
        return x
    largest = max_(abs_(x), axis=-1, keepdims=True)
    x = x / stop_gradient(where(equal(largest, 0.0), 1.0, largest))  # the direction is that of any multiple
    squares = sum_(x * x, axis=-1, keepdims=True)
    zero = equal(squares, 0.0)
    return where(zero, 0.0, x / sqrt(where(zero, 1.0, squares)))


def _euclidean(a: Any, b: Any) -> Any:
    return vector_norm(a - b, axis=-1)


def _manhattan(a: Any, b: Any) -> Any:
    return sum_(abs_(a - b), axis=-1)


def _jaccard(a: Any, b: Any) -> Any:
    both, either = sum_(minimum(a, b), axis=-1), sum_(maximum(a, b), axis=-1)
    nothing = equal(either, 0.0)
    return where(nothing, 0.0, 1.0 - both / where(nothing, 1.0, either))


def _differing(a: Any, b: Any, dtype: str, fraction: bool) -> Any:
    count = sum_(cast(not_equal(a, b), "float64" if dtype == "float64" else "float32"), axis=-1)
    return cast(count / max(a.spec.shape[-1], 1) if fraction else count, dtype)


_METRICS: dict[str, Callable[[Any, Any], Any]] = {
    "euclidean": _euclidean,
    "manhattan": _manhattan,
    "cosine": lambda a, b: 1.0 - sum_(_unit(a) * _unit(b), axis=-1),
    "hamming": lambda a, b: _differing(a, b, "float64" if a.spec.dtype == "float64" else "float32", True),
    "jaccard": _jaccard,
}
