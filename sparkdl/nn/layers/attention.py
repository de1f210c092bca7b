"""Attention between sequences."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from sparkdl.base.checks import BelowOne, Count, Flag, Int
from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.attention import attention
from sparkdl.nd.ops.batched import batch_matmul
from sparkdl.nd.ops.choice import where
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.random import dropout
from sparkdl.nd.ops.shape import broadcast_to, reshape, transpose
from sparkdl.nd.ops.softmax import softmax
from sparkdl.nn.init import GlorotUniform, InitializerField, Zeros
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.params import ParamSpec
from sparkdl.nn.penalties import PenaltyField


@layer
class MultiHeadAttention(Layer):
    """Attention of query (B, T, C) to value (B, S, C') and key (B, S, C''), by default the value: (B, T, C).

    Called with (query, value) or (query, value, key). Each of `num_heads` heads projects query and key to `key_dim`,
    the value to `value_dim` (key_dim by default): softmax(q k' / sqrt(key_dim)) v; the heads are joined and projected
    to the query's length. `dropout` drops probabilities in training. `use_causal_mask`, which Keras takes when the
    layer is called: no query sees what comes after it. Vaswani et al., arXiv 1706.03762.
    """

    arity: ClassVar[int | None] = None

    num_heads: Count
    key_dim: Count
    value_dim: Count | None = None
    dropout: BelowOne = 0.0
    use_bias: Flag = True
    kernel_initializer: InitializerField = GlorotUniform()
    bias_initializer: InitializerField = Zeros()
    kernel_regularizer: PenaltyField | None = None
    bias_regularizer: PenaltyField | None = None
    seed: Int | None = None
    use_causal_mask: Flag = False

    def params(self, *xs: Spec) -> dict[str, ParamSpec]:
        query, value, key = _three(tuple(x.shape for x in xs))
        heads, values = self.num_heads, self.value_dim or self.key_dim
        parts = (("query", query, self.key_dim), ("key", key, self.key_dim), ("value", value, values))
        made: dict[str, ParamSpec] = {}
        for name, shape, length in parts:
            made |= self._projection(name, (shape[-1], heads, length), (heads, length))
        return made | self._projection("output", (heads, values, query[-1]), query[-1:])

    def _projection(self, name: str, kernel: tuple[int, ...], bias: tuple[int, ...]) -> dict[str, ParamSpec]:
        made = {f"{name}_kernel": ParamSpec(kernel, self.kernel_initializer, regularizer=self.kernel_regularizer)}
        if self.use_bias:
            made[f"{name}_bias"] = ParamSpec(bias, self.bias_initializer, regularizer=self.bias_regularizer)
        return made

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        query, value, key = _three(xs)
        lengths = {"query": self.key_dim, "key": self.key_dim, "value": self.value_dim or self.key_dim}
        q, k, v = (
            _projected(x, p, name, (self.num_heads, lengths[name]))
            for name, x in (("query", query), ("key", key), ("value", value))
        )
        dropping = ctx.training and self.dropout > 0
        y = self._dropped(q, k, v, ctx) if dropping else attention(q, k, v, causal=self.use_causal_mask)
        *lead, heads, length = y.spec.shape
        return _projected(reshape(y, (*lead, heads * length)), p, "output", query.spec.shape[-1:])

    def _dropped(self, q: Any, k: Any, v: Any, ctx: Ctx) -> Any:
        """The same, step by step, with probabilities dropped."""
        q, k, v = (transpose(x, (0, 2, 1, 3)) for x in (q, k, v))  # (B, H, time, length)
        scores = batch_matmul(q, k, tb=True) * self.key_dim**-0.5
        if self.use_causal_mask:
            seen = NDArray(np.tril(np.ones((1, 1, *scores.spec.shape[-2:]), bool)))
            scores = where(broadcast_to(seen, scores.spec.shape), scores, -np.inf)
        stream = ctx.key_for(ctx.scope if self.seed is None else f"{ctx.scope}/{self.seed}")
        p = dropout(softmax(scores), ctx.ids, stream, self.dropout)
        return transpose(batch_matmul(p, v), (0, 2, 1, 3))


def _three(given: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """(query, value, key) of what the layer is called with: specs, shapes or values."""
    shapes = [x if isinstance(x, tuple) else x.spec.shape for x in given]
    if len(given) not in (2, 3):
        raise ShapeError("is called with (query, value) or (query, value, key).")
    if any(len(s) != 3 for s in shapes) or len({s[1] for s in shapes[1:]}) != 1:
        raise ShapeError("needs sequences (B, T, C), value and key of one length.")
    return given[0], given[1], given[-1]


def _projected(x: Any, p: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> Any:
    """x (B, T, C) @ kernel (C, *shape) + bias: (B, T, *shape)."""
    *lead, features = x.spec.shape
    y = matmul(reshape(x, (-1, features)), reshape(p[f"{name}_kernel"], (features, -1)))
    if f"{name}_bias" in p:
        y = y + reshape(p[f"{name}_bias"], (-1,))
    return reshape(y, (*lead, *shape))
