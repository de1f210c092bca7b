"""Counting by NumPy."""

from typing import Any

import numpy as np

from sparkdl.kernels.table import Array, plain


@plain("bincount")
def bincount(op: Any, ids: Array, *given: Array) -> Array:
    """How often each comes, or the sum of its weights, added in float64."""
    weights = list(given)
    inside = (ids >= 0) & (ids < op.length)
    if not inside.all():
        ids, *weights = (a[inside] for a in (ids, *weights))
    return np.bincount(ids.astype(np.int64, copy=False), weights[0] if weights else None, op.length)
