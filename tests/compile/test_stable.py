"""The stable rewrites: log(softmax(x)) and its like at inputs where the form as written overflows or cancels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sparkdl import nd as e
from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.compile.simplify import simplify
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph, Sym
from sparkdl.nd.ops import reduce as r
from sparkdl.nd.ops.softmax import softmax

Array = np.ndarray[Any, Any]
SHAPE = (3, 4)
EXTREME = np.array([[1000, -1000, 1e-20, -1e-20], [100, -100, 20, -20], [0, -0.0, 1e-6, 90]], np.float32)
WILD = np.array([[np.nan, 1, 2, 3], [np.inf, 0, 1, 2], [-np.inf, 0, 1, 2]], np.float32)


def row_softmax(x: Array) -> Array:
    made = np.exp(x - x.max(-1, keepdims=True))
    return made / made.sum(-1, keepdims=True)


def logistic(x: Array) -> Array:
    return np.exp(-np.logaddexp(0.0, -x))


# name: as written, its value in float64, its slope there, the ops that must be gone
CASES: dict[str, tuple[Callable[[Sym], Any], Callable[[Array], Array], Callable[[Array], Array], set[str]]] = {
    "log(sigmoid)": (lambda x: e.log(e.sigmoid(x)), lambda x: -np.logaddexp(0, -x), lambda x: logistic(-x), {"log"}),
    "log(1 - sigmoid)": (
        lambda x: e.log(1.0 - e.sigmoid(x)), lambda x: -np.logaddexp(0, x), lambda x: -logistic(x), {"log"}
    ),
    "log(1 + exp)": (lambda x: e.log(1.0 + e.exp(x)), lambda x: np.logaddexp(0, x), logistic, {"log"}),
    "log1p(exp)": (lambda x: e.log1p(e.exp(x)), lambda x: np.logaddexp(0, x), logistic, set()),
    "log(1 + x)": (
        lambda x: e.log(1.0 + e.absolute(x)), lambda x: np.log1p(np.abs(x)), lambda x: np.sign(x) / (1 + np.abs(x)),
        {"log"},
    ),
    "exp - 1": (lambda x: e.exp(x) - 1.0, np.expm1, np.exp, set()),
    "-1 + exp": (lambda x: -1.0 + e.exp(x), np.expm1, np.exp, set()),
    "log(exp)": (lambda x: e.log(e.exp(x)), lambda x: x, np.ones_like, {"log"}),
    "sqrt(square)": (lambda x: e.sqrt(e.square(1e-3 * x)), lambda x: 1e-3 * np.abs(x), np.zeros_like, {"sqrt"}),
}  # fmt: skip
SLOPES = ("log(sigmoid)", "log(1 - sigmoid)", "log(1 + exp)", "log1p(exp)", "log(1 + x)")


def traced(build: Callable[[Sym], Any], slope: bool = False) -> tuple[Graph, dict[str, Sym]]:
    """y, and with `slope` the gradient of sum(3 y)."""
    graph = Graph()
    x = graph.input("x", Spec(SHAPE))
    outputs = {"y": build(x)}
    if slope:
        outputs["g"] = grad(graph, r.sum(3.0 * outputs["y"]), [x])[0]
    graph.outputs = {name: sym.ref for name, sym in outputs.items()}
    return graph, outputs


def ran(build: Callable[[Sym], Any], x: Array, slope: bool = False) -> dict[str, Array]:
    program = compile(*traced(build, slope))
    program.fill({"x": x})
    program.run()
    return {name: np.array(v) for name, v in program.outputs.items()}


def off(got: Array, want: Array) -> Array:
    """Relative error; what is not finite where it should be counts as infinitely wrong."""
    with np.errstate(all="ignore"):
        kept = np.where(want == 0, np.abs(got), np.abs(got - want) / np.abs(want))
    return np.where((got == want) | (np.isnan(got) & np.isnan(want)), 0.0, np.where(np.isfinite(got), kept, np.inf))


def wide(x: Array, formula: Callable[[Array], Array]) -> Array:
    """The formula in float64, then as float32 can hold it."""
    with np.errstate(all="ignore"):
        return formula(x.astype(np.float64)).astype(np.float32)


@pytest.mark.parametrize("case", CASES)
def test_extreme_inputs_are_better_than_before(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build, formula, _, gone = CASES[case]
    graph, _ = traced(build)
    names = {n.op.name for n in simplify(graph).nodes if n.op}
    assert not gone & names and names != {n.op.name for n in graph.nodes if n.op}
    want, got = wide(EXTREME, formula), ran(build, EXTREME)["y"]
    monkeypatch.setenv("SPARKDL_DEBUG", "no-simplify")
    before = off(ran(build, EXTREME)["y"], want)
    small = np.abs(want) > 1e-37  # subnormal results are 0 in our exp
    assert (off(got, want)[small] <= 3e-6).all()
    assert before[small].max() > 1e-4 or (case == "log1p(exp)" and np.isinf(before).any())


@pytest.mark.parametrize("case", CASES)
def test_ordinary_inputs_are_the_same(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build, formula, _, _ = CASES[case]
    x = np.random.default_rng(1).standard_normal(SHAPE).astype(np.float32)
    got = ran(build, x)["y"]
    monkeypatch.setenv("SPARKDL_DEBUG", "no-simplify")
    np.testing.assert_allclose(got, wide(x, formula), rtol=2e-6, atol=3e-7)
    np.testing.assert_allclose(got, ran(build, x)["y"], rtol=2e-6, atol=5e-7)


@pytest.mark.parametrize("case", CASES)
def test_nan_and_infinity(case: str) -> None:
    build, formula, _, _ = CASES[case]
    got, want = ran(build, WILD)["y"], wide(WILD, formula)
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=3e-7)


@pytest.mark.parametrize("case", SLOPES)
def test_slopes_at_extreme_inputs(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build, formula, slope, _ = CASES[case]
    made, want = ran(build, EXTREME, True), 3 * wide(EXTREME, slope)
    np.testing.assert_allclose(made["g"], want, rtol=3e-6, atol=1e-37)
    assert (off(made["y"], wide(EXTREME, formula)) <= 3e-6)[np.abs(want) > 1e-37].all()
    x = np.random.default_rng(2).standard_normal(SHAPE).astype(np.float32)
    plain = ran(build, x, True)
    assert np.isnan(ran(build, WILD, True)["g"][0, 0])
    monkeypatch.setenv("SPARKDL_DEBUG", "no-simplify")
    for name, value in ran(build, x, True).items():
        np.testing.assert_allclose(plain[name], value, rtol=3e-6, atol=1e-6)


def _log_softmax(x: Array) -> Array:
    return x - x.max(-1, keepdims=True) - np.log(np.exp(x - x.max(-1, keepdims=True)).sum(-1, keepdims=True))


@pytest.mark.parametrize("also", [False, True])
def test_log_of_softmax(also: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the probabilities are wanted beside it; forward and gradient."""

    def build(x: Sym) -> Any:
        p = softmax(x)
        return e.log(p) + (0.0 * p if also else 0.0)

    got, value = ran(build, EXTREME, True), wide(EXTREME, _log_softmax)
    np.testing.assert_allclose(got["y"], value, rtol=2e-6, atol=1e-6)
    if also:
        return
    np.testing.assert_allclose(got["g"], 3 - 12 * wide(EXTREME, row_softmax), rtol=2e-6, atol=2e-6)
    assert np.isnan(ran(build, WILD, True)["g"][0]).all()
    monkeypatch.setenv("SPARKDL_DEBUG", "no-simplify")
    before = ran(build, EXTREME, True)
    assert np.isinf(before["y"]).any() and np.isnan(before["g"]).any()


def test_a_row_of_minus_infinities_among_others() -> None:
    x = np.array([[-np.inf, 0, 0, 0], [1, -np.inf, -np.inf, 2], [0, 1, 2, 3]], np.float32)
    np.testing.assert_allclose(ran(lambda x: e.log(softmax(x)), x)["y"], wide(x, _log_softmax), rtol=2e-6)


def test_softplus_as_it_should_be_written_stays() -> None:
    graph, _ = traced(e.softplus)
    ops = [n.op.name for n in simplify(graph).nodes if n.op]
    assert sorted(ops) == sorted(["relu", "absolute", "negative", "exp", "log1p", "add"])
