"""Gradients of tables: rows that nobody looked up are not zeroed again and not read; the bits stay."""

import numpy as np
import pytest

from sparkdl.base.spec import Spec
from sparkdl.compile import memory, pipeline
from sparkdl.compile.pipeline import compile
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.ops.analysis import square, tanh
from sparkdl.nd.ops.gather import take
from sparkdl.nd.ops.reduce import sum as sum_of
from sparkdl.nd.ops.shape import pack, view
from sparkdl.nd.ops.sparse import csr_matmul
from sparkdl.optim.rules import SGD, Adam
from tests.compile.helpers import interpret
from tests.kernels.harness import needs_onednn
from tests.tables.optimizers import short

SHAPES = ((50,), (3001, 16), (900, 7), (2000, 16))  # a vector, tables by index twice, one by sparse rows
OFFSETS = (0, 64, 48080, 54400)
SIZE = 54400 + 32000 + 16
IDS, STORED = 40, 30


def made(optimizer, shown=False):
    """A program of a step, and its graph: three tables and a vector. `shown`: the gradient is an output."""
    graph = Graph()
    flat = graph.input("p", Spec((SIZE,)))
    w, a, b, c = (view(flat, at, shape) for at, shape in zip(OFFSETS, SHAPES, strict=True))
    ids = graph.input("ids a", Spec((8, 5), "int64")), graph.input("ids b", Spec((IDS,), "int32"))
    csr = graph.input("indptr", Spec((9,), "int64")), graph.input("indices", Spec((STORED,), "int64"))
    rows = csr_matmul(*csr, graph.input("values", Spec((STORED,))), c)
    loss = sum_of(tanh(take(a, ids[0]))) + sum_of(tanh(take(b, ids[1]))) + sum_of(tanh(rows)) + sum_of(tanh(w))
    g = pack(grad(graph, loss, [w, a, b, c]), OFFSETS, SIZE)
    slots = {name: graph.input(name, flat.spec) for name in optimizer.slots}
    new, slots = optimizer.update(flat, g, slots, graph.input("t", Spec((), "float64")))
    outputs = {"new p": new, **{f"new {k}": v for k, v in slots.items()}} | ({"g": g} if shown else {})
    donate = {name: name.removeprefix("new ") for name in outputs if name != "g"}
    return graph, outputs, compile(graph, outputs, donate=donate)


def batch(step):
    """Indices of a step: some equal, some outside, all outside in step 2; ends of rows that overlap in step 3."""
    draw = np.random.default_rng([7, step])
    low, high = (-9, -1) if step == 2 else (-3, 1 << 40)
    found = {
        "ids a": np.where(draw.random((8, 5)) < 0.2, draw.integers(low, high, (8, 5)), draw.integers(0, 3001, (8, 5))),
        "ids b": draw.integers(-2, 902, IDS),
        "indptr": np.array([0, 30, 0, 30, 5, 30, 0, 30, 30]) if step == 3 else np.linspace(0, STORED, 9).astype(int),
        "indices": draw.integers(0, 2000, STORED),
        "values": draw.normal(size=STORED),
    }
    if step == 2:
        found["ids a"][...] = -1
    return found


def state_of(optimizer):
    draw = np.random.default_rng(3)
    state = {name: np.zeros(SIZE, np.float32) for name in optimizer.slots}
    for value in state.values():
        value[10_000:20_000] = draw.uniform(0.1, 1.0, 10_000)
    return {"p": draw.normal(size=SIZE).astype(np.float32), **state}


def trained(optimizer, steps=6, shown=False):
    """The state and the gradients after each step, and the program."""
    _, _, program = made(optimizer, shown)
    state, history = state_of(optimizer), []
    for name, value in state.items():
        program.inputs[name][...] = value
    for step in range(steps):
        program.fill(batch(step) | {"t": step + 1.0})
        program.run()
        history.append([program.inputs[name].copy() for name in state])
        if shown:
            history[-1].append(program.outputs["g"].copy())
            program.outputs["g"][...] = 7.0  # it is the caller's between two runs
    return history, program


def same(got, want):
    for step, (a, b) in enumerate(zip(got, want, strict=True)):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x.view(np.uint32), y.view(np.uint32), err_msg=f"step {step}")


@pytest.fixture
def dense(monkeypatch):
    """Programs that zero and read all, as if there were no tables."""

    def use(optimizer, **how):
        with monkeypatch.context() as m:
            m.setattr(memory, "_lasting", lambda graph, step, out: step)
            m.setenv("SPARKDL_DEBUG", "no-scatters")
            history, program = trained(optimizer, **how)
        assert "rows noted" not in program.explain() and not scattered(program)
        return history

    return use


