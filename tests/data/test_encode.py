"""Encoding: rows of Arrow to inputs, labels and weights, and what it refuses row by row."""

import itertools
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from sparkdl.base.errors import ConfError, DataError
from sparkdl.data.batches import gather
from sparkdl.data.encode import Encoder, from_saved, to_saved
from sparkdl.data.schema import Columns
from sparkdl.data.steps.category import OneHot
from sparkdl.data.steps.image import Image
from sparkdl.data.steps.numeric import Scale, Standardize

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 4), np.uint8)
TABLE = pa.table(
    {
        "age": np.linspace(20, 60, 30), "kind": ["a", "b", "c"] * 10, "image": [row.tobytes() for row in PIXELS],
        "more": pa.array(PIXELS.tolist(), pa.list_(pa.int16())), "y": [0.0, 1.0, 2.0] * 10, "w": [1, 2, 3] * 10,
    }
)  # fmt: skip
STEPS = (
    Standardize(["age"], mean={"age": [40.0]}, std={"age": [10.0]}),
    OneHot(["kind"], categories={"kind": ["a", "b", "c"]}),
    Image(["image"], shape=[2, 2, 1]),
)
MIXED = Encoder(
    Columns({"numbers": ["age", "kind", "more"], "pixels": ["image"]}, label="y", weight="w"),
    STEPS, {"numbers": (8,), "pixels": (2, 2, 1)}, outputs=3, weight_mean=2.0,
)  # fmt: skip


def test_columns_are_joined_in_order_and_reshaped():
    batch = MIXED.encode(TABLE)
    age, kind = (TABLE["age"].to_numpy() - 40) / 10, np.eye(3)[np.arange(30) % 3]
    np.testing.assert_allclose(batch.x["numbers"], np.column_stack([age, kind, PIXELS]), rtol=1e-6)
    np.testing.assert_allclose(batch.x["pixels"], PIXELS.reshape(30, 2, 2, 1) / 255, rtol=1e-6)
    np.testing.assert_array_equal(batch.y, [0, 1, 2] * 10)
    np.testing.assert_array_equal(batch.weight, [0.5, 1, 1.5] * 10)
    assert {v.dtype.name for v in [*batch.x.values(), batch.weight]} == {"float32"}
    assert batch.y.dtype == np.int32
    assert batch.ids.tolist() == list(range(30))


@settings(deadline=None)  # a loaded machine is no fault
@given(cuts=st.lists(st.integers(0, 30), max_size=5), size=st.integers(1, 31))
def test_neither_partitions_nor_packing_change_a_bit(cuts, size):
    edges, whole = [0, *sorted(cuts), 30], MIXED.encode(TABLE)
    parts = [MIXED.pack(TABLE.slice(a, b - a)) for a, b in itertools.pairwise(edges)]
    table = gather(parts)
    assert table.x["pixels"].dtype == np.uint8
    assert table.x["numbers"].dtype == np.float32
    batches = list(table.minibatches(size, shuffle=False))
    for name in whole.x:
        np.testing.assert_array_equal(np.concatenate([b.x[name] for b in batches]), whole.x[name])
    np.testing.assert_array_equal(np.concatenate([b.y for b in batches]), whole.y)
    np.testing.assert_array_equal(np.concatenate([b.weight for b in batches]), whole.weight)


def test_saved_and_read_back():
    again = from_saved(json.loads(json.dumps(to_saved(MIXED))))
    assert again == MIXED
    np.testing.assert_array_equal(again.encode(TABLE).x["numbers"], MIXED.encode(TABLE).x["numbers"])
    with pytest.raises(ConfError, match=r"preprocessing\.steps\[0\]: no step named 'Standardise'. Did you mean"):
        from_saved(to_saved(MIXED) | {"steps": [{"type": "Standardise", "columns": ["age"]}]})


def test_narrow_columns_stay_narrow_only_when_scaled_alike():
    def dtype(steps, *columns):
        packed = Encoder(Columns(list(columns)), steps, {"x": (4 * len(columns),)}).pack(TABLE)
        return packed.x["x"].dtype.name

    assert dtype((), "image") == "uint8"
    assert dtype((), "more") == "int16"
    assert dtype((), "image", "more") == "float32"
    assert dtype((Scale(["image"]),), "image") == "uint8"
    ranks = Standardize(["image"], mean={"image": [0.0] * 4}, std={"image": [1.0] * 4})
    assert dtype((ranks,), "image") == "float32"


def test_scoring_needs_no_labels():
    features = TABLE.select(["age", "kind", "more", "image"])
    batch = MIXED.encode(features.to_batches()[0], labels=False)
    assert batch.y is None
    assert batch.weight is None
    with pytest.raises(DataError, match=r"no column named 'y'"):
        MIXED.encode(features)


