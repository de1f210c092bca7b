"""Training on Spark, end to end."""

import os
import signal
import threading
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sparkdl.base.errors import ClusterError, DataError
from sparkdl.data.encode import Encoder, from_saved, to_saved
from sparkdl.data.schema import Columns
from sparkdl.data.steps.numeric import Standardize
from sparkdl.dist.job import AveragingPlan, FitConf
from sparkdl.dist.spark import fit
from sparkdl.nn.topology import Topology
from tests.conformance.test_averaging import RANDOM, conf_of, table_of
from tests.dist.gangs import fitted
from tests.spark_session import on_cluster

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    """Three files, three partitions: what is shuffled comes from several places."""
    path = tmp_path_factory.mktemp("table")
    for k in range(3):
        pq.write_table(table_of(600).slice(k * 200, 200), path / f"part-{k}.parquet")
    return str(path)


@pytest.fixture
def table(spark, parquet):
    return spark.read.parquet(parquet)


def frame(spark, **columns):
    return spark.createDataFrame(pa.table(columns))


def test_it_learns_and_says_what_it_did(table):
    news = []
    done = fit(table, conf_of(optimizer="adam", epochs=40, frequency=3, weight=True), news.append)
    assert done.history[-1]["accuracy"] > 0.9 and done.history[-1]["loss"] < done.history[0]["loss"]
    assert [row["epoch"] for row in done.history] == list(range(1, 41))
    assert done.rows == 600 and done.workers == 2 and sum(done.by_worker) == 600 and done.classes is None
    assert list(done.timings) == ["check", "load", "rendezvous", "train", "average", "spark", "total"]
    assert sum(v for k, v in done.timings.items() if k != "total") == pytest.approx(done.timings["total"], rel=0.2)
    assert [n["epoch"] for n in news] == list(range(1, 41)) and news[0] == done.history[0] | {"epochs": 40}
    assert done.iterations == 40 * -(-max(done.by_worker) // 8) and done.state.dtype == np.float32
    assert from_saved(done.network.preprocessing) == done.encoder
    assert done.network.training["optimizer"]["type"] == "Adam" and done.network.training["metrics"]
    assert np.array_equal(done.state[: done.network.layout.size], done.network.vector)


def test_a_gang_on_spark_is_a_gang_without(spark):
    """The table has one partition and two equal halves, so that it is known which rows each rank has."""
    conf, rows = conf_of(frequency=2, epochs=3), table_of(40)
    done = fit(frame(spark, x=rows["x"], y=rows["y"]).coalesce(1), replace(conf, averaging=AveragingPlan(1, 2)))
    start = done.network.build(0).vector.copy()
    state, _ = fitted([rows], conf, Encoder(conf.columns, (), conf.network.inputs, outputs=3), start)
    assert np.array_equal(state, done.state)


def kill_a_worker(which):
    """SIGKILL one of this session's Python workers, children of the daemon that Spark forks them from."""

    def of(pid):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return int(stat[1]), Path(f"/proc/{pid}/cmdline").read_text()
        except OSError:
            return 0, ""

    found = {int(p.name): of(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()}
    daemons = {pid for pid, (_, line) in found.items() if "pyspark.daemon" in line}
    mine = [pid for pid, (parent, _) in found.items() if pid in daemons and parent in daemons and ours(pid, found)]
    os.kill(sorted(mine)[which], signal.SIGKILL)


def ours(pid, found):
    while pid in found and pid != os.getpid():
        pid = found[pid][0]
    return pid == os.getpid()


def test_the_same_bits_twice_and_with_workers_killed_in_mid_epoch(table, record_property):
    conf = conf_of(RANDOM, "adam", frequency=4, epochs=30, batch_size=2)
    done = [fit(table, conf), fit(table, conf)]
    for which in (0, -1):
        killed, epochs = threading.Event(), []

        def tell(news, which=which, killed=killed, epochs=epochs):
            epochs.append(news["epoch"])
            if news["epoch"] == 10 and not killed.is_set():
                killed.set()
                threading.Timer(0.05, kill_a_worker, [which]).start()

        done.append(fit(table, conf, tell))
        assert killed.is_set() and epochs.count(1) == 2, f"the stage was not started over: {epochs}"
    assert all(np.array_equal(d.state, done[0].state) for d in done[1:])
    losses = [[row["loss"] for row in d.history] for d in done]
    assert all(line == losses[0] for line in losses[1:])
    record_property("seconds", [d.timings["total"] for d in done])


def test_more_workers_than_slots_are_refused_at_once(table):
    started = time.monotonic()
    with pytest.raises(ClusterError, match="must be at most 2"):
        fit(table, conf_of(workers=3))
    assert time.monotonic() - started < 5


BAD = {
    "missing column": (lambda t: t.withColumnRenamed("x", "xs"), "no column named 'x'.*Did you mean 'xs'"),
    "text": (lambda t: t.selectExpr("'a' AS x", "y"), "'x' must hold numbers"),
    "null": (lambda t: t.selectExpr("IF(y = 1, NULL, x) AS x", "y"), "'x' has nulls in"),
    "null label": (lambda t: t.selectExpr("x", "IF(y = 1, NULL, y) AS y"), "'y' has nulls in"),
    "inner null": (lambda t: t.selectExpr("array(0f, 0f, NULL, 0f, 0f) AS x", "y"), "nulls inside its arrays"),
    "NaN": (lambda t: t.selectExpr("transform(x, v -> CAST('NaN' AS FLOAT)) AS x", "y"), "NaN"),
    "label out of range": (lambda t: t.selectExpr("x", "y + 1 AS y"), "'y'"),
    "broken label": (lambda t: t.selectExpr("x", "y + 0.5D AS y"), "'y'"),
    "lengths": (lambda t: t.selectExpr("slice(x, 1, 4 + CAST(y > 0 AS INT)) AS x", "y"), "one length"),
    "wrong length": (lambda t: t.selectExpr("slice(x, 1, 4) AS x", "y"), "takes 5 numbers a row"),
    "empty": (lambda t: t.where("false"), "the table is empty"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_tables_are_refused_before_training(table, kind):
    change, says = BAD[kind]
    with pytest.raises(DataError, match=says):
        fit(change(table), conf_of())


def test_a_fault_on_the_workers_comes_as_what_it_is_and_at_once(table):
    news = []
    with pytest.raises(DataError, match="the loss became"):
        fit(table, conf_of(optimizer={"type": "SGD", "learning_rate": 1e30}), news.append)
    assert len(news) <= 1  # not four attempts


def test_fewer_rows_than_workers(table, caplog):
    done = fit(table.limit(1), conf_of(epochs=2))
    assert sorted(done.by_worker) == [0, 1] and np.isfinite(done.state).all()
    assert "1 of 2 workers had no rows" in caplog.text


def test_columns_of_many_kinds(spark):
    """Vectors, decimals, images, texts, names with dots: they all arrive as the encoder alone would read them."""
    from pyspark.ml.feature import VectorAssembler

    rng, n = np.random.default_rng(0), 64
    raw = pa.table(
        {
            "a.b": rng.uniform(0, 1e6, n), "dec": [Decimal(k) / 8 for k in range(n)], "big": rng.integers(0, 2**40, n),
            "img": [bytes(row) for row in rng.integers(0, 255, (n, 4), np.uint8)], "flag": rng.integers(0, 2, n) == 1,
            "v1": rng.standard_normal(n), "v2": rng.standard_normal(n), "name": rng.choice(["no", "yes"], n),
        }
    )  # fmt: skip
    df = VectorAssembler(inputCols=["v1", "v2"], outputCol="vec").transform(spark.createDataFrame(raw))
    conf = FitConf(
        columns=Columns({"flat": ["a.b", "dec", "big", "flag", "vec"], "img": ["img"]}, label="name"),
        steps=(Standardize(["a.b", "big", "vec"]),),
        network=Topology(
            {"flat": (6,), "img": (4,)},
            [
                {"type": "Concatenate", "name": "both", "inputs": ["flat", "img"]},
                {"type": "Dense", "units": 1, "activation": "sigmoid"},
            ],
        ),
        loss="binary_crossentropy",
        optimizer={"type": "SGD", "learning_rate": 1e-9},
        averaging=AveragingPlan(workers=1),
        shuffle=False,
        epochs=1,
        batch_size=64,
    )
    done = fit(df.coalesce(1), conf)
    assert done.classes == ("no", "yes") and done.encoder.outputs == 2
    rows = raw.append_column("vec", pa.array(np.column_stack([raw["v1"], raw["v2"]]).tolist()))
    batch = done.encoder.encode(rows)
    assert batch.x["flat"].shape == (64, 6) and abs(batch.x["flat"][:, 0].mean()) < 1e-6
    due = done.network.evaluate(dict(batch.x), batch.y, loss=conf.loss)
    assert done.history[0]["loss"] == pytest.approx(due["loss"], rel=1e-4)
    assert to_saved(done.encoder) == done.network.preprocessing


@pytest.mark.slow
def test_a_cluster_of_two_executors_gives_the_same_bits(table, parquet, tmp_path):
    conf = conf_of(RANDOM, "adam", frequency=4, epochs=5)
    on_cluster(
        """
import numpy as np
from sparkdl.dist.spark import fit
from tests.conformance.test_averaging import RANDOM, conf_of
news = []
done = fit(spark.read.parquet(sys.argv[1]), conf_of(RANDOM, "adam", frequency=4, epochs=5), news.append)
assert len(news) == 5, news
try:
    fit(spark.read.parquet(sys.argv[1]), conf_of(workers=3))
except Exception as error:
    print(type(error).__name__, error)
np.save(sys.argv[2], done.state)
""",
        parquet,
        str(tmp_path / "state.npy"),
    )
    assert np.array_equal(np.load(tmp_path / "state.npy"), fit(table, conf).state)
