"""What a table's survey tells: every fault at once, the same for any partitioning."""

import itertools
import logging

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from sparkdl.base.errors import DataError
from sparkdl.data.check import fit, require
from sparkdl.data.schema import Columns
from sparkdl.data.steps.category import MOST, OneHot
from sparkdl.data.steps.image import Image
from sparkdl.data.steps.numeric import Standardize
from sparkdl.data.survey import Survey, merge_all, survey

draw = np.random.default_rng(2)
GOOD = {
    "a": draw.normal(size=24), "k": ["u", "v", "w"] * 8, "v": draw.normal(size=(24, 2)).tolist(),
    "y": [0, 1, 2] * 8, "w": [1.0, 3.0] * 12,
}  # fmt: skip
COLUMNS = Columns(["a", "k", "v"], label="y", weight="w")
STEPS = (Standardize(["a", "v"]), OneHot(["k"]))
SHAPES = {"x": (6,)}
NAN = float("nan")


def fitted(table: object, columns: Columns = COLUMNS, steps: tuple = STEPS, shapes: dict = SHAPES, **given: object):
    made = pa.table(table)
    outputs = given.pop("outputs", 3)
    found = survey(made.to_batches(max_chunksize=5), columns, steps, given.get("task", "classification"))
    return fit(Survey.from_json(found.to_json()), columns, steps, shapes, outputs=outputs, **given)


