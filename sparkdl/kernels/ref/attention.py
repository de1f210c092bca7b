"""The oracle's attention and products of many matrices, in float64."""

from typing import Any

import numpy as np

from sparkdl.kernels.ref.matmul import wide
from sparkdl.kernels.table import Array, kernel, rowwise


def batch_matmul(op: Any, a: Array, b: Array) -> Array:
    """(..., M, K) x (..., K, N) -> (..., M, N)."""
    left, right = wide(a), wide(b)
    return (left.swapaxes(-1, -2) if op.ta else left) @ (right.swapaxes(-1, -2) if op.tb else right)


def seen(op: Any, shape: tuple[int, ...], mask: Array | None) -> Array:
    """Which keys each query sees: bool, to broadcast against scores (B,H,T,S)."""
    t, s = shape[-2:]
    made = np.tril(np.ones((t, s), bool)) if op.causal else np.ones((t, s), bool)
    return np.asarray(made[None, None] if mask is None else made & mask[:, None])


def attention(op: Any, q: Array, k: Array, v: Array, mask: Array | None = None) -> tuple[Array, Array]:
    """y (B,T,H,E) and the probabilities (B,H,T,S)."""
    scores = op.scale * np.einsum("bthd,bshd->bhts", wide(q), wide(k))
    visible = seen(op, scores.shape, mask)
    scores = np.where(visible, scores, -np.inf)
    top = scores.max(-1, keepdims=True)
    e = np.exp(scores - np.where(top == -np.inf, 0.0, top))
    total = e.sum(-1, keepdims=True)
    p = np.where(visible, e / np.where(total == 0.0, 1.0, total), 0.0)
    return np.einsum("bhts,bshe->bthe", p, wide(v)), p


def attention_grad(op: Any, g: Array, q: Array, k: Array, v: Array, p: Array) -> tuple[Array, Array, Array]:
    """dq, dk, dv."""
    g64, p64 = wide(g), wide(p)
    dp = np.einsum("bthe,bshe->bhts", g64, wide(v))
    ds = op.scale * p64 * (dp - (dp * p64).sum(-1, keepdims=True))
    dq, dk = np.einsum("bhts,bshd->bthd", ds, wide(k)), np.einsum("bhts,bthd->bshd", ds, wide(q))
    return dq, dk, np.einsum("bhts,bthe->bshe", p64, g64)


for _fn in (batch_matmul, attention, attention_grad):
    kernel(_fn.__name__, "ref")(rowwise(_fn))
