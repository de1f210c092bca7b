"""Running sums, products and recurrences, by NumPy."""

from typing import Any

import numpy as np

from sparkdl.kernels.table import Array, plain


@plain("cumulative_sum")
def cumulative_sum(op: Any, x: Array) -> Array:
    """Sums up to each, or from each on; ints wrap in their own dtype."""
    if op.reverse:
        return np.flip(np.cumsum(np.flip(x, op.axis), op.axis, x.dtype), op.axis)
    return np.cumsum(x, op.axis, x.dtype)


@plain("cumulative_prod")
def cumulative_prod(op: Any, x: Array) -> Array:
    """Products up to each; ints wrap in their own dtype."""
    return np.cumprod(x, op.axis, x.dtype)


@plain("recurrence")
def recurrence(op: Any, b: Array, a: Array) -> Array:
    """One step after another."""
    made = b.copy()
    y, a = np.moveaxis(made, op.axis, 0), np.moveaxis(a, op.axis, 0)
    for k in range(1, len(y)):
        if op.reverse:
            y[-1 - k] += a[-k] * y[-k]
        else:
            y[k] += a[k] * y[k - 1]
    return made
