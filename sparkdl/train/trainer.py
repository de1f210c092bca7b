"""Trainer: the state of a training run and the step that moves it. Knows nothing of epochs, tables or clusters."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import sparkdl.optim.rules  # noqa: F401  a conf may name any optimizer: OPTIMIZERS must be full
from sparkdl.base.errors import DataError, ShapeError
from sparkdl.base.record import OneOf
from sparkdl.base.rng import Key
from sparkdl.compile.pipeline import compile as compiled
from sparkdl.compile.program import Program
from sparkdl.data.batches import Batch
from sparkdl.nn.metrics import Sums, merged
from sparkdl.nn.network import Network
from sparkdl.nn.params import aligned
from sparkdl.optim.optimizer import OPTIMIZERS, Optimizer
from sparkdl.train.objective import LossLike, MetricLike, Objective, y_by_output
from sparkdl.train.programs import Programs, fill
from sparkdl.train.step import bound_state, state_size, training_step

Vector = NDArray[np.float32]


class Trainer:
    """Trains `network` in place.

    state:       float32 [trained | not trained | slots], 64-byte aligned; `network.vector` is a view of its start
    iterations:  steps done
    objective:   the losses and metrics
    """

    def __init__(
        self,
        network: Network,
        loss: LossLike | Mapping[str, LossLike],
        optimizer: Optimizer | str | dict[str, Any],
        metrics: Iterable[MetricLike] | Mapping[str, Any] = (),
        seed: int = 0,
    ) -> None:
        self.network, self.iterations = network, 0
        self.objective = Objective.of(network, loss, metrics)
        self.optimizer: Optimizer = OneOf(OPTIMIZERS).parse(optimizer)
        self.state = _adopt(network, self.optimizer)
        self._key = Key.of(seed).fold("step")
        self._programs = Programs(self._compile)
        self._sums: dict[str, Sums] = {}

    @property
    def averaged(self) -> Vector:
        """What workers average: the whole state. To change it is to change the network."""
        return self.state

    def set_state(self, state: ArrayLike, iterations: int | None = None) -> None:
        """Go on from a state of this layout. Raises ShapeError when it has another length."""
        given = np.asarray(state)
        if given.shape != self.state.shape:
            raise ShapeError(f"set_state: the state must be {self.state.shape}. Got {given.shape}.")
        self.state[...] = given
        self.iterations = self.iterations if iterations is None else iterations

    def step(self, batch: Batch) -> float:
        """One step. Returns the loss before it: sum_i weight_i loss_i / B, penalties included."""
        rows = len(batch.ids)
        program = self._programs[rows]
        ys = y_by_output(self.objective.losses, _labels(batch))
        fill(program, {f"x/{k}": v for k, v in batch.x.items()})
        fill(program, {f"y/{k}": v for k, v in ys.items()})
        program.inputs["weight"][...] = 1.0 if batch.weight is None else _weight(batch.weight, rows)
        self._fill_counters(program, batch.ids)
        program.run()
        self.iterations += 1
        loss = float(program.outputs["loss"])
        self._count(program, ys, batch.weight, loss, rows)
        return loss

    def program(self, rows: int) -> Program:
        """The program of steps with that many examples."""
        return self._programs[rows]

    def take_sums(self) -> dict[str, Sums]:
        """The sums of loss and metrics since this was last called; they add across workers."""
        sums, self._sums = self._sums, {}
        return sums or {"loss": np.zeros(2)}

    def _compile(self, rows: int) -> Program:
        traced = training_step(
            self.network, self.objective.losses, self.optimizer, rows, predictions=bool(self.objective.metrics)
        )
        state = bound_state(self.network.layout, self.optimizer, self.state)
        return compiled(traced.graph, traced.outputs, donate=traced.donate, bind=state)

    def _fill_counters(self, program: Program, ids: NDArray[Any]) -> None:
        """What changes from step to step but the data: t for the optimizer, ids and key for random layers."""
        if "t" in program.inputs:
            program.inputs["t"][...] = self.iterations + 1
        if "key" in program.inputs:
            program.inputs["key"][...] = self._key.fold(self.iterations).words()
        if "ids" in program.inputs:
            program.inputs["ids"][...] = ids

    def _count(self, program: Program, ys: Mapping[str, Any], weight: Any, loss: float, rows: int) -> None:
        preds = {output: program.outputs[f"out/{output}"] for output, _ in self.objective.metrics.values()}
        found = self.objective.sums(ys, preds, weight) | {"loss": np.array([loss * rows, rows])}
        self._sums = merged([self._sums, found])


def check_finite(loss: float, epoch: int, step: int) -> None:
    """Raise DataError when the loss is NaN or infinite. epoch and step count from 1."""
    if not math.isfinite(loss):
        raise DataError(
            f"the loss became {loss} in epoch {epoch}, step {step}: training cannot go on from there. "
            "Lower the learning rate, clip gradients (clipnorm=1.0), or look for extreme values in the inputs."
        )


def _adopt(network: Network, optimizer: Optimizer) -> Vector:
    """The state vector, with the network's parameters moved into it."""
    state: Vector = aligned(state_size(network.layout, optimizer))
    start = state[: network.layout.size]
    start[...] = network.vector
    network.vector = start
    return state


def _labels(batch: Batch) -> Any:
    if batch.y is None:
        raise DataError("Trainer.step: a batch needs labels. Got y=None.")
    return batch.y


def _weight(weight: NDArray[Any], rows: int) -> NDArray[Any]:
    if weight.shape != (rows,):
        raise ShapeError(f"the weights must be ({rows},). Got {weight.shape}.")
    return weight
