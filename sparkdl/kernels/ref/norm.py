"""The oracle's batch normalisation, in float64."""

from typing import Any

import numpy as np

from sparkdl.kernels.ref.matmul import activated, wide
from sparkdl.kernels.table import Array, kernel, rowwise


def batch_norm(op: Any, x: Array, gamma: Array, beta: Array) -> tuple[Array, Array, Array]:
    """x (..., C), gamma (C,), beta (C,) -> y, mean (C,), variance (C,)."""
    x64, axes = wide(x), tuple(range(x.ndim - 1))
    mean, variance = x64.mean(axes), x64.var(axes)
    return wide(gamma) * (x64 - mean) / np.sqrt(variance + op.eps) + wide(beta), mean, variance


def batch_norm_relu(op: Any, x: Array, gamma: Array, beta: Array, *shortcut: Array) -> tuple[Array, Array, Array]:
    """relu of y, or of the sum of y and the shortcut."""
    y, mean, variance = batch_norm(op, x, gamma, beta)
    return activated(sum(map(wide, shortcut), y), "relu"), mean, variance


def batch_norm_grad(
    op: Any, g: Array, x: Array, gamma: Array, mean: Array, variance: Array
) -> tuple[Array, Array, Array]:
    """g, x (..., C), gamma, mean, variance (C,) -> dx, dgamma, dbeta."""
    g64, scale = wide(g), 1.0 / np.sqrt(wide(variance) + op.eps)
    z = (wide(x) - wide(mean)) * scale
    axes = tuple(range(x.ndim - 1))
    dgamma, dbeta, count = (g64 * z).sum(axes), g64.sum(axes), g.size // g.shape[-1]
    return wide(gamma) * scale * (g64 - dbeta / count - z * dgamma / count), dgamma, dbeta


for function in (batch_norm, batch_norm_relu, batch_norm_grad):
    kernel(function.__name__, "ref")(rowwise(function))
