"""Training on a Spark DataFrame: the one way, used by the ML stages and by the jobs. The folder's only door to pyspark.

    look    one plain pass over the table measures columns and steps; no training starts on a table with faults
    gang    select and cast in the JVM | repartition(workers) | mapInArrow(rank_task, barrier=True) | repartition(1)
    result  rows of 1 MB from rank 0, counted and checked

The repartition(1) after the barrier stage is what makes Spark start a failed gang over: a barrier stage that ends the
job is never retried. DataFrames only (no RDDs, no SparkContext on the way), so that sessions of Spark Connect work too.
"""

import logging
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sparkdl.base.record import to_conf
from sparkdl.data import check
from sparkdl.data.encode import Encoder, to_saved
from sparkdl.dist import wire
from sparkdl.dist.clock import Clock
from sparkdl.dist.columns import NUMBERING, expressions, named, numbered, quoted
from sparkdl.dist.job import FitConf, Job
from sparkdl.dist.look import look
from sparkdl.dist.progress import Board, Tell
from sparkdl.dist.refit import until_done
from sparkdl.dist.slots import early, need_slots
from sparkdl.dist.worker import train_rank
from sparkdl.nn.network import Network
from sparkdl.nn.params import Floats
from sparkdl.train.objective import Objective

if TYPE_CHECKING:
    from pyspark import BarrierTaskContext
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType, StructType

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fitted:
    """What a fit gives.

    network:     trained; its `training` and `preprocessing` are set
    encoder:     from the table's columns to the network's inputs
    history:     a row an epoch: epoch (from 1), loss, metrics, examples, seconds
    timings:     seconds: check, then of rank 0 load, rendezvous, train, average, then spark (all else), total
    by_worker:   rows of each worker
    state:       parameters and optimizer state, as `Trainer.set_state` takes them; iterations: steps done
    """

    network: Network
    encoder: Encoder
    history: list[dict[str, Any]]
    timings: dict[str, float]
    by_worker: list[int]
    state: Floats
    iterations: int

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return sum(self.by_worker)

    @property
    def workers(self) -> int:
        """How many trained."""
        return len(self.by_worker)

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Names of the classes where the labels are texts."""
        return self.encoder.classes


def fit(df: "DataFrame", conf: FitConf, progress: Tell | None = None, start: Floats | None = None) -> Fitted:
    """Train on the rows of `df`.

    progress:  called after each epoch with its row of the history and "epochs", in a thread; from epoch 1 again when a
               worker was lost and all start over. Not called on Spark Connect, where nothing streams
    start:     first parameters (layout.size,); drawn with the conf's seed by default

    The same conf, seed and number of workers on the same table give the same bits, also after workers were lost.
    Raises DataError for a table that cannot be trained on, ConfError for a conf that does not fit it, ClusterError when
    the cluster has fewer slots than workers or fails for good.
    """
    clock = Clock()
    with clock("total"):
        network = Network(conf.network).build(conf.seed)
        if start is not None:
            network.vector[...] = start
        objective = Objective.of(network, conf.loss, conf.metrics)
        with clock("check"):
            encoder, workers = _checked(df, conf)
        with clock("spark"):
            job = Job.of(conf, encoder, network.vector, secrets.token_bytes(32))
            state, report = _with_news(_rows(df, conf).repartition(workers), job, conf.averaging.refits, progress)
    network.vector[...] = state[: network.layout.size]
    network.training = objective.conf | {"optimizer": to_conf(conf.optimizer)}
    network.preprocessing = to_saved(encoder)
    _warn_idle(report["rows"])
    seconds = _phases(clock.seconds, report["seconds"])
    return Fitted(network, encoder, report["history"], seconds, report["rows"], state, report["iterations"])


def _checked(df: "DataFrame", conf: FitConf) -> tuple[Encoder, int]:
    """The fitted encoder and the number of workers. What is cheap to find is found first."""
    early(df.sparkSession, conf.averaging.workers)
    check.require(arrow_schema(df.schema), conf.columns, conf.steps, conf.task)
    return look(_used(df, conf), conf), need_slots(df.sparkSession, conf.averaging.workers)


# The table's columns


def arrow_schema(schema: "StructType") -> pa.Schema:
    """A table's columns as the ranks see them in Arrow; null for a type that Arrow does not know."""
    return pa.schema([(field.name, _arrow_type(field.dataType)) for field in schema.fields])


