"""Binary cross-entropy from logits: numba for float32, NumPy for the rest."""

from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._rows import added, calls, divided_call, floats, numba_kernel, numpy_kernel
from sparkdl.kernels.cpu._team import in_parts, shares
from sparkdl.kernels.cpu.sparse import elements, inside
from sparkdl.kernels.table import Array, Arrays, Bound, Prepared

Parts = tuple[Any, Any, Any]
TILE = 960  # elements of which one logarithm is taken


def _targets(targets: Arrays) -> Parts:
    """indptr, indices and values, or (0, 0, dense targets): what the numba code takes."""
    return (0, 0, targets[0]) if len(targets) == 1 else (targets[0], targets[1], targets[2])


def _sizes(z: Any, targets: Specs) -> tuple[int, int, int, int, bool]:
    return (*z.shape, targets[-1].size, len(targets), targets[0].dtype == "int64")


@numba_kernel("sigmoid_xent", floats)
def _forward(op: Any, ins: Specs, outs: Specs) -> Prepared:
    sizes, parts = _sizes(ins[0], ins[1:]), _parts(ins[0])

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        values = (i[0], *_targets(i[1:]), 0, 0, *o, 0, *sizes, *scratch)
        return divided_call("sigmoid", "sigmoid_xent", sizes[0], parts, *values)

    return Prepared(bind, _tiles(parts), inplace=((1, 0),), detail="sigmoid_xent" + in_parts(parts))


@numba_kernel("sigmoid_xent_both", floats)
def _both(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """The total over the rows is added from those of the parts, in order."""
    last = len(ins) - 1 - op.bias  # where g is
    sizes, parts = _sizes(ins[0], ins[1:last]), _parts(ins[0])
    totals = (Spec((parts, sizes[1])), Spec((sizes[1],))) if op.total and parts > 1 else ()

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        total, bias = scratch[3] if totals else o[2] if op.total else 0, i[-1] if op.bias else 0
        values = (i[0], *_targets(i[1:last]), i[last], bias, *o[:2], total, *sizes, *scratch[:3])
        made = divided_call("sigmoid", "sigmoid_xent", sizes[0], parts, *values)
        return calls(made, added(scratch[3], scratch[4], o[2], parts)) if totals else made

    scratch = (*_tiles(parts), *totals)
    return Prepared(bind, scratch, inplace=((1, 0),), detail="sigmoid_xent" + in_parts(parts))


@numba_kernel("sigmoid_xent_grad", floats)
def _grad(op: Any, ins: Specs, outs: Specs) -> Prepared:
    sizes, parts = _sizes(ins[0], ins[1:-1]), _parts(ins[0])

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        values = (i[0], *_targets(i[1:-1]), i[-1], *o, *sizes)
        return divided_call("sigmoid", "sigmoid_xent_grad", sizes[0], parts, *values)

    return Prepared(bind, inplace=((0, 0),), detail="sigmoid_xent_grad" + in_parts(parts))


def _tiles(parts: int) -> Specs:
    """Scratch of `_sigmoid.sigmoid_xent`: three tiles for each part."""
    return (Spec((parts, TILE)),) * 3


def _parts(z: Spec) -> int:
    return shares(z.shape[0], 3 * z.size)


@numpy_kernel("sigmoid_xent")
def sigmoid_xent(op: Any, ins: Arrays, outs: Arrays) -> None:
    """Loss from the logits, then the probabilities."""
    (z, *targets), (loss, p) = ins, outs
    terms = np.log1p(np.exp(-np.abs(z)))
    terms += np.maximum(z, 0)
    picked = _crossed(z, tuple(targets))
    np.divide(terms.sum(-1) - picked, z.shape[1], out=loss)
    np.divide(1, 1 + np.exp(-z), out=p)


@numpy_kernel("sigmoid_xent_grad")
def sigmoid_xent_grad(op: Any, ins: Arrays, outs: Arrays) -> None:
    """g (p - t) / C"""
    (p, *targets, g), y = ins, outs[0]
    scale = g / g.dtype.type(p.shape[1])
    np.multiply(p, scale[:, None], out=y)
    if len(targets) == 1:
        y -= scale[:, None] * targets[0]
        return
    rows, columns, values = _stored(tuple(targets), p.shape[1])
    np.subtract.at(y, (rows, columns), scale[rows] * values)


@numpy_kernel("sigmoid_xent_both")
def sigmoid_xent_both(op: Any, ins: Arrays, outs: Arrays) -> None:
    """The probabilities, then the gradient over them."""
    if op.bias:
        np.add(ins[0], ins[-1], out=outs[1])
        ins = (outs[1].copy(), *ins[1:-1])
    sigmoid_xent(op, ins[:-1], outs[:2])
    sigmoid_xent_grad(op, (outs[1], *ins[1:]), outs[1:2])
    if op.total:
        outs[1].sum(0, out=outs[2])


def _crossed(z: Array, targets: Arrays) -> Array:
    """sum(z t) of each row; NaN where an index is outside."""
    if len(targets) == 1:
        return np.asarray(np.where(targets[0] == 0, 0, z * targets[0]).sum(-1))
    rows, columns, values = _stored(targets, z.shape[1])
    made = np.zeros(len(z), z.dtype)
    np.add.at(made, rows, np.where(values == 0, 0, z[rows, columns] * values))
    all_rows, at = elements(targets[0], len(targets[1]))
    made[all_rows[~inside(targets[1][at], z.shape[1])]] = np.nan
    return made


def _stored(targets: Arrays, cols: int) -> tuple[Array, Array, Array]:
    """Rows, columns and values of the elements whose index is inside."""
    indptr, indices, values = targets
    rows, at = elements(indptr, len(indices))
    good = inside(indices[at], cols)
    return rows[good], indices[at[good]], values[at[good]]
