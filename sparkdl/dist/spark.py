"""Training on a Spark DataFrame: the one way, used by the ML stages and by the jobs. The folder's only door to pyspark.

    check   one plain pass over the table measures columns and steps; nothing starts on a table with faults
    gang    select and cast in the JVM | repartition(workers) | mapInArrow(rank_task, barrier=True) | repartition(1)
    result  rows of 1 MB from rank 0, counted and checked

The repartition(1) after the barrier stage is what makes Spark start a failed gang over: a barrier stage that ends the
job is never retried. DataFrames only (no RDDs, no SparkContext on the way), so that sessions of Spark Connect work too.
"""

import logging
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sparkdl.base.errors import ClusterError, SparkdlError
from sparkdl.base.record import from_conf, record, to_conf
from sparkdl.data import check
from sparkdl.data.encode import Encoder, to_saved
from sparkdl.data.schema import Columns, Steps
from sparkdl.data.survey import Survey, merge_all, survey
from sparkdl.dist import wire
from sparkdl.dist.clock import Clock
from sparkdl.dist.columns import NUMBERING, expressions, quoted
from sparkdl.dist.faults import Lost, attempt
from sparkdl.dist.job import FitConf, Job
from sparkdl.dist.progress import Board, Tell
from sparkdl.dist.worker import train_rank
from sparkdl.nn.network import Network
from sparkdl.nn.params import Floats
from sparkdl.train.objective import Objective

if TYPE_CHECKING:
    from pyspark import BarrierTaskContext
    from pyspark.sql import DataFrame, SparkSession

PATIENCE = 4.0  # seconds to wait for executors that have not come yet
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fitted:
    """What a fit gives.

    network:   trained; `training` and `preprocessing` are set
    history:   a row an epoch: epoch (from 1), loss, metrics, examples, seconds
    timings:   seconds: check, load, rendezvous, train, average (of rank 0), spark (all else), total
    rows:      of the table; by_worker of each worker
    state:     parameters and optimizer state, as `Trainer.set_state` takes it; iterations: steps done
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

    progress:  called after each epoch with its row of the history and "epochs"; in a thread, on classic sessions only
    start:     first parameters (layout.size,); drawn with the conf's seed by default

    Raises DataError for a table that cannot be trained on, ConfError for a conf that does not fit it, ClusterError when
    the cluster has fewer slots than workers or fails for good.
    """
    clock, spark = Clock(), df.sparkSession
    with clock("total"):
        network = Network(conf.network).build(conf.seed)
        objective = Objective.of(network, conf.loss, conf.metrics)
        if start is not None:
            network.vector[...] = start
        with clock("check"):
            _refuse_dynamic(spark)
            _early(spark, conf.averaging.workers)
            encoder = survey_table(df, conf)
            workers = need_slots(spark, conf.averaging.workers)
        with clock("spark"):
            state, report = _with_news(df, conf, encoder, network.vector, workers, progress)
    network.vector[...] = state[: network.layout.size]
    network.training = objective.conf | {"optimizer": to_conf(conf.optimizer)}
    network.preprocessing = to_saved(encoder)
    seconds = _phases(clock.seconds, report["seconds"])
    return Fitted(network, encoder, report["history"], seconds, report["rows"], state, report["iterations"])


# --- the cluster's slots -----------------------------------------------------------------------------------------


def slots(spark: "SparkSession") -> int:
    """How many tasks can run at the same time now.

    Classic sessions know. On Spark Connect it is taken from the default parallelism, which is right unless set by hand.
    """
    try:
        scala = spark.sparkContext._jsc.sc()
        return int(scala.maxNumConcurrentTasks(scala.resourceProfileManager().defaultResourceProfile()))
    except Exception:
        return int(spark.range(1 << 20).selectExpr("spark_partition_id() AS part").distinct().count())


def need_slots(spark: "SparkSession", workers: int | None) -> int:
    """`workers`, or all slots when None. Raises ClusterError when the cluster has fewer, after a few seconds at most.

    Spark itself would say nothing for ten minutes; with adaptive execution Spark 4.3 even stops the SparkContext.
    """
    found, deadline = slots(spark), time.monotonic() + PATIENCE
    while found < (workers or 1) and not _local(spark) and time.monotonic() < deadline:
        time.sleep(0.2)
        found = slots(spark)
    if found < (workers or 1):
        raise ClusterError(
            f"averaging.workers must be at most {found}, the tasks that this cluster can run at the same time. "
            f"Got {workers or 1}. Lower it, or give Spark more slots: --master local[{workers or 1}] on one machine, "
            "--num-executors and --executor-cores on a cluster."
        )
    return workers or found


def _early(spark: "SparkSession", workers: int | None) -> None:
    """Before the pass over the table: refuse what cannot work. Executors that are yet to come get their time."""
    if workers is not None and slots(spark):
        need_slots(spark, workers)


