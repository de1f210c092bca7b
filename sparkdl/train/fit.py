"""fit: training of a network on arrays in memory, on this machine. On Spark it is `dist` that drives the Trainer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sparkdl.base.errors import ConfError
from sparkdl.base.record import to_conf
from sparkdl.base.rng import Key
from sparkdl.data.batches import Table
from sparkdl.nn.network import Network
from sparkdl.optim.optimizer import Optimizer
from sparkdl.train.evaluate import evaluate_table
from sparkdl.train.history import History
from sparkdl.train.listeners import Listener, Progress
from sparkdl.train.objective import LossLike, MetricLike
from sparkdl.train.predict import CHUNK
from sparkdl.train.rows import table_of
from sparkdl.train.trainer import Trainer, check_finite


def fit(
    network: Network,
    x: Any,
    y: Any = None,
    *,
    loss: LossLike | Mapping[str, LossLike],
    optimizer: Optimizer | str | dict[str, Any] = "rmsprop",
    metrics: Iterable[MetricLike] | Mapping[str, Any] = (),
    batch_size: int = 32,
    epochs: int = 1,
    sample_weight: Any = None,
    validation_data: Sequence[Any] | None = None,
    validation_split: float = 0.0,
    shuffle: bool = True,
    seed: int = 0,
    verbose: int = 0,
    listeners: Sequence[Listener] = (),
    nonfinite: Literal["stop", "continue"] = "stop",
    precision: str = "float32",
    threads: int | None = None,
    tune: float | None = None,
) -> History:
    """Train `network` in place; names and defaults are those of Keras's compile and fit.

    x:                 an array (N, ...), a dict of them by input, or an Arrow table, whose columns `y` and
                       `sample_weight` may then name
    y:                 labels (N,) or (N, ...), or a dict by output
    sample_weight:     (N,), >= 0; the loss of a batch is sum(weight * loss) / B
    validation_data:   (x, y) or (x, y, sample_weight), measured after each epoch as val_...
    validation_split:  this share of the rows, the last ones, is held back for that instead
    seed:              of the order of rows and of random layers. The same seed gives the same bits
    verbose:           1 prints a line for each epoch
    nonfinite:         "stop" raises DataError when the loss is NaN or infinite
    precision:         "bfloat16" multiplies bfloat16 where the CPU does; parameters stay float32
    threads:           to compute with, $SPARKDL_THREADS or 1 by default. Sums may round otherwise with another number
    tune:              seconds in which kernels may be chosen by measurement, $SPARKDL_TUNE or 0 by default. A choice
                       is kept on this machine; on another, sums may round otherwise

    The last batch may be smaller; no row is dropped. Measures of an epoch are means over its steps, taken as the
    parameters move. The optimizer starts anew in each call; to go on with its state, keep a `Trainer`.
    """
    _check(batch_size, epochs, validation_split, validation_data)
    trainer = Trainer(network, loss, optimizer, metrics, seed, precision, threads=threads, tune=tune)
    table = table_of(network, trainer.objective, x, y, sample_weight)
    table, held = _held_back(table, validation_split)
    if validation_data is not None:
        held = table_of(network, trainer.objective, *validation_data)
    network.training = trainer.objective.conf | {"optimizer": to_conf(trainer.optimizer)}
    told = (*((Progress(),) if verbose else ()), *listeners)
    order = Key.of(seed) if shuffle else None
    return _Run(trainer, table, held, batch_size, epochs, order, told, nonfinite == "stop").history()


@dataclass(frozen=True)
class _Run:
    """What a fit was asked for, put in order. order: the key of the rows' order, None to keep it."""

    trainer: Trainer
    table: Table
    held: Table | None
    batch_size: int
    epochs: int
    order: Key | None
    told: Sequence[Listener]
    strict: bool

    def history(self) -> History:
        """Do it."""
        history = History()
        for listener in self.told:
            listener.fit_begin(self.trainer, self.epochs)
        for epoch in range(self.epochs):
            self._steps(epoch)
            logs = self.trainer.objective.results(self.trainer.take_sums()) | _validation(self)
            history.add(epoch, logs)
            answers = [listener.epoch_end(self.trainer, epoch, logs) for listener in self.told]  # all are told
            if any(answers):
                break
        return history

    def _steps(self, epoch: int) -> None:
        batches = self.table.minibatches(self.batch_size, self.order, epoch, shuffle=self.order is not None)
        for k, batch in enumerate(batches):
            loss = self.trainer.step(batch)
            if self.strict:
                check_finite(loss, epoch + 1, k + 1)
            for listener in self.told:
                listener.step_end(self.trainer, loss)


def _validation(run: _Run) -> dict[str, Any]:
    """The measures of the rows held back, as val_..."""
    if run.held is None:
        return {}
    sums = evaluate_table(
        run.trainer.network, run.trainer.objective, run.held, max(run.batch_size, CHUNK), run.trainer.threads
    )
    return {f"val_{k}": v for k, v in run.trainer.objective.results(sums).items()}


def _held_back(table: Table, share: float) -> tuple[Table, Table | None]:
    """The first rows to train on and the last `share` of them to validate with, as Keras splits."""
    rows = len(table)
    kept = int(rows * (1.0 - share))
    if kept == rows:
        return table, None
    if not kept:
        raise ConfError(f"fit: validation_split={share} leaves none of the {rows} rows to train on.")
    return _slice(table, slice(0, kept)), _slice(table, slice(kept, rows))


def _slice(table: Table, rows: slice) -> Table:
    y, weight = (None if v is None else v[rows] for v in (table.y, table.weight))
    return Table({k: v[rows] for k, v in table.x.items()}, y, weight, table.first_id + rows.start, table.scales)


def _check(batch_size: int, epochs: int, split: float, data: Sequence[Any] | None) -> None:
    for name, value in (("batch_size", batch_size), ("epochs", epochs)):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfError(f"fit: {name} must be an int >= 1. Got {value!r}.")
    if not 0.0 <= split < 1.0:
        raise ConfError(f"fit: validation_split must be >= 0 and < 1. Got {split!r}.")
    if data is not None and (split or len(data) not in (2, 3)):
        raise ConfError(
            "fit: validation_data must be (x, y) or (x, y, sample_weight), and not beside validation_split."
        )
