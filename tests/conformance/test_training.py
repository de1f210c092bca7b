"""Training as a whole: the loss curves of torch, programs against the oracle, and that nothing depends on chance."""

import subprocess
import sys

import numpy as np
import pytest

from sparkdl.compile.pipeline import compile
from sparkdl.data.batches import Batch
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.core import Input
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import AveragePooling2D, MaxPooling2D
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.layers.reshape import Flatten
from sparkdl.nn.losses import SparseCategoricalCrossentropy
from sparkdl.nn.network import Sequential
from sparkdl.optim.optimizer import OPTIMIZERS
from sparkdl.optim.rules import SGD, Adagrad, Adam, AdamW, RMSprop
from sparkdl.train.step import bound_state, state_size, training_step
from sparkdl.train.trainer import Trainer
from tests.compile.helpers import interpret
from tests.tables.optimizers import short

LOSS = "sparse_categorical_crossentropy"
STEPS, B, C = 10, 16, 4


def mlp():
    return Sequential([Input((12,)), Dense(24, activation="relu"), Dense(16, activation="tanh"), Dense(C, "softmax")])


def cnn():
    layers = [
        Conv2D(6, 3, padding="same", activation="relu"),
        MaxPooling2D(2),
        Conv2D(8, 3, use_bias=False),
        BatchNormalization(),
        AveragePooling2D(2),
        Flatten(),
        Dense(C, "softmax"),
    ]
    return Sequential([Input((12, 12, 3)), *layers])


def batches(shape, steps=STEPS, rows=B):
    draw = np.random.default_rng(0)
    for _ in range(steps):
        x = draw.normal(size=(rows, *shape)).astype(np.float32)
        y = (np.abs(x.reshape(rows, -1)[:, :C]).argmax(axis=1)).astype(np.int32)
        yield Batch({"input": x}, y, draw.uniform(0.5, 1.5, rows).astype(np.float32), np.arange(rows))


# --- torch ----------------------------------------------------------------------------------------------------------


def torch_mlp(nn, weights):
    net = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 16), nn.Tanh(), nn.Linear(16, C))
    return fill(net, [w.T for w in weights])


def torch_cnn(nn, weights):
    class Rows(nn.Module):  # channels last before flattening, as ours lie
        def forward(self, x):
            return x.permute(0, 2, 3, 1).flatten(1)

    net = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, bias=False),
        nn.BatchNorm2d(8, eps=1e-3), nn.AvgPool2d(2), Rows(), nn.Linear(32, C),
    )  # fmt: skip
    k1, b1, k2, gamma, beta, _, _, k3, b3 = weights
    return fill(net, [k1.transpose(3, 2, 0, 1), b1, k2.transpose(3, 2, 0, 1), gamma, beta, k3.T, b3])


def fill(net, arrays):
    import torch

    with torch.no_grad():
        for p, a in zip(net.parameters(), arrays, strict=True):
            p.copy_(torch.tensor(np.ascontiguousarray(a)))
    return net


OPTIMIZER_PAIRS = [
    (SGD(0.1), lambda t, p: t.SGD(p, 0.1)),
    (SGD(0.05, momentum=0.9), lambda t, p: t.SGD(p, 0.05, momentum=0.9)),
    (SGD(0.05, momentum=0.9, nesterov=True), lambda t, p: t.SGD(p, 0.05, momentum=0.9, nesterov=True)),
    (Adam(0.01, epsilon=1e-12), lambda t, p: t.Adam(p, 0.01, eps=1e-12)),
    (Adam(0.01, epsilon=1e-12, amsgrad=True), lambda t, p: t.Adam(p, 0.01, eps=1e-12, amsgrad=True)),
    (AdamW(0.01, 0.1, epsilon=1e-12), lambda t, p: t.AdamW(p, 0.01, weight_decay=0.1, eps=1e-12)),
    (Adagrad(0.01, epsilon=1e-14), lambda t, p: t.Adagrad(p, 0.01, initial_accumulator_value=0.1, eps=0.0)),
    (RMSprop(0.001, epsilon=1e-14), lambda t, p: t.RMSprop(p, 0.001, alpha=0.9, eps=1e-10)),
]  # epsilon is tiny, since torch has it elsewhere


@pytest.mark.parametrize(("made", "theirs"), [(mlp, torch_mlp), (cnn, torch_cnn)], ids=["mlp", "cnn"])
@pytest.mark.parametrize("pair", OPTIMIZER_PAIRS, ids=lambda pair: short(pair[0]))
def test_the_loss_curve_of_torch(made, theirs, pair):
    torch = pytest.importorskip("torch")
    network, (optimizer, maker) = made().build(3), pair
    net = theirs(torch.nn, network.get_weights())
    descent = maker(torch.optim, net.parameters())
    ours, due = [], []
    trainer = Trainer(network, LOSS, optimizer)
    for batch in batches(network.topology.inputs["input"]):
        ours.append(trainer.step(batch))
        x = torch.tensor(batch.x["input"])
        each = torch.nn.functional.cross_entropy(
            net(x.permute(0, 3, 1, 2) if x.ndim == 4 else x), torch.tensor(batch.y).long(), reduction="none"
        )
        loss = (each * torch.tensor(batch.weight)).mean()
        descent.zero_grad()
        loss.backward()
        descent.step()
        due.append(loss.item())
    np.testing.assert_allclose(ours, due, rtol=1e-5, atol=1e-6)
    assert len({round(v, 3) for v in due}) > 3


# --- programs -------------------------------------------------------------------------------------------------------


