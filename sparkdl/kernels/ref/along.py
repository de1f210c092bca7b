"""Items along an axis, by NumPy."""

import math
from typing import Any

import numpy as np

from sparkdl.kernels.table import Array, plain


@plain("take_along", moves=True)
def take_along(op: Any, x: Array, ids: Array) -> Array:
    """One item for each index."""
    return np.take_along_axis(x, ids.astype(np.int64, copy=False), op.axis)


@plain("take_along_grad")
def take_along_grad(op: Any, g: Array, ids: Array) -> Array:
    """Zeros with g added line by line; a plain write where no index comes twice."""
    g, ids = (np.moveaxis(a, op.axis, -1) for a in (g, ids.astype(np.int64, copy=False)))
    out = np.zeros((*g.shape[:-1], op.size), g.dtype)
    rows = np.arange(math.prod(g.shape[:-1])).reshape((*g.shape[:-1], 1))
    at = (rows * op.size + np.where(ids < 0, ids + op.size, ids)).ravel()
    if op.once:
        out.reshape(-1)[at] = g.ravel()
    else:
        np.add.at(out.reshape(-1), at, g.ravel())  # along one axis NumPy adds fast
    return np.moveaxis(out, -1, op.axis)
