"""Softmax and cross-entropy as the formulas say, in float64."""

from typing import Any

import numpy as np

from sparkdl.kernels.ref.elementwise import widened
from sparkdl.kernels.table import Array, kernel, rowwise


def softmax(op: Any, x: Array) -> Array:
    """exp(x) / sum(exp(x)); the shift by the maximum changes nothing but the overflow."""
    x = widened(x)
    e = np.exp(x - x.max(-1, keepdims=True, initial=-np.inf))
    return np.asarray(e / e.sum(-1, keepdims=True))


def log_softmax(op: Any, x: Array) -> Array:
    """x - log(sum(exp(x)))."""
    x = widened(x)
    shifted = x - x.max(-1, keepdims=True, initial=-np.inf)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def targets(labels: Array, classes: int) -> Array:
    """Soft targets (B, C) of either form of labels; an index outside gives a row of zeros."""
    return widened(labels) if labels.dtype.kind == "f" else (labels[:, None] == np.arange(classes)).astype(np.float64)


def outside(labels: Array, classes: int) -> Array:
    """Which rows have an index outside the classes. (B,)"""
    if labels.dtype.kind == "f":
        return np.zeros(len(labels), bool)
    return np.asarray((labels < 0) | (labels >= classes))


def softmax_xent(op: Any, logits: Array, labels: Array) -> tuple[Array, Array]:
    """-sum(t log p), 0 log 0 = 0."""
    t, logs = targets(labels, logits.shape[1]), log_softmax(op, logits)
    loss = -np.where(t == 0, 0.0, t * logs).sum(-1)
    return np.where(outside(labels, logits.shape[1]), np.nan, loss), softmax(op, logits)


def softmax_xent_grad(op: Any, probs: Array, labels: Array, g: Array) -> Array:
    """g (p sum(t) - t); rows with an index outside are zero whatever else is in them."""
    t = targets(labels, probs.shape[1])
    dz = widened(g)[:, None] * (widened(probs) * t.sum(-1, keepdims=True) - t)
    return np.where(outside(labels, probs.shape[1])[:, None], 0.0, dz)


def softmax_xent_both(op: Any, logits: Array, labels: Array, g: Array) -> tuple[Array, Array]:
    """The two above, one after the other."""
    loss, probs = softmax_xent(op, logits, labels)
    return loss, softmax_xent_grad(op, probs, labels, g)


for _fn in (softmax, log_softmax, softmax_xent, softmax_xent_grad, softmax_xent_both):
    kernel(_fn.__name__, "ref")(rowwise(_fn))