def full():
    """With all that a program may get wrong: state, dropout, pooling, weights."""
    layers = [
        Conv2D(4, 3, activation="relu"), BatchNormalization(), MaxPooling2D(2), Flatten(), Dropout(0.4),
        Dense(8, activation="gelu"), Dense(C, "softmax"),
    ]  # fmt: skip
    return Sequential([Input((8, 8, 2)), *layers]).build(5)


@pytest.mark.parametrize("kind", [kind for _, kind in OPTIMIZERS.items()], ids=lambda kind: kind.__name__)
def test_a_program_equals_the_oracle(kind):
    """Three steps of the compiled program against the same graph, node by node, by the float64 reference kernels."""
    network, optimizer = full(), kind(0.01)
    trainer = Trainer(network, LOSS, optimizer, seed=2)
    traced = training_step(network, {"dense_1": SparseCategoricalCrossentropy()}, optimizer, B)
    state = trainer.state.copy()
    assert state.shape == (state_size(network.layout, optimizer),)
    for k, batch in enumerate(batches((8, 8, 2), 3)):
        given = {k: v.copy() for k, v in bound_state(network.layout, optimizer, state).items()}
        key = trainer._key.fold(k).words()
        rest = {"x/input": batch.x["input"], "y/dense_1": batch.y, "weight": batch.weight, "ids": batch.ids}
        made = interpret(traced.graph, traced.outputs, given | rest | {"key": key, "t": np.float64(k + 1)})
        for name, view in bound_state(network.layout, optimizer, state).items():
            view[...] = made.get(name, view)
        assert trainer.step(batch) == pytest.approx(float(made["loss"]), rel=1e-5)
        np.testing.assert_allclose(trainer.state, state, rtol=2e-3, atol=2e-5)
        state[...] = trainer.state


def test_no_slow_kernel_in_a_training_step():
    """The reference is for checking: no step of the usual layers may need it."""
    for network in (mlp(), cnn(), full()):
        assert "SLOW" not in Trainer(network, LOSS, "adam").program(B).explain()


def test_a_program_may_be_made_of_any_kernels():
    """The same graph served by the reference alone gives the same numbers."""
    network = mlp().build(0)
    traced = training_step(network, {"dense_2": SparseCategoricalCrossentropy()}, SGD(0.1), B)
    results = []
    for libraries in (("onednn", "numba", "numpy", "ref"), ("numba", "numpy", "ref"), ("ref",)):
        program = compile(traced.graph, traced.outputs, libraries=libraries)
        (batch,) = batches((12,), 1)
        given = {"x/input": batch.x["input"], "y/dense_2": batch.y, "weight": batch.weight}
        for name, value in (given | {"params": network.vector[: network.layout.trainable_size]}).items():
            program.inputs[name][...] = value
        program.run()
        results.append((float(program.outputs["loss"]), program.outputs["params"].copy()))
    for loss, params in results[1:]:
        assert loss == pytest.approx(results[0][0], rel=1e-5)
        np.testing.assert_allclose(params, results[0][1], rtol=1e-4, atol=1e-6)


# --- chance ---------------------------------------------------------------------------------------------------------


def test_what_dropout_drops_depends_on_the_example_not_on_the_batch():
    """Gradients of two halves, each the mean over its rows, average to that of the whole: the masks are the same."""
    (whole,) = batches((12,), 1)
    moves = []
    for rows in (slice(0, B), slice(0, B // 2), slice(B // 2, B)):
        network = Sequential([Input((12,)), Dropout(0.5), Dense(8), Dropout(0.5), Dense(C, "softmax")]).build(1)
        before = network.vector.copy()
        x, y, weight, ids = whole.x["input"][rows], whole.y[rows], whole.weight[rows], whole.ids[rows]
        Trainer(network, LOSS, SGD(1.0), seed=9).step(Batch({"input": x}, y, weight, ids))
        moves.append(before - network.vector)
    np.testing.assert_allclose((moves[1] + moves[2]) / 2, moves[0], rtol=1e-4, atol=1e-6)
    assert np.abs(moves[1] - moves[2]).max() > 1e-3


def test_moving_statistics():
    """kept = 0.99 kept + 0.01 batch, with the biased variance, and inference uses them."""
    network = Sequential([Input((5,)), BatchNormalization(), Dense(C, "softmax")]).build(0)
    trainer = Trainer(network, LOSS, SGD(0.0))
    mean, variance = np.zeros(5), np.ones(5)
    for batch in batches((5,), 4):
        trainer.step(batch)
        mean = 0.99 * mean + 0.01 * batch.x["input"].mean(axis=0)
        variance = 0.99 * variance + 0.01 * batch.x["input"].var(axis=0)
    p = network.parameters()
    np.testing.assert_allclose(p["batch_normalization/moving_mean"], mean, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(p["batch_normalization/moving_variance"], variance, rtol=1e-5)
    x = np.ones((1, 5))
    z = (x - mean) / np.sqrt(variance + 1e-3) @ p["dense/kernel"] + p["dense/bias"]
    np.testing.assert_allclose(network.predict(x), np.exp(z) / np.exp(z).sum(), rtol=1e-5)


CHILD = """
import hashlib, numpy as np
from tests.conformance.test_training import full
draw = np.random.default_rng(0)
network = full()
network.fit(draw.normal(size=(70, 8, 8, 2)), draw.integers(0, 4, 70), loss="sparse_categorical_crossentropy",
            optimizer="adam", epochs=2, seed=11)
print(hashlib.sha256(network.vector.tobytes()).hexdigest())
"""


def test_another_process_gives_the_same_bits():
    runs = [subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout != ""
