"""The step graph: its gradient by finite differences in float64, its inputs and outputs, where the state lies."""

import numpy as np
import pytest

from sparkdl.base.errors import ConfError
from sparkdl.nn.layers.activation import Activation
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.core import Input
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import MaxPooling2D
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.layers.reshape import Flatten
from sparkdl.nn.losses import LOSSES, SparseCategoricalCrossentropy
from sparkdl.nn.network import Sequential
from sparkdl.nn.params import aligned
from sparkdl.nn.penalties import L1L2
from sparkdl.optim.rules import SGD, Adam
from sparkdl.train.step import bound_state, state_size, training_step
from tests.compile.helpers import interpret

B = 5
KEY = np.array([3, 4], np.uint32)


def everything():
    """A small network with all that a step has to care for: state, dropout, penalties, convolution."""
    return Sequential(
        [
            Input((6, 6, 2)),
            Conv2D(3, 3, activation="tanh"),
            BatchNormalization(),
            MaxPooling2D(2),
            Flatten(),
            Dropout(0.3),
            Dense(4, activation="sigmoid", kernel_regularizer=L1L2(0.01, 0.1)),
            Dense(3),
        ]
    ).build(1)


def feeds(network, y, dtype=np.float64):
    draw = np.random.default_rng(0)
    shapes = {f"x/{name}": (B, *shape) for name, shape in network.topology.inputs.items()}
    state = {f"state/{s.name}": network.parameters()[s.name].astype(dtype) for s in network.layout if not s.trainable}
    rest = {"weight": draw.uniform(0.5, 2.0, B), "ids": np.arange(B) * 7, "key": KEY, "t": np.float64(1)}
    return {name: draw.normal(size=s) for name, s in shapes.items()} | state | rest | {"y/dense_1": y}


KINDS = [kind for name, kind in LOSSES.items() if name == kind.__name__]
ENDS = ("softmax", "sigmoid", "linear")
PAIRS = [(k, last) for k in KINDS for last in ENDS if last != "linear" or "Mean" in k.__name__]  # no log of negatives


@pytest.mark.parametrize(("kind", "last"), PAIRS)
def test_the_gradient_of_the_whole_step(kind, last):
    """With SGD of rate 1 the step moves by minus the gradient; it must be the loss's slope along a random direction."""
    network = everything()
    *head, end = network.topology.layers
    network = Sequential([Input((6, 6, 2)), *(n.layer for n in head), end.layer, Activation(last)]).build(1)
    loss, name = kind(), network.topology.outputs[0]
    y = np.array([0, 2, 1, 1, 0]) if kind is SparseCategoricalCrossentropy else np.eye(3)[[0, 2, 1, 1, 0]]
    given = feeds(network, y)
    given[f"y/{name}"] = given.pop("y/dense_1")
    traced = training_step(network, {name: loss}, SGD(1.0), B, dtype="float64")
    p = network.vector[: network.layout.trainable_size].astype(np.float64)
    d, step = np.random.default_rng(1).normal(size=p.shape), 1e-6

    def run(at):
        return interpret(traced.graph, traced.outputs, given | {"params": at})

    slope = (run(p + step * d)["loss"] - run(p - step * d)["loss"]) / (2 * step)
    assert np.vdot(p - run(p)["params"], d) == pytest.approx(float(slope), rel=1e-6)


def test_names_of_inputs_and_outputs():
    network = everything()
    traced = training_step(network, {"dense_1": LOSSES["mse"]()}, Adam(), B, predictions=True)
    moving = {"state/batch_normalization/moving_mean", "state/batch_normalization/moving_variance"}
    state = {"params", "slot/momentum", "slot/velocity"} | moving
    assert set(traced.graph.inputs()) == state | {"x/input", "y/dense_1", "weight", "ids", "key", "t"}
    assert set(traced.outputs) == state | {"loss", "out/dense_1"}
    assert traced.donate == {name: name for name in state}


def test_gaps_between_tensors_stay_zero():
    network = everything()
    traced = training_step(network, {"dense_1": LOSSES["mse"]()}, Adam(0.1, weight_decay=0.1), B)
    given = feeds(network, np.zeros((B, 3)), np.float32)
    size = network.layout.trainable_size
    slots = {f"slot/{name}": np.zeros(size, np.float32) for name in ("momentum", "velocity")}
    made = interpret(traced.graph, traced.outputs, given | slots | {"params": network.vector[:size]})
    gaps = np.ones(size, bool)
    for s in network.layout:
        gaps[s.offset : s.stop] = False
    assert gaps.any()
    for name in ("params", *slots):
        assert not made[name][gaps].any()
        assert made[name][~gaps].any()


def test_the_state_is_one_aligned_vector():
    network, optimizer = everything(), Adam()
    size = state_size(network.layout, optimizer)
    assert size == network.layout.size + 2 * network.layout.trainable_size
    state = aligned(size)
    parts = bound_state(network.layout, optimizer, state)
    for part in parts.values():
        assert part.ctypes.data % 64 == 0
        part += 1
    assert state.max() == 1  # none overlaps another


def test_a_network_with_nothing_to_train_is_refused():
    network = Sequential([Input((4,)), Activation("relu")])
    with pytest.raises(ConfError, match="no parameter to train"):
        training_step(network, {"activation": LOSSES["mse"]()}, SGD(), B)


def test_frozen_layers_stay():
    network = Sequential([Input((4,)), Dense(3, trainable=False), Dense(2)]).build()
    traced = training_step(network, {"dense_1": LOSSES["mse"]()}, SGD(), B)
    assert {"state/dense/kernel", "state/dense/bias"} <= set(traced.graph.inputs())
    assert set(traced.outputs) == {"loss", "params"}
