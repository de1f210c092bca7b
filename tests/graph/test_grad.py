"""Reverse mode on graphs: what is added up, what is left out."""

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.graph.check import check_grads, evaluate
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.ops.analysis import exp, tanh
from sparkdl.nd.ops.reduce import sum as sum_of
from sparkdl.nd.ops.softmax import softmax_xent


def test_uses_are_added_up() -> None:
    check_grads(lambda x: tanh(x) * x + x * x, [np.linspace(-1, 1, 5)])


def test_what_the_loss_does_not_need_gets_zeros() -> None:
    graph = Graph()
    x, y = graph.input("x", Spec((3,))), graph.input("y", Spec((2,)))
    exp(x)  # after x, but not before the loss
    (dx, dy) = grad(graph, sum_of(x), [x, y])
    got = evaluate(graph, {"x": np.ones(3, "f"), "y": np.ones(2, "f")}, [dx, dy])
    assert got[0].tolist() == [1, 1, 1] and got[1].tolist() == [0, 0]


def test_the_gradient_of_a_value_in_the_middle() -> None:
    graph = Graph()
    h = tanh(graph.input("x", Spec((3,), "float64")))
    (dh,) = grad(graph, sum_of(h * h), [h])
    (got,) = evaluate(graph, {"x": np.array([0.0, 1.0, 2.0])}, [dh])
    np.testing.assert_allclose(got, 2 * np.tanh([0.0, 1.0, 2.0]))


def test_outputs_nobody_used_have_no_gradient() -> None:
    labels = np.array([0, 2, 1])
    logits = np.random.default_rng(0).normal(size=(3, 3))
    for pick in (lambda y: y[0], lambda y: y[1], lambda y: y):
        check_grads(lambda z, t, p=pick: p(softmax_xent(z, t)), [logits, labels])


def test_nodes_of_the_gradient_carry_the_layers_name() -> None:
    graph = Graph()
    x = graph.input("x", Spec((3,)))
    graph.scope = "dense"
    y = tanh(x)
    graph.scope = "loss"
    loss = sum_of(y)
    graph.scope = ""
    before = len(graph.nodes)
    grad(graph, loss, [x])
    labels = {n.label for n in graph.nodes[before:] if n.op is not None}
    assert {"dense'", "loss'"} == labels and graph.scope == ""


def test_a_loss_that_is_no_scalar() -> None:
    graph = Graph()
    x = graph.input("x", Spec((3,)))
    with pytest.raises(ShapeError, match=r"loss must be a scalar. Got float32\[3\]"):
        grad(graph, x, [x])
