"""Recurrent networks: sequences of 50 steps, the last state into ten classes.

torch gets its sequences time-major, the layout it is fastest in, turned before the clock runs; ours turns them within.
"""

from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.workloads import Array, Workload, classes, normal
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.recurrent import GRU, LSTM
from sparkdl.nn.network import Network, Sequential

STEPS, CLASSES, BATCH = 50, 10, 64
BOUND = "its 21.4 GFLOP of products at the 112 GF/s of a Zen 4 core alone take 0.75 of torch's time"
# Blocks of ours as torch orders them: it has the LSTM's alike, the GRU's as r z n.
ORDERS: dict[type[nn.Module], tuple[int, ...]] = {nn.LSTM: (0, 1, 2, 3), nn.GRU: (1, 0, 2)}


class Last(nn.Module):
    """A recurrent layer, and a linear one on its last output.

    Of torch's two biases of an LSTM, whose sum counts, one is held still: Adam would move the sum at twice the rate.
    """

    def __init__(self, kind: type[nn.RNNBase], inputs: int, units: int) -> None:
        super().__init__()
        self.recurrent, self.head = kind(inputs, units), nn.Linear(units, CLASSES)
        if kind is nn.LSTM:
            self.recurrent.bias_hh_l0.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (T,B,I) -> (B, classes)."""
        return self.head(self.recurrent(x)[0][-1])


def time_major(a: Array) -> torch.Tensor:
    """(B,T,I) as (T,B,I); labels as int64."""
    return torch.from_numpy(np.ascontiguousarray(a.swapaxes(0, 1)) if a.ndim == 3 else a.astype(np.int64))


def copied(network: Network, module: Any) -> None:
    """Our weights into torch's: transposed, the blocks in its order, a second bias where we have one."""
    given = list(network.parameters().values())
    order = ORDERS[type(module.recurrent)]
    rows = [_ordered(w, order) for w in (given[0], given[1], *_two(given[2]))]
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    with torch.no_grad():
        for name, value in zip(names, rows, strict=True):
            getattr(module.recurrent, name).copy_(torch.from_numpy(value.T.copy()))
        module.head.weight.copy_(torch.from_numpy(given[3].T.copy()))
        module.head.bias.copy_(torch.from_numpy(given[4].copy()))


def _ordered(w: Array, order: tuple[int, ...]) -> Array:
    """Blocks of the last axis in another order."""
    blocks = np.split(w, len(order), -1)
    return np.concatenate([blocks[k] for k in order], -1)


def _two(bias: Array) -> tuple[Array, Array]:
    """torch's two biases: of the inputs and of the state."""
    return (bias, np.zeros_like(bias)) if bias.ndim == 1 else (bias[0], bias[1])


def row(
    name: str, ours: Any, theirs: type[nn.RNNBase], inputs: int, units: int, bars: tuple[float, float], reason: str = ""
) -> Workload:
    """A recurrent layer of `units` on `inputs` numbers a step."""
    return Workload(
        name, BATCH, lambda: Sequential([ours(units), Dense(CLASSES)], input_shape=(STEPS, inputs)),
        lambda: Last(theirs, inputs, units), normal(STEPS, inputs), classes(CLASSES), bars,
        copy=copied, to_torch=time_major, reason=reason,
    )  # fmt: skip


WORKLOADS: tuple[Workload, ...] = (
    row("lstm_h128", LSTM, nn.LSTM, 32, 128, (0.80, 0.90)),
    row("gru_h128", GRU, nn.GRU, 32, 128, (0.80, 0.90)),
    row("lstm_h512", LSTM, nn.LSTM, 64, 512, (0.80, 0.90), BOUND),
)