def is_vector(kind: "DataType") -> bool:
    """Whether a column of this type holds vectors of pyspark.ml, or of pyspark.mllib."""
    return type(kind).__name__ == "VectorUDT"


def _arrow_type(kind: "DataType") -> Any:
    from pyspark.sql.pandas.types import to_arrow_type

    if is_vector(kind):
        return pa.list_(pa.float64())
    try:
        return to_arrow_type(kind)
    except Exception:  # such a column may stand in the table, as long as it is none of ours
        return pa.null()


def _used(df: "DataFrame", conf: FitConf) -> "DataFrame":
    """The used columns, `numbered`. Vectors become arrays in the JVM, where that is cheap; a null stays null."""
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as F  # noqa: N812

    def column(name: str) -> Any:
        own = F.col(quoted(name))
        return F.when(own.isNotNull(), vector_to_array(own)) if is_vector(df.schema[name].dataType) else own

    names = conf.columns.used()
    return df.select([column(name).alias(short) for name, short in zip(names, numbered(names), strict=True)])


def _rows(df: "DataFrame", conf: FitConf) -> "DataFrame":
    """What the ranks get: the used columns, cast, and the order of the rows."""
    used = _used(df, conf)
    return used.selectExpr(*expressions(arrow_schema(used.schema), conf), NUMBERING)


# The gang


@dataclass(frozen=True)
class SparkGang:
    """A task of a barrier stage as a rank."""

    context: "BarrierTaskContext"

    @property
    def rank(self) -> int:
        """The partition's number."""
        return int(self.context.partitionId())

    @cached_property
    def size(self) -> int:
        """Number of tasks."""
        return len(self.context.getTaskInfos())

    @property
    def host(self) -> str:
        """The address of this task's executor."""
        return str(self.context.getTaskInfos()[self.rank].address).rpartition(":")[0]

    def gather(self, text: str) -> list[str]:
        """Spark's allGather: about a second."""
        return list(self.context.allGather(text))


def rank_task(job: Job, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What a Spark task does in the gang."""
    from pyspark import BarrierTaskContext

    conf, _, _ = job.read()
    return train_rank(named(batches, conf.columns.used()), job, SparkGang(BarrierTaskContext.get()))


def _with_news(rows: "DataFrame", job: Job, refits: int, progress: Tell | None) -> tuple[Floats, dict[str, Any]]:
    """Run the gang while a board hears its news. State and report of rank 0."""
    host = None if _connect(rows.sparkSession) else rows.sparkSession.conf.get("spark.driver.host", None)
    if host is None or progress is None:
        return wire.unpack(until_done(partial(_once, rows, job), refits))
    board = Board(host, job.secret, progress)
    try:
        return wire.unpack(until_done(partial(_once, rows, replace(job, board=board.address)), refits))
    finally:
        board.close()


def _connect(spark: Any) -> bool:
    """Whether the driver is another process, maybe far away."""
    return "connect" in type(spark).__module__


def _once(rows: "DataFrame", job: Job) -> bytes:
    """One run of the gang: the bytes of its result."""
    done = rows.mapInArrow(partial(rank_task, job), wire.DDL, barrier=True).repartition(1)
    return wire.payload(done.toArrow())


def _warn_idle(rows: list[int]) -> None:
    if 0 in rows:
        idle = rows.count(0)
        log.warning("%d of %d workers had no rows: the table has %d. Fewer will do.", idle, len(rows), sum(rows))


def _phases(driver: dict[str, float], rank: dict[str, float]) -> dict[str, float]:
    """Seconds by phase: the driver's, with the gang's job split in what rank 0 did and what Spark took."""
    rest = max(0.0, driver["spark"] - sum(rank.values()))
    return {"check": driver["check"], **rank, "spark": rest, "total": driver["total"]}
