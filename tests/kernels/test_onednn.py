"""The oneDNN binding: where it is found, what it refuses, what it frees."""

import gc
import os
import subprocess
import sys

import numpy as np
import pytest

from sparkdl.kernels import table
from sparkdl.kernels.cpu import _onednn, _onednn_objects
from sparkdl.kernels.cpu._onednn import VARIABLE, candidates, library
from sparkdl.kernels.cpu._onednn_objects import Memory, choose, describe, dims, is_reference, plain
from sparkdl.kernels.table import Unsupported
from sparkdl.kernels.threads import VARIABLE as THREADS
from sparkdl.nd.ops.matmul import MatMul
from tests.kernels.harness import needs_onednn, normal, run, serves

PRODUCT = """
import logging, sys
import numpy as np
logging.basicConfig(stream=sys.stdout, format="%(name)s: %(message)s")
from sparkdl.base.spec import Spec
from sparkdl.kernels import table
from sparkdl.nd.array import execute
from sparkdl.nd.ops.matmul import MatMul
assert "numba" not in sys.modules
a, b = np.ones((2, 3), "f"), np.ones((3, 4), "f")
for _ in range(2):
    assert execute(MatMul(), (a, b))[0].tolist() == [[3.0] * 4] * 2
execute(MatMul(True), (a, b[:2]))
print(table.prepare(MatMul(), (Spec((2, 3)), Spec((3, 4))), (Spec((2, 4)),)).library)
"""


def python(code, **variables):
    """Run code in a fresh interpreter."""
    env = {k: v for k, v in os.environ.items() if k not in (VARIABLE, THREADS)} | variables
    return subprocess.run([sys.executable, "-W", "error", "-c", code], env=env, capture_output=True, text=True)


def nchw_in_nhwc_out():
    """A convolution whose layouts only oneDNN's reference serves: 100 times slower than a reorder before it."""
    x, y = plain((1, 16, 8, 8)), plain((1, 16, 8, 8), (1024, 1, 128, 16))
    w = plain((16, 16, 3, 3))
    vectors = [dims(v) for v in ((1, 1), (0, 0), (1, 1), (1, 1))]
    return "convolution_forward", 64, 1, x, w, None, y, *vectors


@needs_onednn
def test_a_reference_implementation_is_refused():
    assert is_reference(describe(*nchw_in_nhwc_out()).implementation)
    with pytest.raises(Unsupported, match="only ref"):
        choose(*nchw_in_nhwc_out())


@needs_onednn
def test_a_hint_may_be_any():
    assert is_reference(choose(*nchw_in_nhwc_out(), hint=True).implementation)


@needs_onednn
def test_what_onednn_cannot_is_unsupported():
    with pytest.raises(Unsupported, match="oneDNN has no matmul"):
        choose("matmul", plain((2, 3)), plain((4, 5)), None, plain((2, 5)))


@needs_onednn
def test_the_wheel_is_found_here():
    assert library().version[0] == 3
    assert next(candidates()).endswith(_onednn.NAME)


def test_off_falls_back_with_one_line():
    done = python(PRODUCT, SPARKDL_ONEDNN="off")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "numpy"
    assert len(lines) == 2
    assert lines[0].startswith("sparkdl: oneDNN is not used (SPARKDL_ONEDNN=off)")


def test_nothing_found_is_one_line(monkeypatch, caplog):
    monkeypatch.setattr(_onednn, "candidates", lambda: iter(["/nowhere/a.so", "/nowhere/b.so"]))
    monkeypatch.delenv(VARIABLE, raising=False)
    assert _onednn._once.__wrapped__() is None
    assert len(caplog.records) == 1
    assert "/nowhere/a.so" in caplog.text
    assert "pip install onednn-cpu-gomp" in caplog.text


@needs_onednn
def test_with_onednn_nothing_is_said():
    done = python(PRODUCT)
    assert (done.returncode, done.stdout) == (0, "onednn\n"), done.stderr


def test_a_path_that_does_not_load_is_an_error():
    done = python(PRODUCT, SPARKDL_ONEDNN="/nowhere/libdnnl.so.3")
    assert done.returncode != 0
    assert (
        "KernelError: SPARKDL_ONEDNN must be 'off' or the path of oneDNN 3. Got '/nowhere/libdnnl.so.3'" in done.stderr
    )


@needs_onednn
def test_a_path_is_used():
    done = python(PRODUCT, SPARKDL_ONEDNN=next(candidates()))
    assert (done.returncode, done.stdout) == (0, "onednn\n"), done.stderr


def test_another_library_is_no_onednn():
    import ctypes.util

    other = ctypes.util.find_library("m") or "libm.so.6"
    assert f"KernelError: {other} is not oneDNN" in python(PRODUCT, SPARKDL_ONEDNN=other).stderr


def test_a_senseless_thread_count_is_an_error():
    assert (
        "KernelError: SPARKDL_THREADS must be an int >= 1. Got 'many'."
        in python(PRODUCT, SPARKDL_THREADS="many").stderr
    )


@needs_onednn
def test_one_thread_unless_told_otherwise():
    code = """
import threading, ctypes
from sparkdl.kernels.cpu._onednn import library
counts = []
ask = lambda: counts.append(library().functions.omp_get_max_threads())
ask()
other = threading.Thread(target=ask); other.start(); other.join()
print(counts)
"""
    assert python(code, OMP_NUM_THREADS="3").stdout == "[1, 1]\n"
    assert python(code, SPARKDL_THREADS="2").stdout == "[2, 2]\n"


