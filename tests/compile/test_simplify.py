"""Simplify: each rewrite happens, gives the same numbers, and leaves alone what is only nearly the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sparkdl import nd as e
from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.compile.simplify import simplify
from sparkdl.graph.graph import Graph, Sym
from sparkdl.nd.ops import reduce as r
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.shape import broadcast_to, reshape, transpose
from tests.compile.helpers import interpret

Build = Callable[[Sym], Any]
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-40, 3e38, -1.5)

EXACT: dict[str, tuple[Build, list[str]]] = {
    "x + 0": (lambda x: x + 0.0, []),
    "x - 0": (lambda x: x - 0.0, []),
    "1 x": (lambda x: 1.0 * x, []),
    "x / 1": (lambda x: x / 1.0, []),
    "x ** 1": (lambda x: e.power(x, 1.0), []),
    "x ** 2": (lambda x: e.power(x, 2.0), ["square"]),
    "x x": (lambda x: x * x, ["square"]),
    "-(-x)": (lambda x: e.negative(-x), []),
    "1 + -x": (lambda x: 1.5 + -x, ["subtract"]),
    "x - -2": (lambda x: x - -(x * 3.0), ["multiply", "add"]),
    "x / 8": (lambda x: x / 8.0, ["multiply"]),
    "x / -0.25": (lambda x: x / -0.25, ["multiply"]),
    "1 / sqrt": (lambda x: 1.0 / e.sqrt(x), ["rsqrt"]),
    "|-x|": (lambda x: e.absolute(-x), ["absolute"]),
    "||x||": (lambda x: e.absolute(e.absolute(x)), ["absolute"]),
    "(-x)^2": (lambda x: e.square(-x), ["square"]),
    "|x|^2": (lambda x: e.square(e.absolute(x)), ["square"]),
    "relu(relu)": (lambda x: e.relu(e.relu(x)), ["relu"]),
    "max(x, 0)": (lambda x: e.maximum(x, 0.0), ["relu"]),
    "max(0, x)": (lambda x: e.maximum(0.0, x), ["relu"]),
    "relu(max(x, 0))": (lambda x: e.relu(e.maximum(x, 0.0)), ["relu"]),
    "same reshape": (lambda x: reshape(reshape(x, (24,)), (4, 6)), []),
    "reshapes": (lambda x: reshape(reshape(x, (24,)), (2, 12)), ["reshape"]),
    "broadcasts": (
        lambda x: broadcast_to(broadcast_to(reshape(x, (4, 1, 6)), (4, 2, 6)), (3, 4, 2, 6)),
        ["reshape", "broadcast_to"],
    ),
    "undone": (lambda x: transpose(transpose(x)), []),
    "transposes": (
        lambda x: transpose(transpose(reshape(x, (2, 3, 4)), (1, 0, 2)), (1, 2, 0)), ["reshape", "transpose"]
    ),
    "nothing moved": (lambda x: transpose(reshape(x, (4, 1, 6)), (1, 0, 2)), ["reshape"]),
    "a' b": (lambda x: matmul(transpose(x), x), ["matmul"]),
    "a b'": (lambda x: matmul(x, transpose(x)), ["matmul"]),
    "a'' b'": (lambda x: matmul(transpose(transpose(e.exp(x))), transpose(x)), ["exp", "matmul"]),
    "a' b', told so": (lambda x: matmul(transpose(x), transpose(x), True, False), ["matmul"]),
    "casts": (lambda x: cast(cast(e.greater(x, 0.0), "int32"), "float64"), ["greater", "cast"]),
    "a cast back": (lambda x: cast(cast(x, "float64"), "float32"), []),
}  # fmt: skip
SUMS: dict[str, tuple[Build, list[str]]] = {
    "sum(sum)": (lambda x: r.sum(r.sum(x, 1)), ["sum"]),
    "kept": (lambda x: r.sum(r.sum(x, 1, True), 0), ["sum", "reshape"]),
    "both kept": (lambda x: r.sum(r.sum(x, 1, True), 0, True), ["sum"]),
    "some axes": (lambda x: r.sum(r.sum(reshape(x, (2, 3, 4)), 1), 1), ["reshape", "sum"]),
    "c sum": (lambda x: r.sum(x) * 3.0, ["multiply", "sum"]),
    "sum / c": (lambda x: r.sum(x) / 24.0, ["divide", "sum"]),
}
KEPT: dict[str, tuple[Build, list[str]]] = {
    "x - x": (lambda x: x - x, ["subtract"]),
    "0 x": (lambda x: x * 0.0, ["multiply"]),
    "x / 3": (lambda x: x / 3.0, ["divide"]),
    "x / tiny": (lambda x: x / 2.0**-149, ["divide"]),
    "x / huge": (lambda x: x / 2.0**127, ["divide"]),
    "sqrt sqrt": (lambda x: e.sqrt(x) * e.sqrt(x + 1.0), ["sqrt", "add", "sqrt", "multiply"]),
    "exp(log(x))": (lambda x: e.exp(e.log(x)), ["log", "exp"]),
    "max(x, 1)": (lambda x: e.maximum(x, 1.0), ["maximum"]),
    "narrow": (lambda x: cast(cast(x, "int32"), "float32"), ["cast", "cast"]),
    "a wider row": (lambda x: reshape(x, (24,)) + np.zeros((1, 24), np.float32), ["reshape", "add"]),
}


def traced(build: Build) -> tuple[Graph, Sym]:
    graph = Graph()
    y = build(graph.input("x", Spec((4, 6))))
    graph.outputs = {"y": y.ref}
    return graph, y


def names(graph: Graph) -> list[str]:
    """The ops of a graph, in order."""
    return [node.op.name for node in graph.nodes if node.op is not None]


def numbers(special: bool) -> np.ndarray:
    x = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    if special:
        x.ravel()[: len(SPECIAL)] = SPECIAL
    return x


def ran(build: Build, x: np.ndarray) -> np.ndarray:
    graph, y = traced(build)
    program = compile(graph, {"y": y})
    program.fill({"x": x})
    program.run()
    return np.array(program.outputs["y"])


@pytest.mark.parametrize("case", EXACT | SUMS | KEPT)
def test_the_rewrite_happens_or_does_not(case: str) -> None:
    build, wanted = (EXACT | SUMS | KEPT)[case]
    graph, _ = traced(build)
    assert names(simplify(graph)) == wanted
    assert (names(graph) == wanted) == (case in KEPT)


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("case", EXACT | SUMS | KEPT)
def test_the_numbers_are_the_oracles_and_those_without_the_pass(
    case: str, special: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, x = (EXACT | SUMS | KEPT)[case][0], numbers(special)
    graph, y = traced(build)
    got, want = ran(build, x), interpret(graph, {"y": y}, {"x": x})["y"]
    monkeypatch.setenv("SPARKDL_DEBUG", "no-simplify")
    plain = ran(build, x)
    exact = case in EXACT and "matmul" not in EXACT[case][1]
    np.testing.assert_allclose(got, want, rtol=3e-6, atol=1e-6, equal_nan=True)
    np.testing.assert_allclose(got, plain, rtol=0 if exact else 3e-6, atol=0 if exact else 1e-6, equal_nan=True)


def test_a_sum_that_others_read_stays() -> None:
    graph = Graph()
    rows = r.sum(graph.input("x", Spec((4, 6))), 1)
    graph.outputs = {"rows": rows.ref, "all": r.sum(rows).ref}
    assert names(simplify(graph)) == ["sum", "sum"]


def test_int64_does_not_fit_float64() -> None:
    graph = Graph()
    x = graph.input("x", Spec((3,), "int64"))
    graph.outputs = {"y": cast(cast(x, "float64"), "int64").ref, "z": cast(cast(x, "int32"), "int64").ref}
    assert names(simplify(graph)) == ["cast"] * 4


def test_what_was_written_twice_is_there_once() -> None:
    graph = Graph()
    x = graph.input("x", Spec((3,)))
    graph.outputs = {"y": (e.exp(x + 0.0) + e.exp(1.0 * x)).ref}
    assert names(simplify(graph)) == ["exp", "add"]


def test_constants_are_folded() -> None:
    graph = Graph()
    x = graph.input("x", Spec((3,)))
    two = e.exp(graph.constant(np.float32(0.0))) + 1.0
    graph.outputs = {"y": (x * broadcast_to(two, (3,))).ref}
    made = simplify(graph)
    assert names(made) == ["multiply"] and [n.data.tolist() for n in made.nodes if n.data is not None] == [[2.0] * 3]
