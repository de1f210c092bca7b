import numpy as np
import pyarrow as pa
import pytest

from sparkdl.base.errors import ArchiveError, DataError
from sparkdl.data.encode import Encoder, to_saved
from sparkdl.data.schema import Columns
from sparkdl.data.steps.numeric import Standardize
from sparkdl.io.archive import to_bytes
from sparkdl.layers import Dense
from sparkdl.ml import cache
from sparkdl.ml.scorer import Scorer, answer
from sparkdl.ml.ship import Parcel
from sparkdl.nn.network import Sequential

STEP = Standardize(("a",), {"a": (1.0,)}, {"a": (2.0,)})
ENCODER = Encoder(Columns(("a", "b"), "y"), (STEP,), {"input": (3,)}, outputs=2)
A, B = pa.array([1.0, 3.0, None]), pa.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])


def classifier():
    network = Sequential([Dense(2, "softmax")], input_shape=(3,)).build(5)
    network.preprocessing = to_saved(ENCODER)
    return network


def test_columns_are_prepared_as_in_training():
    network = classifier()
    got = Scorer(network, ENCODER)({"a": A[:2], "b": B[:2]})
    x = np.array([[0, 0, 1], [1, 2, 3]], np.float32)
    np.testing.assert_allclose(got["probability"], network.predict(x), atol=1e-6)
    np.testing.assert_array_equal(got["prediction"], network.predict(x).argmax(axis=1))
    assert {k: v.dtype.name for k, v in got.items()} == {
        "raw": "float32", "probability": "float32", "prediction": "float64",
    }  # fmt: skip


def test_what_happens_to_rows_that_cannot_be_scored():
    scorer, columns = Scorer(classifier(), ENCODER), {"a": A, "b": B}
    with pytest.raises(DataError, match="column 'a'"):
        answer(scorer, columns, "error", ())
    kept = answer(scorer, columns, "keep", ())
    assert kept.null_count == 0
    assert np.isnan(kept.field("prediction")[2].as_py())
    assert np.isnan(kept.field("probability")[2].as_py()).all()
    skipped = answer(scorer, columns, "skip", ())
    assert skipped.is_valid().to_pylist() == [True, True, False]
    assert skipped[:2].equals(kept[:2])


def test_a_batch_of_no_rows_and_one_of_bad_rows_alone():
    scorer = Scorer(classifier(), ENCODER)
    assert len(answer(scorer, {"a": A[:0], "b": B[:0]}, "error", ())) == 0
    assert answer(scorer, {"a": A[2:], "b": B[2:]}, "skip", ()).null_count == 1


def test_a_regression_has_predictions_alone():
    network = Sequential([Dense(1)], input_shape=(3,)).build(5)
    encoder = Encoder(Columns(("a", "b")), (STEP,), {"input": (3,)}, "regression", outputs=1)
    found = Scorer(network, encoder)({"a": A[:2], "b": B[:2]})
    assert list(found) == ["prediction"]
    expected = network.predict(np.array([[0, 0, 1], [1, 2, 3]], np.float32))[:, 0]
    np.testing.assert_allclose(found["prediction"], expected, rtol=1e-6)


def test_a_worker_keeps_the_networks_it_used_last(monkeypatch):
    monkeypatch.setattr(cache, "_LOADED", type(cache._LOADED)())
    data = to_bytes(classifier())
    parcels = [Parcel(str(k), data) for k in range(cache.CAPACITY + 1)]
    first = cache.scorer(parcels[0])
    assert cache.scorer(parcels[0]) is first
    for parcel in parcels[1:]:
        cache.scorer(parcel)
    assert len(cache._LOADED) == cache.CAPACITY
    assert cache.scorer(parcels[0]) is not first


def test_a_network_without_columns_is_refused():
    with pytest.raises(ArchiveError, match="was not trained on a table"):
        Scorer.of(to_bytes(Sequential([Dense(1)], input_shape=(3,))))