def scattered(program):
    return [s for step in program._steps for s in getattr(step.node.op, "scatters", ())]


@pytest.mark.parametrize(
    "optimizer", [Adam(0.01), SGD(0.1), SGD(0.1, momentum=0.9), Adam(0.01, weight_decay=0.1)], ids=short
)
def test_the_same_bits_as_without(optimizer, dense):
    history, program = trained(optimizer)
    assert program.explain().count("rows noted") == 3
    assert [(s.start, s.rows, s.cols) for s in scattered(program)] == [
        (64, 3001, 16),
        (48080, 900, 7),
        (54400, 2000, 16),
    ]
    same(history, dense(optimizer))


@needs_onednn
@pytest.mark.parametrize("threads", [2, 3, 5])
@pytest.mark.parametrize("optimizer", [Adam(0.01), SGD(0.1)], ids=short)
def test_parts_mark_their_own_stretches(optimizer, threads, monkeypatch):
    want, _ = trained(optimizer)
    monkeypatch.setattr(pipeline, "TINY", 0)
    monkeypatch.setenv("SPARKDL_THREADS", str(threads))
    for said in ("", "guard"):
        monkeypatch.setenv("SPARKDL_DEBUG", said)
        history, program = trained(optimizer)
        (loop,) = (s for s in program._steps if getattr(s.node.op, "scatters", ()))
        assert loop.prepared.detail.endswith(f" /{threads}")
        same(history, want)


@needs_onednn
def test_a_scattered_loop_with_a_sum_in_parts(monkeypatch):
    """Scratch is both the sums' and the marks'."""
    monkeypatch.setattr(pipeline, "TINY", 0)
    graph = Graph()
    flat, ids = graph.input("p", Spec((1 << 17,))), graph.input("ids", Spec((50,), "int64"))
    table = view(flat, 0, (8192, 16))
    g = pack(grad(graph, sum_of(tanh(take(table, ids))), [table]), [0], 1 << 17)
    new = flat - 0.1 * g
    outputs = {"new": new, "norm": sum_of(square(new))}
    program = compile(graph, outputs, threads=3)
    given = {"p": np.random.default_rng(0).normal(size=1 << 17).astype("f"), "ids": np.arange(50) * 163}
    for _ in range(2):
        program.fill(given)
        program.run()
    (loop,) = (s for s in program._steps if getattr(s.node.op, "scatters", ()))
    assert len(loop.node.outs) == 2 and loop.prepared.detail.endswith(" /3")
    for name, value in interpret(graph, outputs, given).items():
        np.testing.assert_allclose(program.outputs[name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("library", [("numpy", "ref"), ("ref",)])
def test_other_libraries_take_the_indices_too(library):
    graph, outputs, program = made(SGD(0.1))
    given = batch(0) | {"t": 1.0} | state_of(SGD())
    other = compile(graph, outputs, libraries=library)
    for p in (program, other):
        p.fill(given)
        p.run()
    assert scattered(other)
    np.testing.assert_allclose(other.outputs["new p"], program.outputs["new p"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", [Adam(0.01, epsilon=0.1), SGD(0.1)], ids=short)
def test_a_step_is_that_of_the_oracle(optimizer):
    graph, outputs, program = made(optimizer)
    given = batch(0) | {"t": 1.0} | state_of(optimizer)
    want = interpret(graph, outputs, given)
    program.fill(given)
    program.run()
    for name, value in want.items():
        np.testing.assert_allclose(program.outputs[name], value, rtol=1e-4, atol=1e-6)


def test_a_gradient_that_leaves_the_program_is_written_whole(dense):
    history, program = trained(SGD(0.1), shown=True)
    assert "rows noted" not in program.explain()
    same(history, dense(SGD(0.1), shown=True))


def test_the_first_run_and_any_change_of_indices_under_guard(monkeypatch):
    plain, _ = trained(Adam(0.01))
    monkeypatch.setenv("SPARKDL_DEBUG", "guard,verify")
    guarded, program = trained(Adam(0.01))
    assert program.explain().count("rows noted") == 3
    same(guarded, plain)


def test_many_indices_are_not_noted():
    """Zeroing a table costs less than noting as many rows as it has."""
    graph = Graph()
    flat, ids = graph.input("p", Spec((1 << 17,))), graph.input("ids", Spec((5000,), "int64"))
    g = pack(grad(graph, sum_of(tanh(take(view(flat, 0, (8192, 16)), ids))), [view(flat, 0, (8192, 16))]), [0], 1 << 17)
    program = compile(graph, {"new": flat - 0.1 * g}, donate={"new": "p"})
    assert not scattered(program) and "rows noted" not in program.explain()
