"""Programs: memory plan, donated outputs, views and packs, errors, what explain says."""

import numpy as np
import pytest

from sparkdl import nd as e
from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.compile.memory import plan
from sparkdl.compile.pipeline import PASSES, compile
from sparkdl.compile.place import place
from sparkdl.compile.program import aligned
from sparkdl.compile.schedule import schedule
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph, Sym
from sparkdl.kernels.table import LIBRARIES
from sparkdl.nd.ops import reduce as r
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.shape import pack, reshape, view
from sparkdl.nd.ops.softmax import softmax_xent
from tests.compile.helpers import interpret


def mlp(batch: int = 6) -> tuple[Graph, dict[str, Sym], dict[str, np.ndarray]]:
    """A training step of a small network over a flat vector, with plain SGD."""
    graph = Graph()
    x, y = graph.input("x", Spec((batch, 5))), graph.input("y", Spec((batch,), "int32"))
    p = graph.input("p", Spec((160,)))
    layout = ((0, (5, 8)), (48, (8,)), (64, (8, 3)), (96, (3,)))
    w1, b1, w2, b2 = (view(p, at, shape) for at, shape in layout)
    losses, _ = softmax_xent(matmul(e.relu(matmul(x, w1) + b1), w2) + b2, y)
    loss = r.mean(losses)
    g = pack(grad(graph, loss, [w1, b1, w2, b2]), [at for at, _ in layout], 160)
    rng = np.random.default_rng(0)
    start = np.zeros(160, np.float32)
    for at, shape in layout:
        start[at : at + int(np.prod(shape))] = rng.standard_normal(int(np.prod(shape)))
    inputs = {"x": rng.standard_normal((batch, 5)).astype(np.float32), "y": rng.integers(0, 3, batch), "p": start}
    return graph, {"loss": loss, "p": p - 0.1 * g, "g": g}, inputs


