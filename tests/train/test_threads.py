"""Training and scoring with several threads, and in real forks of a process that did so."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from sparkdl.base.errors import ConfError
from sparkdl.compile import pipeline
from sparkdl.data.batches import Batch
from sparkdl.kernels.threads import VARIABLE, count
from sparkdl.nn.layers.core import Input
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.network import Sequential
from sparkdl.train.predictor import Predictor
from sparkdl.train.trainer import Trainer
from tests.kernels.harness import needs_onednn

pytestmark = needs_onednn
LOSS = "sparse_categorical_crossentropy"
X = np.random.default_rng(0).standard_normal((512, 96)).astype("f")
Y = (np.arange(512) % 5).astype("i4")


def network():
    return Sequential([Input((96,)), Dense(256, "relu"), Dense(200, "tanh"), Dense(5, "softmax")]).build(1)


def steps(trainer, n=6):
    return [trainer.step(Batch({"input": X}, Y, None, np.arange(len(X)))) for _ in range(n)]


def trained(threads):
    trainer = Trainer(network(), LOSS, "adam", ["accuracy"], threads=threads)
    return trainer, steps(trainer)


def test_two_threads_train_as_one_does():
    (two, losses), (_, again), (one, expected) = trained(2), trained(2), trained(1)
    assert (two.program(512).threads, one.program(512).threads) == (2, 1)
    assert " /2" in two.program(512).explain()
    assert losses == again  # the same count, the same bits
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(two.state, one.state, rtol=1e-3, atol=1e-4)


def test_trainers_of_different_counts_take_turns_and_run_side_by_side():
    want = {n: trained(n)[1] for n in (1, 2)}
    made = {n: Trainer(network(), LOSS, "adam", threads=n) for n in (1, 2)}
    got = {n: [] for n in made}
    for _ in range(6):
        for n, trainer in made.items():
            got[n] += steps(trainer, 1)
    assert got == want
    beside = {n: Trainer(network(), LOSS, "adam", threads=n) for n in (1, 2)}
    found = {}
    workers = [threading.Thread(target=lambda n=n: found.update({n: steps(beside[n])})) for n in beside]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert found == want


def test_fit_predict_and_evaluate_take_threads(monkeypatch):
    monkeypatch.setattr(pipeline, "TINY", 0)
    before, made, given = count(), {}, {"loss": LOSS, "validation_split": 0.25, "epochs": 2}
    for n in (1, 2):
        net = network()
        history = net.fit(X, Y, threads=n, **given).history
        scores = net.evaluate(X, Y, threads=n)
        made[n] = [*history["loss"], *history["val_loss"], scores["loss"], *net.predict(X, threads=n).ravel()]
        np.testing.assert_array_equal(Predictor(net, threads=n)(X), net.predict(X, threads=n))
    np.testing.assert_allclose(made[2], made[1], rtol=1e-4, atol=1e-6)
    assert count() == before


def test_programs_of_predict_are_kept_by_their_count(monkeypatch):
    monkeypatch.setattr(pipeline, "TINY", 0)
    seen, net, given = [], network(), pipeline.Program

    def noted(*args):
        seen.append(count())
        return given(*args)

    monkeypatch.setattr(pipeline, "Program", noted)
    for n in (1, 2, 2, 1, None):
        net.predict(X, threads=n)
    assert seen == [1, 2]


@pytest.mark.parametrize("bad", [0, 1.5, True])
def test_a_senseless_count_is_refused(bad):
    net = network()
    for call in (
        lambda: net.fit(X, Y, loss=LOSS, threads=bad),
        lambda: net.predict(X, threads=bad),
        lambda: net.evaluate(X, Y, loss=LOSS, threads=bad),
        lambda: Predictor(net, threads=bad),
        lambda: Trainer(net, LOSS, "adam", threads=bad),
    ):
        with pytest.raises(ConfError) as caught:
            call()
        assert str(caught.value) == f"threads must be an int >= 1. Got {bad!r}."


def python(code, **variables):
    """Run code in a fresh interpreter."""
    env = {k: v for k, v in os.environ.items() if k != VARIABLE} | variables
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


SCENE = """
import os, signal, sys, threading
import numpy as np
from sparkdl.compile import pipeline
from sparkdl.data.batches import Batch
from sparkdl.kernels.cpu import _team
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.layernorm import LayerNormalization
from sparkdl.nn.layers.reshape import Flatten
from sparkdl.nn.network import Sequential
from sparkdl.train.trainer import Trainer

