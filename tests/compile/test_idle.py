"""Long loops in place pass over stretches that they would leave as they are: proved, and bit by bit the same."""

import numpy as np
import pytest

from sparkdl.base.spec import Spec
from sparkdl.compile import pipeline
from sparkdl.compile.loops import fuse_loops
from sparkdl.compile.pipeline import compile
from sparkdl.compile.simplify import simplify
from sparkdl.graph.graph import Graph
from sparkdl.kernels.codegen import build, numba_source
from sparkdl.kernels.codegen.idle import LONG, STRETCH, idle
from sparkdl.kernels.cpu._team import GRAIN
from sparkdl.kernels.cpu.fused import inplace
from sparkdl.nd.ops.fused import Fused
from sparkdl.optim.rules import SGD, Adagrad, Adam, AdamW, RMSprop
from sparkdl.optim.schedules import CosineDecay
from tests.kernels.harness import needs_onednn
from tests.tables.optimizers import short

SIZE = LONG + 5 * STRETCH + 37
SIGNALLING = np.uint32(0x7F800001)  # a NaN that any arithmetic would turn into another


def updated(optimizer, size=SIZE):
    """The graph of an update, its outputs, and what they are written over."""
    graph = Graph()
    p, g = (graph.input(name, Spec((size,))) for name in ("p", "g"))
    slots = {name: graph.input(name, p.spec) for name in optimizer.slots}
    new, slots = optimizer.update(p, g, slots, graph.input("t", Spec((), "float64")))
    outputs = {"new p": new, **{f"new {k}": v for k, v in slots.items()}}
    return graph, outputs, {name: name.removeprefix("new ") for name in outputs}


def zeros_of(optimizer):
    """The names of the inputs that must be zero for nothing to change; None when that never is."""
    graph, outputs, donate = updated(optimizer)
    graph.outputs = {name: sym.ref for name, sym in outputs.items()}
    graph = fuse_loops(simplify(graph))
    (k,) = (k for k, node in enumerate(graph.nodes) if isinstance(node.op, Fused))
    node, names = graph.nodes[k], {ref: name for name, ref in graph.outputs.items()}
    label = [graph.nodes[r[0]].label for r in node.ins]
    alias = {o: j for o, j in inplace(node.op.expr) if label[j] == donate[names[(k, o)]]}
    found = idle(node.op.expr, alias)
    return None if found is None else {label[j] for j in found.zeros}


@pytest.mark.parametrize(
    ("optimizer", "zeros"),
    [
        (Adam(), {"g", "momentum", "velocity"}),
        (Adam(amsgrad=True), {"g", "momentum", "velocity", "velocity_hat"}),
        (Adam(clipvalue=1.0), None),  # no rule says that clipping keeps a zero
        (AdamW(), None),  # all decays
        (Adam(weight_decay=0.1), None),
        (Adam(epsilon=1e-60), None),  # which is 0 in float32: 0 / 0
        (SGD(), {"g"}),
        (SGD(momentum=0.9), None),  # -0 + 0 is 0
        (RMSprop(), {"g", "velocity"}),
        (Adagrad(), {"g", "accumulator"}),
    ],
    ids=lambda x: short(x) if hasattr(x, "slots") else "",
)
def test_what_must_be_zero(optimizer, zeros):
    assert zeros_of(optimizer) == zeros


def test_an_output_elsewhere_must_be_written():
    graph, outputs, _ = updated(SGD())
    graph.outputs = {name: sym.ref for name, sym in outputs.items()}
    (node,) = (node for node in fuse_loops(simplify(graph)).nodes if isinstance(node.op, Fused))
    assert idle(node.op.expr, {0: 1}) is not None and idle(node.op.expr, {}) is None


def stated(optimizer, seed=0):
    """p of all kinds; stretches where all else is 0, where one input is not, and where that is -0 or NaN."""
    draw = np.random.default_rng(seed)
    kinds = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1e-40, -3.0, 7.5], np.float32)
    state = {"p": draw.choice(kinds, SIZE)}
    for name in ("g", *optimizer.slots):
        state[name] = np.zeros(SIZE, np.float32)
    for k, name in enumerate(("g", *optimizer.slots)):
        for n, value in enumerate((0.25, -0.0, np.nan, 1e-45, np.inf)):
            state[name][(20 * k + 3 * n + 1) * STRETCH + 17 * n] = value
        state[name][-1] = 0.5
    return state


