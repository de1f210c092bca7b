"""Recompute: less memory, the same bits."""

import numpy as np
import pytest

from sparkdl import nd as e
from sparkdl.base.errors import ConfError
from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.compile.recompute import again
from sparkdl.data.batches import Batch
from sparkdl.graph.graph import Graph
from sparkdl.graph.verify import verify
from sparkdl.nd.ops import reduce as r
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nn.layers.activation import Activation
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import GlobalAveragePooling2D
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.network import Sequential
from sparkdl.train.trainer import Trainer


def mlp():
    deep = [layer for _ in range(8) for layer in (Dense(24, "tanh"), Dropout(0.1))]
    return Sequential([*deep, Dense(3, "softmax")], input_shape=(8,))


def cnn():
    block = (lambda: Conv2D(4, 3, padding="same"), BatchNormalization, lambda: Activation("relu"))
    deep = [make() for _ in range(6) for make in block]
    return Sequential([*deep, GlobalAveragePooling2D(), Dense(3, "softmax")], input_shape=(6, 6, 2))


def trained(make, budget, rows=64):
    """The program of a step, and the state and losses of three."""
    net = make().build(1)
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, *net.topology.inputs["input"])).astype(np.float32)
    batch = Batch({"input": x}, draw.integers(0, 3, rows).astype(np.int32), None, np.arange(rows))
    trainer = Trainer(net, "sparse_categorical_crossentropy", "adam", memory_budget=budget)
    losses = [trainer.step(batch) for _ in range(3)]
    return trainer.program(rows), trainer.state, losses


@pytest.mark.parametrize("make", [mlp, cnn])
@pytest.mark.parametrize("share", [0.9, 0.6])
def test_less_memory_and_the_same_bits(make, share, monkeypatch):
    monkeypatch.setenv("SPARKDL_DEBUG", "verify")
    free, state, losses = trained(make, None)
    budget = int(share * free.peak_bytes)
    bound, other, also = trained(make, budget)
    assert bound.peak_bytes <= budget
    assert bound.rows > free.rows
    assert also == losses
    np.testing.assert_array_equal(other, state)


def test_a_budget_that_is_kept_anyway_changes_nothing():
    free, _, _ = trained(mlp, None)
    bound, _, _ = trained(mlp, free.peak_bytes)
    assert bound.explain() == free.explain()


def test_a_budget_that_cannot_be_kept():
    with pytest.raises(ConfError, match=r"memory_budget: must be at least \d+ bytes for this program.*Got 1000\."):
        trained(mlp, 1000)


def test_switched_off(monkeypatch):
    monkeypatch.setenv("SPARKDL_DEBUG", "no-recompute")
    free, _, _ = trained(mlp, None)
    assert trained(mlp, 1000)[0].peak_bytes == free.peak_bytes


def test_it_must_know_where_the_forward_pass_ends():
    graph = Graph()
    x = graph.input("x", Spec((64, 64)))
    with pytest.raises(ConfError, match="needs an output 'loss'"):
        compile(graph, {"y": matmul(matmul(x, x), x)}, memory_budget=10)


def test_what_is_read_late_is_copied_and_what_crosses_a_cut_is_kept():
    graph = Graph()
    x = graph.input("x", Spec((4, 4)))
    a = e.tanh(x)  # node 1
    b = e.exp(a)  # 2
    c = e.tanh(b)  # 3
    loss = r.sum(c)  # 4
    graph.outputs = {"loss": loss.ref, "late": (a * b * c).ref}
    made = again(graph, [3, 4])
    verify(made)
    names = [n.op.name for n in made.nodes if n.op is not None]
    assert names == ["tanh", "exp", "tanh", "sum", "tanh", "multiply", "multiply"]
