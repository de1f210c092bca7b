"""Listeners: told what happens in a fit, in the order they are given. They may read the trainer, and stop it."""

import sys
import time
from typing import Any, TextIO

from sparkdl.train.trainer import Trainer


class Listener:
    """The base of all listeners: does nothing."""

    def fit_begin(self, trainer: Trainer, epochs: int) -> None:
        """Before the first step."""

    def step_end(self, trainer: Trainer, loss: float) -> None:
        """After each step; `trainer.iterations` counts them."""

    def epoch_end(self, trainer: Trainer, epoch: int, logs: dict[str, Any]) -> bool | None:
        """After each epoch, counted from 0, with its measures. True ends the fit."""


class Progress(Listener):
    """Writes a line for each epoch, as Keras does with verbose=2."""

    def __init__(self, to: TextIO | None = None) -> None:
        self._to, self._epochs, self._since = to, 0, 0.0

    def fit_begin(self, trainer: Trainer, epochs: int) -> None:
        self._epochs, self._since = epochs, time.perf_counter()

    def epoch_end(self, trainer: Trainer, epoch: int, logs: dict[str, Any]) -> bool | None:
        now = time.perf_counter()
        measures = "".join(f" - {k}: {v:.4f}" for k, v in logs.items() if isinstance(v, float))
        (self._to or sys.stdout).write(f"Epoch {epoch + 1}/{self._epochs} - {now - self._since:.1f}s{measures}\n")
        self._since = now
        return None
