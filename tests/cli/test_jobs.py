"""Whole jobs on Spark: train, evaluate, predict, and the faults that only a table shows."""

import json
import tomllib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sparkdl.base.errors import DataError
from sparkdl.cli.conf import load_conf
from sparkdl.cli.evaluate import evaluate
from sparkdl.cli.predict import predict
from sparkdl.cli.train import train
from tests.architecture.source import ROOT

pytestmark = pytest.mark.spark

SMALL = {
    "adult": ["training.epochs=3", "training.optimizer.learning_rate=0.003"],
    "concrete": ["training.epochs=20", "training.optimizer.learning_rate=0.01"],
}
BAR = {"adult": lambda m: m["accuracy"] > 0.82, "concrete": lambda m: m["rmse"] < 13}


@pytest.fixture(scope="module", params=list(SMALL))
def trained(request, spark, tmp_path_factory):
    """A conf's name, its path, its overrides, its output folder and its result."""
    name, out = request.param, tmp_path_factory.mktemp("job")
    places = [f"output.path={out}/run", f"data.train={out}/train.parquet", f"data.test={out}/test.parquet"]
    conf, overrides = str(ROOT / "conf" / f"{name}.toml"), [*SMALL[name], *places]
    return name, conf, overrides, out / "run", train(conf, overrides)


def test_a_training_learns(trained):
    name, _, _, _, result = trained
    assert BAR[name](result["metrics"]["test"])


def test_the_result_is_written_whole(trained):
    name, conf, overrides, out, result = trained
    written = json.loads((out / "result.json").read_text())
    assert written == json.loads(json.dumps(result))
    assert set(written) >= {
        "metrics", "rows", "rows_per_second", "workers", "parameters", "history", "timings", "seed", "spark",
        "versions",
    }  # fmt: skip
    assert written["seed"] == 7 and written["workers"] == 2 and written["spark"]["master"] == "local[2]"
    assert [row["epoch"] for row in written["history"]] == list(
        range(1, load_conf(conf, overrides).training.epochs + 1)
    )
    assert written["rows"] == {"adult": {"train": 4000, "test": 2000}, "concrete": {"train": 927, "test": 103}}[name]
    assert {"start Spark", "check", "train", "average", "save", "evaluate", "total"} <= set(written["timings"])
    if name == "adult":
        assert written["classes"] == ["<=50K", ">50K"]
        assert sum(map(sum, written["confusion_matrix"])) == 2000


def test_the_conf_beside_the_result_is_the_whole_conf(trained):
    _, conf, overrides, out, _ = trained
    assert load_conf(str(out / "conf.toml")) == load_conf(conf, overrides)
    assert "averaging" in tomllib.loads((out / "conf.toml").read_text())


def test_evaluation_finds_the_same_figures(trained):
    _, conf, overrides, out, result = trained
    figures = evaluate(conf, overrides)
    same = result["metrics"]["test"]
    assert {k: figures[k] for k in same} == pytest.approx(same)
    assert json.loads((out / "evaluation.json").read_text())["table"].endswith("test.parquet")


def test_predictions_stand_beside_the_table(trained):
    name, conf, overrides, _, result = trained
    written = pq.read_table(predict(conf, overrides, overwrite=True)).to_pandas()
    if name == "adult":
        assert (written["prediction"] == written["income"]).mean() == pytest.approx(
            result["metrics"]["test"]["accuracy"]
        )
        assert written["probability"].map(sum).between(0.999, 1.001).all()
    else:
        rmse = ((written["prediction"] - written["strength"]) ** 2).mean() ** 0.5
        assert rmse == pytest.approx(result["metrics"]["test"]["rmse"], rel=1e-6)


def test_predicting_needs_no_label(trained, tmp_path):
    _, conf, overrides, _, _ = trained
    label = load_conf(conf, overrides).data.label
    test = pq.read_table(load_conf(conf, overrides).data.test)
    pq.write_table(test.drop_columns([label]), tmp_path / "new.parquet")
    written = pq.read_table(predict(conf, overrides, table=str(tmp_path / "new.parquet"), overwrite=True))
    assert written.num_rows == test.num_rows


TINY = """
[data]
train = "{0}/train.parquet"
test = "{0}/test.parquet"
features = ["a", "b"]
label = "y"
[network]
inputs = {{x = [2]}}
[[network.layers]]
type = "Dense"
units = 2
activation = "softmax"
[training]
loss = "SparseCategoricalCrossentropy"
optimizer = "SGD"
[averaging]
workers = 2
[output]
path = "{0}/out"
"""
GOOD = {"a": [0.0, 1.0, 0.5, 0.2], "b": [1.0, 0.0, 0.5, 0.1], "y": [0, 1, 0, 1]}


@pytest.mark.parametrize(
    ("part", "table", "says"),
    [
        ("train", None, "train.parquet cannot be read"),
        ("train", {"a": GOOD["a"], "B2": GOOD["b"], "y": GOOD["y"]}, "no column 'b'. Did you mean 'B2'"),
        ("test", {"a": GOOD["a"], "b": GOOD["b"], "label": GOOD["y"]}, "no column 'y'"),
        ("train", {**GOOD, "b": ["p", "q", "r", "s"]}, "'b'"),
        ("train", {**GOOD, "b": [1.0, None, 0.5, 0.1]}, "'b'.*null"),
        ("train", {**GOOD, "a": [0.0, float("nan"), 0.5, 0.1]}, "'a'"),
        ("train", {**GOOD, "y": [0, 1, 2, 1]}, "'y'"),
        ("train", {k: v[:0] for k, v in GOOD.items()}, "empty|no rows"),
    ],
)
def test_a_table_that_cannot_be_used_is_told_before_training(spark, tmp_path, part, table, says):
    tables = {"train": GOOD, "test": GOOD, part: table}
    for name, columns in tables.items():
        if columns is not None:
            pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    (tmp_path / "tiny.toml").write_text(TINY.format(tmp_path))
    with pytest.raises(DataError, match=says):
        train(str(tmp_path / "tiny.toml"))
    assert not (tmp_path / "out" / "model.zip").exists()
