"""Softmax and cross-entropy: numba for float32, NumPy for the rest."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._rows import divided_call, floats, numba_kernel, numpy_kernel
from sparkdl.kernels.cpu._team import in_parts, shares
from sparkdl.kernels.ref.softmax import outside, targets
from sparkdl.kernels.table import Array, Arrays, Bound, Prepare, Prepared

Arguments = tuple[Any, ...]
_BLOCK = 2048  # elements, as _softmax.py takes them
_KINDS = {"int32": 0, "int64": 1, "float32": 2}  # as _softmax.py numbers them


def _by_rows(function: str, x: Spec, values: Callable[[Arrays, Arrays], Arguments], pair: tuple[int, int]) -> Prepared:
    """A function of _softmax.py, divided by blocks of rows. pair: the output that may lie on an input."""
    rows, cols = _rows_of(x)
    grain = max(1, _BLOCK // max(cols, 1))
    parts = shares(rows, 2 * x.size, grain)

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return divided_call("softmax", function, rows, parts, *values(i, o), grain=grain)

    return Prepared(bind, inplace=(pair,), detail=function + in_parts(parts))


def _plain(function: str) -> Prepare:
    """softmax or log_softmax of rows."""

    def prepare(op: Any, ins: Specs, outs: Specs) -> Prepared:
        return _by_rows(function, ins[0], lambda i, o: (i[0], o[0], *_rows_of(ins[0])), (0, 0))

    return prepare


for _name in ("softmax", "log_softmax"):
    numba_kernel(_name, floats)(_plain(_name))


@numba_kernel("softmax_xent", floats)
def _xent(op: Any, ins: Specs, outs: Specs) -> Prepared:
    sizes = (*ins[0].shape, _KINDS[ins[1].dtype])
    return _by_rows("softmax_xent", ins[0], lambda i, o: (i[0], i[1], 0, *o, *sizes), (1, 0))


@numba_kernel("softmax_xent_both", floats)
def _both(op: Any, ins: Specs, outs: Specs) -> Prepared:
    sizes = (*ins[0].shape, _KINDS[ins[1].dtype])
    return _by_rows("softmax_xent", ins[0], lambda i, o: (*i, *o, *sizes), (1, 0))


@numba_kernel("softmax_xent_grad", floats)
def _grad(op: Any, ins: Specs, outs: Specs) -> Prepared:
    sizes = (*ins[0].shape, _KINDS[ins[1].dtype])
    return _by_rows("softmax_xent_grad", ins[0], lambda i, o: (*i, *o, *sizes), (0, 0))


@numpy_kernel("softmax")
def softmax(op: Any, ins: Arrays, outs: Arrays) -> None:
    """exp(x - max) over its sum, in the output."""
    y = outs[0]
    np.subtract(ins[0], _top(ins[0]), out=y)
    np.exp(y, out=y)
    y /= y.sum(-1, keepdims=True)


@numpy_kernel("log_softmax")
def log_softmax(op: Any, ins: Arrays, outs: Arrays) -> None:
    """x - max - log(sum(exp(x - max))), in the output."""
    y = outs[0]
    np.subtract(ins[0], _top(ins[0]), out=y)
    y -= np.log(np.exp(y).sum(-1, keepdims=True))


@numpy_kernel("softmax_xent")
def softmax_xent(op: Any, ins: Arrays, outs: Arrays) -> None:
    """Loss from the shifted logits, then the probabilities over them."""
    (logits, labels), (loss, y) = ins, outs
    np.subtract(logits, _top(logits), out=y)
    t = targets(labels, y.shape[1]).astype(y.dtype)
    picked = np.where(t == 0, 0, t * y).sum(-1)
    np.exp(y, out=y)
    s = y.sum(-1)
    np.subtract(t.sum(-1) * np.log(s), picked, out=loss)
    loss[outside(labels, y.shape[1])] = np.nan
    y /= s[:, None]


@numpy_kernel("softmax_xent_grad")
def softmax_xent_grad(op: Any, ins: Arrays, outs: Arrays) -> None:
    """g (p sum(t) - t)."""
    (probs, labels, g), y = ins, outs[0]
    t = targets(labels, y.shape[1]).astype(y.dtype)
    np.multiply(probs, t.sum(-1, keepdims=True), out=y)
    y -= t
    y *= g[:, None]
    y[outside(labels, y.shape[1])] = 0


@numpy_kernel("softmax_xent_both")
def softmax_xent_both(op: Any, ins: Arrays, outs: Arrays) -> None:
    """The probabilities, then the gradient over them."""
    logits, labels, g = ins
    softmax_xent(op, (logits, labels), outs)
    softmax_xent_grad(op, (outs[1], labels, g), outs[1:])


def _rows_of(x: Spec) -> tuple[int, int]:
    return math.prod(x.shape[:-1]), x.shape[-1]


def _top(x: Array) -> Array:
    return np.asarray(x.max(-1, keepdims=True, initial=-np.inf))
