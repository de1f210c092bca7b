"""Scaled dot-product attention and its gradient. Vaswani et al., arXiv 1706.03762.

Letters: B batch, T queries, S keys, H heads, D length of queries and keys, E length of values. Heads are the last axis
but one, as a projection leaves them: nothing is transposed in memory.
"""

from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec, Specs
from sparkdl.nd.op import Op, apply, op


@op("attention")
class Attention(Op):
    """q (B,T,H,D), k (B,S,H,D), v (B,S,H,E), and bool mask (B,T,S) or none -> y (B,T,H,E), p (B,H,T,S).

    p = softmax(scale q k') over the keys that are seen: where the mask is true, and with `causal` those before or at
    the query (s <= t). y = p v. A query that sees no key has p = 0, y = 0.
    """

    scale: float = 1.0
    causal: bool = False

    def infer(self, *ins: Spec) -> Specs:
        q, k, v = ins[:3]
        (b, t, h, _), (_, s, _, _) = _checked(self.name, q, k, v)
        if len(ins) == 4 and ins[3] != Spec((b, t, s), "bool"):
            raise ShapeError(f"{self.name}: mask must be {Spec((b, t, s), 'bool')}. Got {ins[3]}.")
        return Spec((b, t, h, v.shape[3]), q.dtype), Spec((b, h, t, s), q.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        g, g_p = grads
        q, k, v = ins[:3]
        if g_p is not None:
            raise TypeError("attention has no gradient by its probabilities")
        return (*attention_grad(g, q, k, v, outs[1], self.scale), *(None for _ in ins[3:]))


@op("attention_grad")
class AttentionGrad(Op):
    """g (B,T,H,E), q (B,T,H,D), k (B,S,H,D), v (B,S,H,E), p (B,H,T,S) -> dq, dk, dv, as q, k, v.

    dv = p' g; with ds = scale p (g v' - sum over s of p (g v')): dq = ds k, dk = ds' q.
    """

    scale: float = 1.0

    def infer(self, *ins: Spec) -> Specs:
        g, q, k, v, p = ins
        (b, t, h, _), (_, s, _, e) = _checked(self.name, q, k, v)
        for name, spec, due in (("g", g, (b, t, h, e)), ("p", p, (b, h, t, s))):
            if spec != Spec(due, q.dtype):
                raise ShapeError(f"{self.name}: {name} must be {Spec(due, q.dtype)}. Got {spec}.")
        return q, k, v


def attention(q: Any, k: Any, v: Any, mask: Any = None, scale: float | None = None, causal: bool = False) -> Any:
    """Attention of queries (B,T,H,D) to keys (B,S,H,D) with values (B,S,H,E): (B,T,H,E).

    mask: bool (B,T,S), true where a key is seen. scale: 1 / sqrt(D) by default. causal: no key after the query.

    >>> from sparkdl.nd.creation import ones
    >>> attention(ones((1, 2, 1, 4)), ones((1, 3, 1, 4)), ones((1, 3, 1, 2))).shape
    (1, 2, 1, 2)
    """
    factor = q.spec.shape[-1] ** -0.5 if scale is None else scale
    return apply(Attention(factor, causal), q, k, v, *(() if mask is None else (mask,)))[0]


def attention_grad(g: Any, q: Any, k: Any, v: Any, p: Any, scale: float) -> tuple[Any, Any, Any]:
    """Gradients of `attention` in q, k and v, given that of y and the probabilities."""
    dq, dk, dv = apply(AttentionGrad(scale), g, q, k, v, p)
    return dq, dk, dv


def _checked(who: str, q: Spec, k: Spec, v: Spec) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shapes of q and v. Raises ShapeError when the three do not fit, or are empty."""
    said = f"Got {q}, {k} and {v}."
    if any(len(x.shape) != 4 or x.dtype != q.dtype or x.size == 0 for x in (q, k, v)):
        raise ShapeError(f"{who}: q, k and v must be (batch, time, heads, length), of one dtype, not empty. {said}")
    (b, _, h, d), (_, s, _, _) = q.shape, k.shape
    if k.shape != (b, s, h, d) or v.shape[:3] != (b, s, h) or not q.dtype.startswith("float"):
        raise ShapeError(
            f"{who}: q, k and v must be floats alike in batch and heads, k and v in time, q and k in length. {said}"
        )
    return q.shape, v.shape
