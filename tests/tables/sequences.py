"""Oracles of layers over rows and sequences: normalisation within an example, embedding, attention. Plain NumPy."""

import numpy as np


def layer_norm(axes=(-1,), epsilon=1e-3):
    def oracle(p, x, training):
        mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
        shape = [1] * x.ndim
        for a in axes:
            shape[a] = x.shape[a]
        gamma, beta = (np.reshape(p[k], shape) if k in p else d for k, d in (("gamma", 1), ("beta", 0)))
        return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta

    return oracle


def group_norm(groups, axis=-1, epsilon=1e-3):
    def oracle(p, x, training):
        x = np.moveaxis(x, axis, -1)
        y = np.zeros_like(x)
        for b in range(len(x)):
            for part in np.split(np.arange(x.shape[-1]), groups):
                group = x[b, ..., part]
                y[b, ..., part] = (group - group.mean()) / np.sqrt(group.var() + epsilon)
        return np.moveaxis(p.get("gamma", 1) * y + p.get("beta", 0), -1, axis)

    return oracle


def embedding(p, x, training):
    return p["embeddings"][x.astype(int)]


def multi_head(key_dim, causal=False, drop=None):
    """Head by head. drop: what becomes of the probabilities (B, H, T, S)."""

    def oracle(p, query, value, key=None, training=False):
        key = value if key is None else key
        q, k, v = (_projected(p, n, x) for n, x in (("query", query), ("key", key), ("value", value)))
        scores = np.einsum("bthd,bshd->bhts", q, k) / np.sqrt(key_dim)
        if causal:
            scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
        e = np.exp(scores - scores.max(-1, keepdims=True))
        probs = e / e.sum(-1, keepdims=True)
        probs = drop(p, probs, training=training) if drop else probs
        y = np.einsum("bhts,bshd->bthd", probs, v)
        return np.einsum("bthd,hdo->bto", y, p["output_kernel"]) + p.get("output_bias", 0)

    return oracle


def _projected(p, name, x):
    return np.einsum("btc,chd->bthd", x, p[f"{name}_kernel"]) + p.get(f"{name}_bias", 0)


def attention_weights(channels, heads, key_dim, value_dim, bias=True):
    """Names and shapes, for (query, value, key) of those channels."""
    query, value, key = channels
    parts = (("query", query, key_dim), ("key", key, key_dim), ("value", value, value_dim))
    made = []
    for name, size, length in parts:
        made.append((f"{name}_kernel", (size, heads, length)))
        made += [(f"{name}_bias", (heads, length))] if bias else []
    made.append(("output_kernel", (heads, value_dim, query)))
    return tuple(made + ([("output_bias", (query,))] if bias else []))
