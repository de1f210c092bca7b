"""Weighted means and covariances. Floats stay in their dtype; integers are computed in float64, as in NumPy."""

from typing import Any

import numpy as np

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import COMPLEX, KINDS, numpy_dtype
from sparkdl.nd.array import NDArray
from sparkdl.nd.elementwise import array, clip
from sparkdl.nd.functions import conj, real, sqrt
from sparkdl.nd.indexing import getitem
from sparkdl.nd.manipulation import concat, expand_dims, many_axes, matrix_transpose, permute_dims
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.shape import broadcast_to, reshape
from sparkdl.nd.products import matmul
from sparkdl.nd.promote import operands
from sparkdl.nd.reductions import Axis, mean, sum as sum_


def floats(who: str, x: Any) -> Any:
    """x; integers and bools as float64."""
    x = array(who, x)
    return x if x.spec.dtype in KINDS["floating"] else cast(x, "float64")


def axes_of(who: str, x: Any, axis: Axis) -> tuple[int, ...]:
    """Axes counted from the front, in the order given; all by default."""
    return tuple(range(len(x.spec.shape))) if axis is None else many_axes(who, axis, len(x.spec.shape))


def average(x: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """sum(w x) / sum(w) over `axis`, all by default; the mean without weights.

    weights:  in the shape of x, or of its axes `axis`. NaN results where they add up to 0
    returned: give (average, sum of the weights)

    >>> average(NDArray([1.0, 3.0]), weights=NDArray([3.0, 1.0]))
    NDArray(1.5, dtype=float32, device=cpu)
    """
    x = floats("average", x)
    if weights is None:
        made = mean(x, axis=axis, keepdims=keepdims)
        count = x.spec.size // max(made.spec.size, 1)
        total = NDArray(np.full(made.spec.shape, count, numpy_dtype(x.spec.dtype)))
    else:
        x, w = operands("average", x, _placed(x, axis, _weights("average", weights, x)))
        total = sum_(w, axis=axis, keepdims=keepdims)
        made = sum_(x * w, axis=axis, keepdims=keepdims) / total
    return (made, total) if returned else made


def _weights(who: str, w: Any, x: Any) -> Any:
    """Weights; integers in the dtype of x."""
    w = array(who, w)
    return w if w.spec.dtype in KINDS["floating"] else cast(w, x.spec.dtype)


def _placed(x: Any, axis: Axis, w: Any) -> Any:
    """Weights in the shape of x."""
    shape, axes = x.spec.shape, axes_of("average", x, axis)
    if w.spec.shape == shape:
        return w
    if w.spec.shape != tuple(shape[k] for k in axes):
        raise ShapeError(
            f"average: weights must have the shape of x, or of its axes {axis}. Got {x.spec} and {w.spec}."
        )
    turned = permute_dims(w, tuple(int(k) for k in np.argsort(axes)))
    return broadcast_to(reshape(turned, tuple(n if k in axes else 1 for k, n in enumerate(shape))), shape)


def cov(
    x: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    *,
    ddof: float | None = None,
    fweights: Any = None,
    aweights: Any = None,
) -> Any:
    """Covariances of variables, each a row of x, or the only one: c[i, j] = mean of (x_i - mean)(x_j - mean)*.

    x, y:     (variables, observations), or (observations,); y has more variables of the same observations
    rowvar:   False: variables are columns
    bias:     divide by N, not by N - 1
    ddof:     divide by N - ddof instead
    fweights: how often each observation was made, (observations,)
    aweights: how much each counts

    The result is (variables, variables), without axes for one variable; NaN where N is too small.

    >>> cov(NDArray([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    NDArray([[ 1., -1.],
             [-1.,  1.]], dtype=float32, device=cpu)
    """
    rows = _variables(x, rowvar)
    if y is not None:
        rows = concat([rows, _variables(y, rowvar)], axis=0)
    free = float(not bias) if ddof is None else float(ddof)
    w, left = _freedom(rows, free, fweights, aweights)
    away = rows - expand_dims(average(rows, axis=1, weights=w), axis=1)
    other = conj(away) if away.spec.dtype in COMPLEX else away
    made = matmul(away if w is None else away * w, matrix_transpose(other)) / left
    return reshape(made, ()) if made.spec.size == 1 else made


def _variables(x: Any, rowvar: bool) -> Any:
    x = floats("cov", x)
    if len(x.spec.shape) > 2:
        raise ShapeError(f"cov: x and y must have one or two axes. Got {x.spec}.")
    if len(x.spec.shape) < 2:
        return reshape(x, (1, x.spec.size))
    return x if rowvar else matrix_transpose(x)


def _freedom(rows: Any, free: float, fweights: Any, aweights: Any) -> tuple[Any, Any]:
    """Weights of the observations, None where all are 1, and what the sum is divided by."""
    n = rows.spec.shape[1]
    given = [_weights("cov", w, rows) for w in (fweights, aweights) if w is not None]
    if any(w.spec.shape != (n,) for w in given):
        raise ShapeError(f"cov: weights must have the shape {(n,)}. Got {' and '.join(str(w.spec) for w in given)}.")
    if not given:
        return None, max(n - free, 0.0)
    w = given[0] if len(given) == 1 else given[0] * given[1]
    total = sum_(w)
    return w, total - free if aweights is None else total - free * sum_(w * given[-1]) / total


def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Any:
    """Correlations of variables: c[i, j] / sqrt(c[i, i] c[j, j]), within -1 .. 1, c as of `cov`; NaN of constants.

    >>> corrcoef(NDArray([[0.0, 1.0, 2.0], [4.0, 2.0, 0.0]]))
    NDArray([[ 1., -1.],
             [-1.,  1.]], dtype=float32, device=cpu)
    """
    c = cov(x, y, rowvar)
    if not c.spec.shape:
        return c / c
    at = np.arange(c.spec.shape[0])
    scale = sqrt(real(getitem(c, (at, at))))
    made = c / expand_dims(scale, axis=1) / expand_dims(scale, axis=0)
    return made if made.spec.dtype in COMPLEX else clip(made, -1.0, 1.0)
