"""predict and evaluate: chunks, programs that are kept, rows that fill up, measures by hand."""

import gc
import weakref

import numpy as np
import pytest

from sparkdl.base.errors import ConfError, ShapeError
from sparkdl.nn.layers.core import Input
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.losses import SparseCategoricalCrossentropy
from sparkdl.nn.network import Sequential
from sparkdl.nn.penalties import L2
from sparkdl.train.forward import inference

draw = np.random.default_rng(0)
X = draw.normal(size=(300, 4)).astype(np.float32)
Y = draw.integers(0, 3, 300)
LOSS = "sparse_categorical_crossentropy"


def network():
    layers = [Dense(8, activation="tanh", kernel_regularizer=L2(0.1)), BatchNormalization(), Dropout(0.5)]
    return Sequential([Input((4,)), *layers, Dense(3, activation="softmax")]).build(2)


def by_hand(net, x):
    k1, b1, gamma, beta, mean, variance, k2, b2 = (w.astype(np.float64) for w in net.get_weights())
    h = (np.tanh(x @ k1 + b1) - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    e = np.exp(h @ k2 + b2)
    return e / e.sum(axis=1, keepdims=True)


def test_predict_by_hand():
    net = network()
    np.testing.assert_allclose(net.predict(X), by_hand(net, X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 255, 256, 257, 300])
def test_any_number_of_rows(rows):
    net = network()
    made = net.predict(X[:rows])
    assert made.shape == (rows, 3)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, by_hand(net, X[:rows]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_any_chunk(size):
    net = network()
    np.testing.assert_allclose(net.predict(X[:20], batch_size=size), by_hand(net, X[:20]), rtol=1e-5, atol=1e-6)


def test_results_are_the_callers_own():
    net = network()
    first = net.predict(X[:4])
    kept = first.copy()
    net.predict(X[4:8])
    np.testing.assert_array_equal(first, kept)


def test_parameters_that_change_are_seen():
    net = network()
    before = net.predict(X[:4])
    net.set_weights([w + 0.1 for w in net.get_weights()])
    np.testing.assert_allclose(net.predict(X[:4]), by_hand(net, X[:4]), rtol=1e-5, atol=1e-6)
    net.build(9)  # another vector
    np.testing.assert_allclose(net.predict(X[:4]), by_hand(net, X[:4]), rtol=1e-5, atol=1e-6)
    assert (net.predict(X[:4]) != before).any()


def test_programs_go_with_their_network():
    net = network()
    net.predict(X[:4])
    gone = weakref.ref(net)
    del net
    gc.collect()
    assert gone() is None


def test_evaluate_by_hand():
    net, weight = network(), draw.uniform(size=300)
    p = by_hand(net, X)
    penalty = 0.1 * (net.parameters()["dense/kernel"].astype(np.float64) ** 2).sum()
    each = -np.log(p[np.arange(300), Y])
    measures = net.evaluate(X, Y, loss=LOSS, metrics=["accuracy"], sample_weight=weight, batch_size=64)
    assert measures["loss"] == pytest.approx((each @ weight) / 300 + penalty, rel=1e-5)
    assert measures["accuracy"] == pytest.approx(((p.argmax(1) == Y) @ weight) / weight.sum(), rel=1e-6)


@pytest.mark.parametrize("size", [1, 100, 299, 512])
def test_evaluate_does_not_depend_on_the_chunk(size):
    net = network()
    due = net.evaluate(X, Y, loss=LOSS, metrics=["accuracy", "confusion_matrix"])
    got = net.evaluate(X, Y, loss=LOSS, metrics=["accuracy", "confusion_matrix"], batch_size=size)
    assert got["loss"] == pytest.approx(due["loss"], rel=1e-6)
    assert got["confusion_matrix"] == due["confusion_matrix"]


def test_evaluate_needs_a_loss():
    with pytest.raises(ConfError, match="give loss="):
        network().evaluate(X, Y)


def test_evaluating_changes_nothing():
    net = network()
    before = net.vector.copy()
    net.evaluate(X, Y, loss=LOSS)
    np.testing.assert_array_equal(net.vector, before)


def test_a_wrong_shape_is_named():
    with pytest.raises(ShapeError, match=r"the input 'input' must be \(N, 4\). Got \(300, 3\)"):
        network().predict(X[:, :3])


def test_the_program_for_scoring_has_no_training_in_it():
    net = network()
    text = inference(net, {}, 8).explain()
    assert "dropout" not in text
    assert "SLOW" not in text
    with_loss = inference(net, {"dense_1": SparseCategoricalCrossentropy()}, 8)
    assert set(with_loss.outputs) == {"out/dense_1", "each", "penalty"}
