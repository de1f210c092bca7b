"""The oracle's binary cross-entropy of logits, in float64."""

from typing import Any

import numpy as np

from sparkdl.kernels.ref.matmul import wide
from sparkdl.kernels.ref.sparse import elements
from sparkdl.kernels.table import Array, Arrays, kernel, rowwise


def dense(targets: Arrays, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Targets as one array (B, C), and which rows have an index outside (B,)."""
    if len(targets) == 1:
        return wide(targets[0]), np.zeros(shape[0], bool)
    indptr, indices, values = targets
    t, outside = np.zeros(shape), np.zeros(shape[0], bool)
    for b, k in elements(indptr, len(indices)):
        if 0 <= indices[k] < shape[1]:
            t[b, indices[k]] += values[k]
        else:
            outside[b] = True
    return t, outside


def sigmoid_xent(op: Any, logits: Array, *targets: Array) -> tuple[Array, Array]:
    """Mean loss of each row, and the probabilities."""
    z, (t, outside) = wide(logits), dense(targets, logits.shape)
    loss = (np.maximum(z, 0.0) - np.where(t == 0, 0.0, z * t) + np.log1p(np.exp(-np.abs(z)))).mean(-1)
    return np.where(outside, np.nan, loss), 1.0 / (1.0 + np.exp(-z))


def sigmoid_xent_grad(op: Any, probs: Array, *given: Array) -> Array:
    """g (p - t) / C"""
    t, _ = dense(given[:-1], probs.shape)
    return np.asarray((wide(probs) - t) * wide(given[-1])[:, None] / probs.shape[1])


def sigmoid_xent_both(op: Any, logits: Array, *given: Array) -> Arrays:
    """The two above, one after the other, of the logits with their bias."""
    if op.bias:
        *given, bias = given  # type: ignore[assignment]
        logits = wide(logits) + wide(bias)
    loss, probs = sigmoid_xent(op, logits, *given[:-1])
    dz = sigmoid_xent_grad(op, probs, *given)
    return (loss, dz, dz.sum(0)) if op.total else (loss, dz)


for _fn in (sigmoid_xent, sigmoid_xent_grad, sigmoid_xent_both):
    kernel(_fn.__name__, "ref")(rowwise(_fn))
