"""Nothing is registered without cases, a reference kernel, and a gradient check, or a reason."""

import importlib
import pkgutil
from collections import defaultdict

import pytest

import sparkdl.nd.ops
from sparkdl.kernels.table import coverage
from sparkdl.nd.op import OPS
from tests.conformance.ops import served, trace
from tests.conformance.test_ops import differentiated
from tests.tables.ops import CASES, NEVER_EMPTY, NO_CASE, NO_GRADIENT, NOT_DIFFERENTIABLE, SMALLEST

for _module in pkgutil.iter_modules(sparkdl.nd.ops.__path__):
    importlib.import_module(f"sparkdl.nd.ops.{_module.name}")

BY_OP = defaultdict(list)
for _case in CASES:
    BY_OP[_case.op].append(_case)
CHECKED = sorted(set(OPS) - set(NO_CASE))


def test_every_op_has_cases() -> None:
    assert set(OPS) - set(BY_OP) == set(NO_CASE)


def test_every_op_has_a_reference_kernel() -> None:
    assert set(OPS) == {op for op, library in coverage() if library == "ref"}


def test_every_kernel_is_of_an_op() -> None:
    assert {op for op, _ in coverage()} <= set(OPS)


def test_every_kernel_serves_a_case() -> None:
    tried = {pair for case in CASES for dtype in ("float32", "float64") for pair in served(case, dtype)}
    assert {(op, lib) for op, lib in coverage() if lib != "ref" and op not in NO_CASE} - tried == set()


@pytest.mark.parametrize("op", CHECKED)
def test_every_gradient_is_checked(op: str) -> None:
    checked = any(differentiated(case) for case in BY_OP[op])
    assert checked != (op in NO_GRADIENT or op in NOT_DIFFERENTIABLE)


@pytest.mark.parametrize("op", sorted(NO_GRADIENT))
def test_an_op_without_gradient_says_so(op: str) -> None:
    graph, _ = trace(BY_OP[op][0], "float32")
    node = next(n for n in graph.nodes if n.op is not None and n.op.name == op)
    with pytest.raises(TypeError, match=f"{op} has no gradient"):
        node.op.vjp((None,) * len(node.outs), (), *map(graph.sym, node.ins))


@pytest.mark.parametrize("op", CHECKED)
def test_every_op_has_small_cases(op: str) -> None:
    graphs = [trace(case, "float32")[0] for case in BY_OP[op]]
    nodes = [(graph, node) for graph in graphs for node in graph.nodes if node.op is not None and node.op.name == op]
    least = SMALLEST.get(op, 1)
    assert any(graph.spec(node.ins[0]).size == least for graph, node in nodes), f"no case of size {least}"
    empty = any(s.size == 0 for graph, node in nodes for s in (*map(graph.spec, node.ins), *node.outs))
    assert empty != (op in NEVER_EMPTY), "no case of size zero"
