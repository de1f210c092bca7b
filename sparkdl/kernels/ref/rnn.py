"""The oracle's recurrent networks, in float64, step by step as the formulas stand in nd/ops/rnn.py."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sparkdl.kernels.table import Array, kernel, rowwise

Function = Callable[[Array], Array]


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def _elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


# name: the function, and its slope told from its value
FUNCTIONS: dict[str, tuple[Function, Function]] = {
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "sigmoid": (_sigmoid, lambda y: y * (1 - y)),
    "relu": (lambda x: np.maximum(x, 0), lambda y: (y > 0).astype(y.dtype)),
    "elu": (_elu, lambda y: np.where(y > 0, 1, y + 1).astype(y.dtype)),
    "linear": (lambda x: x, lambda y: np.ones_like(y)),
}


def lstm(op: Any, z: Array, u: Array, dtype: Any = np.float64) -> tuple[Array, ...]:
    """z (T,B,4H), u (H,4H) -> last, all h, all c, gates."""
    (act, _), (gate, _) = FUNCTIONS[op.act], FUNCTIONS[op.gate]
    z, u = z.astype(dtype), u.astype(dtype)
    hs, cs, gates = _states(z, u), _states(z, u), np.empty_like(z)
    h, c = np.zeros_like(hs[0]), np.zeros_like(hs[0])
    for t in op.order(len(z)):
        i, f, g, o = np.split(z[t] + h @ u, 4, -1)
        i, f, g, o = gate(i), gate(f), act(g), gate(o)
        c = f * c + i * g
        h = o * act(c)
        hs[t], cs[t], gates[t] = h, c, np.concatenate((i, f, g, o), -1)
    return h, hs, cs, gates


def lstm_grad(op: Any, gates: Array, cs: Array, u: Array, *given: Array, dtype: Any = np.float64) -> Array:
    """gates (T,B,4H), c (T,B,H), u (H,4H), gradients of h -> dz (T,B,4H)."""
    (act, act_slope), (_, slope) = FUNCTIONS[op.act], FUNCTIONS[op.gate]
    gates, cs, u = gates.astype(dtype), cs.astype(dtype), u.astype(dtype)
    dz, (dh, each) = np.empty_like(gates), _gradients(op, cs, given)
    dc = np.zeros_like(dh)
    times = list(op.order(len(cs)))
    for k in range(len(times) - 1, -1, -1):
        t, before = times[k], cs[times[k - 1]] if k else np.zeros_like(dh)
        (i, f, g, o), tanh_c = np.split(gates[t], 4, -1), act(cs[t])
        dh = dh + each[t]
        dc = dc + dh * o * act_slope(tanh_c)
        parts = dc * g * slope(i), dc * before * slope(f), dc * i * act_slope(g), dh * tanh_c * slope(o)
        dz[t] = np.concatenate(parts, -1)
        dc, dh = dc * f, dz[t] @ u.T
    return dz


def gru(op: Any, z: Array, u: Array, v: Array, dtype: Any = np.float64) -> tuple[Array, ...]:
    """z (T,B,3H), u (H,3H), v (3H,) -> last, all h, all n, gates."""
    (act, _), (gate, _) = FUNCTIONS[op.act], FUNCTIONS[op.gate]
    z, u, v = z.astype(dtype), u.astype(dtype), v.astype(dtype)
    hs, ns, gates = _states(z, u), _states(z, u), np.empty_like(z)
    h = np.zeros_like(hs[0])
    for t in op.order(len(z)):
        (zk, zr, zg), (qk, qr, n) = np.split(z[t], 3, -1), np.split(h @ u + v, 3, -1)
        k, r = gate(zk + qk), gate(zr + qr)
        g = act(zg + r * n)
        h = k * h + (1 - k) * g
        hs[t], ns[t], gates[t] = h, n, np.concatenate((k, r, g), -1)
    return h, hs, ns, gates


def gru_grad(
    op: Any, gates: Array, ns: Array, hs: Array, u: Array, *given: Array, dtype: Any = np.float64
) -> tuple[Array, Array]:
    """gates (T,B,3H), n, h (T,B,H), u (H,3H), gradients of h -> dz, dq (T,B,3H)."""
    (_, act_slope), (_, slope) = FUNCTIONS[op.act], FUNCTIONS[op.gate]
    gates, ns, hs, u = gates.astype(dtype), ns.astype(dtype), hs.astype(dtype), u.astype(dtype)
    dz, dq, (dh, each) = np.empty_like(gates), np.empty_like(gates), _gradients(op, hs, given)
    times = list(op.order(len(hs)))
    for step in range(len(times) - 1, -1, -1):
        t, before = times[step], hs[times[step - 1]] if step else np.zeros_like(dh)
        k, r, g = np.split(gates[t], 3, -1)
        dh = dh + each[t]
        to_g = dh * (1 - k) * act_slope(g)
        to_k, to_r = dh * (before - g) * slope(k), to_g * ns[t] * slope(r)
        dz[t] = np.concatenate((to_k, to_r, to_g), -1)
        dq[t] = np.concatenate((to_k, to_r, to_g * r), -1)
        dh = dh * k + dq[t] @ u.T
    return dz, dq


def simple_rnn(op: Any, z: Array, u: Array, dtype: Any = np.float64) -> tuple[Array, Array]:
    """z (T,B,H), u (H,H) -> last, all h."""
    act, _ = FUNCTIONS[op.act]
    z, u = z.astype(dtype), u.astype(dtype)
    hs = np.empty_like(z)
    h = np.zeros_like(z[0])
    for t in op.order(len(z)):
        h = hs[t] = act(z[t] + h @ u)
    return h, hs


def simple_rnn_grad(op: Any, hs: Array, u: Array, *given: Array, dtype: Any = np.float64) -> Array:
    """h (T,B,H), u (H,H), gradients of h -> dz (T,B,H)."""
    _, slope = FUNCTIONS[op.act]
    hs, u = hs.astype(dtype), u.astype(dtype)
    dz, (dh, each) = np.empty_like(hs), _gradients(op, hs, given)
    for t in reversed(op.order(len(hs))):
        dz[t] = (dh + each[t]) * slope(hs[t])
        dh = dz[t] @ u.T
    return dz


def _states(z: Array, u: Array) -> Array:
    """Room for (T,B,H)."""
    return np.empty((*z.shape[:2], len(u)), z.dtype)


def _gradients(op: Any, states: Array, given: tuple[Array, ...]) -> tuple[Array, Array]:
    """The gradient of the last state (B,H) and of all (T,B,H); zeros where there is none."""
    last = given[0] if op.last else np.zeros_like(states[0])
    return last.astype(states.dtype), given[-1].astype(states.dtype) if op.each else np.zeros_like(states)


for function in (lstm, lstm_grad, gru, gru_grad, simple_rnn, simple_rnn_grad):
    kernel(function.__name__, "ref")(rowwise(function))
