"""Elementwise loops: any mixture of chains, broadcasts and sums gives what its ops give one by one."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sparkdl import nd as e
from sparkdl.base.spec import Spec
from sparkdl.compile.loops import fuse_loops
from sparkdl.compile.pipeline import compile
from sparkdl.graph.graph import Graph
from sparkdl.nd.ops import reduce as r
from sparkdl.nd.ops.fused import Fused
from sparkdl.nd.ops.matmul import matmul
from tests.compile.helpers import interpret

SHAPES = {"a": (5, 7), "b": (5, 7), "row": (7,), "col": (5, 1), "one": ()}
UNARY = (e.tanh, e.sigmoid, e.square, e.negative, e.absolute, lambda x: e.exp(-e.absolute(x)))
BINARY = (e.add, e.subtract, e.multiply, e.maximum, e.minimum, lambda a, b: a / (1.0 + e.square(b)))


def fill(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def same(graph: Graph, outputs: dict, inputs: dict, **kw: object) -> None:
    program = compile(graph, outputs)
    for name, value in inputs.items():
        program.inputs[name][...] = value
    program.run()
    expected = interpret(graph, outputs, inputs)
    for name in outputs:
        np.testing.assert_allclose(program.outputs[name], expected[name], rtol=2e-5, atol=2e-5)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=14))
def test_random_chains(steps: list[tuple[int, int, int]]) -> None:
    graph = Graph()
    values = [graph.input(name, Spec(shape)) for name, shape in SHAPES.items()]
    for kind, i, j in steps:
        a, b = values[i % len(values)], values[j % len(values)]
        if kind < 3:
            values.append(UNARY[(i + j) % len(UNARY)](a))
        elif kind < 6:
            values.append(BINARY[(i + j) % len(BINARY)](a, b))
        elif kind == 6 and a.spec.shape:
            values.append(r.sum(a, 0) if a.spec.shape[0] > 1 else r.sum(a))
        elif kind == 7 and len(a.spec.shape) == 2 and a.spec.shape[1] == 7:
            values.append(r.sum(a, 1, keepdims=True))
        else:
            values.append(r.sum(a * 0.01))
    outputs = {f"o{k}": v for k, v in enumerate(values[-3:])}
    same(graph, outputs, {name: fill(shape, k) for k, (name, shape) in enumerate(SHAPES.items())})


def test_adam_is_one_loop() -> None:
    graph = Graph()
    p, g, m, v = (graph.input(n, Spec((100,))) for n in "pgmv")
    t = graph.input("t", Spec((), "float64")) + 1.0
    m1, v1 = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * e.square(g)
    p1 = p - e.cast(1e-3 / (1.0 - e.power(0.9, t)), "float32") * m1 / (e.sqrt(v1) + 1e-7)
    graph.outputs = {"p": p1.ref, "m": m1.ref, "v": v1.ref, "t": t.ref}
    fused = fuse_loops(graph)
    assert sum(isinstance(n.op, Fused) for n in fused.nodes) == 1


def test_no_cycle_through_a_matmul() -> None:
    graph = Graph()
    x = graph.input("x", Spec((4, 4)))
    y = e.tanh(x)
    z = matmul(y, y) * (1.0 - e.square(y))
    same(graph, {"z": z, "y": y}, {"x": fill((4, 4), 0)})


def test_a_value_used_inside_and_after_the_loop() -> None:
    graph = Graph()
    x = graph.input("x", Spec((3, 5)))
    y = e.exp(x)
    s = r.sum(y)
    same(graph, {"out": y / s, "y": y}, {"x": fill((3, 5), 1)})


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
@pytest.mark.parametrize("axes", [None, 0])
def test_a_sum_of_one_number_stays_out_of_the_loop_of_many(shape: tuple[int, ...], axes: int | None) -> None:
    graph = Graph()
    one, many = graph.input("one", Spec(shape)), graph.input("many", Spec((5, 7)))
    small = e.absolute(one)
    total = r.sum(small) if axes is None or not shape else r.sum(small, axes)
    same(graph, {"sum": total, "y": small + many}, {"one": fill(shape, 0), "many": fill((5, 7), 1)})


@pytest.mark.parametrize(
    "shapes", [((2, 1, 3), (1, 4, 1)), ((2, 3, 4), (3, 1)), ((2, 3, 4), (3, 4)), ((1, 5), (5,)), ((0, 3), (3,))]
)
def test_broadcasts(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    graph = Graph()
    a, b = graph.input("a", Spec(shapes[0])), graph.input("b", Spec(shapes[1]))
    same(graph, {"y": e.tanh(a * b) + a}, {"a": fill(shapes[0], 0), "b": fill(shapes[1], 1)})


def test_nan_and_infinity_flow() -> None:
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, 88.8, -88.0, 3e38, 1.0], np.float32)
    graph = Graph()
    x = graph.input("x", Spec((10,)))
    ops = {
        n: getattr(e, n)
        for n in ("exp", "log", "tanh", "sigmoid", "relu", "sqrt", "absolute", "sign", "expm1", "log1p", "erf", "rsqrt")
    }
    ops |= {"max": lambda v: e.maximum(v, 0.5), "min": lambda v: e.minimum(0.5, v), "elu": e.elu, "gelu": e.gelu}
    outputs = {n: f(x) for n, f in ops.items()}
    program = compile(graph, outputs)
    program.inputs["x"][...] = special
    program.run()
    expected = interpret(graph, outputs, {"x": special})
    for name in outputs:
        np.testing.assert_allclose(program.outputs[name], expected[name], rtol=1e-5, atol=3e-7, err_msg=name)


def test_float64_and_bool() -> None:
    graph = Graph()
    x = graph.input("x", Spec((4, 3), "float64"))
    keep = e.greater(x, 0.0)
    y = e.where(e.logical_not(keep), e.log1p(e.absolute(x)), e.exp(x))
    x0 = fill((4, 3), 3).astype(np.float64)
    program = compile(graph, {"y": y, "keep": keep})
    program.inputs["x"][...] = x0
    program.run()
    np.testing.assert_allclose(program.outputs["y"], np.where(x0 > 0, np.exp(x0), np.log1p(np.abs(x0))), rtol=1e-14)
    assert program.outputs["keep"].dtype == bool and (program.outputs["keep"] == (x0 > 0)).all()