def test_a_good_table_gives_its_encoder(caplog):
    encoder = fitted(GOOD)
    assert encoder.weight_mean == 2
    assert encoder.classes is None
    assert encoder.outputs == 3
    batch = encoder.encode(pa.table(GOOD))
    np.testing.assert_allclose(batch.x["x"][:, [0, 4, 5]].mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(batch.x["x"][:, [0, 4, 5]].std(0), 1, rtol=1e-5)
    assert float(batch.weight.mean()) == 1
    assert not caplog.records


@settings(deadline=None)  # a loaded machine is no fault
@given(cuts=st.lists(st.integers(0, 24), max_size=6), order=st.randoms())
def test_partitions_do_not_matter(cuts, order):
    table, edges = pa.table(GOOD), [0, *sorted(cuts), 24]
    parts = [survey([table.slice(a, b - a)], COLUMNS, STEPS) for a, b in itertools.pairwise(edges)]
    parts.append(survey([], COLUMNS, STEPS))
    order.shuffle(parts)
    found = merge_all((Survey.from_json(part.to_json()) for part in parts), STEPS)
    whole = survey([table], COLUMNS, STEPS)
    assert found.rows == 24
    assert found.columns == whole.columns
    a, b = (fit(s, COLUMNS, STEPS, SHAPES, outputs=3) for s in (whole, found))
    for name in ("a", "v"):
        np.testing.assert_allclose(a.steps[0].mean[name], b.steps[0].mean[name], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(a.steps[0].std[name], b.steps[0].std[name], rtol=1e-12)
    assert a.steps[1] == b.steps[1]


def but(**columns: object) -> dict:
    return GOOD | columns


FAULTS = [
    (but(a=[None, None, *GOOD["a"][2:]]), "column 'a' has nulls in 2 of 24 rows"),
    (but(k=[None, *GOOD["k"][1:]]), "column 'k' has nulls in 1 of 24 rows"),
    (but(a=[NAN, float("inf"), *GOOD["a"][2:]]), "column 'a' has NaN, infinite .* in 2 of 24 rows"),
    (but(a=[1e39, *GOOD["a"][1:]]), "column 'a' has NaN, infinite numbers or numbers beyond float32 in 1 of 24"),
    (but(v=[[1.0], *GOOD["v"][1:]]), "column 'v' must hold arrays of one length. Got lengths from 1 to 2"),
    (but(v=[[1.0]] * 5 + GOOD["v"][5:]), "column 'v' must hold arrays of one length. Got lengths from 1 to 2"),
    (but(v=[[1.0, None], *GOOD["v"][1:]]), "column 'v' has 1 nulls inside its arrays"),
    (but(v=[[[1.0], [1.0, 2.0]]] * 24), "column 'v' must hold rows of one length"),
    (but(v=[[1.0]] * 24), r"input 'x' .* takes 6 numbers a row, .* give 5: a \(1\), k \(3\), v \(1\)"),
    (but(k=["u"] * 24), r"give 4: a \(1\), k \(1\), v \(2\)"),
    (but(y=[0, 1, 3] * 8), "label column 'y' must hold classes from 0 to 2, the network's last class. Got 0 to 3"),
    (but(y=[-1, 1] * 12), "must hold classes from 0 to 2, .* Got -1 to 1. Renumber them, or make them texts"),
    (but(y=[0.0, 1.5] * 12), "must hold whole class numbers. Got 12 others: is the task regression"),
    (but(y=[0.0, NAN] * 12), "column 'y' has NaN, infinite .* in 12 of 24"),
    (but(y=[0, None] * 12), "column 'y' has nulls in 12 of 24 rows"),
    (but(y=[[0, 1]] * 24), "label column 'y' must hold one class a row. Got arrays of 2"),
    (but(y=["p", "q"] * 12), r"label column 'y' has 2 classes \(p, q\), the network 3. Give its last layer 2"),
    (but(w=[1.0, -2.0] * 12), "weight column 'w' must be >= 0. The least is -2"),
    (but(w=[0] * 24), "weight column 'w' must have a weight above 0. All are 0"),
    (but(w=[1.0, NAN] * 12), "column 'w' has NaN"),
    (but(w=[1.0, None] * 12), "column 'w' has nulls in 12"),
    (but(w=[[1.0, 1.0]] * 24), "weight column 'w' must hold one number a row. Got arrays of 2"),
    ({name: values[:0] for name, values in GOOD.items()}, "the table is empty: training needs one row at least"),
]


@pytest.mark.parametrize(("table", "told"), FAULTS)
def test_faults_are_told(table, told):
    with pytest.raises(DataError, match=told):
        fitted(table)


def test_all_faults_are_told_at_once():
    with pytest.raises(DataError) as error:
        fitted(but(a=[None, *GOOD["a"][1:]], y=[7, 1] * 12, w=[-1.0] * 24))
    assert str(error.value).splitlines()[0] == "3 faults:"
    for told in ("column 'a'", "label column 'y'", "weight column 'w'"):
        assert told in str(error.value)


def test_no_batches_are_an_empty_table():
    with pytest.raises(DataError, match=r"the table is empty"):
        fit(survey([], COLUMNS, STEPS), COLUMNS, STEPS, SHAPES, outputs=3)


def test_a_missing_class_is_a_warning(caplog):
    with caplog.at_level(logging.WARNING, "sparkdl.data"):
        assert fitted(but(y=[0, 2] * 12)).outputs == 3
    assert "label column 'y': no row has the class 1; training goes on" in caplog.text


def test_text_labels_become_classes():
    encoder = fitted(but(y=["r", "p", "q"] * 8))
    assert encoder.classes == ("p", "q", "r")
    assert encoder.encode(pa.table(but(y=["r", "p", "q"] * 8))).y.tolist() == [2, 0, 1] * 8
    listed = fitted(but(y=["r", "p", "q"] * 8), classes=["r", "q", "p", "s"], outputs=4)
    assert listed.classes == ("r", "q", "p", "s")
    with pytest.raises(DataError, match=r"must hold one of the classes p, q. Got r"):
        fitted(but(y=["r", "p", "q"] * 8), classes=["p", "q"], outputs=2)


def test_one_output_means_two_classes():
    assert fitted(but(y=[0, 1] * 12), outputs=1).outputs == 2
    assert fitted(but(y=[False, True] * 12), outputs=1).classes is None
    assert fitted(but(y=["n", "y"] * 12), outputs=1).classes == ("n", "y")
    with pytest.raises(DataError, match=r"classes from 0 to 1, .* Got 0 to 2"):
        fitted(GOOD, outputs=1)


def test_regression():
    assert fitted(but(y=draw.normal(size=24)), task="regression", outputs=1).outputs == 1
    assert fitted(but(y=[[1.0, 2.0]] * 24), task="regression", outputs=2).outputs == 2
    with pytest.raises(DataError, match=r"must hold 2 numbers a row, as the network gives. Got 1"):
        fitted(GOOD, task="regression", outputs=2)


def test_too_many_categories_and_classes():
    many = pa.table({"k": np.arange(MOST + 5), "y": np.arange(MOST + 5)})
    columns = Columns(["k"], label="y")
    with pytest.raises(DataError, match=f"must have at most {MOST} categories"):
        fit(survey([many], Columns(["k"]), [OneHot(["k"])]), Columns(["k"]), [OneHot(["k"])], SHAPES)
    with pytest.raises(DataError, match=f"more than {MOST} different values: is the task regression"):
        fit(survey([many], columns), columns, [], {"x": (1,)}, outputs=MOST + 5)


def test_images_of_a_wrong_size():
    columns, steps = Columns(["i"]), (Image(["i"], shape=[2, 2]),)
    with pytest.raises(DataError, match=r"column 'i' must hold images of 4 bytes \(2 x 2\). Got 3"):
        fit(survey([pa.table({"i": [b"123"]})], columns, steps), columns, steps, {"x": (2, 2)})


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        ({"a": pa.string()}, "column 'a' must hold numbers.* Got string. Encode it with OneHot"),
        ({"k": pa.float64()}, "column 'k' must hold texts, whole numbers or booleans. Got double"),
        ({"v": pa.list_(pa.string())}, "column 'v' must hold numbers"),
        ({"a": pa.timestamp("us")}, "column 'a' must hold numbers.* Got timestamp.*Cast it in the query"),
        ({"y": pa.date32()}, "column 'y' must hold numbers"),
        ({"w": pa.string()}, "column 'w' must hold numbers"),
        ({"a": None}, "no column named 'a'.* The table has: "),
        ({"a": None, "w": None}, "2 faults:"),
    ],
)
def test_schemas_are_refused_before_any_row_is_read(kinds, told):
    good = {"a": pa.float64(), "k": pa.string(), "v": pa.list_(pa.float32()), "y": pa.int64(), "w": pa.float32()}
    schema = pa.schema([(name, kind) for name, kind in (good | kinds).items() if kind is not None])
    with pytest.raises(DataError, match=told):
        require(schema, COLUMNS, STEPS)


def test_good_schemas_pass():
    good = {
        "a": pa.decimal128(9, 2),
        "k": pa.bool_(),
        "v": pa.list_(pa.list_(pa.float32())),
        "y": pa.string(),
        "w": pa.int8(),
    }
    require(pa.schema(list(good.items())), COLUMNS, STEPS)
    with pytest.raises(DataError, match=r"column 'y' must hold numbers"):
        require(pa.schema(list(good.items())), COLUMNS, STEPS, "regression")
