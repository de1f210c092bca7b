import json
import os

import pytest

from sparkdl.base.errors import ArchiveError
from sparkdl.layers import Dense

pytestmark = pytest.mark.spark


@pytest.fixture
def small(monkeypatch):
    from sparkdl.ml import persist

    monkeypatch.setattr(persist, "ROW", 100)
    monkeypatch.setattr(persist, "GROUP", 2)
    return persist


@pytest.mark.parametrize("size", [0, 1, 100, 450])
def test_bytes_come_back(spark, small, tmp_path, size):
    data, path = os.urandom(size), str(tmp_path / "rows")
    small.write_bytes(spark, path, data)
    assert small.read_bytes(spark, path) == data


def rows(spark, path):
    return [tuple(row) for row in spark.read.parquet(path).orderBy("seq").collect()]


HARM = {
    "a row is missing": (lambda r: r[:2] + r[3:], "row 2 of the model is missing or damaged"),
    "the last row is missing": (lambda r: r[:-1], "cut short. Got 4 rows of 5"),
    "a row is doubled": (lambda r: [*r, r[1]], "row 2 of the model is missing or damaged"),
    "a row is changed": (lambda r: [(0, 5, r[0][2], b"x" * 100), *r[1:]], "row 0 of the model is missing or damaged"),
    "the count changes": (lambda r: [*r[:3], (3, 4, *r[3][2:]), r[4]], "row 3 of the model is missing or damaged"),
    "bytes are null": (lambda r: [(0, 5, r[0][2], None), *r[1:]], "row 0 of the model is missing or damaged"),
    "there are no rows": (lambda r: [], "cut short. Got 0 rows of 1"),
    "seq is null": (lambda r: [(None, 5, 0, b""), *r[1:]], "row 0|cut short"),
}


@pytest.fixture(scope="module")
def whole(spark, tmp_path_factory):
    from sparkdl.ml import persist

    path = str(tmp_path_factory.mktemp("rows") / "whole")
    before, persist.ROW = persist.ROW, 100
    persist.write_bytes(spark, path, bytes(range(225)) * 2)
    persist.ROW = before
    return rows(spark, path)


@pytest.mark.parametrize("name", HARM)
def test_harmed_rows_are_refused(spark, small, tmp_path, whole, name):
    harm, words = HARM[name]
    path = str(tmp_path / "harmed")
    spark.createDataFrame(harm(whole), "seq int, total int, crc long, bytes binary").write.parquet(path)
    with pytest.raises(ArchiveError, match=words):
        small.read_bytes(spark, path)


def test_a_file_that_is_no_parquet_is_refused(spark, small, tmp_path):
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "part-0.parquet").write_bytes(b"PAR1 is not enough")
    with pytest.raises(ArchiveError, match="cannot be read as a saved model"):
        small.read_bytes(spark, str(tmp_path / "rows"))


def saved(tmp_path, **changes):
    """A saved estimator whose metadata was changed."""
    from sparkdl.ml.estimator import DLClassifier

    path = tmp_path / "stage"
    DLClassifier(network=[Dense(2, "softmax")]).save(str(path))
    file = next((path / "metadata").glob("part-*.txt"))
    metadata = json.loads(file.read_text()) | changes
    for check in (path / "metadata").glob(".*.crc"):
        check.unlink()
    file.write_text(json.dumps({k: v for k, v in metadata.items() if v is not None}) + "\n")
    return str(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"class": "os.system"}, "must hold a sparkdl.ml.estimator.DLClassifier. Got a os.system"),
        ({"class": None}, "not that of a Spark ML stage"),
        ({"uid": None}, "does not fit DLClassifier"),
        ({"paramMap": {"epoch": 3}}, "does not fit DLClassifier"),
        ({"paramMap": {"epochs": "many"}}, "does not fit DLClassifier"),
        ({"paramMap": 3}, "does not fit DLClassifier"),
        ({"sparkVersion": "new"}, "does not fit DLClassifier"),
    ],
)
def test_strange_metadata_is_refused(spark, tmp_path, changes, words):
    from sparkdl.ml.estimator import DLClassifier

    with pytest.raises(ArchiveError, match=words):
        DLClassifier.load(saved(tmp_path, **changes))


def test_metadata_of_a_model_without_its_network_is_refused(spark, tmp_path):
    from sparkdl.ml.model import DLClassificationModel

    path = saved(tmp_path, **{"class": "sparkdl.ml.model.DLClassificationModel", "paramMap": {}})
    with pytest.raises(ArchiveError, match="has no network"):
        DLClassificationModel.load(path)
