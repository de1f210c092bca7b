"""Programs whose parameters seldom change: what is computed once, what is folded, and when it is computed anew."""

import numpy as np
import pytest

from sparkdl import nd as e
from sparkdl.base.spec import Spec
from sparkdl.compile.fold import fold
from sparkdl.compile.pipeline import compile
from sparkdl.compile.program import aligned
from sparkdl.graph.graph import Graph
from sparkdl.nd.ops.conv import conv2d
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.shape import reshape, view
from tests.compile.helpers import interpret

PARAMS = {"w": (3, 3, 4, 8), "b": (8,), "gamma": (8,), "beta": (8,), "mean": (8,), "variance": (8,)}
GIVEN = {"x": (2, 6, 6, 4), **PARAMS}


def fill(shape, seed):
    return np.abs(np.random.default_rng(seed).standard_normal(shape)).astype(np.float32) + 0.1


def normalised(y, p):
    factor = e.rsqrt(p["variance"] + 1e-3) * p["gamma"]
    return y * factor + (p["beta"] - p["mean"] * factor)


def convolved(p):
    return e.relu(normalised(conv2d(p["x"], p["w"], padding=((1, 1), (1, 1))) + p["b"], p))


def traced(make, shapes=GIVEN):
    graph = Graph()
    given = {name: graph.input(name, Spec(shape)) for name, shape in shapes.items()}
    return graph, {"y": make(given)}, {name: fill(shape, k) for k, (name, shape) in enumerate(shapes.items())}


def names(graph):
    return [node.op.name for node in graph.nodes if node.op is not None]


def agrees(graph, outputs, inputs, still=tuple(PARAMS)):
    program = compile(graph, outputs, still=still)
    program.fill(inputs)
    program.run()
    for name, want in interpret(graph, outputs, inputs).items():
        np.testing.assert_allclose(program.outputs[name], want, rtol=2e-5, atol=2e-5)
    return program


@pytest.mark.parametrize("bias", [False, True])
def test_normalisation_behind_a_convolution_costs_nothing(bias):
    graph, outputs, inputs = traced(
        convolved if bias else lambda p: normalised(conv2d(p["x"], p["w"], padding=((1, 1), (1, 1))), p)
    )
    program = agrees(graph, outputs, inputs)
    often = [line for line in program.explain().splitlines()[1:] if not line.endswith("once")]
    assert len(often) == 1
    assert "conv2d_bias" in often[0]


def test_normalisation_behind_a_product():
    shapes = {"x": (5, 4), "w": (4, 8)} | {k: v for k, v in PARAMS.items() if k != "w"}
    graph, outputs, inputs = traced(lambda p: normalised(matmul(p["x"], p["w"]) + p["b"], p), shapes)
    program = agrees(graph, outputs, inputs)
    assert sum(not line.endswith("once") for line in program.explain().splitlines()[1:]) == 1


@pytest.mark.parametrize("groups", [2, 4])
def test_groups(groups):
    shapes = GIVEN | {"w": (3, 3, 4 // groups, 8)}
    agrees(*traced(lambda p: normalised(conv2d(p["x"], p["w"], groups=groups), p), shapes))


def test_what_others_read_is_not_folded():
    def make(p):
        y = conv2d(p["x"], p["w"])
        return e.tanh(y) * normalised(y, p)

    graph, outputs, inputs = traced(make)
    assert names(fold(_with(graph, outputs), tuple(PARAMS))).count("conv2d") == 1
    agrees(graph, outputs, inputs)


def test_a_factor_of_the_batch_is_not_folded():
    shapes = {"x": (5, 8), "w": (8, 8)}
    graph, outputs, inputs = traced(lambda p: matmul(p["x"], p["w"]) * p["x"], shapes)
    agrees(graph, outputs, inputs, ("w",))


def test_a_row_that_is_no_vector_of_channels():
    shapes = {"x": (8, 8), "w": (8, 8), "b": (8, 1)}
    graph, outputs, inputs = traced(lambda p: matmul(p["x"], p["w"]) * p["b"] + p["b"], shapes)
    agrees(graph, outputs, inputs, ("w", "b"))


def _with(graph, outputs):
    graph.outputs = {name: sym.ref for name, sym in outputs.items()}
    return graph


def test_stale_computes_anew():
    graph, outputs, inputs = traced(convolved)
    program = agrees(graph, outputs, inputs)
    before = program.outputs["y"].copy()
    program.inputs["gamma"][...] *= 2.0
    program.run()
    np.testing.assert_array_equal(program.outputs["y"], before)
    program.stale()
    program.run()
    want = interpret(graph, outputs, inputs | {"gamma": inputs["gamma"] * 2.0})["y"]
    np.testing.assert_allclose(program.outputs["y"], want, rtol=2e-5, atol=2e-5)


def test_without_still_inputs_each_run_sees_all():
    graph, outputs, inputs = traced(convolved)
    program = agrees(graph, outputs, inputs, ())
    program.inputs["w"][...] = 0.0
    program.run()
    want = interpret(graph, outputs, inputs | {"w": np.zeros(PARAMS["w"], "f")})["y"]
    np.testing.assert_allclose(program.outputs["y"], want, rtol=2e-5, atol=2e-5)


def test_outputs_and_views_that_are_still():
    graph = Graph()
    flat, x = graph.input("flat", Spec((32,))), graph.input("x", Spec((2, 4)))
    w = view(flat, 16, (4, 4))
    outputs = {"square": e.square(w), "row": reshape(e.exp(w), (16,)), "y": matmul(x, e.tanh(w)), "w": w}
    block = aligned(128).view(np.float32)
    block[...] = fill((32,), 0)
    program = compile(graph, outputs, bind={"flat": block}, still=("flat",))
    program.fill({"x": fill((2, 4), 1)})
    for _ in range(2):
        program.run()
        program.stale()
    for name, want in interpret(graph, outputs, {"flat": block, "x": fill((2, 4), 1)}).items():
        np.testing.assert_allclose(program.outputs[name], want, rtol=2e-5, atol=2e-5)


def test_nan_in_a_still_input_flows():
    graph, outputs, inputs = traced(convolved)
    inputs["variance"] = np.full(8, np.nan, np.float32)
    program = compile(graph, outputs, still=tuple(PARAMS))
    program.fill(inputs)
    program.run()
    assert np.isnan(program.outputs["y"]).all()
