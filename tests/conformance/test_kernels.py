"""Every kernel keeps its contract: it writes its outputs and scratch alone, repeats itself, and works in place where it
says so."""

import numpy as np
import pytest

from sparkdl.base.spec import Spec
from sparkdl.graph.graph import Graph
from sparkdl.kernels import table
from sparkdl.kernels.run import run_bound
from sparkdl.nd.array import execute
from sparkdl.nd.op import Op
from tests.conformance.ops import LIBRARIES, arrays, assert_close, trace
from tests.kernels.harness import run, serves
from tests.tables.ops import CASES, Case

cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


def applications(case: Case) -> list[tuple[Op, tuple[np.ndarray, ...]]]:
    """The ops of a case with the arrays that reach them."""
    graph, _ = trace(case, "float32")
    values, found = {(k, 0): v for k, v in enumerate(arrays(case, "float32"))}, []
    for k, node in enumerate(graph.nodes):
        if node.op is None:
            values.setdefault((k, 0), node.data)
            continue
        ins = tuple(values[r] for r in node.ins)
        found.append((node.op, ins))
        values.update({(k, o): y for o, y in enumerate(execute(node.op, ins, ("ref",)))})
    return found


@cases
def test_a_kernel_writes_nothing_but_its_outputs(case: Case) -> None:
    for op, ins in applications(case):
        want = execute(op, ins, ("ref",))
        for library in LIBRARIES:
            if serves(op, ins, library):
                for y, z in zip(run(op, ins, library), want, strict=True):
                    assert_close(y, z, 2 * case.tol, f"{op.name} of {library}")


@cases
def test_a_kernel_works_in_place_where_it_says_so(case: Case) -> None:
    for op, ins in applications(case):
        want = execute(op, ins, ("ref",))
        for library in LIBRARIES:
            if serves(op, ins, library):
                for pair in prepare(op, ins, library).inplace:
                    got = in_place(op, ins, library, pair)
                    for y, z in zip(got, want, strict=True):
                        assert_close(y, z, 2 * case.tol, f"{op.name} of {library}, output in input {pair}")


def prepare(op: Op, ins: tuple[np.ndarray, ...], library: str) -> table.Prepared:
    specs = tuple(Spec(a.shape, a.dtype.name) for a in ins)
    return table.prepare(op, specs, op.specs(specs), (library,))


def in_place(op: Op, ins: tuple[np.ndarray, ...], library: str, pair: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """The outputs when output pair[0] lies where input pair[1] does."""
    prepared = prepare(op, ins, library)
    given = [np.array(a, order="C") for a in ins]
    specs = op.specs(tuple(Spec(a.shape, a.dtype.name) for a in ins))
    outs = [np.empty(s.shape, s.dtype) for s in specs]
    outs[pair[0]] = given[pair[1]].reshape(outs[pair[0]].shape)
    scratch = tuple(np.empty(s.shape, s.dtype) for s in prepared.scratch)
    run_bound(prepared.bind(tuple(given), tuple(outs), scratch))
    return tuple(outs)


def test_the_graph_of_a_case_is_that_of_its_op() -> None:
    composite = {"elu", "gelu", "softplus", "clip", "isnan", "mean"}
    for case in CASES:
        graph: Graph = trace(case, "float32")[0]
        names = {node.op.name for node in graph.nodes if node.op is not None}
        assert case.op in names or case.op in composite or not names, case.id
