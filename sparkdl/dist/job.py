"""What a fit is: the records a user writes, and the `Job` that travels to the ranks.

A Job is texts and bytes only: conf as JSON, parameters as they lie in memory. Nothing of ours is pickled.
"""

import json
import platform
from dataclasses import dataclass, field
from importlib import metadata
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

import sparkdl.optim.rules  # noqa: F401  a conf may name any optimizer: OPTIMIZERS must be full
from sparkdl.base.checks import Count, Flag, Positive, Precision, Text, Whole
from sparkdl.base.errors import ConfError
from sparkdl.base.record import OneOf, from_conf, record, to_conf
from sparkdl.data.encode import Encoder, Task, from_saved, to_saved
from sparkdl.data.schema import Columns, Steps, by_column
from sparkdl.nn.losses import LOSSES
from sparkdl.nn.metrics import METRICS
from sparkdl.nn.topology import Topology
from sparkdl.optim.optimizer import OPTIMIZERS

ORDER = "sparkdl_row"  # the column that says in which order a rank's rows stood in the table


@record
class AveragingPlan:
    """How workers train together.

    workers:              training tasks that run side by side; None: as many as the cluster has slots
    averaging_frequency:  steps between two averages of parameters and optimizer state; 1 is one machine with the joint
                          batch, above 20 or so workers drift apart
    timeout:              seconds that a worker waits for a byte of another before it gives up
    refits:               how often the driver starts over after a failure that Spark itself does not retry
    """

    workers: Count | None = None
    averaging_frequency: Count = 5
    timeout: Positive = 60.0
    refits: Whole = 2


@record
class FitConf:
    """A training run on a table. batch_size is per worker; steps are fitted on the table where they are not yet.

    Workers that have no rows left in an epoch wait for the others: no row is dropped or used twice. classes names those
    of text labels where not all of them occur in the table. precision: "bfloat16" multiplies bfloat16 on workers whose
    CPU does (avx512_core_bf16), and float32 on others; what is averaged and saved is float32 either way. threads: of
    each worker; more than one pays where spark.task.cpus gives a task as many cores.
    """

    columns: Columns
    network: Topology
    loss: Annotated[Any, OneOf(LOSSES)]
    optimizer: Annotated[Any, OneOf(OPTIMIZERS)]
    steps: Steps = ()
    metrics: tuple[Annotated[Any, OneOf(METRICS)], ...] = ()
    epochs: Count = 10
    batch_size: Count = 32
    seed: Whole = 0
    shuffle: Flag = True
    averaging: AveragingPlan = field(default_factory=AveragingPlan)
    task: Task = "classification"
    classes: tuple[Text, ...] | None = None
    precision: Precision = "float32"
    threads: Count = 1

    def __post_init__(self) -> None:
        if self.columns.label is None:
            raise ConfError("columns needs 'label': the column that is learnt.")
        self.columns.inputs(list(self.network.inputs))
        by_column(self.steps, self.columns.feature_names())


@dataclass(frozen=True)
class Job:
    """A fit, ready to travel. Made by `Job.of`.

    conf, encoder:  JSON
    vector:         the network's first parameters, float32
    secret:         what the ranks prove to each other; new for each fit
    board:          where the driver listens for news, or None
    versions:       the driver's
    """

    conf: str
    encoder: str
    vector: bytes
    secret: bytes
    board: tuple[str, int] | None = None
    versions: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(
        conf: FitConf,
        encoder: Encoder,
        vector: NDArray[np.float32],
        secret: bytes,
        board: tuple[str, int] | None = None,
    ) -> "Job":
        """The job of a fit that starts from the parameters `vector`."""
        texts = json.dumps(to_conf(conf)), json.dumps(to_saved(encoder))
        return Job(*texts, vector.tobytes(), secret, board, tuple(versions().items()))

    def read(self) -> tuple[FitConf, Encoder, NDArray[np.float32]]:
        """Conf, encoder and first parameters."""
        conf = from_conf(FitConf, json.loads(self.conf))
        return conf, from_saved(json.loads(self.encoder)), np.frombuffer(self.vector, np.float32)


def versions() -> dict[str, str]:
    """What must be the same in all processes of a fit."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python, "numpy": np.__version__, "sparkdl": _own()}


def _own() -> str:
    try:
        return metadata.version("dl4spark")
    except metadata.PackageNotFoundError:
        return "0+source"
