"""Every layer and initialiser keeps the contract: shapes, names, conf, what it computes, and its gradients."""

import dataclasses
import json

import numpy as np
import pytest

from sparkdl.base.record import OneOf, to_conf
from sparkdl.base.rng import Key
from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph
from sparkdl.kernels.table import LIBRARIES
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.reduce import sum as sum_of
from sparkdl.nn.init import INITIALIZERS
from sparkdl.nn.layer import LAYERS, Ctx
from sparkdl.nn.layers.core import Input
from sparkdl.nn.topology import Topology
from sparkdl.nn.wiring import Node
from tests.tables.layers import BATCH, IDS, INITIALIZER_CASES, KEY, LAYER_CASES, Case

layers = pytest.mark.parametrize("case", LAYER_CASES, ids=lambda case: case.label)
draws = pytest.mark.parametrize("case", INITIALIZER_CASES, ids=lambda case: repr(case.made))
modes = pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])


def topology(case: Case) -> Topology:
    names = [f"x{k}" for k in range(len(case.shapes))]
    layer = dataclasses.replace(case.layer, name="it")
    return Topology(dict(zip(names, case.shapes, strict=True)), (Node(layer, tuple(names)),))


def values(case: Case) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    """Inputs and parameters, of moderate size and nowhere at a kink; variances positive."""
    draw = np.random.default_rng(1)
    xs = [draw.normal(size=(BATCH, *s)) for s in case.shapes]
    if case.ids:
        xs = [draw.integers(0, case.ids, x.shape) + 0.5 for x in xs]
    p = {name: draw.uniform(0.5, 1.5, shape) for name, shape in case.weights}
    return xs, {name: v if "moving" in name or name == "gamma" else v - 1 for name, v in p.items()}


class Traced:
    """A case as a program of `dtype`: outputs y and updates; with `cotangent`, gradients of sum(y * cotangent)."""

    def __init__(self, case: Case, training: bool, dtype: str, cotangent: np.ndarray, libraries: tuple[str, ...]):
        self.xs, self.p = values(case)
        graph, layer = Graph(), dataclasses.replace(case.layer, name="it")
        xs = [graph.input(f"x{k}", Spec(x.shape, dtype)) for k, x in enumerate(self.xs)]
        p = {name: graph.input(name, Spec(v.shape, dtype)) for name, v in self.p.items()}
        ctx = Ctx(training, graph.input("ids", Spec((BATCH,), "int64")), graph.input("key", Spec((2,), "uint32")))
        y = layer.apply(p, *xs, ctx=ctx.of("it"))
        wrt = {s.graph.nodes[s.ref[0]].label: s for s in [*xs, *(v for k, v in p.items() if k not in case.state)]}
        loss = sum_of(y * graph.constant(cotangent.astype(dtype)))
        slopes = dict(zip(wrt, grad(graph, loss, list(wrt.values())), strict=True))
        outputs = {"y": y} | ctx.updates | {f"d {name}": g for name, g in slopes.items()}
        self.program = compile(graph, outputs, libraries=libraries)

    def run(self) -> dict[str, np.ndarray]:
        given = {f"x{k}": x for k, x in enumerate(self.xs)} | self.p | {"ids": IDS, "key": KEY}
        for name, held in self.program.inputs.items():
            held[...] = given[name]
        self.program.run()
        return {name: np.array(v) for name, v in self.program.outputs.items()}


def traced(case: Case, training: bool, dtype: str, libraries: tuple[str, ...]) -> dict[str, np.ndarray]:
    return Traced(case, training, dtype, cotangent(case), libraries).run()


def cotangent(case: Case) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(BATCH, *case.out))


# --- layers ---------------------------------------------------------------------------------------------------------


@layers
def test_shape_rule_and_weights(case):
    made = topology(case)
    assert made.specs(BATCH)["it"] == Spec((BATCH, *case.out))
    assert {f"it/{k}": s for k, s in case.weights} == {k: s.shape for k, s in made.params().items()}
    assert list(made.params()) == [f"it/{k}" for k, _ in case.weights]
    assert {k for k, s in made.params().items() if not s.trainable} == {f"it/{k}" for k in case.state}


@layers
def test_conf_round_trip(case):
    conf = json.loads(json.dumps(to_conf(case.layer)))
    assert conf["type"] == type(case.layer).__name__
    assert OneOf(LAYERS).parse(conf) == case.layer


