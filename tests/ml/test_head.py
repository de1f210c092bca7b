import numpy as np
import pytest

from sparkdl.base.errors import ConfError
from sparkdl.layers import Activation, Dense
from sparkdl.ml.head import bare, choose, last_activation, only_output, spread, width
from sparkdl.nn.network import Network, Sequential
from sparkdl.nn.topology import Node, Topology


@pytest.mark.parametrize(
    ("last", "link"),
    [
        ([Dense(3, "softmax")], "softmax"),
        ([Dense(3), Activation("softmax")], "softmax"),
        ([Dense(1, "sigmoid")], "sigmoid"),
        ([Dense(3)], "softmax"),
        ([Dense(1)], "sigmoid"),
        ([Dense(3, "relu")], "softmax"),
    ],
)
def test_the_last_activation_comes_off(last, link):
    network = Sequential(last, input_shape=(4,)).build(1)
    stripped, found = bare(network)
    assert found == link
    assert last_activation(stripped.topology) in ("", "linear", "relu")
    assert stripped.vector is network.vector
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    y, z = network.predict(x), stripped.predict(x)
    made = spread(z, link)[1]
    expected = y if y.shape[1] > 1 else np.concatenate([1 - y, y], axis=1)
    if last_activation(network.topology) in ("softmax", "sigmoid"):
        np.testing.assert_allclose(made, expected, atol=1e-6)
    np.testing.assert_allclose(made.sum(axis=1), 1, atol=1e-6)


def test_extreme_logits_stay_finite():
    z = np.array([[-1e4], [0.0], [1e4]], np.float32)
    raw, probability = spread(z, "sigmoid")
    np.testing.assert_array_equal(probability, [[1, 0], [0.5, 0.5], [0, 1]])
    np.testing.assert_array_equal(raw[:, 1], z[:, 0])
    assert np.isfinite(spread(np.array([[-1e4, 1e4]], np.float32), "softmax")[1]).all()


def test_thresholds_choose_as_in_spark():
    probability = np.array([[0.6, 0.4], [0.9, 0.1], [1.0, 0.0]])
    assert choose(probability).tolist() == [0, 0, 0]
    assert choose(probability, (0.5, 0.2)).tolist() == [1, 0, 0]
    assert choose(probability, (0.5, 0.0)).tolist() == [1, 1, 0]


def test_no_rows():
    assert spread(np.empty((0, 3), np.float32), "softmax")[1].shape == (0, 3)
    assert choose(np.empty((0, 3))).shape == (0,)


def test_two_outputs_are_refused():
    topology = Topology({"x": (2,)}, (Node(Dense(2, name="a"), ("x",)), Node(Dense(3, name="b"), ("x",))), ("a", "b"))
    with pytest.raises(ConfError, match=r"must have one output. Got a, b"):
        only_output(topology)
    with pytest.raises(ConfError, match="one output"):
        bare(Network(topology))


def test_width_counts_all_axes_but_the_batch():
    assert width(Sequential([Dense(3)], input_shape=(5, 4)).topology) == 15
