"""The conf of a job: what a TOML file says, as one record. Each section is a record of its own.

[data]       train, test, sample, features, label, weight, task; [[data.steps]]
[network]    inputs; [[network.layers]]
[training]   loss, optimizer, metrics, epochs, batch_size, seed, shuffle, precision, threads
[averaging]  workers, averaging_frequency, ...
[output]     path
"""

from collections.abc import Sequence
from dataclasses import field
from typing import Annotated, Any

import tomli_w

from sparkdl.base.checks import Count, Flag, Precision, Text, Whole
from sparkdl.base.errors import ConfError, ShapeError
from sparkdl.base.record import OneOf, from_conf, record, to_conf
from sparkdl.cli.outputs import Outputs
from sparkdl.cli.overrides import read_conf
from sparkdl.data.encode import Task
from sparkdl.data.samples.tables import SAMPLES
from sparkdl.data.schema import Columns, Steps, by_column
from sparkdl.dist.job import AveragingPlan, FitConf
from sparkdl.nn.losses import LOSSES, Loss
from sparkdl.nn.metrics import METRICS
from sparkdl.nn.topology import Topology
from sparkdl.optim.optimizer import OPTIMIZERS, Optimizer


@record
class DataConf(Columns):
    """The tables, and the roles of their columns.

    train:   the Parquet file or folder that is trained on, any path that Spark reads
    test:    the one that the trained network is measured on
    task:    what the label is: a class, or a number
    steps:   what each column goes through before the network; fitted on `train`, saved with the network
    sample:  a data set that comes with sparkdl: written to `train` and `test` where they are missing
    """

    train: Text = field(kw_only=True)
    test: Text | None = field(default=None, kw_only=True)
    task: Task = field(default="classification", kw_only=True)
    steps: Steps = field(default=(), kw_only=True)
    sample: Text | None = field(default=None, kw_only=True)


@record
class TrainingConf:
    """How the network is trained. `batch_size` is per worker; `precision` and `threads` are as in FitConf."""

    loss: Annotated[Loss, OneOf(LOSSES)]
    optimizer: Annotated[Optimizer, OneOf(OPTIMIZERS)]
    metrics: tuple[Annotated[Any, OneOf(METRICS)], ...] = ()
    epochs: Count = 10
    batch_size: Count = 32
    seed: Whole = 0
    shuffle: Flag = True
    precision: Precision = "float32"
    threads: Count = 1


@record
class OutputConf:
    """path: the folder that holds model.zip, conf.toml, result.json and predictions.parquet."""

    path: Text


@record
class JobConf:
    """All that a job is told."""

    data: DataConf
    network: Topology
    training: TrainingConf
    output: OutputConf
    averaging: AveragingPlan = field(default_factory=AveragingPlan)

    @property
    def columns(self) -> Columns:
        """The roles of the columns."""
        return Columns(self.data.features, self.data.label, self.data.weight)

    @property
    def outputs(self) -> Outputs:
        """Where the results go."""
        return Outputs(self.output.path.rstrip("/"))

    def check(self) -> None:
        """Raise ConfError or ShapeError for what does not fit together, before any work is done."""
        if self.data.label is None:
            raise ConfError("data needs 'label': the column that is learnt.")
        if self.data.sample is not None:
            SAMPLES[self.data.sample]  # raises for an unknown name
        self.columns.inputs(list(self.network.inputs))
        by_column(self.data.steps, self.columns.feature_names())
        self.network.specs(1)

    def fit_conf(self) -> FitConf:
        """What the training on Spark is told."""
        return FitConf(
            columns=self.columns, steps=self.data.steps, network=self.network, loss=self.training.loss,
            optimizer=self.training.optimizer, metrics=self.training.metrics, epochs=self.training.epochs,
            batch_size=self.training.batch_size, seed=self.training.seed, shuffle=self.training.shuffle,
            averaging=self.averaging, task=self.data.task, precision=self.training.precision,
            threads=self.training.threads,
        )  # fmt: skip

    def to_toml(self) -> str:
        """The whole conf with all defaults: what `load_conf` reads."""
        return tomli_w.dumps(to_conf(self))


def load_conf(path: str, overrides: Sequence[str] = ()) -> JobConf:
    """The job that a TOML file and `a.b=c` overrides describe.

    Raises ConfError with the file, the path to the fault and a near name.
    """
    table = read_conf(path, overrides)
    try:
        job = from_conf(JobConf, table)
        job.check()
    except (ConfError, ShapeError) as error:
        raise ConfError(f"{path}: {error}") from None
    return job