pipeline.TINY, _team.PART = 0, 1  # every kernel goes through the pool
draw = np.random.default_rng(0)
x, y = draw.normal(size=(32, 12, 12, 4)).astype("f"), (np.arange(32) % 3).astype("i4")

def trainer(threads):
    layers = [Conv2D(8, 3, activation="relu"), Flatten(), Dense(64, "tanh"), LayerNormalization(), Dense(3, "softmax")]
    net = Sequential(layers, input_shape=(12, 12, 4)).build(0)
    return Trainer(net, "sparse_categorical_crossentropy", "adam", threads=threads)

def steps(made, rows=32):
    return [made.step(Batch({"input": x[:rows]}, y[:rows], None, np.arange(rows))) for _ in range(3)]

def forked(work, seconds=60):
    child = os.fork()
    if child == 0:
        signal.alarm(seconds)
        try:
            os._exit(0 if work() else 1)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(2)
    return child

def statuses(children):
    return [os.waitpid(child, 0)[1] for child in children]

want = {n: steps(trainer(n)) for n in (1, 2)}  # of the first three steps
"""

FORKS = """
ran = [int(word) for word in sys.argv[1].split(",")]
want = {}
made = {n: trainer(n) for n in ran}
for n in ran:
    want[n] = steps(made[n])
    assert made[n].program(32).threads == n
others = {n: trainer(n) for n in ran}  # programs are made, but never ran before the fork
for other in others.values():
    other.program(32)

def child(threads):
    def work():
        mine = steps(trainer(threads))  # a program of its own
        theirs = [steps(others[n]) == want[n] for n in ran]  # the parent's
        on = [np.isfinite(steps(made[n])).all() for n in ran]  # the parent's, from where it stands
        other_size = np.isfinite([steps(made[n], 24) for n in ran]).all()
        return np.allclose(mine, want[ran[0]], rtol=1e-4) and all(theirs) and all(on) and other_size
    return work

for _ in range(2):
    print(statuses([forked(child(threads)) for threads in (1, 2, 2, 1)]))
    on = [steps(made[n]) for n in ran]  # the parent goes on between
    assert np.isfinite(on).all()
"""


@pytest.mark.parametrize("ran", ["1", "2", "1,2", "2,1"])
def test_children_of_a_process_that_ran(ran):
    """Four at once, twice: with the parent's program and with their own, of one and of two threads."""
    code = SCENE.replace("want = {n: steps(trainer(n)) for n in (1, 2)}  # of the first three steps\n", "") + FORKS
    assert python(code.replace("sys.argv[1]", repr(ran))) == "[0, 0, 0, 0]\n" * 2


def test_children_of_another_thread_than_the_one_that_ran():
    code = """
children = []
def fork_here():
    children.extend(forked(lambda n=n: steps(trainer(n)) == want[n]) for n in (1, 2, 2))
thread = threading.Thread(target=fork_here); thread.start(); thread.join()
print(statuses(children), steps(trainer(2)) == want[2])
"""
    assert python(SCENE + code) == "[0, 0, 0] True\n"


def test_children_of_children():
    code = """
def work():
    mine = steps(trainer(2)) == want[2]
    return mine and statuses([forked(lambda n=n: steps(trainer(n)) == want[n], 30) for n in (1, 2)]) == [0, 0]
print(statuses([forked(work), forked(work)]))
"""
    assert python(SCENE + code) == "[0, 0]\n"


def test_without_giving_the_pool_back_a_child_hangs():
    """What the rule guards against: the tests above would fail without it."""
    unruly = "import os\nos.register_at_fork = lambda **given: None\n"
    code = "print(statuses([forked(lambda: steps(trainer(2)) == want[2], 5)]))\n"
    assert python(unruly + SCENE + code) == "[14]\n"  # killed by its alarm
