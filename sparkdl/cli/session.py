"""The Spark session of a job, and its tables. The library itself takes sessions and never starts one."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sparkdl.base.errors import ClusterError, DataError
from sparkdl.base.registry import near
from sparkdl.cli.java import fault

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@contextmanager
def session(name: str, master: str | None = None) -> Iterator["SparkSession"]:
    """The running session, or a new one on `master` (by default what spark-submit or Spark's conf says, else local[*]).

    A session that was started here is stopped. Raises ClusterError where pyspark, or a Java for it, is missing.
    """
    kind = _pyspark()
    running = kind.getActiveSession()
    if running is not None:
        yield running
        return
    _check_java()
    builder = kind.builder.appName(name)
    spark = (builder.master(master) if master else builder).getOrCreate()
    try:
        yield spark
    finally:
        spark.stop()


def read_table(spark: "SparkSession", path: str, columns: Iterable[str]) -> "DataFrame":
    """A Parquet file or folder, a path of Spark's. Raises DataError when it cannot be read, or lacks a column."""
    from pyspark.errors import PySparkException

    try:
        df = spark.read.parquet(path)
        names = df.columns
    except PySparkException as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f"the table {path} cannot be read: {reason}") from None
    for name in columns:
        if name not in names:
            raise DataError(f"{path} has no column {name!r}.{near(name, names)} It has: {', '.join(names)}.")
    return df


def master_of(spark: "SparkSession") -> str:
    """Where the session runs, as far as it tells."""
    return spark.conf.get("spark.master", None) or "unknown"


def _check_java() -> None:
    """spark-submit has its Java already; a plain Python has to find one."""
    missing = None if "PYSPARK_GATEWAY_PORT" in os.environ else fault()
    if missing:
        raise ClusterError(missing)


def _pyspark() -> "type[SparkSession]":
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ClusterError("pyspark is not installed: run `pip install 'dl4spark[spark]'`.") from None
    return SparkSession
