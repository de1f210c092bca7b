"""What a fit leaves behind: a number for each epoch and measure."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class History:
    """history: measure ("loss", "accuracy", "val_loss", ...) -> its value in each epoch. epoch: their numbers, from 0.

    >>> h = History(); h.add(0, {"loss": 0.5}); h.history
    {'loss': [0.5]}
    """

    history: dict[str, list[Any]] = field(default_factory=dict)
    epoch: list[int] = field(default_factory=list)

    def add(self, epoch: int, logs: dict[str, Any]) -> None:
        """Append an epoch's measures."""
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
