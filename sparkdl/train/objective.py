"""What a network is trained for and measured by: a loss for each output, and metrics. Sums of rows merge."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.errors import ConfError, DataError, ShapeError
from sparkdl.base.record import OneOf, to_conf
from sparkdl.nn.losses import LOSSES, Loss
from sparkdl.nn.metrics import METRICS, Metric, Sums
from sparkdl.nn.network import Network

LossLike = Loss | str | dict[str, Any]
MetricLike = Metric | str | dict[str, Any]
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Objective:
    """losses: by output. metrics: reported name -> (output, metric). conf: both as a user may write them."""

    losses: dict[str, Loss]
    metrics: dict[str, tuple[str, Metric]]
    conf: dict[str, Any]

    @staticmethod
    def of(
        network: Network,
        loss: LossLike | Mapping[str, LossLike],
        metrics: Iterable[MetricLike] | Mapping[str, Any] = (),
    ) -> "Objective":
        """From what a user writes: one loss, or a table of them by output where there are several; metrics likewise.

        Raises ConfError for unknown names, and for outputs without a loss.
        """
        losses = {k: OneOf(LOSSES).parse(v) for k, v in _by_output(network, "loss", loss).items()}
        asked = {k: _metrics(v) for k, v in _by_output(network, "metrics", metrics, every=True).items()}
        several = len(network.topology.outputs) > 1
        made = {
            (f"{output}_{m.label}" if several else m.label): (output, m.given(losses[output]))
            for output, given in asked.items()
            for m in given
        }
        both = (losses, asked) if several else (losses[network.topology.outputs[0]], asked[network.topology.outputs[0]])
        return Objective(losses, made, dict(zip(("loss", "metrics"), map(to_conf, both), strict=True)))

    def labels(self, network: Network, y: Any) -> Arrays:
        """The labels of a whole table by output, checked once and in the loss's dtype.

        Raises DataError and ShapeError naming what does not fit.
        """
        specs = network.topology.specs(2)
        given = y_by_output(self.losses, y)
        return {name: loss.labels(np.asarray(given[name]), specs[name]) for name, loss in self.losses.items()}

    def sums(
        self, ys: Mapping[str, NDArray[Any]], preds: Mapping[str, NDArray[Any]], weight: Any = None
    ) -> dict[str, Sums]:
        """The metrics' sums of some rows, by reported name."""
        return {k: metric.update(ys[output], preds[output], weight) for k, (output, metric) in self.metrics.items()}

    def results(self, sums: Mapping[str, Sums]) -> dict[str, Any]:
        """What merged sums stand for, "loss" first. Its sums are [sum of loss, rows]."""
        total, rows = sums["loss"]
        values = {k: metric.result(sums[k]) for k, (_, metric) in self.metrics.items() if k in sums}
        return {"loss": float(total / rows) if rows else float("nan")} | values


def joined(ys: Arrays) -> NDArray[Any]:
    """Labels of several outputs as one array of rows with a field for each; those of one output as they are.

    >>> joined({"a": np.zeros(2, np.int32), "b": np.ones((2, 1), np.float32)}).dtype.names
    ('a', 'b')
    """
    if len(ys) == 1:
        return next(iter(ys.values()))
    rows = np.empty(len(next(iter(ys.values()))), [(name, y.dtype, y.shape[1:]) for name, y in ys.items()])
    for name, y in ys.items():
        rows[name] = y
    return rows


def y_by_output(losses: Mapping[str, Loss], y: Any) -> dict[str, Any]:
    """Labels by output: from a dict, from rows with a field for each (`joined`), or the only output's bare array."""
    if isinstance(y, np.ndarray) and y.dtype.names is None and len(losses) == 1:
        return {next(iter(losses)): y}
    if y is None:
        raise DataError("training and evaluation need labels. Got y=None.")
    fields = getattr(getattr(y, "dtype", None), "names", None)
    given = {k: y[k] for k in fields} if fields else dict(y) if isinstance(y, Mapping) else {next(iter(losses)): y}
    if set(given) != set(losses):
        raise ShapeError(f"labels must be given for the outputs {', '.join(losses)}. Got {', '.join(given)}.")
    return given


def _by_output(network: Network, what: str, given: Any, every: bool = False) -> dict[str, Any]:
    """Spread what is given bare, check what is given by output. A table with 'type' is a record, not outputs."""
    outputs = network.topology.outputs
    if isinstance(given, Mapping) and "type" not in given:
        if not set(given) <= set(outputs) or (not every and set(given) != set(outputs)):
            raise ConfError(f"{what}: must be by output, {', '.join(outputs)}. Got {', '.join(map(str, given))}.")
        return dict(given)
    if len(outputs) > 1 and not every:
        raise ConfError(f"{what}: the network has the outputs {', '.join(outputs)}; give one for each, as a dict.")
    return dict.fromkeys(outputs, given)


def _metrics(given: Any) -> tuple[Metric, ...]:
    return tuple(map(OneOf(METRICS).parse, (given,) if isinstance(given, str | Metric | Mapping) else given))
