"""SPARKDL_DEBUG: what it prints, that each pass may be left out, and that words it does not know are refused."""

import numpy as np
import pytest

from sparkdl.base.errors import ConfError
from sparkdl.compile.pipeline import PASSES
from sparkdl.data.batches import Batch
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import MaxPooling2D
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.layers.reshape import Flatten
from sparkdl.nn.network import Sequential
from sparkdl.train.trainer import Trainer

OFF = [f"no-{name}" for name, _ in PASSES] + ["no-schedule", "no-memory"]


def trained(optimizer="adam"):
    """The program of a step of a network with a bit of everything; losses of three, predictions."""
    layers = [Conv2D(4, 3, activation="relu"), BatchNormalization(), MaxPooling2D(), Flatten(), Dropout(0.2)]
    net = Sequential([*layers, Dense(8, "tanh"), Dense(3, "softmax")], input_shape=(8, 8, 2)).build(1)
    draw = np.random.default_rng(0)
    x = draw.normal(size=(10, 8, 8, 2)).astype(np.float32)
    batch = Batch({"input": x}, draw.integers(0, 3, 10).astype(np.int32), None, np.arange(10))
    trainer = Trainer(net, "sparse_categorical_crossentropy", optimizer)
    return trainer.program(10), [trainer.step(batch) for _ in range(3)], net.predict(x)


@pytest.mark.parametrize("off", [*OFF, ",".join(OFF)])
def test_results_are_equal_with_a_pass_left_out(off, monkeypatch):
    _, losses, predicted = trained()
    monkeypatch.setenv("SPARKDL_DEBUG", f"verify,{off}")
    _, others, also = trained()
    np.testing.assert_allclose(others, losses, rtol=2e-5)
    np.testing.assert_allclose(also, predicted, rtol=2e-4, atol=2e-6)


def test_a_pass_left_out_shows(monkeypatch):
    kernels = {}
    for off in ("", "no-fuse", "no-loops", "no-memory"):
        monkeypatch.setenv("SPARKDL_DEBUG", off)
        kernels[off] = trained()[0]
    assert " linear " in kernels[""].explain() and " linear " not in kernels["no-fuse"].explain()
    assert " fused " in kernels[""].explain() and " fused " not in kernels["no-loops"].explain()
    assert kernels["no-memory"].peak_bytes > kernels[""].peak_bytes


def test_stages_are_printed(monkeypatch, capsys):
    monkeypatch.setenv("SPARKDL_DEBUG", "simplify,schedule,program")
    trained("sgd")
    said = capsys.readouterr().err
    assert "--- simplify\n" in said and "--- schedule\n" in said and "--- fuse\n" not in said
    assert "out bytes" in said


def test_an_unknown_word_is_refused(monkeypatch):
    monkeypatch.setenv("SPARKDL_DEBUG", "program,no-fusion")
    with pytest.raises(ConfError, match=r"SPARKDL_DEBUG must be words of graph, .*Got 'no-fusion'\."):
        trained()