def _local(spark: "SparkSession") -> bool:
    """Whether the slots are threads of the driver: all there from the start."""
    return str(spark.conf.get("spark.master", "")).startswith("local[")


def _refuse_dynamic(spark: "SparkSession") -> None:
    if str(spark.conf.get("spark.dynamicAllocation.enabled", "false")).lower() == "true":
        raise ClusterError(
            "Spark cannot run a gang of workers with dynamic allocation. Start the session with "
            "--conf spark.dynamicAllocation.enabled=false and a fixed --num-executors."
        )


# --- the pass over the table ---------------------------------------------------------------------------------------

_SURVEY = "kind string, text string"


def survey_table(df: "DataFrame", conf: FitConf) -> Encoder:
    """Look at schema and rows. The fitted encoder, or DataError with every fault."""
    from pyspark.sql.pandas.types import to_arrow_schema

    check.require(to_arrow_schema(df.schema), conf.columns, conf.steps, conf.task)
    task = partial(survey_task, to_conf(conf.columns), to_conf(conf.steps), conf.task)
    rows = df.select([quoted(name) for name in conf.columns.used()]).mapInArrow(task, _SURVEY).toArrow().to_pylist()
    for row in rows:
        if row["kind"] == "error":
            raise wire.error_of(row["text"].encode())
    found = merge_all((Survey.from_json(row["text"]) for row in rows), conf.steps)
    shapes, outputs = conf.network.inputs, conf.network.specs(1)[conf.network.outputs[0]].size
    return check.fit(found, conf.columns, conf.steps, shapes, conf.task, outputs, conf.classes)


def survey_task(columns: Any, steps: Any, task: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What a Spark task does in the pass: one row with the survey of its rows, or with the fault that it met."""
    records = from_conf(_Asked, {"columns": columns, "steps": steps})
    found, fault = attempt(survey, batches, records.columns, records.steps, task)
    kind, text = ("error", wire.error_text(fault)) if fault else ("survey", found.to_json() if found else "")
    yield pa.record_batch({"kind": [kind], "text": [text]})


@record
class _Asked:
    """Columns and steps, as they travel."""

    columns: Columns
    steps: Steps


# --- the gang --------------------------------------------------------------------------------------------------------


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

    return train_rank(batches, job, SparkGang(BarrierTaskContext.get()))


def _with_news(
    df: "DataFrame", conf: FitConf, encoder: Encoder, vector: Floats, workers: int, progress: Tell | None
) -> tuple[Floats, dict[str, Any]]:
    """Run the gang while a board hears its news. State and report of rank 0."""
    secret, spark = secrets.token_bytes(32), df.sparkSession
    host = None if progress is None or _connect(spark) else spark.conf.get("spark.driver.host", None)
    board = Board(host, secret, progress) if host and progress else None
    try:
        job = Job.of(conf, encoder, vector, secret, board.address if board else None)
        return wire.unpack(_until_done(_table(df, conf).repartition(workers), job, conf.averaging.refits))
    finally:
        if board:
            board.close()


def _table(df: "DataFrame", conf: FitConf) -> "DataFrame":
    """The used columns, cast, and the order of the rows."""
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql.pandas.types import to_arrow_schema

    for name in conf.columns.feature_names():
        if df.schema[name].dataType.simpleString() == "vector":
            df = df.withColumn(name, vector_to_array(quoted(name)))
    return df.selectExpr(*expressions(to_arrow_schema(df.schema), conf), NUMBERING)


def _until_done(table: "DataFrame", job: Job, refits: int) -> bytes:
    """The result's bytes. Starts over after failures that Spark does not retry and that may pass."""
    for left in range(refits, -1, -1):
        try:
            return wire.payload(
                table.mapInArrow(partial(rank_task, job), wire.DDL, barrier=True).repartition(1).toArrow()
            )
        except Lost as error:
            fault: Exception = error
        except SparkdlError:
            raise
        except Exception as error:
            fault = error
            if not any(sign in str(error) for sign in _MAY_PASS):
                break
        if left:
            log.warning("the training failed and starts over: %s", _said(fault))
    raise ClusterError(f"Spark could not finish the training: {_said(fault)}") from fault


_MAY_PASS = ("ExecutorLostFailure", "Could not recover from a failed barrier ResultStage", "SPARK-24819")


def _said(error: Exception) -> str:
    """A Spark exception without the Java below it."""
    lines = [line for line in str(error).splitlines() if not line.startswith("\tat ")]
    return "\n".join(lines)[:4000]


def _connect(spark: "SparkSession") -> bool:
    return "connect" in type(spark).__module__


def _phases(driver: dict[str, float], rank: dict[str, float]) -> dict[str, float]:
    """Seconds by phase: the driver's, with the gang's job split in what rank 0 did and what Spark took."""
    rest = max(0.0, driver["spark"] - sum(rank.values()))
    return {"check": driver["check"], **rank, "spark": rest, "total": driver["total"]}
