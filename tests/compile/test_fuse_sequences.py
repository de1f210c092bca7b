"""Fusions of normalisation and binary cross-entropy: the pattern becomes one op, and the numbers stay."""

import numpy as np
import pytest

from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.ops.analysis import relu
from sparkdl.nd.ops.layernorm import layer_norm
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.reduce import sum as sum_of
from sparkdl.nd.ops.shape import reshape
from sparkdl.nd.ops.sigmoid import sigmoid_xent
from sparkdl.nn.losses import BinaryCrossentropy
from tests.compile import helpers
from tests.compile.helpers import interpret


def drawn(graph: Graph) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    specs = {name: graph.nodes[k].outs[0] for name, k in graph.inputs().items()}
    return {name: rng.uniform(0.0, 1.0, s.shape).astype(s.dtype) for name, s in specs.items()}


def fused(graph: Graph, outputs: dict) -> list[str]:
    return helpers.fused(graph, outputs, drawn(graph))


def normed(graph: Graph, *, again: bool = False) -> dict:
    a, b = (graph.input(k, Spec((6, 8))) for k in "ab")
    gamma, beta = (graph.input(k, Spec((8,))) for k in ("gamma", "beta"))
    s = a + b
    y, _, _ = layer_norm(s, gamma, beta)
    y = y + s if again else y
    slopes = grad(graph, sum_of(y * y * y), [a, b, gamma, beta])
    return {"y": y} | {f"d{k}": g for k, g in enumerate(slopes)}


@pytest.mark.parametrize("again", [False, True], ids=["post-norm", "the sum is used again"])
def test_a_residual_joins_its_norm(again: bool) -> None:
    graph = Graph()
    names = fused(graph, normed(graph, again=again))
    assert names.count("layer_norm_residual") == 1
    assert "layer_norm" not in names


def test_a_broadcast_sum_does_not() -> None:
    graph = Graph()
    a, b = graph.input("a", Spec((6, 8))), graph.input("b", Spec((8,)))
    assert "layer_norm" in fused(graph, {"y": layer_norm(a + b, b, b)[0]})


def test_gamma_made_of_the_sum_does_not() -> None:
    graph = Graph()
    s = graph.input("a", Spec((6, 8))) + graph.input("b", Spec((6, 8)))
    gamma = sum_of(s, 0)
    assert "layer_norm" in fused(graph, {"y": layer_norm(s, gamma, gamma)[0]})


def binary(graph: Graph, bias: bool) -> dict:
    x, w = graph.input("x", Spec((5, 7))), graph.input("w", Spec((7, 20)))
    b, t = graph.input("b", Spec((20,))), graph.input("t", Spec((5, 20)))
    z = matmul(x, w) + b if bias else matmul(x, w)
    loss = sum_of(sigmoid_xent(z, t)[0]) * 0.2
    return {"loss": loss} | {f"d{k}": g for k, g in enumerate(grad(graph, loss, [x, w, *([b] if bias else [])]))}


@pytest.mark.parametrize("bias", [False, True])
def test_binary_crossentropy_is_one_pass(bias: bool) -> None:
    graph = Graph()
    names = fused(graph, binary(graph, bias))
    assert names.count("sigmoid_xent_both") == 1
    assert "sigmoid_xent_grad" not in names
    assert "linear" not in names and names.count("matmul") == 3  # the bias is added where the logits are read
    assert "sum" in names if not bias else names.count("sum") == 1  # the loss's own


def test_wanted_logits_keep_their_bias() -> None:
    graph = Graph()
    x, w, b, t = (graph.input(k, Spec(s)) for k, s in zip("xwbt", ((5, 7), (7, 20), (20,), (5, 20)), strict=True))
    z = matmul(x, w) + b
    names = fused(graph, {"z": z, "d": grad(graph, sum_of(sigmoid_xent(z, t)[0]), [w])[0]})
    assert "linear" in names and "sigmoid_xent_both" in names


def test_wanted_probabilities_keep_it_apart() -> None:
    graph = Graph()
    z, t = graph.input("z", Spec((5, 20))), graph.input("t", Spec((5, 20)))
    loss, p = sigmoid_xent(z, t)
    total = sum_of(loss)
    assert "sigmoid_xent_both" not in fused(graph, {"p": p, "d": grad(graph, total, [z])[0]})


def test_a_gradient_that_needs_the_losses_keeps_it_apart() -> None:
    graph = Graph()
    z, t = graph.input("z", Spec((5, 20))), graph.input("t", Spec((5, 20)))
    loss = sigmoid_xent(z, t)[0]
    assert "sigmoid_xent_both" not in fused(graph, {"d": grad(graph, sum_of(loss * loss), [z])[0]})


@pytest.mark.parametrize("shape", [(4, 1), (4, 40), (4, 5, 6)])
def test_the_loss_by_either_way(shape: tuple[int, ...]) -> None:
    graph = Graph()
    z, t = graph.input("z", Spec(shape)), graph.input("t", Spec(shape))
    loss = BinaryCrossentropy(from_logits=True)(t, z)
    names = fused(graph, {"loss": loss, "d": grad(graph, sum_of(loss), [z])[0]})
    assert ("sigmoid_xent_both" in names) == (shape != (4, 1))
    x, y = (drawn(graph)[k].astype(np.float64).reshape(4, -1) for k in "zt")
    due = (np.log1p(np.exp(x)) - x * y).mean(1)
    np.testing.assert_allclose(interpret(graph, {"loss": loss}, drawn(graph))["loss"], due, rtol=1e-5)


def dense(graph: Graph, *, again: bool = False) -> dict:
    """relu(x w + b) over three axes, and the gradients of its weights."""
    x, w, b = (graph.input(k, Spec(s)) for k, s in (("x", (2, 3, 4)), ("w", (4, 5)), ("b", (5,))))
    y = relu(reshape(matmul(reshape(x, (6, 4)), w) + b, (2, 3, 5)) - 0.3)
    slopes = grad(graph, sum_of(y * y * y) if again else sum_of(y), [w, b])
    return {"y": y} | {f"d{k}": g for k, g in enumerate(slopes)}


@pytest.mark.parametrize("again", [False, True], ids=["a constant slope", "a slope of the values"])
def test_a_bias_gradient_joins_the_loop_of_its_activation(again: bool) -> None:
    graph = Graph()
    outputs = dense(graph, again=again)
    fused(graph, outputs)
    program = compile(graph, outputs).explain()
    assert not [line for line in program.splitlines() if " sum " in line], program
