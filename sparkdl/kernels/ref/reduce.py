"""Reductions by NumPy in float64."""

from typing import Any

import numpy as np

from sparkdl.kernels.ref.elementwise import widened
from sparkdl.kernels.table import PLAIN, Array, kernel, plain, rowwise


def sum(op: Any, x: Array) -> Array:  # noqa: A001
    """Sum; ints wrap in their own dtype."""
    x = widened(x)
    return np.asarray(x.sum(op.axes, keepdims=op.keepdims, dtype=x.dtype))


def max(op: Any, x: Array) -> Array:  # noqa: A001
    """Maximum; NaN wins."""
    return np.asarray(x.max(op.axes, keepdims=op.keepdims))


def min(op: Any, x: Array) -> Array:  # noqa: A001
    """Minimum; NaN wins."""
    return np.asarray(x.min(op.axes, keepdims=op.keepdims))


def argmax(op: Any, x: Array) -> Array:
    """Index of the first maximum; the first NaN where there is one."""
    return np.asarray(x.argmax(op.axis))


PLAIN.update({fn.__name__: fn for fn in (max, min, argmax)})  # sums of eager arrays: kernels/cpu/sums.py
for _fn in (sum, max, min, argmax):
    kernel(_fn.__name__, "ref")(rowwise(_fn))


@plain("prod")
def prod(op: Any, x: Array) -> Array:
    """Product; ints wrap in their own dtype."""
    return np.asarray(x.prod(op.axes, keepdims=op.keepdims, dtype=x.dtype))


@plain("all")
def all(op: Any, x: Array) -> Array:  # noqa: A001
    """Whether all are true."""
    return np.asarray(x.all(op.axes, keepdims=op.keepdims))


@plain("any")
def any(op: Any, x: Array) -> Array:  # noqa: A001
    """Whether one is true."""
    return np.asarray(x.any(op.axes, keepdims=op.keepdims))


@plain("argmin")
def argmin(op: Any, x: Array) -> Array:
    """Index of the first minimum; the first NaN where there is one."""
    return np.asarray(x.argmin(op.axis))