def test_no_rows():
    empty = MIXED.encode(TABLE.slice(0, 0))
    assert {name: x.shape for name, x in empty.x.items()} == {"numbers": (0, 8), "pixels": (0, 2, 2, 1)}
    assert empty.y.shape == empty.weight.shape == (0,)


def changed(name: str, values: object) -> pa.Table:
    return TABLE.slice(0, 3).set_column(TABLE.column_names.index(name), name, pa.array(values))


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (changed("age", [1.0, None, 2.0]), "column 'age' must have no nulls. Got 1 in 3, the first at 1"),
        (changed("age", [1.0, 2.0, float("nan")]), "column 'age' must hold finite numbers .*1 of 3 rows.* row 2"),
        (changed("age", [1.0, float("inf"), 2.0]), "column 'age' must hold finite"),
        (changed("age", [1.0, 1e300, 2.0]), "column 'age' must hold finite numbers within float32"),
        (changed("age", ["1", "2", "3"]), "column 'age' must hold numbers, .*Got string. Encode it with OneHot"),
        (changed("kind", ["a", "x", "x"]), "column 'kind' must hold one of the 3 values.* 'x' in row 1 .2 of 3"),
        (changed("kind", ["a", None, "b"]), "column 'kind' must have no nulls"),
        (changed("kind", [1.0, 2.0, 3.0]), "column 'kind' must hold texts, whole numbers or booleans. Got double"),
        (
            changed("image", [b"1234", b"12", b"1234"]),
            "column 'image' must hold rows of one length. Got lengths 2 to 4",
        ),
        (changed("image", [b"12"] * 3), r"column 'image' must hold images of 4 bytes \(2 x 2 x 1\). Got 2"),
        (changed("more", [[1], [2], [3]]), r"'numbers' .* takes 8 .* give 5: age \(1\), kind \(3\), more \(1\)"),
        (changed("y", [0, 1, 3]), r"column 'y' \(label\) must be a whole number from 0 to 2. Got 3.* row 2"),
        (changed("y", [0, -1, 1]), "from 0 to 2. Got -1 in row 1"),
        (changed("y", [0, 0.5, 1]), "whole number from 0 to 2. Got 0.5"),
        (changed("y", [0, float("nan"), 1]), "whole number from 0 to 2. Got nan"),
        (changed("y", [0, None, 1]), "column 'y' must have no nulls"),
        (changed("y", ["a", "b", "c"]), "column 'y' must hold a class as a number. Got string"),
        (changed("y", [[1, 2]] * 3), "column 'y' must hold a class, one number a row. Got arrays of 2"),
        (changed("w", [1.0, -1.0, 1.0]), r"column 'w' \(weight\) must be finite and >= 0. Got -1.0 in row 1"),
        (changed("w", [1.0, float("nan"), 1.0]), "column 'w' .weight. must be finite"),
        (TABLE.drop_columns(["age"]), "no column named 'age'"),
    ],
)
def test_faults_are_told_by_column_and_row(table, told):
    with pytest.raises(DataError, match=told):
        MIXED.encode(table)


def test_unknown_categories_may_be_ignored():
    step = OneHot(["kind"], categories={"kind": ["a", "b"]}, handle_unknown="ignore")
    made = Encoder(Columns(["kind"]), (step,), {"x": (2,)}).encode(pa.table({"kind": ["b", "x"]}))
    assert made.x["x"].tolist() == [[0, 1], [0, 0]]


def labels(values: object, **fields: object) -> np.ndarray:
    encoder = Encoder(Columns(["x"], label="y"), (), {"i": (1,)}, **fields)
    return encoder.encode({"x": pa.array(np.zeros(len(values))), "y": pa.array(values)}).y


def test_labels_of_every_sort():
    assert labels(["no", "yes", "no"], classes=["no", "yes"]).tolist() == [0, 1, 0]
    assert labels([-1, 1], classes=["-1", "1"]).tolist() == [0, 1]
    assert labels([True, False]).tolist() == [1, 0]
    assert labels([1.5, 2.0], task="regression").tolist() == [[1.5], [2.0]]
    assert labels([[1, 2], [3, 4]], task="regression", outputs=2).tolist() == [[1, 2], [3, 4]]
    with pytest.raises(DataError, match=r"must hold 2 numbers a row, as the network. Got 1"):
        labels([1.0], task="regression", outputs=2)
    with pytest.raises(DataError, match=r"label. must be finite"):
        labels([1.0, float("inf")], task="regression")
    with pytest.raises(DataError, match=r"one of the 2 values seen in training. Got 'yess' .* Did you mean 'yes'"):
        labels(["yess"], classes=["no", "yes"])
