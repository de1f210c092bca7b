"""Programs of several threads: loops in parts, small programs left alone, programs of different counts side by side."""

import threading

import numpy as np
import pytest

from sparkdl import nd as e
from sparkdl.base.errors import ConfError
from sparkdl.base.spec import Spec
from sparkdl.compile import pipeline
from sparkdl.compile.pipeline import compile
from sparkdl.graph.graph import Graph
from sparkdl.kernels import table
from sparkdl.kernels.cpu import _team, fused
from sparkdl.kernels.threads import count, using
from sparkdl.nd.ops import reduce as r
from sparkdl.nd.ops.matmul import matmul
from tests.compile import test_loops
from tests.compile.helpers import interpret
from tests.kernels.harness import needs_onednn

pytestmark = needs_onednn
ROWS, COLS = 3001, 331  # neither is a multiple of a vector's length


def draw(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def optimizer(graph):
    """As Adam is: a step count that the loop reads and overwrites, a decay of it, vectors written over themselves."""
    p, g, m = (graph.input(n, Spec((ROWS * COLS,))) for n in "pgm")
    t = graph.input("t", Spec((), "float64")) + 1.0
    rate = e.cast(0.1 / (1.0 + 0.5 * t), "float32")
    moved = 0.9 * m + e.tanh(g) / 3.0
    return {"p": p - rate * moved / (e.sqrt(e.absolute(moved)) + 1e-3), "m": moved, "t": t}


def layer(graph):
    """Rows, columns and sums in one loop."""
    x, g = (graph.input(n, Spec((ROWS, COLS))) for n in "xg")
    bias, weight = graph.input("bias", Spec((COLS,))), graph.input("weight", Spec((ROWS, 1)))
    y = e.sigmoid(x + bias) * weight
    back = g * y * (1.0 - y)
    return {"back": back, "bias": r.sum(back, 0), "loss": r.sum(e.square(back) * 0.01), "positive": e.greater(y, 0.5)}


def run(made, inputs, threads, **given):
    graph = Graph()
    program = compile(graph, made(graph), threads=threads, **given)
    program.fill(inputs)
    program.run()
    return program, {name: value.copy() for name, value in program.outputs.items()}


VECTORS = {"p": draw(ROWS * COLS, 1), "g": draw(ROWS * COLS, 2), "m": draw(ROWS * COLS, 3), "t": np.float64(4)}
MATRICES = {"x": draw((ROWS, COLS), 1), "g": draw((ROWS, COLS), 2), "bias": draw(COLS), "weight": draw((ROWS, 1))}


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_elements_have_the_same_bits_whatever_the_count(threads):
    program, many = run(optimizer, VECTORS, threads, donate={"p": "p", "m": "m", "t": "t"})
    assert f" /{threads}" in program.explain()
    assert program.threads == threads
    _, one = run(optimizer, VECTORS, 1, donate={"p": "p", "m": "m", "t": "t"})
    assert one["t"] == many["t"] == 5.0
    for name, value in one.items():
        np.testing.assert_array_equal(value, many[name], err_msg=name)


def test_a_loop_that_overwrites_its_step_count_goes_on_from_it():
    program, _ = run(optimizer, VECTORS, 3, donate={"p": "p", "m": "m", "t": "t"})
    program.run()
    assert program.outputs["t"] == 6.0


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_sums_are_near_and_repeat_themselves(threads):
    program, many = run(layer, MATRICES, threads)
    assert f" /{threads}" in program.explain()
    program.run()
    graph = Graph()
    want = interpret(graph, layer(graph), MATRICES)
    _, one = run(layer, MATRICES, 1)
    for name, value in many.items():
        np.testing.assert_array_equal(value, program.outputs[name], err_msg=name)
        np.testing.assert_allclose(value, want[name], rtol=1e-4, atol=1e-4 * np.abs(want[name]).max())
    for name in ("back", "positive"):
        np.testing.assert_array_equal(one[name], many[name], err_msg=name)


@pytest.mark.parametrize("made", [optimizer, layer])
def test_no_part_writes_outside(made, monkeypatch):
    monkeypatch.setenv("SPARKDL_DEBUG", "guard,verify")
    inputs = VECTORS if made is optimizer else MATRICES
    _, guarded = run(made, inputs, 3)
    monkeypatch.delenv("SPARKDL_DEBUG")
    for name, value in run(made, inputs, 3)[1].items():
        np.testing.assert_array_equal(value, guarded[name], err_msg=name)


def test_a_nan_stays_where_it_is():
    bad = MATRICES | {"x": MATRICES["x"].copy()}
    bad["x"][ROWS - 1, 5] = np.nan
    _, made = run(layer, bad, 3)
    assert np.isnan(made["bias"]).nonzero()[0].tolist() == [5]
    assert np.argwhere(np.isnan(made["back"])).tolist() == [[ROWS - 1, 5]]
    assert np.isnan(made["loss"])


def product(graph):
    a, b = graph.input("a", Spec((700, 500))), graph.input("b", Spec((500, 600)))
    return {"y": e.tanh(matmul(a, b))}


PRODUCT = {"a": draw((700, 500)), "b": draw((500, 600))}


def test_a_small_program_has_one_thread():
    graph = Graph()
    small = compile(graph, {"y": e.tanh(graph.input("x", Spec((10, 10))))}, threads=2)
    assert (small.threads, run(product, PRODUCT, 2)[0].threads) == (1, 2)


def test_a_senseless_count_is_refused():
    with pytest.raises(ConfError) as caught:
        run(product, PRODUCT, 0)
    assert str(caught.value) == "threads must be an int >= 1. Got 0."


def test_programs_of_different_counts_take_turns():
    before = count()
    made = {n: run(product, PRODUCT, n) for n in (1, 2, 3)}
    for _ in range(5):
        for program, first in made.values():
            program.outputs["y"][...] = 0
            program.run()
            np.testing.assert_array_equal(program.outputs["y"], first["y"])
            assert count() == before
    np.testing.assert_allclose(made[2][1]["y"], made[1][1]["y"], rtol=1e-5, atol=1e-5)


def test_a_program_runs_with_its_own_count_wherever_it_is_called():
    """One made for two threads, called under one and three; what it is called under stays."""
    program, first = run(product, PRODUCT, 2)
    for n in (1, 3):
        with using(n):
            program.run()
            assert count() == n
        np.testing.assert_array_equal(program.outputs["y"], first["y"])


def test_a_program_that_fails_turns_back(monkeypatch):
    program, before = run(product, PRODUCT, 2)[0], count()
    monkeypatch.setattr(program, "_segments", [lambda: 1 / 0])
    with pytest.raises(ZeroDivisionError):
        program.run()
    assert count() == before


def test_two_threads_of_python_run_programs_of_different_counts():
    made = [run(product, PRODUCT, n) for n in (1, 2, 2)]
    wrong = []

    def work(program, first):
        for _ in range(30):
            program.outputs["y"][...] = 0
            program.run()
            if not np.array_equal(program.outputs["y"], first["y"]):
                wrong.append(program.threads)

    threads = [threading.Thread(target=work, args=pair) for pair in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    assert not any(thread.is_alive() for thread in threads)


def test_what_is_small_is_said_in_elements():
    graph = Graph()
    y = e.tanh(graph.input("x", Spec((10, 10))))
    graph.outputs = {"y": y.ref}
    assert pipeline._elements(graph) == 200


def test_random_chains_in_three_threads(monkeypatch):
    """Whatever loops can be, in parts of a few elements."""
    table.prepare.cache_clear()
    monkeypatch.setattr(_team, "PART", 1)
    monkeypatch.setattr(fused, "GRAIN", 4)
    monkeypatch.setattr(pipeline, "TINY", 0)
    monkeypatch.setenv("SPARKDL_THREADS", "3")
    test_loops.test_random_chains()
    table.prepare.cache_clear()
