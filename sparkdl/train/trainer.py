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
from sparkdl.compile.precision import check_precision
from sparkdl.compile.program import Program
from sparkdl.compile.tune import check_tune
from sparkdl.data.batches import Batch
from sparkdl.kernels.threads import check_threads
from sparkdl.nn.metrics import Sums, merged
from sparkdl.nn.network import Network
from sparkdl.nn.params import aligned
from sparkdl.optim.optimizer import OPTIMIZERS, Optimizer
from sparkdl.train.objective import LossLike, MetricLike, Objective, y_by_output
from sparkdl.train.programs import Feed, Programs, put
from sparkdl.train.step import bound_state, state_size, training_step

Vector = NDArray[np.float32]


class Trainer:
    """Trains `network` in place.

    state:       float32 [trained | not trained | slots], 64-byte aligned; `network.vector` is a view of its start
    iterations:  steps done
    objective:   the losses and metrics
    memory_budget:  bytes that a step's temporaries and gradients may take; values are computed twice to stay below
    threads:     that a step computes with
    tune:        seconds in which each program's kernels may be chosen by measurement; see `compile/tune.py`
    """

    def __init__(
        self,
        network: Network,
        loss: LossLike | Mapping[str, LossLike],
        optimizer: Optimizer | str | dict[str, Any],
        metrics: Iterable[MetricLike] | Mapping[str, Any] = (),
        seed: int = 0,
        precision: str = "float32",
        memory_budget: int | None = None,
        threads: int | None = None,
        tune: float | None = None,
    ) -> None:
        self.network, self.iterations, self.precision = network, 0, check_precision(precision)
        self.memory_budget, self.threads, self.tune = memory_budget, check_threads(threads), check_tune(tune)
        self.objective = Objective.of(network, loss, metrics)
        self.optimizer: Optimizer = OneOf(OPTIMIZERS).parse(optimizer)
        self.state = _adopt(network, self.optimizer)
        self._key = Key.of(seed).fold("step")
        self._programs = Programs(self._compile)
        self._metrics: dict[str, Sums] = {}
        self._loss, self._rows = 0.0, 0

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
        feed = self._programs[rows]
        for name, place in feed.xs.items():
            put("the input", place, _given(batch.x, name), name)
        ys = y_by_output(self.objective.losses, batch.y)
        for name, place in feed.ys.items():
            put("the labels of", place, ys[name], name)
        feed.weigh(batch.weight)
        self._count_up(feed, batch.ids)
        feed.program.run()
        self.iterations += 1
        return self._measure(feed, ys, batch.weight, rows)

    def program(self, rows: int) -> Program:
        """The program of steps with that many examples."""
        return self._programs[rows].program

    def take_sums(self) -> dict[str, Sums]:
        """The sums of loss and metrics since this was last called; they add across workers."""
        sums = {"loss": np.array([self._loss, self._rows])} | self._metrics
        self._loss, self._rows, self._metrics = 0.0, 0, {}
        return sums

    def _compile(self, rows: int) -> Program:
        traced = training_step(
            self.network, self.objective.losses, self.optimizer, rows, predictions=bool(self.objective.metrics)
        )
        state = bound_state(self.network.layout, self.optimizer, self.state)
        return compiled(
            traced.graph, traced.outputs, donate=traced.donate, bind=state, precision=self.precision,
            memory_budget=self.memory_budget, threads=self.threads, tune=self.tune,
        )  # fmt: skip

    def _count_up(self, feed: Feed, ids: NDArray[Any]) -> None:
        """What changes from step to step but the data: t for the optimizer, ids and key for random layers."""
        if feed.t is not None:
            feed.t[...] = self.iterations + 1
        if feed.key is not None:
            feed.key[...] = self._key.fold(self.iterations).words()
        if feed.ids is not None:
            feed.ids[...] = ids

    def _measure(self, feed: Feed, ys: Mapping[str, Any], weight: Any, rows: int) -> float:
        """Add this step to the sums; its loss."""
        loss = float(feed.program.outputs["loss"])
        self._loss, self._rows = self._loss + loss * rows, self._rows + rows
        if self.objective.metrics:
            self._metrics = merged([self._metrics, self.objective.sums(ys, feed.outs, weight)])
        return loss


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


def _given(x: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in x:
        raise ShapeError(f"a batch must hold the input {name!r}. Got {', '.join(x) or 'none'}.")
    return x[name]
