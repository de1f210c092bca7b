"""Choices by measurement: what there is to choose from, what is measured, what is kept, and what is not trusted."""

import json
import math
import time
from pathlib import Path

import numpy as np
import pytest

from sparkdl.base.errors import ConfError, KernelError
from sparkdl.base.spec import Spec
from sparkdl.compile import tune
from sparkdl.compile.pipeline import compile
from sparkdl.compile.tune import check_tune, tuned
from sparkdl.graph.graph import Graph
from sparkdl.kernels import measured, table
from sparkdl.kernels.measured import Measured
from sparkdl.kernels.table import LIBRARIES
from sparkdl.nd.ops.conv import Conv2d, conv2d
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.shape import reshape
from tests.kernels.harness import close, needs_onednn, normal, oracle

pytestmark = needs_onednn
OP, INS = Conv2d((1, 1), ((1, 1), (1, 1)), (1, 1), 1), (Spec((2, 12, 12, 32)), Spec((3, 3, 32, 32)))
OUTS = OP.specs(INS)


@pytest.fixture(autouse=True)
def a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "cache", lambda: str(tmp_path))
    monkeypatch.setattr(tune, "SMALL", 0.0)
    return tmp_path


def network():
    """A convolution and a product behind it."""
    graph = Graph()
    x, w = (graph.input(name, spec) for name, spec in zip("xw", INS, strict=True))
    y = conv2d(x, w, padding=((1, 1), (1, 1)))
    graph.outputs = {"y": matmul(reshape(y, (288, 32)), graph.input("v", Spec((32, 48)))).ref}
    return graph


def program(**how):
    graph = network()
    made = compile(graph, {"y": graph.sym(graph.outputs["y"])}, **how)
    made.fill({"x": normal(INS[0].shape), "w": normal(INS[1].shape), "v": normal((32, 48))})
    made.run()
    return made


def files(folder):
    return list((folder / "measured").glob("*.json"))


def test_each_choice_is_a_kernel_of_its_own_with_the_same_result():
    found = table.choices(OP, INS, OUTS, LIBRARIES["cpu"])
    assert {"winograd", "onednn"} < set(found) and any(":" in choice for choice in found)
    assert len({(made.library, made.detail) for made in found.values()}) == len(found)
    arrays = tuple(normal(s.shape) for s in INS)
    for choice, made in found.items():
        out, scratch = np.empty(OUTS[0].shape, "f"), tuple(np.empty(s.shape, s.dtype) for s in made.scratch)
        tune.run_bound(made.bind(arrays, (out,), scratch))
        close(out, oracle(OP, arrays)[0])
        assert choice.partition(":")[2] in made.detail


@pytest.mark.parametrize("choice", ["onednn:jit:of_another_planet", "onednn:ref:any"])
def test_an_implementation_that_is_not_there_or_a_reference(choice):
    with pytest.raises(KernelError, match="no kernel for conv2d"):
        table.prepare(OP, INS, OUTS, LIBRARIES["cpu"], 1, choice)


def test_what_is_chosen_is_used_and_computes_the_same(monkeypatch):
    monkeypatch.setattr(tune, "MARGIN", 1e9)  # whatever was fastest wins, by any margin
    monkeypatch.setattr(tune, "_times", lambda calls, deadline: {c: float(k == 0) + 1 for k, c in enumerate(calls)})
    plain, other = program(), program(tune=60.0)
    assert plain.explain() != other.explain()
    close(other.outputs["y"], plain.outputs["y"])


def test_measured_for_real_once_and_kept(a_folder_of_its_own, monkeypatch):
    want = program().outputs["y"].copy()
    first = program(tune=30.0)
    close(first.outputs["y"], want)
    (file,) = files(a_folder_of_its_own)
    assert len(json.loads(file.read_text())) == 2
    monkeypatch.setattr(tune, "_best", lambda *given: pytest.fail("measured again"))
    assert program(tune=30.0).explain() == first.explain()


def test_no_longer_than_granted(a_folder_of_its_own):
    """One call of a kernel may overdraw the time; what was not timed through is not kept."""
    calls = dict.fromkeys("abcde", lambda: time.sleep(0.02))
    begun = time.monotonic()
    assert tune._times(calls, begun + 0.05) is None
    assert time.monotonic() - begun < 0.2
    assert tuned(network(), LIBRARIES["cpu"], (), 1e-9) == {}
    assert files(a_folder_of_its_own) == []


def test_what_takes_far_longer_is_given_up():
    counts = {"fast": 0, "slow": 0}

    def run(name, seconds):
        counts[name] += 1
        time.sleep(seconds)

    times = tune._times({n: lambda n=n, s=s: run(n, s) for n, s in (("fast", 0.002), ("slow", 0.05))}, math.inf)
    assert times["fast"] < times["slow"] and counts == {"fast": tune.ROUNDS + 1, "slow": 2}


def test_off_by_default_and_for_small_ops(a_folder_of_its_own, monkeypatch):
    monkeypatch.setattr(tune, "SMALL", 1e12)
    assert tuned(network(), LIBRARIES["cpu"], (), 30.0) == {}
    monkeypatch.setattr("sparkdl.compile.pipeline.tuned", lambda *given: pytest.fail("asked by nobody"))
    program()
    assert files(a_folder_of_its_own) == []


def test_the_variable_asks_too(a_folder_of_its_own, monkeypatch):
    monkeypatch.setenv("SPARKDL_TUNE", "30")
    program()
    assert len(files(a_folder_of_its_own)) == 1


@pytest.mark.parametrize("text", ["{", "[1, 2]", '{"a": 3}', "\x00", '{"a": {"b": "c"}}'])
def test_a_broken_file_is_as_none(a_folder_of_its_own, text):
    known = Measured()
    (a_folder_of_its_own / "measured").mkdir()
    Path(known.path).write_text(text)
    assert Measured() == {}
    program(tune=30.0)
    assert len(json.loads(files(a_folder_of_its_own)[0].read_text())) == 2


def test_a_choice_that_is_not_there_falls_to_the_tables(monkeypatch):
    known = Measured()
    for task in tune._tasks(network(), ()).values():
        known[task.text] = "onednn:jit:of_another_planet" if task.op.name == "matmul" else "nothing"
    known.save()
    assert program(tune=1.0).explain() == program().explain()


def test_a_folder_that_cannot_be_written_is_logged(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(measured, "cache", lambda: str(tmp_path / "file"))
    program(tune=30.0)
    assert caplog.text.count("cannot be kept") == 1


def test_two_processes_keep_what_both_found():
    one, two = Measured(), Measured()
    one["a"], two["b"] = "winograd", "onednn"
    one.save()
    two.save()
    assert Measured() == {"a": "winograd", "b": "onednn"}


@pytest.mark.parametrize("seconds", [-1, "2", float("nan"), True])
def test_what_is_no_time(seconds):
    with pytest.raises(ConfError, match=r"tune \(or \$SPARKDL_TUNE\) must be a number of seconds >= 0"):
        check_tune(seconds)


def test_a_variable_that_is_no_time(monkeypatch):
    monkeypatch.setenv("SPARKDL_TUNE", "soon")
    with pytest.raises(ConfError, match=r"\$SPARKDL_TUNE"):
        check_tune(None)
