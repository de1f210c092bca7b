"""Lookups: numba for float32 rows, NumPy for the rest."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._rows import call, numba_kernel, numpy_kernel
from sparkdl.kernels.table import Array, Arrays, Bound, Prepared


def _plain(op: Any, ins: Specs) -> bool:
    return ins[0].dtype == "float32" and ins[1].dtype in ("int32", "int64")


@numba_kernel("take", _plain)
def _take(op: Any, ins: Specs, outs: Specs) -> Prepared:
    table, ids = ins
    rows = table.shape[0]
    cols = outs[0].size // max(ids.size, 1)

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return call("gather", "take", *i, *o, rows, ids.size, cols, ids.dtype == "int64")

    return Prepared(bind)


@numba_kernel("take_grad", _plain)
def _take_grad(op: Any, ins: Specs, outs: Specs) -> Prepared:
    ids = ins[1]
    cols = outs[0].size // max(op.rows, 1)

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return call("gather", "take_grad", *i, *o, op.rows, ids.size, cols, ids.dtype == "int64")

    def again(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return call("gather", "take_grad_again", *i, *o, *scratch, op.rows, ids.size, cols, ids.dtype == "int64")

    return Prepared(bind, lasting=touching(again, ids.size, op.rows))


def touching(bind: Callable[[Arrays, Arrays, Arrays], Bound], size: int, rows: int) -> Prepared | None:
    """The lasting form of a kernel that writes at most `size` of its output's `rows`: it notes which.

    None where zeroing all of them costs no more.
    """
    return Prepared(bind, (Spec((size + 1,), "int64"),), detail="rows noted") if 2 * size <= rows else None


@numba_kernel("one_hot", lambda op, ins: op.dtype == "float32" and ins[0].dtype in ("int32", "int64"))
def _one_hot(op: Any, ins: Specs, outs: Specs) -> Prepared:
    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return call("gather", "one_hot", *i, *o, ins[0].size, op.depth, ins[0].dtype == "int64")

    return Prepared(bind)


@numpy_kernel("take")
def take(op: Any, ins: Arrays, outs: Arrays) -> None:
    """Rows by index; NaN (0 among ints) for an index outside."""
    (table, ids), y = ins, outs[0]
    inside = _inside(ids, len(table))
    if len(table):
        np.take(table, np.where(inside, ids, 0), 0, y)
    y[~inside] = np.nan if y.dtype.kind == "f" else 0


@numpy_kernel("take_grad")
def take_grad(op: Any, ins: Arrays, outs: Arrays) -> None:
    """Rows added up by index."""
    (g, ids), y = ins, outs[0]
    inside = _inside(ids, op.rows)
    y[...] = 0
    np.add.at(y, ids[inside], g[inside])


@numpy_kernel("one_hot")
def one_hot(op: Any, ins: Arrays, outs: Arrays) -> None:
    """1 where the class is the index."""
    np.equal(ins[0][..., None], np.arange(op.depth), out=outs[0], casting="unsafe")


def _inside(ids: Array, rows: int) -> Array:
    return np.asarray((ids >= 0) & (ids < rows))
