"""Oracles of recurrent layers in plain NumPy, float64: one example, one step at a time, as Keras 3 documents them."""

import numpy as np

FUNCTIONS = {
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
    "relu": lambda x: np.maximum(x, 0),
    "linear": lambda x: x,
}


def recurrent(step, every=False, backwards=False):
    """A layer's oracle. step: (p, x (I,), state) -> state, the first of the state being the output."""

    def oracle(p, x, training):
        outputs = []
        for sequence in x[:, ::-1] if backwards else x:
            state, seen = (0.0, 0.0), []
            for row in sequence:
                state = step(p, row, state)
                seen.append(state[0])
            outputs.append(seen if every else seen[-1])
        return np.array(outputs)

    return oracle


def lstm(act="tanh", gate="sigmoid"):
    a, s = FUNCTIONS[act], FUNCTIONS[gate]

    def step(p, x, state):
        n = len(p["recurrent_kernel"])
        h, c = (np.broadcast_to(v, n) for v in state)
        z = x @ p["kernel"] + h @ p["recurrent_kernel"] + p.get("bias", 0)
        c = s(z[n : 2 * n]) * c + s(z[:n]) * a(z[2 * n : 3 * n])
        return s(z[3 * n :]) * a(c), c

    return step


def gru(act="tanh", gate="sigmoid"):
    a, s = FUNCTIONS[act], FUNCTIONS[gate]

    def step(p, x, state):
        n = len(p["recurrent_kernel"])
        h, (outer, inner) = np.broadcast_to(state[0], n), p.get("bias", np.zeros((2, 1)))
        z, q = x @ p["kernel"] + outer, h @ p["recurrent_kernel"] + inner
        update, reset = s(z[:n] + q[:n]), s(z[n : 2 * n] + q[n : 2 * n])
        return update * h + (1 - update) * a(z[2 * n :] + reset * q[2 * n :]), 0.0

    return step


def simple(act="tanh"):
    a = FUNCTIONS[act]

    def step(p, x, state):
        h = np.broadcast_to(state[0], len(p["recurrent_kernel"]))
        return a(x @ p["kernel"] + h @ p["recurrent_kernel"] + p.get("bias", 0)), 0.0

    return step
