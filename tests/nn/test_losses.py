"""Losses against torch, at their edges, and what they say of labels they cannot take."""

import numpy as np
import pytest

from sparkdl.base.errors import ConfError, DataError, ShapeError
from sparkdl.base.record import OneOf
from sparkdl.base.spec import Spec
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.analysis import relu
from sparkdl.nd.ops.softmax import softmax
from sparkdl.nn.losses import (
    LOSSES,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
    logits_of,
)

B, C = 6, 4


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_against_torch():
    torch = pytest.importorskip("torch")
    from torch.nn import functional as f

    z, y = draw(B, C), np.arange(B) % C
    soft, bits = np.abs(draw(B, C)), (draw(B, C) > 0).astype(np.float32)
    soft /= soft.sum(axis=1, keepdims=True)
    tz = torch.tensor(z)
    pairs = [
        (
            SparseCategoricalCrossentropy(True),
            y.astype(np.int32),
            f.cross_entropy(tz, torch.tensor(y), reduction="none"),
        ),
        (CategoricalCrossentropy(True), soft, f.cross_entropy(tz, torch.tensor(soft), reduction="none")),
        (
            CategoricalCrossentropy(True, 0.1),
            soft,
            f.cross_entropy(tz, torch.tensor(soft), reduction="none", label_smoothing=0.1),
        ),
        (
            BinaryCrossentropy(True),
            bits,
            f.binary_cross_entropy_with_logits(tz, torch.tensor(bits), reduction="none").mean(1),
        ),
        (MeanSquaredError(), soft, f.mse_loss(tz, torch.tensor(soft), reduction="none").mean(1)),
        (MeanAbsoluteError(), soft, f.l1_loss(tz, torch.tensor(soft), reduction="none").mean(1)),
    ]
    for loss, labels, due in pairs:
        np.testing.assert_allclose(loss(NDArray(labels), NDArray(z)).numpy(), due.numpy(), rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sparse_categorical_crossentropy", SparseCategoricalCrossentropy),
        ("BinaryCrossentropy", BinaryCrossentropy),
        ("mse", MeanSquaredError),
        ("mean_absolute_error", MeanAbsoluteError),
    ],
)
def test_keras_names(name, kind):
    assert OneOf(LOSSES).parse(name) == kind()


def test_a_wrong_name_is_told_the_near_one():
    with pytest.raises(ConfError, match="Did you mean 'MeanSquaredError'"):
        OneOf(LOSSES).parse("mean_squared_eror")


def test_logits_of_sees_one_op_back():
    graph = Graph()
    z = graph.input("z", Spec((B, C)))
    assert logits_of(softmax(z), "softmax").ref == z.ref
    assert logits_of(softmax(z), "sigmoid") is None
    assert logits_of(relu(z), "softmax") is None
    assert logits_of(z, "softmax") is None
    assert logits_of(softmax(z, axis=0), "softmax") is None
    assert logits_of(NDArray(draw(B, C)), "softmax") is None


def test_certain_and_wrong_is_finite_from_logits():
    z = NDArray([[1000.0, -1000.0], [-1000.0, 1000.0]])
    assert SparseCategoricalCrossentropy(True)(NDArray([0, 0], "int32"), z).numpy().tolist() == [0.0, 2000.0]
    one = NDArray([[1000.0], [-1000.0]])
    assert BinaryCrossentropy(True)(NDArray([[1.0], [1.0]]), one).numpy().tolist() == [0.0, 1000.0]


def test_nan_predictions_give_nan():
    z = NDArray(np.full((2, 2), np.nan, np.float32))
    for kind in {kind for _, kind in LOSSES.items()}:
        y = NDArray([0, 1], "int32") if kind is SparseCategoricalCrossentropy else NDArray([[0.0, 1.0], [1.0, 0.0]])
        assert np.isnan(kind()(y, z).numpy()).all(), kind


@pytest.mark.parametrize(
    ("loss", "y", "message"),
    [
        (SparseCategoricalCrossentropy(), [0, 3, 4], r"a label must be a class number 0 \.\. 3.*Got 4 in row 2"),
        (SparseCategoricalCrossentropy(), [0, -1, 2], "Got -1 in row 1"),
        (SparseCategoricalCrossentropy(), [0.0, 1.5, 2.0], "Got 1.5 in row 1"),
        (SparseCategoricalCrossentropy(), [0.0, np.nan, 2.0], "Got nan in row 1"),
        (SparseCategoricalCrossentropy(), ["a", "b", "c"], "labels must be numbers"),
        (BinaryCrossentropy(), np.full((3, 4), 2.0), "within 0 .. 1. Got 2.0 in row 0"),
        (MeanSquaredError(), [[0.0] * 4, [0.0, np.inf, 0.0, 0.0], [0.0] * 4], "finite number. Got inf in row 1"),
    ],
)
def test_bad_labels(loss, y, message):
    with pytest.raises(DataError, match=message):
        loss.labels(np.asarray(y), Spec((2, 4)))


@pytest.mark.parametrize(
    ("loss", "shape"),
    [
        (SparseCategoricalCrossentropy(), (3, 4)),
        (CategoricalCrossentropy(), (3,)),
        (CategoricalCrossentropy(), (3, 5)),
        (MeanSquaredError(), (3, 1)),
        (MeanSquaredError(), ()),
    ],
)
def test_labels_of_a_wrong_shape(loss, shape):
    with pytest.raises(ShapeError, match=r"labels must be \(N.*\(N, 4\).*Got \("):
        loss.labels(np.zeros(shape), Spec((2, 4)))


def test_labels_take_the_shape_and_dtype_of_the_loss():
    assert SparseCategoricalCrossentropy().labels(np.array([[1.0], [2.0]]), Spec((2, 4))).dtype == np.int32
    assert MeanSquaredError().labels(np.array([1, 2, 3]), Spec((2, 1))).shape == (3, 1)
    assert MeanSquaredError().labels(np.zeros((0, 4)), Spec((2, 4))).shape == (0, 4)
    assert BinaryCrossentropy().labels(np.array([True, False]), Spec((2, 1))).dtype == np.float32
