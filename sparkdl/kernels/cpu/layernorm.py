"""Layer and group normalisation: numba for float32, NumPy for the rest."""

import math
from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._rows import added, calls, divided_call, floats, numba_kernel
from sparkdl.kernels.cpu._team import in_parts, shares
from sparkdl.kernels.table import Array, Arrays, Bound, Prepared, Rows, kernel, rowwise


@numba_kernel("layer_norm", floats)
def _layer(op: Any, ins: Specs, outs: Specs) -> Prepared:
    rows, cols = _rows_of(ins[0])
    parts = shares(rows, 2 * ins[0].size)

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        values = (i[0], 0, *i[1:], o[0], 0, *o[1:], rows, cols, float(op.eps))
        return divided_call("layernorm", "layer_norm", rows, parts, *values)

    return Prepared(bind, inplace=((0, 0),), detail="layer_norm" + in_parts(parts))


@numba_kernel("layer_norm_residual", floats)
def _residual(op: Any, ins: Specs, outs: Specs) -> Prepared:
    rows, cols = _rows_of(ins[0])
    parts = shares(rows, 4 * ins[0].size)

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        values = (*i, o[1], o[0], *o[2:], rows, cols, float(op.eps))
        return divided_call("layernorm", "layer_norm", rows, parts, *values)

    return Prepared(bind, inplace=((0, 0),), detail="layer_norm" + in_parts(parts))


@numba_kernel("layer_norm_grad", floats)
def _layer_grad(op: Any, ins: Specs, outs: Specs) -> Prepared:
    rows, cols = _rows_of(ins[0])
    parts = shares(rows, 3 * ins[0].size)

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return _summed("layer_norm_grad", rows, parts, i, o, scratch, rows, cols)

    return Prepared(bind, _scratch(parts, 2, cols), inplace=((0, 0),), detail="layer_norm_grad" + in_parts(parts))


@numba_kernel("group_norm", floats)
def _group(op: Any, ins: Specs, outs: Specs) -> Prepared:
    sizes = _examples(ins[0])
    parts = shares(sizes[0], 4 * ins[0].size)

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        values = (*i, *o, *scratch, *sizes, op.groups, float(op.eps))
        return divided_call("layernorm", "group_norm", sizes[0], parts, *values)

    return Prepared(bind, (Spec((3 * parts, sizes[2])),), detail="group_norm" + in_parts(parts))


@numba_kernel("group_norm_grad", floats)
def _group_grad(op: Any, ins: Specs, outs: Specs) -> Prepared:
    sizes = _examples(ins[0])
    parts = shares(sizes[0], 5 * ins[0].size)

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return _summed("group_norm_grad", sizes[0], parts, i, o, scratch, *sizes, op.groups)

    return Prepared(bind, _scratch(parts, 5, sizes[2]), detail="group_norm_grad" + in_parts(parts))


def _scratch(parts: int, each: int, cols: int) -> Specs:
    """A gradient's own rows for each part; where there are several, also their dgamma and dbeta."""
    own = Spec((each * parts, cols))
    return (own,) if parts == 1 else (own, Spec((parts, cols)), Spec((parts, cols)))


def _summed(function: str, units: int, parts: int, i: Arrays, o: Arrays, scratch: Arrays, *sizes: int) -> Rows:
    """A gradient: dx, and the sums dgamma and dbeta; those of several parts are added in order."""
    if parts == 1:
        return divided_call("layernorm", function, units, parts, *i, *o, *scratch, *sizes)
    own, *sums = scratch
    made = divided_call("layernorm", function, units, parts, *i, o[0], *sums, own, *sizes)
    return calls(made, *(added(s, own, y, parts) for s, y in zip(sums, o[1:], strict=True)))


def _rows_of(x: Spec) -> tuple[int, int]:
    return math.prod(x.shape[:-1]), x.shape[-1]


def _examples(x: Spec) -> tuple[int, int, int]:
    """(B, ..., C) as B, P, C."""
    return x.shape[0], math.prod(x.shape[1:-1]), x.shape[-1]


def layer_norm(op: Any, x: Array, gamma: Array, beta: Array) -> Arrays:
    """layer_norm for any dtype."""
    mean = x.mean(-1)
    y = x - mean[..., None]
    rstd = 1 / np.sqrt(np.square(y).mean(-1) + x.dtype.type(op.eps))
    y *= rstd[..., None]
    y *= gamma
    y += beta
    return y, mean, rstd


def layer_norm_residual(op: Any, a: Array, b: Array, gamma: Array, beta: Array) -> Arrays:
    """The sum, and its layer_norm."""
    s = a + b
    y, mean, rstd = layer_norm(op, s, gamma, beta)
    return s, y, mean, rstd


def layer_norm_grad(op: Any, g: Array, x: Array, gamma: Array, mean: Array, rstd: Array) -> Arrays:
    """layer_norm_grad for any dtype."""
    z, dx = (x - mean[..., None]) * rstd[..., None], g * gamma
    axes = tuple(range(x.ndim - 1))
    dgamma, dbeta = (g * z).sum(axes), g.sum(axes)
    z *= (dx * z).mean(-1, keepdims=True)
    dx -= dx.mean(-1, keepdims=True)
    dx -= z
    dx *= rstd[..., None]
    return dx, dgamma, dbeta


def group_norm(op: Any, x: Array, gamma: Array, beta: Array) -> Arrays:
    """group_norm for any dtype."""
    split = _split(op, x)
    mean = split.mean((1, 3))
    y = split - mean[:, None, :, None]
    rstd = 1 / np.sqrt(np.square(y).mean((1, 3)) + x.dtype.type(op.eps))
    y *= rstd[:, None, :, None]
    return y.reshape(x.shape) * gamma + beta, mean, rstd


def group_norm_grad(op: Any, g: Array, x: Array, gamma: Array, mean: Array, rstd: Array) -> Arrays:
    """group_norm_grad for any dtype."""
    r = rstd[:, None, :, None]
    z, dx = (_split(op, x) - mean[:, None, :, None]) * r, _split(op, g * gamma)
    axes = tuple(range(x.ndim - 1))
    dgamma, dbeta = (g * z.reshape(x.shape)).sum(axes), g.sum(axes)
    z *= (dx * z).mean((1, 3), keepdims=True)
    dx = (dx - dx.mean((1, 3), keepdims=True) - z) * r
    return dx.reshape(x.shape), dgamma, dbeta


def _split(op: Any, x: Array) -> Array:
    """(B, ..., C) -> (B, P, G, C/G)"""
    return x.reshape(len(x), -1, op.groups, x.shape[-1] // op.groups)


for _fn in (layer_norm, layer_norm_residual, layer_norm_grad, group_norm, group_norm_grad):
    kernel(_fn.__name__, "numpy")(rowwise(_fn))
