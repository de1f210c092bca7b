"""How many tasks a Spark cluster can run at the same time, asked before a gang is started.

A gang that does not fit would wait in silence for ten minutes; with adaptive execution Spark 4.3 even stops the whole
SparkContext (its scheduler fails with `key not found`). `spark` is a session; this module does not import pyspark.
"""

import time
from typing import Any

from sparkdl.base.errors import ClusterError

PATIENCE = 4.0  # seconds to wait for executors that have not come yet


def slots(spark: Any) -> int:
    """How many tasks can run at the same time now; 0 where no executor has come yet.

    Classic sessions know. On Spark Connect it is taken from the default parallelism, which is right unless set by hand.
    """
    try:
        scala = spark.sparkContext._jsc.sc()
        return int(scala.maxNumConcurrentTasks(scala.resourceProfileManager().defaultResourceProfile()))
    except Exception:  # whatever a session without a JVM raises
        return int(spark.range(1 << 20).selectExpr("spark_partition_id() AS part").distinct().count())


def early(spark: Any, workers: int | None) -> None:
    """Before any work: raise ClusterError for what this cluster can never do. One without executors gets its time."""
    if str(spark.conf.get("spark.dynamicAllocation.enabled", "false")).lower() == "true":
        raise ClusterError(
            "Spark cannot run workers side by side with dynamic allocation. Start the session with "
            "--conf spark.dynamicAllocation.enabled=false and a fixed --num-executors."
        )
    if workers is not None and slots(spark):
        need_slots(spark, workers)


def need_slots(spark: Any, workers: int | None) -> int:
    """`workers`, or all slots when None. Raises ClusterError, within seconds, when the cluster has fewer."""
    due, deadline = workers or 1, time.monotonic() + PATIENCE
    found = slots(spark)
    while found < due and not _local(spark) and time.monotonic() < deadline:
        time.sleep(0.2)
        found = slots(spark)
    if found < due:
        raise ClusterError(
            f"averaging.workers must be at most {found}: so many tasks can this cluster run at the same time. "
            f"Got {due}. Lower it, or give Spark more slots: --master local[{due}] on one machine, --num-executors and "
            "--executor-cores on a cluster."
        )
    return workers or found


def _local(spark: Any) -> bool:
    """Whether the slots are threads of the driver: all are there from the start."""
    return str(spark.conf.get("spark.master", "")).startswith("local[")
