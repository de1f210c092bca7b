"""Lookup, scatter-add and one-hot, one index after another."""

from typing import Any

import numpy as np

from sparkdl.kernels.ref.elementwise import widened
from sparkdl.kernels.table import Array, kernel, rowwise


def take(op: Any, table: Array, ids: Array) -> Array:
    """Rows by index; an index outside finds NaN, or 0 among ints."""
    missing = np.full(table.shape[1:], np.nan if table.dtype.kind == "f" else 0, table.dtype)
    rows = [table[k] if 0 <= k < len(table) else missing for k in ids.ravel().tolist()]
    return np.array(rows, table.dtype).reshape(ids.shape + table.shape[1:])


def take_grad(op: Any, g: Array, ids: Array) -> Array:
    """Rows added up by index, in their order."""
    tail = g.shape[ids.ndim :]
    total = np.zeros((op.rows, *tail))
    for k, row in zip(ids.ravel().tolist(), widened(g).reshape((ids.size, *tail)), strict=True):
        if 0 <= k < op.rows:
            total[k] += row
    return total


def one_hot(op: Any, ids: Array) -> Array:
    """1 where the class is the index."""
    return np.asarray(ids[..., None] == np.arange(op.depth))


for _fn in (take, take_grad, one_hot):
    kernel(_fn.__name__, "ref")(rowwise(_fn))