@layers
@modes
def test_float64_equals_the_oracle(case, training):
    xs, p = values(case)
    got = traced(case, training, "float64", ("ref",))
    np.testing.assert_allclose(got["y"], case.oracle(p, *xs, training=training), rtol=1e-9, atol=1e-12)
    due = case.updates(p, *xs) if training and case.updates else {}
    assert {k for k in got if "/" in k} == {f"it/{k}" for k in due}
    for name, value in due.items():
        np.testing.assert_allclose(got[f"it/{name}"], value, rtol=1e-9)


@layers
@modes
def test_compiled_float32_equals_float64(case, training):
    exact, fast = traced(case, training, "float64", ("ref",)), traced(case, training, "float32", LIBRARIES["cpu"])
    for name, value in exact.items():
        near = 1e-4 * max(1.0, np.abs(value).max())
        np.testing.assert_allclose(fast[name], value, rtol=1e-4, atol=near, err_msg=name)


@layers
@modes
def test_gradients_by_a_directional_derivative(case, training):
    """<gradient, d> against the oracle's slope along a random direction d over all inputs and trained parameters."""
    xs, p = values(case)
    got, weights, step = traced(case, training, "float64", ("ref",)), cotangent(case), 1e-6
    draw = np.random.default_rng(3)
    dx = [draw.normal(size=x.shape) for x in xs]
    dp = {k: draw.normal(size=v.shape) * (k not in case.state) for k, v in p.items()}

    def loss(t: float) -> float:
        at = {k: v + t * dp[k] for k, v in p.items()}
        moved = [x + t * d for x, d in zip(xs, dx, strict=True)]
        return float(np.sum(case.oracle(at, *moved, training=training) * weights))

    slope = (loss(step) - loss(-step)) / (2 * step)
    inner = sum(np.vdot(got[f"d x{k}"], d) for k, d in enumerate(dx))
    inner += sum(np.vdot(got[f"d {k}"], d) for k, d in dp.items() if k not in case.state)
    assert inner == pytest.approx(slope, rel=1e-6, abs=1e-7)


@layers
def test_gradients_reach_every_trained_parameter(case):
    got = traced(case, True, "float64", ("ref",))
    for name, _ in case.weights:
        if name not in case.state:
            assert np.abs(got[f"d {name}"]).max() > 0, name


@layers
def test_eager_equals_the_oracle(case):
    xs, p = values(case)
    ctx = Ctx(True, NDArray(IDS), NDArray(KEY), scope="it")
    arrays = [NDArray(x, "float32") for x in xs]
    got = case.layer.apply({k: NDArray(v, "float32") for k, v in p.items()}, *arrays, ctx=ctx)
    np.testing.assert_allclose(got.numpy(), case.oracle(p, *xs, training=True), rtol=1e-4, atol=1e-4)


def test_every_layer_has_a_row():
    shown = {type(case.layer).__name__ for case in LAYER_CASES}
    assert set(LAYERS) - shown == {Input.__name__}  # no computation: see tests/nn/test_topology.py


# --- initialisers ---------------------------------------------------------------------------------------------------


@draws
def test_an_initializer_draws_what_it_says(case):
    w = case.made(case.shape, Key.of(4)).astype(np.float64)
    few = 5 / np.sqrt(w.size)
    assert abs(w.mean() - case.mean) <= few * max(case.deviation, 1e-9)
    assert abs(w.std() - case.deviation) <= few * case.deviation
    assert np.abs(w - case.mean).max() <= case.bound * (1 + 1e-6)


@draws
def test_an_initializer_repeats(case):
    a, b, c = (case.made(case.shape, Key.of(seed)) for seed in (4, 4, 5))
    assert a.dtype == np.float32
    assert a.shape == case.shape
    np.testing.assert_array_equal(a, b)
    assert (a != c).any() == (case.deviation > 0)


@draws
def test_an_initializer_is_conf(case):
    assert OneOf(INITIALIZERS).parse(json.loads(json.dumps(to_conf(case.made)))) == case.made


def test_every_initializer_has_a_row():
    assert {type(case.made) for case in INITIALIZER_CASES} == {INITIALIZERS[name] for name in INITIALIZERS}
