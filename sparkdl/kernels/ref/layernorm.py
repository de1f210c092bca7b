"""The oracle's layer and group normalisation, in float64."""

from typing import Any

import numpy as np

from sparkdl.kernels.ref.matmul import wide
from sparkdl.kernels.table import Array, Arrays, kernel, rowwise


def layer_norm(op: Any, x: Array, gamma: Array, beta: Array) -> Arrays:
    """x (..., C) -> y, mean (...,), 1 / sqrt(variance + eps) (...,)."""
    x64 = wide(x)
    mean, rstd = x64.mean(-1), 1.0 / np.sqrt(x64.var(-1) + op.eps)
    return wide(gamma) * (x64 - mean[..., None]) * rstd[..., None] + wide(beta), mean, rstd


def layer_norm_grad(op: Any, g: Array, x: Array, gamma: Array, mean: Array, rstd: Array) -> Arrays:
    """dx (..., C), dgamma (C,), dbeta (C,)."""
    g64, r = wide(g), wide(rstd)[..., None]
    z, scaled = (wide(x) - wide(mean)[..., None]) * r, g64 * wide(gamma)
    dx = r * (scaled - scaled.mean(-1, keepdims=True) - z * (scaled * z).mean(-1, keepdims=True))
    axes = tuple(range(x.ndim - 1))
    return dx, (g64 * z).sum(axes), g64.sum(axes)


def layer_norm_residual(op: Any, a: Array, b: Array, gamma: Array, beta: Array) -> Arrays:
    """The sum, and its layer_norm."""
    s = wide(a) + wide(b)
    y, mean, rstd = layer_norm(op, s, gamma, beta)
    return s, y, mean, rstd


def group_norm(op: Any, x: Array, gamma: Array, beta: Array) -> Arrays:
    """x (B, ..., C) -> y, mean (B, G), 1 / sqrt(variance + eps) (B, G)."""
    split = _split(op, wide(x))
    mean, rstd = split.mean((1, 3)), 1.0 / np.sqrt(split.var((1, 3)) + op.eps)
    z = (split - mean[:, None, :, None]) * rstd[:, None, :, None]
    return wide(gamma) * z.reshape(x.shape) + wide(beta), mean, rstd


def group_norm_grad(op: Any, g: Array, x: Array, gamma: Array, mean: Array, rstd: Array) -> Arrays:
    """dx (B, ..., C), dgamma (C,), dbeta (C,)."""
    r = wide(rstd)[:, None, :, None]
    z, scaled = (_split(op, wide(x)) - wide(mean)[:, None, :, None]) * r, _split(op, wide(g) * wide(gamma))
    dx = r * (scaled - scaled.mean((1, 3), keepdims=True) - z * (scaled * z).mean((1, 3), keepdims=True))
    axes = tuple(range(x.ndim - 1))
    return dx.reshape(x.shape), (wide(g) * z.reshape(x.shape)).sum(axes), wide(g).sum(axes)


def _split(op: Any, x: Array) -> Array:
    """(B, ..., C) -> (B, P, G, C/G)"""
    return x.reshape(len(x), -1, op.groups, x.shape[-1] // op.groups)


for _fn in (layer_norm, layer_norm_grad, layer_norm_residual, group_norm, group_norm_grad):
    kernel(_fn.__name__, "ref")(rowwise(_fn))
