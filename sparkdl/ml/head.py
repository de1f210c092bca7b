"""From a classifier's outputs to raw predictions, probabilities and the class. NumPy only.

The last softmax or sigmoid is taken off the network before scoring, so that raw predictions are its logits, exact
where a probability would round to 0 or 1; probabilities are then made from them here.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.errors import ConfError
from sparkdl.nn.network import Network
from sparkdl.nn.topology import Topology
from sparkdl.nn.wiring import Node

Floats = NDArray[np.float32]

LINKS = ("softmax", "sigmoid")


def bare(network: Network) -> tuple[Network, str]:
    """The network without its last activation, sharing its parameters, and what that was: softmax or sigmoid.

    An output of any other activation is taken for logits. Raises ConfError when there are several outputs.
    """
    topology, link = network.topology, last_activation(network.topology)
    if link not in LINKS:
        return network, "sigmoid" if width(topology) == 1 else "softmax"
    layers = tuple(_linear(node) if node.name == only_output(topology) else node for node in topology.layers)
    made = Network(replace(topology, layers=layers))
    made.vector = network.vector
    return made, link


def _linear(node: Node) -> Node:
    return replace(node, layer=replace(node.layer, activation="linear"))  # type: ignore[call-arg]


def last_activation(topology: Topology) -> str:
    """The activation that ends the network; "" when its last layer has none."""
    return str(getattr(topology.layer(only_output(topology)), "activation", None) or "")


def only_output(topology: Topology) -> str:
    """The name of the one output. Raises ConfError when there are several."""
    if len(topology.outputs) != 1:
        raise ConfError(f"the network must have one output. Got {', '.join(topology.outputs)}.")
    return topology.outputs[0]


def width(topology: Topology) -> int:
    """Numbers in the output for one example."""
    return topology.specs(1)[only_output(topology)].size


def spread(outputs: Floats, link: str) -> tuple[Floats, Floats]:
    """Raw predictions and probabilities, (B, K) each, from logits (B, K), or (B, 1) of one sigmoid unit: then K = 2.

    The probabilities of several sigmoid units are made to sum to 1.

    >>> spread(np.array([[0.0]], np.float32), "sigmoid")
    (array([[-0.,  0.]], dtype=float32), array([[0.5, 0.5]], dtype=float32))
    """
    if link == "sigmoid" and outputs.shape[1] == 1:
        both = np.concatenate([-outputs, outputs], axis=1)
        return both, _sigmoid(both)
    shares = _sigmoid(outputs) if link == "sigmoid" else np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return outputs, shares / shares.sum(axis=1, keepdims=True)


def _sigmoid(z: Floats) -> Floats:
    small: Floats = np.exp(-np.abs(z))  # never overflows
    return np.asarray(np.where(z >= 0, np.float32(1), small) / (1 + small), np.float32)


def choose(probability: Floats, thresholds: tuple[float, ...] = ()) -> NDArray[np.int64]:
    """The class (B,) of the largest probability, or of the largest p / t with thresholds, as in Spark.

    A class of threshold 0 wins wherever its probability is not 0.

    >>> choose(np.array([[0.6, 0.4]]), (0.9, 0.1))
    array([1])
    """
    if not thresholds:
        return np.asarray(probability.argmax(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = probability.astype(np.float64) / np.asarray(thresholds)
    return np.asarray(np.where(np.isnan(scaled), -np.inf, scaled).argmax(axis=1))
