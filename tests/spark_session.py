"""One Spark session for a test run, made when first asked for, and a small cluster in a process of its own.

The confs that are not comfort: the two slot checks, without which a barrier stage that does not fit is silent for ten
minutes, and the Python of the workers, which Spark would otherwise take from PATH.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

CONFS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.scheduler.barrier.maxConcurrentTasksCheck.interval": "2s",
    "spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures": "2",
}
ROOT = Path(__file__).parents[1]


def open_session(master="local[2]", **confs):
    """A session on `master` with the confs above."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["PYTHONPATH"] = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    builder = SparkSession.builder.master(master).appName("sparkdl tests")
    for key, value in (CONFS | {"spark.sql.warehouse.dir": tempfile.mkdtemp()} | confs).items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


@pytest.fixture(scope="session")
def spark():
    """The session of this test run, on local[2]."""
    session = open_session()
    yield session
    session.stop()


def on_cluster(script, *args, timeout=300):
    """Run Python text in a process of its own where `spark` is a session on local-cluster[2,1,1024]; its stdout."""
    text = (
        "import sys\nfrom tests.spark_session import open_session\n"
        "if __name__ == '__main__':\n"
        "    spark = open_session('local-cluster[2,1,1024]', **{'spark.executor.memory': '1g'})\n"
        "    try:\n" + "".join(f"        {line}\n" for line in script.strip().splitlines()) + "    finally:\n"
        "        spark.stop()\n"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", text, *args], capture_output=True, text=True, timeout=timeout, env=env, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout
