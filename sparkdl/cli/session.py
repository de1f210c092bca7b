"""The Spark session of a job. The library itself takes sessions and never starts one."""

import os
from typing import TYPE_CHECKING

from sparkdl.base.errors import ClusterError
from sparkdl.cli.java import fault

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def open_session(name: str, master: str | None = None) -> "SparkSession":
    """The session that spark-submit prepared, or a new one on `master` (default: Spark's own conf, then local[*]).

    Raises ClusterError where pyspark or a Java that it can run on is missing.
    """
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    missing = None if submitted else fault()
    if missing:
        raise ClusterError(missing)
    builder = _pyspark().builder.appName(name)
    return (builder.master(master) if master else builder).getOrCreate()


def _pyspark() -> "type[SparkSession]":
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ClusterError("pyspark is not installed: run `pip install 'dl4spark[spark]'`.") from None
    return SparkSession
