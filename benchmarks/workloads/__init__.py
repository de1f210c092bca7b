"""What is measured: one row for each workload, ours beside torch's. A family's file lists its rows as `WORKLOADS`.

    Workload("mlp", 64, ours=..., theirs=..., x=normal(40), y=classes(2), bars=(0.12, 0.20))

`ours` makes our network, `theirs` torch's module; `x` and `y` draw the batch, images channels last. Without `y` the row
is an inference. Everything else has a default, which a row replaces where its network is another kind.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from benchmarks.workloads.weights import in_order
from sparkdl.nn.losses import Loss, SparseCategoricalCrossentropy
from sparkdl.nn.network import Network
from sparkdl.optim.optimizer import Optimizer
from sparkdl.optim.rules import Adam

FAMILIES = ("dense", "convolution", "recurrent", "attention", "sparse")
RATE = 1e-4

Array = np.ndarray[Any, Any]
Draw = Callable[[np.random.Generator, int], Array]
Step = Callable[[], Any]  # a loss (training, gradient) or the outputs (inference), as a float or an array
Given = Array | Mapping[str, Array]


def adam(parameters: Any, fused: bool) -> torch.optim.Optimizer:
    """torch's Adam with our epsilon."""
    return torch.optim.Adam(parameters, lr=RATE, eps=1e-7, fused=fused)


def to_torch(x: Array) -> torch.Tensor:
    """A batch as torch takes it: images (B, H, W, C) as (B, C, H, W), indices as int64."""
    if x.ndim == 4:
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    return torch.from_numpy(x.astype(np.int64) if x.dtype.kind in "iu" else x)


def normal(*shape: int) -> Draw:
    """float32 (B, *shape), standard normal."""
    return lambda rng, batch: rng.standard_normal((batch, *shape), np.float32)


def classes(count: int, *shape: int) -> Draw:
    """int32 (B, *shape) below `count`."""
    return lambda rng, batch: rng.integers(0, count, (batch, *shape)).astype(np.int32)


@dataclass(frozen=True)
class Workload:
    """One row.

    x:          draws the input, or each input by name; torch's module takes them in this order
    y:          draws the labels; None: inference
    mode:       "train" is forward, backward, optimizer; "gradient" leaves the optimizer out, on both sides
    optimizer:  ours, and theirs as made from (parameters, fused)
    loss:       ours, and theirs as (module's output, labels) -> scalar
    copy:       our weights into torch's module, so that both compute the same
    bars:       the ratio to reach: native, both sides forced to AVX2
    agree:      difference allowed of the losses over `steps` steps (of the outputs), as a share of the largest
    ours_step, theirs_step: replace how a side's step is made from its network and the batch
    reason:     why it loses where it does; printed beside the row
    """

    name: str
    batch: int
    ours: Callable[[], Network]
    theirs: Callable[[], nn.Module]
    x: Draw | Mapping[str, Draw]
    y: Draw | None = None
    bars: tuple[float, float] = (1.0, 1.0)
    mode: Literal["train", "gradient", "infer"] = "train"
    optimizer: tuple[Optimizer, Callable[[Any, bool], torch.optim.Optimizer]] = (Adam(RATE), adam)
    loss: tuple[Loss, Callable[[Any, torch.Tensor], torch.Tensor]] = (
        SparseCategoricalCrossentropy(from_logits=True),
        nn.functional.cross_entropy,
    )
    copy: Callable[[Network, nn.Module], None] = in_order
    to_torch: Callable[[Array], Any] = to_torch
    agree: float = 2e-3
    steps: int = 10
    ours_step: Callable[[Network, Given, Array | None], Step] | None = None
    theirs_step: Callable[[nn.Module, Given, Array | None], Step] | None = None
    reason: str = ""
    bf16_bar: float = 0.0  # own bfloat16 against own float32, where the CPU has it
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trains(self) -> bool:
        """Whether there is a loss."""
        return self.y is not None

    def data(self) -> tuple[Given, Array | None]:
        """The batch, the same in every call."""
        rng = np.random.default_rng(0)
        if isinstance(self.x, Mapping):
            x: Given = {name: draw(rng, self.batch) for name, draw in self.x.items()}
        else:
            x = self.x(rng, self.batch)
        return x, None if self.y is None else self.y(rng, self.batch)


def load() -> dict[str, Workload]:
    """All rows by name, family by family."""
    found: dict[str, Workload] = {}
    for family in FAMILIES:
        rows = importlib.import_module(f"benchmarks.workloads.{family}").WORKLOADS
        found |= {w.name: w for w in (rows.values() if isinstance(rows, Mapping) else rows)}
    return found
