"""Fusions around a shortcut: batch normalisation, sum and relu; a convolution and the sum behind it."""

import numpy as np
import pytest

from sparkdl.base.spec import Spec
from sparkdl.compile.fuse import fuse
from sparkdl.compile.loops import fuse_loops
from sparkdl.compile.simplify import simplify
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.ops.analysis import relu
from sparkdl.nd.ops.conv import conv2d
from sparkdl.nd.ops.norm import batch_norm
from sparkdl.nd.ops.reduce import sum as sum_of
from tests.compile import helpers

X, C = Spec((2, 5, 5, 16)), Spec((16,))
SAME = {"padding": ((1, 1), (1, 1))}


def drawn(graph: Graph) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    specs = {name: graph.nodes[k].outs[0] for name, k in graph.inputs().items()}
    return {name: rng.standard_normal(s.shape).astype(s.dtype) for name, s in specs.items()}


def fused(graph: Graph, outputs: dict) -> list[str]:
    return helpers.fused(graph, outputs, drawn(graph), atol=2e-4)


def normed(graph: Graph, shortcut: str) -> dict:
    """relu of a normalisation of conv(x), and of a sum with it, and all gradients."""
    x, w = graph.input("x", X), graph.input("w", Spec((3, 3, 16, 16)))
    gamma, beta = graph.input("gamma", C), graph.input("beta", C)
    y, mean, variance = batch_norm(conv2d(x, w, **SAME), gamma, beta)
    other = {"none": None, "x": x, "normed": batch_norm(conv2d(x, w * 0.5, **SAME), beta, gamma)[0]}[shortcut]
    z = relu(y if other is None else other + y)
    loss = sum_of(z * z * x)
    slopes = grad(graph, loss, [x, w, gamma, beta])
    return {"z": z, "mean": mean, "variance": variance} | {f"d{k}": g for k, g in enumerate(slopes)}


@pytest.mark.parametrize("debug", ["", "guard", "no-memory"])
@pytest.mark.parametrize("shortcut", ["none", "x", "normed"])
def test_relu_joins_the_normalisation(shortcut: str, debug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKDL_DEBUG", debug)
    graph = Graph()
    names = fused(graph, normed(graph, shortcut))
    assert names.count("batch_norm_relu") == 1
    assert names.count("batch_norm") == (shortcut == "normed")
    assert "relu" not in names


def test_a_normalisation_that_others_read_stays() -> None:
    graph = Graph()
    x, gamma = graph.input("x", X), graph.input("gamma", C)
    y, *_ = batch_norm(x, gamma, gamma)
    assert "batch_norm_relu" not in fused(graph, {"z": relu(y), "y": y})


def test_a_shortcut_made_of_the_statistics_stays() -> None:
    graph = Graph()
    x, gamma = graph.input("x", X), graph.input("gamma", C)
    y, mean, _ = batch_norm(x, gamma, gamma)
    assert "batch_norm_relu" not in fused(graph, {"z": relu(y + x * mean)})


def convolved(graph: Graph, *, last: bool = True, over: bool = False) -> dict:
    """conv(x) + b + r; r is read before, by the convolution itself if `over`, and afterwards unless it is the last."""
    a, b, w = graph.input("a", X), graph.input("b", C), graph.input("w", Spec((3, 3, 16, 16)))
    r = conv2d(a, w, **SAME)
    x = r if over else conv2d(r, w * 0.1, **SAME)
    y = conv2d(x, w * 0.1, **SAME) + b + r
    return {"y": conv2d(y, w, **SAME)} | ({} if last else {"r": sum_of(r * y)})


@pytest.mark.parametrize("debug", ["", "guard", "no-memory"])
@pytest.mark.parametrize("over", [False, True], ids=["r dies", "r is convolved"])
def test_a_sum_joins_the_convolution(over: bool, debug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKDL_DEBUG", debug)
    graph = Graph()
    assert fused(graph, convolved(graph, over=over)).count("conv2d_bias_add") == 1


def test_a_sum_whose_shortcut_lives_on_stays() -> None:
    graph = Graph()
    assert "conv2d_bias_add" not in fused(graph, convolved(graph, last=False))


def test_a_sum_with_an_input_stays() -> None:
    graph = Graph()
    x, b, w = graph.input("x", X), graph.input("b", C), graph.input("w", Spec((3, 3, 16, 16)))
    assert "conv2d_bias_add" not in fused(graph, {"y": conv2d(x, w, **SAME) + b + x})


def test_a_sum_below_relu_is_one_loop_with_it_and_its_mask_another() -> None:
    graph = Graph()
    x, b, w = graph.input("x", X), graph.input("b", C), graph.input("w", Spec((3, 3, 16, 16)))
    r = conv2d(x, w * 0.1, **SAME)
    y = relu(conv2d(x, w, **SAME) + b + r)
    graph.outputs = {"dw": grad(graph, sum_of(conv2d(y, w, **SAME)), [w])[0].ref}
    names = [node.op.name for node in fuse_loops(fuse(simplify(graph))).nodes if node.op is not None]
    assert "conv2d_bias_add" not in names
    fused_ones = [n for n in names if n in ("relu", "add", "where", "less_equal")]
    assert fused_ones == []