def ready(optimizer):
    """The program of an update in place."""
    graph, outputs, donate = updated(optimizer)
    return compile(graph, outputs, donate=donate)


def stepped(optimizer, state, t=1.0, steps=3):
    """The state after some steps."""
    program = ready(optimizer)
    for name, value in state.items():
        program.inputs[name].view(np.uint32)[...] = value.view(np.uint32)
    for k in range(steps):
        program.inputs["t"][...] = t + k
        program.run()
    return {name: program.inputs[name].copy() for name in state}


def plainly(monkeypatch):
    """From here on loops are plain ones."""
    monkeypatch.setattr(numba_source, "LONG", 1 << 60)
    build.compiled.cache_clear()


@pytest.mark.parametrize("optimizer", [Adam(0.01), SGD(0.1), RMSprop(0.01), Adagrad(0.1), AdamW(0.01)], ids=short)
def test_the_same_bits_as_the_plain_loop(optimizer, monkeypatch):
    got = stepped(optimizer, stated(optimizer))
    plainly(monkeypatch)
    want = stepped(optimizer, stated(optimizer))
    build.compiled.cache_clear()
    for name, value in want.items():
        np.testing.assert_array_equal(got[name].view(np.uint32), value.view(np.uint32), err_msg=name)


@needs_onednn
@pytest.mark.parametrize("threads", [2, 3, 5])
def test_parts_pass_over_their_own_stretches(threads, monkeypatch):
    state = {k: v.copy() for k, v in stated(Adam()).items()}
    state["p"].view(np.uint32)[7 * STRETCH : -9 * STRETCH] = SIGNALLING
    want = stepped(Adam(), state)
    monkeypatch.setattr(pipeline, "TINY", 0)
    monkeypatch.setenv("SPARKDL_THREADS", str(threads))
    assert f" /{threads}" in ready(Adam()).explain()
    for name, value in stepped(Adam(), state).items():
        np.testing.assert_array_equal(value.view(np.uint32), want[name].view(np.uint32), err_msg=name)


def test_parts_begin_with_a_stretch():
    assert GRAIN % STRETCH == 0


def test_idle_stretches_are_left_alone_and_no_others():
    state = {k: v.copy() for k, v in stated(Adam()).items()}
    state["p"].view(np.uint32)[...] = SIGNALLING
    got = stepped(Adam(), state, steps=1)["p"].view(np.uint32)
    busy = {s for name in ("g", "momentum", "velocity") for s in np.flatnonzero(state[name].view(np.uint32)) // STRETCH}
    left = {s for s in range(-(-SIZE // STRETCH)) if (got[s * STRETCH : (s + 1) * STRETCH] == SIGNALLING).all()}
    assert len(busy) == 16 and left == set(range(-(-SIZE // STRETCH))) - busy


@pytest.mark.parametrize("t", [0.0, np.nan])
def test_a_rate_that_is_no_number_flows_everywhere(t):
    """0 times a rate of 0 / 0 is not 0."""
    state = stated(Adam())
    state["p"][...] = 1.0
    assert np.isnan(stepped(Adam(), state, t, steps=1)["p"]).all()


def test_a_rate_of_zero_is_computed():
    """What is proved is proved of rates above 0."""
    optimizer = SGD(CosineDecay(0.1, 10))
    state = {"p": np.full(SIZE, SIGNALLING).view(np.float32), "g": np.zeros(SIZE, np.float32)}
    quiet, fallen = (stepped(optimizer, state, t, steps=1)["p"].view(np.uint32) for t in (1.0, 12.0))
    assert (quiet == SIGNALLING).all() and (fallen != SIGNALLING).all()


@pytest.mark.parametrize("size", [LONG - 1, LONG])
def test_a_short_loop_is_plain(size):
    graph, outputs, _ = updated(SGD(), size)
    graph.outputs = {name: sym.ref for name, sym in outputs.items()}
    (node,) = (node for node in fuse_loops(simplify(graph)).nodes if isinstance(node.op, Fused))
    assert ("blank" in numba_source.source(node.op.expr, ((0, 1),))) == (size == LONG)
