"""Recurrent networks over time-major sequences: LSTM, GRU and the plain one, and their gradients.

Each op takes the inputs already multiplied by the kernel, z[t] = x[t] W + b, which one product makes for all steps.
The gradients of W, b and x are those of that product, and a first layer makes none for x. Time comes first, so that the
rows of a step lie together. Steps begin with a state of zeros, at the first step in time or, `backwards`, at the last.

Letters: T time, B batch, H units; s is `gate` (sigmoid), a is `act` (tanh). Blocks of columns are in Keras's order.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec, Specs
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.reduce import sum as sum_
from sparkdl.nd.ops.shape import reshape, view

ACTIVATIONS = ("tanh", "sigmoid", "relu", "elu", "linear")  # those whose slope can be told from their value


@dataclass(frozen=True)
class _Recurrent(Op):
    """What the forward ops share. `blocks`: how many blocks of H columns z has."""

    act: str = "tanh"
    gate: str = "sigmoid"
    backwards: bool = False

    blocks: ClassVar[int] = 1

    def order(self, steps: int) -> range:
        """The time of each step, first to last."""
        return range(steps - 1, -1, -1) if self.backwards else range(steps)

    def lengths(self, z: Spec, u: Spec) -> tuple[int, int, int]:
        """(T, B, H) of z (T,B,blocks*H) and u (H,blocks*H). Raises ShapeError when they do not fit."""
        for name in (self.act, self.gate):
            if name not in ACTIVATIONS:
                raise ShapeError(f"{self.name}: activations must be among {', '.join(ACTIVATIONS)}. Got {name!r}.")
        wide = f"{self.blocks}*H" if self.blocks > 1 else "H"
        if len(u.shape) != 2 or u.shape[1] != self.blocks * u.shape[0] or not u.dtype.startswith("float"):
            raise ShapeError(f"{self.name}: u must be floats (H,{wide}). Got {u}.")
        if len(z.shape) != 3 or z.shape[2] != u.shape[1] or z.dtype != u.dtype or z.size == 0:
            due = f"{u.dtype}[T,B,{u.shape[1]}]"
            raise ShapeError(f"{self.name}: z must be {due} for u {u}, with one step and one row or more. Got {z}.")
        return z.shape[0], z.shape[1], u.shape[0]


@dataclass(frozen=True)
class _Back(_Recurrent):
    """What the gradients share. The gradient of the last state (B,H) and of all states (T,B,H) follow the other inputs,
    as far as `last` and `each` say that there are such."""

    last: bool = False
    each: bool = True

    def check(self, states: Spec, given: Specs, **saved: tuple[Spec, Spec]) -> None:
        """Raises ShapeError unless the saved arrays (got, due) and the gradients are as the forward op made them."""
        due = [Spec(states.shape[1:], states.dtype)] * self.last + [states] * self.each
        for name, (found, as_made) in saved.items():
            if found != as_made:
                raise ShapeError(f"{self.name}: {name} must be {as_made}. Got {found}.")
        if list(given) != due or not due:
            wanted, got = (" and ".join(map(str, specs)) for specs in (due, given))
            raise ShapeError(f"{self.name}: gradients must be {wanted or 'one or two'}. Got {got or 'none'}.")


@op("lstm")
class Lstm(_Recurrent):
    """z (T,B,4H), u (H,4H) -> last h (B,H), all h (T,B,H), all c (T,B,H), all gates (T,B,4H).

    i, f, g, o = s(z_i), s(z_f), a(z_c), s(z_o) of z[t] + h u; c = f c + i g; h = o a(c).
    Hochreiter & Schmidhuber 1997; forget gate by Gers et al. 2000; blocks i f c o.
    """

    blocks: ClassVar[int] = 4

    def infer(self, *ins: Spec) -> Specs:
        t, b, h = self.lengths(*ins)
        kept = Spec((t, b, h), ins[0].dtype)
        return Spec((b, h), ins[0].dtype), kept, kept, ins[0]

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (_, hs, cs, gates), u = outs, ins[1]
        dz = apply(LstmGrad(*_how(self, grads)), gates, cs, u, *_given(self, grads))
        return dz, _recurrent_slope(self, hs, dz)


@op("lstm_grad")
class LstmGrad(_Back):
    """gates (T,B,4H), c (T,B,H), u (H,4H), gradients of h -> dz (T,B,4H)."""

    blocks: ClassVar[int] = 4

    def infer(self, *ins: Spec) -> Spec:
        gates, cs, u, *given = ins
        states = Spec(self.lengths(gates, u), u.dtype)
        self.check(states, tuple(given), c=(cs, states))
        return gates


@op("gru")
class Gru(_Recurrent):
    """z (T,B,3H), u (H,3H), v (3H,) -> last h (B,H), all h (T,B,H), all n (T,B,H), all gates (T,B,3H).

    With q = h u + v: k, r = s(z_z + q_z), s(z_r + q_r); n = q_h; g = a(z_h + r n); h = k h + (1 - k) g.
    Cho et al. 2014, the reset after the product (cuDNN's form, `reset_after=True` in Keras, the only one of PyTorch);
    blocks z r h.
    """

    blocks: ClassVar[int] = 3

    def infer(self, *ins: Spec) -> Specs:
        z, u, v = ins
        t, b, h = self.lengths(z, u)
        if v != Spec((3 * h,), u.dtype):
            raise ShapeError(f"gru: v must be {Spec((3 * h,), u.dtype)} for u {u}. Got {v}.")
        kept = Spec((t, b, h), z.dtype)
        return Spec((b, h), z.dtype), kept, kept, z

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (_, hs, ns, gates), u = outs, ins[1]
        dz, dq = apply(GruGrad(*_how(self, grads)), gates, ns, hs, u, *_given(self, grads))
        return dz, _recurrent_slope(self, hs, dq), sum_(dq, (0, 1))


@op("gru_grad")
class GruGrad(_Back):
    """gates (T,B,3H), n (T,B,H), h (T,B,H), u (H,3H), gradients of h -> dz, dq (T,B,3H): they differ in block h."""

    blocks: ClassVar[int] = 3

    def infer(self, *ins: Spec) -> Specs:
        gates, ns, hs, u, *given = ins
        states = Spec(self.lengths(gates, u), u.dtype)
        self.check(states, tuple(given), n=(ns, states), h=(hs, states))
        return gates, gates


@op("simple_rnn")
class SimpleRnn(_Recurrent):
    """z (T,B,H), u (H,H) -> last h (B,H), all h (T,B,H).   h = a(z[t] + h u). Elman 1990."""

    def infer(self, *ins: Spec) -> Specs:
        _, b, h = self.lengths(*ins)
        return Spec((b, h), ins[0].dtype), ins[0]

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        dz = apply(SimpleRnnGrad(*_how(self, grads)), outs[1], ins[1], *_given(self, grads))
        return dz, _recurrent_slope(self, outs[1], dz)


@op("simple_rnn_grad")
class SimpleRnnGrad(_Back):
    """h (T,B,H), u (H,H), gradients of h -> dz (T,B,H)."""

    def infer(self, *ins: Spec) -> Spec:
        hs, u, *given = ins
        self.lengths(hs, u)
        self.check(hs, tuple(given))
        return hs


def lstm(z: Any, u: Any, act: str = "tanh", gate: str = "sigmoid", backwards: bool = False) -> tuple[Any, Any]:
    """(last state (B,H), all states (T,B,H)) of an LSTM with z (T,B,4H) and recurrent kernel u (H,4H).

    >>> from sparkdl.nd.array import NDArray
    >>> import numpy as np
    >>> lstm(NDArray(np.ones((2, 1, 4), "f")), NDArray(np.zeros((1, 4), "f")))[0].shape
    (1, 1)
    """
    last, hs, _, _ = apply(Lstm(act, gate, backwards), z, u)
    return last, hs


def gru(z: Any, u: Any, v: Any, act: str = "tanh", gate: str = "sigmoid", backwards: bool = False) -> tuple[Any, Any]:
    """(last state (B,H), all states (T,B,H)) of a GRU with z (T,B,3H), recurrent kernel u (H,3H) and bias v (3H,)."""
    last, hs, _, _ = apply(Gru(act, gate, backwards), z, u, v)
    return last, hs


def simple_rnn(z: Any, u: Any, act: str = "tanh", backwards: bool = False) -> tuple[Any, Any]:
    """(last state (B,H), all states (T,B,H)) of the plain recurrence with z (T,B,H) and recurrent kernel u (H,H)."""
    last, hs = apply(SimpleRnn(act, backwards=backwards), z, u)
    return last, hs


def _how(op: _Recurrent, grads: tuple[Any, ...]) -> tuple[str, str, bool, bool, bool]:
    """The fields of the gradient op."""
    return op.act, op.gate, op.backwards, grads[0] is not None, grads[1] is not None


def _given(op: _Recurrent, grads: tuple[Any, ...]) -> list[Any]:
    """The gradients there are. Raises TypeError when one comes by what is kept for the gradient alone."""
    if any(g is not None for g in grads[2:]):
        raise TypeError(f"{op.name}: gradients flow through the states h only, not through cells or gates")
    return [g for g in grads[:2] if g is not None]


def _recurrent_slope(op: _Recurrent, hs: Any, dz: Any) -> Any:
    """du (H,blocks*H): the sum over all steps but the first of h before the step, transposed, times dz; one product."""
    (t, b, h), wide = hs.spec.shape, dz.spec.shape[2]
    before, after = (1, 0) if op.backwards else (0, 1)
    rows = (t - 1) * b
    left = view(reshape(hs, (-1,)), before * b * h, (rows, h))
    return matmul(left, view(reshape(dz, (-1,)), after * b * wide, (rows, wide)), ta=True)