def test_step_equals_the_oracle_and_repeats_bit_for_bit() -> None:
    graph, outputs, inputs = mlp()
    expected = interpret(graph, outputs, inputs)
    results = []
    for _ in range(2):
        program = compile(graph, outputs, donate={"p": "p"})
        for name, value in inputs.items():
            program.inputs[name][...] = value
        program.run()
        np.testing.assert_allclose(program.outputs["loss"], expected["loss"], rtol=1e-6)
        np.testing.assert_allclose(program.outputs["g"], expected["g"], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(program.inputs["p"], expected["p"], rtol=1e-6, atol=1e-7)
        results.append(program.inputs["p"].copy())
    np.testing.assert_array_equal(*results)


def test_every_library_gives_the_same() -> None:
    graph, outputs, inputs = mlp()
    expected = interpret(graph, outputs, inputs)
    for libraries in (("ref",), ("numpy", "ref"), ("numba", "numpy", "ref"), LIBRARIES["cpu"]):
        program = compile(graph, outputs, libraries=libraries)
        for name, value in inputs.items():
            program.inputs[name][...] = value
        program.run()
        np.testing.assert_allclose(program.outputs["g"], expected["g"], rtol=1e-5, atol=1e-7)


def test_fused_patterns() -> None:
    graph, outputs, _ = mlp()
    text = compile(graph, outputs).explain()
    assert text.count(" linear ") == 2 and "softmax_xent_both" in text and " relu " not in text
    assert "SLOW" not in text


def test_no_two_live_values_share_memory() -> None:
    """Replay the plan: a value's bytes must not be written between its making and its last reading."""
    graph, outputs, _ = mlp()
    graph.outputs = {name: sym.ref for name, sym in outputs.items()}
    for _, run in PASSES:
        graph = run(graph)
    graph = schedule(graph, {"p": "p"})
    steps = place(graph, LIBRARIES["cpu"])
    made = plan(graph, steps, {"p": "p"})
    last = {ref: n for n, s in enumerate(steps) for ref in s.node.ins}
    spans = []
    for n, s in enumerate(steps):
        for k, spec in enumerate(s.node.outs):
            where = made.places[(s.at, k)]
            spans.append((where.base, where.offset, where.offset + spec.nbytes, n, last.get((s.at, k), n), (s.at, k)))
    for i, a in enumerate(spans):
        for b in spans[i + 1 :]:
            overlap = a[0] == b[0] and a[1] < b[2] and b[1] < a[2]
            assert not (overlap and a[3] < b[4] and b[3] < a[4] and a[3] != b[3]), (a, b)


def test_gradients_lie_in_the_pack() -> None:
    graph, outputs, _ = mlp()
    program = compile(graph, outputs)
    copied = [s for s in program._steps if s.node.op is not None and s.node.op.name == "pack"]
    base = program.outputs["g"].ctypes.data
    for part, offset in zip(copied[0].node.ins, copied[0].node.op.offsets, strict=True):  # type: ignore[union-attr]
        assert program._array(part).ctypes.data == base + 4 * offset


def test_donated_output_waits_for_all_readers() -> None:
    graph = Graph()
    p = graph.input("p", Spec((16,)))
    new = p + 1.0
    late = r.sum(view(p, 0, (4,)) * 2.0)
    program = compile(graph, {"p": new, "late": late}, donate={"p": "p"})
    program.inputs["p"][...] = 3.0
    program.run()
    assert float(program.outputs["late"]) == 24.0 and (program.inputs["p"] == 4.0).all()


def test_an_output_that_cannot_be_written_in_place_is_copied() -> None:
    graph = Graph()
    p = graph.input("p", Spec((4, 4)))
    program = compile(graph, {"p": matmul(p, p)}, donate={"p": "p"})
    x = np.arange(16, dtype=np.float32).reshape(4, 4)
    program.inputs["p"][...] = x
    program.run()
    np.testing.assert_array_equal(program.inputs["p"], x @ x)
    np.testing.assert_array_equal(program.outputs["p"], x @ x)


def test_bound_memory_is_used_and_checked() -> None:
    graph = Graph()
    p = graph.input("p", Spec((16,)))
    mine = aligned(64).view(np.float32)
    program = compile(graph, {"y": p * 2.0}, bind={"p": mine})
    assert program.inputs["p"].ctypes.data == mine.ctypes.data
    with pytest.raises(ShapeError, match=r"input 'p' must be float32\[16\]"):
        compile(graph, {"y": p * 2.0}, bind={"p": np.zeros(8, np.float32)})
    with pytest.raises(ShapeError, match="multiple of 64"):
        compile(graph, {"y": p * 2.0}, bind={"p": aligned(128).view(np.float32)[1:17]})
    with pytest.raises(ShapeError, match="C-contiguous"):
        compile(graph, {"y": p * 2.0}, bind={"p": aligned(128).view(np.float32)[::2]})
    with pytest.raises(ShapeError, match="byte order"):
        compile(graph, {"y": p * 2.0}, bind={"p": aligned(64).view(">f4")})


def test_bound_memory_that_is_written_must_be_writeable() -> None:
    graph = Graph()
    p = graph.input("p", Spec((16,)))
    mine = aligned(64).view(np.float32)
    mine.flags.writeable = False
    compile(graph, {"y": p * 2.0}, bind={"p": mine})
    for made in (p * 2.0, matmul(reshape(p, (4, 4)), reshape(p, (4, 4)))):  # in place, and copied at the end
        with pytest.raises(ShapeError, match="writeable where written"):
            compile(graph, {"y": reshape(made, (16,))}, donate={"y": "p"}, bind={"p": mine})


def test_inputs_are_converted_or_refused_by_name() -> None:
    graph = Graph()
    x, ids = graph.input("x", Spec((2, 3))), graph.input("ids", Spec((2,), "int32"))
    program = compile(graph, {"y": x * 2.0, "z": ids})
    whole = np.arange(24.0).reshape(3, 4, 2)
    gaps, swapped = whole[1, ::2], whole[0, :3].astype(">f8")
    for value in (
        [[0, 1, 2], [3, 4, 5]],
        gaps.repeat(2, 1)[:, 1:],
        swapped.T,
        np.ones((2, 3), bool),
        np.eye(2, 3, dtype="f2"),
    ):
        program.fill({"x": value, "ids": np.array([7, 8], np.int64)})
        program.run()
        np.testing.assert_array_equal(program.outputs["y"], 2 * np.asarray(value, np.float64))
    bad = {
        r"'x' must be \(2, 3\). Got \(3,\)": {"x": np.ones(3)},
        r"'x' must be \(2, 3\). Got \(6,\)": {"x": np.ones(6)},
        "'x' must be float32. Got complex128": {"x": np.ones((2, 3), complex)},
        "'x' must be float32. Got <U1": {"x": np.full((2, 3), "a")},
        "'ids' must be int32. Got float64": {"ids": np.ones(2)},
        "one of x, ids. Got 'y'": {"y": np.ones(2)},
    }
    for says, values in bad.items():
        with pytest.raises(ShapeError, match=says):
            program.fill(values)
    with pytest.raises(TypeError):
        program.inputs["x"] = np.ones((2, 3))


def test_outputs_may_be_inputs_views_and_constants() -> None:
    graph = Graph()
    x = graph.input("x", Spec((2, 3)))
    program = compile(graph, {"x": x, "flat": reshape(x, (6,)), "c": graph.constant(np.arange(3.0))})
    program.inputs["x"][...] = 5.0
    program.run()
    assert (program.outputs["flat"] == 5).all() and program.outputs["c"].tolist() == [0, 1, 2]


def test_explain_and_counts() -> None:
    graph, outputs, _ = mlp()
    program = compile(graph, outputs)
    lines = program.explain().splitlines()
    assert len(lines) == program.rows + 1 and "onednn" in program.libraries() | {"onednn"}
    assert program.peak_bytes > 0


@pytest.mark.parametrize("libraries", [LIBRARIES["cpu"], ("numpy", "ref")])
def test_a_profile_runs_the_program(libraries) -> None:
    graph, outputs, inputs = mlp()
    moved = []
    for times in (0, 3):
        program = compile(graph, outputs, donate={"p": "p"}, libraries=libraries)
        program.fill(inputs)
        timings = program.profile(times) if times else [program.run() for _ in range(3)]
        moved.append(program.inputs["p"].copy())
    np.testing.assert_array_equal(*moved)
    assert len(timings) == program.rows and {t.library for t in timings} == program.libraries()
    assert all(t.microseconds > 0 and t.op and t.op in program.explain() for t in timings)


def test_a_profile_copies_what_could_not_be_written_in_place() -> None:
    graph = Graph()
    p = graph.input("p", Spec((2, 2)))
    program = compile(graph, {"p": matmul(p, p)}, donate={"p": "p"})
    program.fill({"p": 2 * np.eye(2, dtype=np.float32)})
    program.profile(2)
    np.testing.assert_array_equal(program.inputs["p"], 16 * np.eye(2))


def test_relu_behind_a_reshape_joins_the_product() -> None:
    """A dense layer over (B, T, C) is a product of (B T, C)."""
    graph = Graph()
    x, w, b = graph.input("x", Spec((6, 4))), graph.input("w", Spec((4, 5))), graph.input("b", Spec((5,)))
    y = e.relu(reshape(matmul(x, w) + b, (2, 3, 5)))
    outputs = {"y": y, "twice": y * 2.0}
    program = compile(graph, outputs)
    assert "onednn" not in program.libraries() or " relu" in program.explain()
    assert sum(s.node.op.name == "linear" and s.node.op.act == "relu" for s in program._steps) == 1  # type: ignore[union-attr]
    rng = np.random.default_rng(0)
    inputs = {k: rng.standard_normal(a.shape).astype(np.float32) for k, a in program.inputs.items()}
    for name, value in inputs.items():
        program.inputs[name][...] = value
    program.run()
    for name, value in interpret(graph, outputs, inputs).items():
        np.testing.assert_allclose(program.outputs[name], value, rtol=1e-5, atol=1e-6)
