"""Attention and products of many matrices: oneDNN for float32, BLAS through NumPy for the rest.

oneDNN reads and writes heads where they lie, by strides, all at once; the softmax between two products is a numba row.
The gradient of short heads goes head by head in numba, and keeps ds in cache from product to product.
"""

import math
from functools import partial
from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._calls import in_order
from sparkdl.kernels.cpu._onednn_objects import Layout, choose, plain
from sparkdl.kernels.cpu._onednn_recipe import (
    DST,
    INS,
    OUTS,
    SRC,
    WEIGHTS,
    Recipe,
    Row,
    Slot,
    float32,
    nonempty,
)
from sparkdl.kernels.cpu._rows import compiled, divided_call, numba_kernel, numpy_kernel
from sparkdl.kernels.cpu._team import in_parts, shared, shares
from sparkdl.kernels.table import Array, Arrays, Bound, Prepared, kernel

_BLOCK = 2048  # elements, as _attention.py takes them


@kernel("batch_matmul", "onednn", when=float32)
def batch_matmul(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """(..., M, K) x (..., K, N) -> (..., M, N); a transposed operand is the same memory with other strides."""
    nonempty(*ins, *outs)
    (m, n), k = outs[0].shape[-2:], ins[0].shape[-2 if op.ta else -1]
    count = math.prod(outs[0].shape[:-2])
    a = plain((count, m, k), (m * k, 1, m) if op.ta else (m * k, k, 1))
    b = plain((count, k, n), (k * n, 1, k) if op.tb else (k * n, n, 1))
    recipe = Recipe()
    _product(recipe, Slot(INS, 0, a), Slot(INS, 1, b), Slot(OUTS, 0, plain((count, m, n))))
    return recipe.prepared()


@kernel("batch_matmul", "numpy")
def batch_matmul_numpy(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """The same by BLAS, matrix by matrix."""

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        a, b = i[0].swapaxes(-1, -2) if op.ta else i[0], i[1].swapaxes(-1, -2) if op.tb else i[1]
        return in_order([partial(np.matmul, a, b, out=o[0])])

    return Prepared(bind, detail="np.matmul")


def _attends(op: Any, ins: Specs) -> bool:
    return all(s.dtype == "float32" for s in ins[:3]) and all(s.dtype == "bool" for s in ins[3:4])


def _short(op: Any, ins: Specs) -> bool:
    """Where the gradient goes head by head: heads are short, of lengths that are multiples of 8.

    Time against oneDNN's, B T H D: 32 64 4 32 0.85, 16 200 4 32 0.76, 64 16 4 16 0.77, 8 64 16 8 0.66, 32 10 2 8 0.56;
    8 128 8 64 1.05, 2 512 8 64 0.97, 1 1024 4 64 1.00. Under AVX2: 32 64 4 32 0.98. The forward pass gains nothing:
    1.02, 1.00, 0.97, 0.91, 0.90; 1.15, 1.07, 1.04. Zen 4, one thread, medians of alternated runs, some beside other
    work (2026-11-24).
    """
    d, e = ins[1].shape[3], ins[3].shape[3]
    return float32(op, ins) and d % 8 == e % 8 == 0 and d + e <= 64


@numba_kernel("attention_grad", _short, first=True)
def attention_grad_by_heads(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """Head by head, some queries at a time; each part has room of its own."""
    (b, t, h, d), (_, s, _, e) = ins[1].shape, ins[3].shape
    step, parts = _step(t, s), shares(b * h, sum(x.size for x in (*ins, *outs)))
    room = _panels(e, s), _panels(s, d), _panels(step, e), _panels(step, d), step * _up(s, 8)

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        values = (*i, *o, *scratch, *(4 * n for n in room), h, t, s, d, e, step, float(op.scale))
        return divided_call("heads", "attention_grad", b * h, parts, *values)

    scratch = tuple(Spec((parts, n)) for n in room)
    return Prepared(bind, scratch, detail=f"by heads, {step} queries" + in_parts(parts))


def _step(queries: int, keys: int) -> int:
    """How many queries at a time: their scores fill some 16 KB, half of a first-level cache; all parts alike."""
    parts = math.ceil(queries / max(24, 4096 // keys))
    return math.ceil(queries / parts)


def _panels(rows: int, cols: int) -> int:
    """Room for a packed matrix, in elements."""
    return rows * _up(cols, 16)


def _up(n: int, to: int) -> int:
    return math.ceil(n / to) * to


@kernel("attention", "onednn", when=_attends)
def attention(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """q k' -> scores, softmax in place, p v."""
    q, k, v, p = ins[0], ins[1], ins[2], outs[1]
    recipe, scores = Recipe(), Slot(OUTS, 1, plain(p.shape))
    _product(recipe, Slot(INS, 0, _heads(q)), Slot(INS, 1, _heads(k, turned=True)), scores)
    recipe.then("softmax", partial(_softmax_row, op))
    _product(recipe, scores, Slot(INS, 2, _heads(v)), Slot(OUTS, 0, _heads(outs[0])))
    return recipe.prepared()


@kernel("attention_grad", "onednn", when=float32)
def attention_grad(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """g v' -> dp, softmax's gradient in place; three more products."""
    g, q, k, v, p = ins
    recipe, by_key = Recipe(), _transposed(p)
    ds = recipe.buffer(plain(p.shape))
    _product(recipe, Slot(INS, 4, by_key), Slot(INS, 0, _heads(g)), Slot(OUTS, 2, _heads(v)))
    _product(recipe, Slot(INS, 0, _heads(g)), Slot(INS, 3, _heads(v, turned=True)), ds)
    recipe.steps.append(lambda arrays: _grad_row(op, arrays[ds.where][ds.number], arrays[INS][4]))
    recipe.names.append("softmax")
    _product(recipe, ds, Slot(INS, 2, _heads(k)), Slot(OUTS, 0, _heads(q)))
    _product(recipe, ds._replace(layout=by_key), Slot(INS, 1, _heads(q)), Slot(OUTS, 1, _heads(k)))
    return recipe.prepared()


def _product(recipe: Recipe, a: Slot, b: Slot, y: Slot) -> None:
    recipe.run(choose("matmul", a.layout, b.layout, None, y.layout), {SRC: a, WEIGHTS: b, DST: y})


def _heads(x: Spec, turned: bool = False) -> Layout:
    """x (B,T,H,D) in C order seen as (B,H,T,D), or turned as (B,H,D,T)."""
    b, t, h, d = x.shape
    if turned:
        return plain((b, h, d, t), (t * h * d, d, 1, h * d))
    return plain((b, h, t, d), (t * h * d, d, h * d, 1))


def _transposed(p: Spec) -> Layout:
    """p (B,H,T,S) seen as (B,H,S,T)."""
    b, h, t, s = p.shape
    return plain((b, h, s, t), (h * t * s, t * s, 1, s))


def _softmax_row(op: Any, ins: Arrays, outs: Arrays) -> Row:
    mask = ins[3] if len(ins) == 4 else 0
    return _by_rows("softmax", outs[1], outs[1], mask, *outs[1].shape, op.causal, float(op.scale))


def _grad_row(op: Any, ds: Array, p: Array) -> Row:
    sizes = math.prod(p.shape[:-1]), p.shape[-1]
    return _by_rows("softmax_grad", p, ds, p, *sizes, float(op.scale))


def _by_rows(function: str, p: Array, *values: Any) -> Row:
    """A function of _attention.py over the rows of p, divided by its blocks."""
    rows, grain = p.size // p.shape[-1], max(1, _BLOCK // p.shape[-1])
    return shared(compiled("attention", function), rows, shares(rows, 2 * p.size, grain), values, grain)


@numpy_kernel("attention")
def attention_numpy(op: Any, ins: Arrays, outs: Arrays) -> None:
    """Heads are turned to the front by views."""
    q, k, v, (y, p) = *(_turned(x) for x in ins[:3]), outs
    np.matmul(q, k.swapaxes(-1, -2), out=p)
    p *= p.dtype.type(op.scale)
    if len(ins) == 4:
        p[np.broadcast_to(~ins[3][:, None], p.shape)] = -np.inf
    if op.causal:
        p[..., np.triu(np.ones(p.shape[-2:], bool), 1)] = -np.inf
    top = p.max(-1, keepdims=True)
    p -= np.where(top == -np.inf, 0, top)
    np.exp(p, out=p)
    total = p.sum(-1, keepdims=True)
    p /= np.where(total == 0, 1, total)
    np.matmul(p, v, out=_turned(y))


@numpy_kernel("attention_grad")
def attention_grad_numpy(op: Any, ins: Arrays, outs: Arrays) -> None:
    """The same formulas as the gradient's own."""
    g, q, k, v = (_turned(x) for x in ins[:4])
    p, (dq, dk, dv) = ins[4], (_turned(y) for y in outs)
    np.matmul(p.swapaxes(-1, -2), g, out=dv)
    ds = np.matmul(g, v.swapaxes(-1, -2))
    ds -= (ds * p).sum(-1, keepdims=True)
    ds *= p
    ds *= p.dtype.type(op.scale)
    np.matmul(ds, k, out=dq)
    np.matmul(ds.swapaxes(-1, -2), q, out=dk)


def _turned(x: Array) -> Array:
    """(B,T,H,D) -> (B,H,T,D), a view."""
    return x.swapaxes(1, 2)
