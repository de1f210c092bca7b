"""Trainer: its state, feeding, resuming, and what it says of batches that do not fit."""

import numpy as np
import pytest

from sparkdl.base.errors import DataError, ShapeError
from sparkdl.data.batches import Batch
from sparkdl.nn.layers.core import Input
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.network import Sequential
from sparkdl.train.programs import KEPT
from sparkdl.train.trainer import Trainer, check_finite

LOSS = "sparse_categorical_crossentropy"


def network():
    return Sequential([Input((4,)), Dense(8, activation="relu"), BatchNormalization(), Dense(3, activation="softmax")])


def batch(rows=6, seed=0, **changed):
    draw = np.random.default_rng(seed)
    made = {
        "x": {"input": draw.normal(size=(rows, 4)).astype(np.float32)},
        "y": draw.integers(0, 3, rows).astype(np.int32),
        "weight": None,
        "ids": np.arange(rows),
    }
    return Batch(**(made | changed))


def test_the_network_lives_in_the_state():
    net = network()
    before = net.vector.copy()
    trainer = Trainer(net, LOSS, "adam")
    np.testing.assert_array_equal(trainer.state[: net.layout.size], before)
    assert np.shares_memory(net.vector, trainer.state)
    trainer.step(batch())
    assert trainer.iterations == 1
    assert (net.vector != before).any()
    assert trainer.state[net.layout.size :].any()


def test_what_is_averaged_is_the_whole_state():
    trainer = Trainer(network(), LOSS, "adam")
    assert trainer.averaged is trainer.state


def test_going_on_from_a_state_gives_the_same_bits():
    one, other = (Trainer(network(), LOSS, "adam", seed=3) for _ in range(2))
    for k in range(4):
        one.step(batch(seed=k))
        if k < 2:
            other.step(batch(seed=k))
    third = Trainer(network(), LOSS, "adam", seed=3)
    third.set_state(other.state.copy(), iterations=2)
    for k in (2, 3):
        third.step(batch(seed=k))
    np.testing.assert_array_equal(third.state, one.state)


def test_set_state_of_another_length():
    with pytest.raises(ShapeError, match="the state must be"):
        Trainer(network(), LOSS, "adam").set_state(np.zeros(3))


def test_few_programs_are_kept():
    trainer = Trainer(network(), LOSS, "sgd")
    for rows in range(1, KEPT + 4):
        trainer.step(batch(rows))
    assert len(trainer._programs) == KEPT
    assert trainer.program(KEPT + 3) is trainer.program(KEPT + 3)


def test_a_batch_of_one():
    net = Sequential([Input((4,)), Dense(3, activation="softmax")])
    assert np.isfinite(Trainer(net, LOSS, "adam").step(batch(1)))


def test_sums_merge_and_start_anew():
    trainer = Trainer(network(), LOSS, "sgd", ["accuracy"])
    losses = [trainer.step(batch(rows, rows)) for rows in (6, 2)]
    sums = trainer.take_sums()
    np.testing.assert_allclose(sums["loss"], [losses[0] * 6 + losses[1] * 2, 8])
    assert sums["accuracy"][1] == 8
    assert trainer.take_sums()["loss"].tolist() == [0, 0]


def test_metrics_are_of_the_parameters_before_the_step():
    net = network()
    trainer = Trainer(net, LOSS, {"type": "SGD", "learning_rate": 10.0}, ["accuracy", "confusion_matrix"])
    x, y = batch(50).x, batch(50).y
    trainer.step(batch(50))
    sums = trainer.take_sums()
    assert trainer.objective.results(sums)["accuracy"] == np.trace(sums["confusion_matrix"]) / 50
    assert sums["confusion_matrix"].sum(axis=1).tolist() == np.bincount(y, minlength=3).tolist()
    assert x["input"].shape == (50, 4)


def test_ones_and_no_weights_are_the_same():
    one, other = (Trainer(network(), LOSS, "sgd") for _ in range(2))
    one.step(batch())
    other.step(batch(weight=np.ones(6, np.float32)))
    other.step(batch(weight=np.full(6, 2.0, np.float32)))
    one.step(batch(weight=np.full(6, 2.0)))
    one.step(batch())  # after weights, None must be ones again
    other.step(batch(weight=np.ones(6)))
    np.testing.assert_array_equal(one.state, other.state)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": {"input": np.zeros((6, 5), np.float32)}}, r"the input 'input' must be \(6, 4\). Got \(6, 5\)"),
        ({"x": {"input": np.zeros((1, 4), np.float32)}}, r"the input 'input' must be \(6, 4\). Got \(1, 4\)"),
        ({"x": {"pixels": np.zeros((6, 4), np.float32)}}, "must hold the input 'input'. Got pixels"),
        ({"y": np.zeros(5, np.int32)}, r"the labels of 'dense_1' must be \(6,\). Got \(5,\)"),
        ({"weight": np.ones(5)}, r"the weights must be \(6,\). Got \(5,\)"),
    ],
)
def test_a_batch_that_does_not_fit(changed, message):
    with pytest.raises(ShapeError, match=message):
        Trainer(network(), LOSS, "sgd").step(batch(**changed))


def test_a_batch_without_labels():
    with pytest.raises(DataError, match="need labels"):
        Trainer(network(), LOSS, "sgd").step(batch(y=None))


def test_other_dtypes_are_converted():
    one, other = (Trainer(network(), LOSS, "sgd") for _ in range(2))
    given = batch()
    one.step(given)
    other.step(batch(x={"input": given.x["input"].astype(np.float64)}, y=given.y.astype(np.int64)[:, None]))
    np.testing.assert_array_equal(one.state, other.state)


def test_dropout_needs_ids_and_changes_from_step_to_step():
    net = Sequential([Input((4,)), Dropout(0.5), Dense(3, activation="softmax")])
    trainer = Trainer(net, LOSS, {"type": "SGD", "learning_rate": 0.0})
    losses = {trainer.step(batch()) for _ in range(4)}
    assert len(losses) == 4
    trainer.iterations = 0
    assert trainer.step(batch()) in losses


def test_check_finite():
    check_finite(0.5, 1, 1)
    with pytest.raises(DataError, match="the loss became nan in epoch 2, step 7"):
        check_finite(float("nan"), 2, 7)