@needs_onednn
def test_a_forked_child_computes_with_two_threads():
    """libgomp hangs in a child whose parent had a pool of threads, unless they are given back before."""
    code = """
import os, signal
import numpy as np
from sparkdl.nd.array import execute
from sparkdl.nd.ops.matmul import MatMul
a = np.ones((512, 512), "f")
execute(MatMul(), (a, a))
child = os.fork()
if child == 0:
    signal.alarm(20)
    os._exit(0 if execute(MatMul(), (a, a))[0].sum() == 512.0 ** 3 else 1)
print(os.waitpid(child, 0)[1], execute(MatMul(), (a, a))[0].sum() == 512.0 ** 3)
"""
    assert python(code, SPARKDL_THREADS="2").stdout == "0 True\n"


FORKED = """
import os, signal, sys
import numpy as np
from sparkdl.data.batches import Batch
from sparkdl.kernels.cpu._onednn import library
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.reshape import Flatten
from sparkdl.nn.network import Sequential
from sparkdl.train.trainer import Trainer

draw = np.random.default_rng(0)
net = Sequential([Conv2D(8, 3, activation="relu"), Flatten(), Dense(64), Dense(3)], input_shape=(16, 16, 4)).build(0)
trainer = Trainer(net, "mean_squared_error", "adam")
def batch(rows):
    x = draw.normal(size=(rows, 16, 16, 4)).astype("f")
    return Batch({"input": x}, np.ones((rows, 3), "f"), None, np.arange(rows))
first, other = batch(32), batch(24)
trainer.step(first)
children = []
for threads in (1, 2, 2):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        library().functions.omp_set_num_threads(threads)
        losses = [trainer.step(first), trainer.step(other)]  # the parent's program, and one made here
        os._exit(0 if np.isfinite(losses).all() else 1)
    children.append(child)
after = [trainer.step(first), trainer.step(other)]
print([os.waitpid(child, 0)[1] for child in children], np.isfinite(after).all())
"""


@needs_onednn
@pytest.mark.parametrize("threads", ["1", "2"])
def test_forked_children_train_with_one_and_two_threads(threads):
    """Children of a process that ran a program: with its program and with their own, several at a time."""
    assert python(FORKED, SPARKDL_THREADS=threads).stdout == "[0, 0, 0] True\n"


STEPS = """
import sys
import numpy as np
from sparkdl.data.batches import Batch
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import MaxPooling2D
from sparkdl.nn.layers.reshape import Flatten
from sparkdl.nn.network import Sequential
from sparkdl.train.trainer import Trainer

draw = np.random.default_rng(0)
layers = [Conv2D(6, 3, activation="relu"), BatchNormalization(), MaxPooling2D(), Flatten(), Dense(9, "tanh")]
net = Sequential([*layers, Dense(3, "softmax")], input_shape=(8, 8, 2)).build(1)
trainer = Trainer(net, "sparse_categorical_crossentropy", "adam")
x, y = draw.normal(size=(12, 8, 8, 2)).astype("f"), draw.integers(0, 3, 12).astype("i4")
losses = [trainer.step(Batch({"input": x}, y, None, np.arange(12))) for _ in range(4)]
assert "SLOW" not in trainer.program(12).explain()
print(*sorted(trainer.program(12).libraries() - {"numba"}))
print(*losses, *net.predict(x).ravel())
"""


@needs_onednn
def test_a_whole_program_gives_the_same_without_onednn():
    with_it, without = python(STEPS), python(STEPS, SPARKDL_ONEDNN="off")
    assert without.returncode == 0, without.stderr
    assert without.stderr.count("\n") == 1 and "oneDNN is not used" in without.stderr
    a, b = (done.stdout.splitlines() for done in (with_it, without))
    assert ("onednn" in a[0], "onednn" in b[0]) == (True, False)
    ours, fallback = (np.array(lines[1].split(), float) for lines in (a, b))
    np.testing.assert_allclose(fallback, ours, rtol=2e-4, atol=1e-6)


@needs_onednn
def test_kernels_that_lose_their_last_reference_are_freed(monkeypatch):
    made, freed = [], []
    given = _onednn_objects.weakref.finalize

    class Counted:
        def finalize(self, owner, destroy, address):
            made.append(address.value)
            return given(owner, lambda: (freed.append(address.value), destroy(address)))

    monkeypatch.setattr(_onednn_objects, "weakref", Counted())
    table.prepare.cache_clear()
    run(MatMul(), (normal((7, 11)), normal((11, 13))), "onednn")
    assert len(made) >= 10
    table.prepare.cache_clear()
    gc.collect()
    assert sorted(freed) == sorted(made)


@needs_onednn
def test_binding_many_times_takes_no_memory():
    layout, array = plain((64, 64)), np.zeros((64, 64), "f")

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def many():
        for _ in range(20_000):
            Memory(layout, array.ctypes.data)
            plain((64, 64))

    many()
    before = resident()
    many()
    assert resident() - before < 4_000_000


@needs_onednn
def test_without_onednn_a_row_is_passed_over(monkeypatch):
    def absent():
        raise Unsupported("no oneDNN")

    table.prepare.cache_clear()
    monkeypatch.setattr(_onednn_objects, "library", absent)
    assert not serves(MatMul(), (normal((3, 4)), normal((4, 5))), "onednn")
    monkeypatch.undo()
    table.prepare.cache_clear()
    assert serves(MatMul(), (normal((3, 4)), normal((4, 5))), "onednn")
