"""evaluate: loss and metrics of a network over labelled arrays in memory."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from sparkdl.base.errors import ConfError
from sparkdl.data.batches import Table
from sparkdl.nn.metrics import Sums, merged
from sparkdl.nn.network import Network
from sparkdl.train.forward import run_chunks
from sparkdl.train.objective import LossLike, MetricLike, Objective, y_by_output
from sparkdl.train.predict import CHUNK
from sparkdl.train.rows import table_of


def evaluate(
    network: Network,
    x: Any,
    y: Any = None,
    *,
    loss: LossLike | Mapping[str, LossLike] | None = None,
    metrics: Iterable[MetricLike] | Mapping[str, Any] | None = None,
    sample_weight: Any = None,
    batch_size: int = CHUNK,
    threads: int | None = None,
) -> dict[str, Any]:
    """The measures by name, "loss" first: sum(weight * loss) / N with penalties, then the metrics.

    loss, metrics: those of the last fit by default. Raises ConfError where there was none.
    threads:       to compute with, $SPARKDL_THREADS or 1 by default
    """
    last = network.training or {}
    chosen = last.get("loss") if loss is None else loss
    if chosen is None:
        raise ConfError("evaluate: give loss=...; the network was not trained here, so there is no last one.")
    objective = Objective.of(network, chosen, last.get("metrics", ()) if metrics is None else metrics)
    table = table_of(network, objective, x, y, sample_weight)
    return objective.results(evaluate_table(network, objective, table, batch_size, threads))


def evaluate_table(
    network: Network, objective: Objective, table: Table, batch_size: int = CHUNK, threads: int | None = None
) -> dict[str, Sums]:
    """The sums of loss and metrics over a table, which add across tables; `objective.results` reads them."""
    batches = table.minibatches(batch_size, shuffle=False)
    return merged([_measured(network, objective, batch, batch_size, threads) for batch in batches])


def _measured(network: Network, objective: Objective, batch: Any, size: int, threads: int | None) -> dict[str, Sums]:
    ys, rows = y_by_output(objective.losses, batch.y), len(batch)
    feeds = {f"x/{k}": v for k, v in batch.x.items()} | {f"y/{k}": v for k, v in ys.items()}
    (chunk,) = run_chunks(network, feeds, rows, size, objective.losses, threads)
    weight = np.ones(rows) if batch.weight is None else batch.weight.astype(np.float64)
    total = chunk["each"].astype(np.float64) @ weight + float(chunk.get("penalty", 0.0)) * rows
    preds = {name: chunk[f"out/{name}"] for name in objective.losses}
    return objective.sums(ys, preds, batch.weight) | {"loss": np.array([total, rows])}
