"""What the JVM is asked for: nothing wider than the encoder needs, nothing less exact."""

import pyarrow as pa
import pytest

from sparkdl.data.schema import Columns
from sparkdl.data.steps.numeric import Standardize
from sparkdl.dist.columns import expressions, named, quoted
from sparkdl.dist.job import FitConf
from sparkdl.nn.topology import Topology


def asked(kind, stepped=False, label=None):
    conf = FitConf(
        columns=Columns(["x"], label="y"),
        steps=(Standardize(["x"]),) if stepped else (),
        network=Topology({"input": (1,)}, [{"type": "Dense", "units": 2}]),
        loss="mse",
        optimizer="sgd",
    )
    return expressions(pa.schema([("x", kind), ("y", label or pa.int64())]), conf)


@pytest.mark.parametrize(
    ("kind", "bare", "stepped"),
    [
        (pa.float32(), "c0", "c0"),
        (pa.float64(), "CAST(c0 AS FLOAT) AS c0", "c0"),
        (pa.int64(), "CAST(c0 AS FLOAT) AS c0", "c0"),
        (pa.int16(), "c0", "c0"),
        (pa.bool_(), "c0", "c0"),
        (pa.string(), "c0", "c0"),
        (pa.binary(), "c0", "c0"),
        (pa.decimal128(10, 2), "CAST(c0 AS DOUBLE) AS c0", "CAST(c0 AS DOUBLE) AS c0"),
        (pa.list_(pa.float64()), "CAST(c0 AS ARRAY<FLOAT>) AS c0", "c0"),
        (pa.list_(pa.list_(pa.float64())), "CAST(c0 AS ARRAY<ARRAY<FLOAT>>) AS c0", "c0"),
        (pa.list_(pa.float32()), "c0", "c0"),
    ],
    ids=str,
)
def test_features(kind, bare, stepped):
    assert asked(kind)[0] == bare and asked(kind, stepped=True)[0] == stepped


def test_labels_stay_exact():
    assert asked(pa.float32(), label=pa.float64())[1] == "c1"
    assert asked(pa.float32(), label=pa.decimal128(4))[1] == "CAST(c1 AS DOUBLE) AS c1"


def test_names_come_back_and_backticks_are_kept():
    batch = pa.record_batch({"c0": [1], "c1": [2], "row": [3]})
    assert next(named([batch], ["a.b", "`"])).schema.names == ["a.b", "`", "row"]
    assert quoted("`") == "````"
