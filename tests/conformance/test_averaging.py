"""Averaging means what it says: frequency 1 is one machine with the joint batch, frequency k is k steps apart.

Ranks are threads that meet over the same ring as Spark's tasks do.
"""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from sparkdl.base.rng import Key
from sparkdl.data.batches import Batch, gather
from sparkdl.data.encode import Encoder
from sparkdl.data.schema import Columns
from sparkdl.dist.job import AveragingPlan, FitConf
from sparkdl.nn.network import Network
from sparkdl.nn.topology import Topology
from sparkdl.train.trainer import Trainer
from tests.dist.gangs import fitted

MLP = [
    {"type": "Dense", "units": 16, "activation": "tanh", "kernel_regularizer": {"type": "L2", "l2": 0.01}},
    {"type": "Dense", "units": 3, "activation": "softmax"},
]
RANDOM = [
    {"type": "Dense", "units": 16, "activation": "relu"},
    {"type": "BatchNormalization"},
    {"type": "Dropout", "rate": 0.3},
    {"type": "Dense", "units": 3, "activation": "softmax"},
]
PARTITIONS = {
    "equal": (40, 40),
    "uneven": (50, 13),
    "empty": (30, 0, 21),
    "one row": (1, 33),
    "first empty": (0, 20),
    "one row each": (1, 1, 1, 1),
}


def conf_of(layers=MLP, optimizer=None, workers=2, frequency=1, weight=False, **fields):
    return FitConf(
        columns=Columns(["x"], label="y", weight="w" if weight else None),
        network=Topology({"input": (5,)}, layers),
        loss="sparse_categorical_crossentropy",
        optimizer=optimizer or {"type": "SGD", "learning_rate": 0.2},
        averaging=AveragingPlan(workers=workers, averaging_frequency=frequency),
        **({"epochs": 6, "batch_size": 8, "metrics": ("accuracy",)} | fields),
    )


def table_of(rows, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 5)).astype(np.float32)
    w = rng.uniform(0.1, 3.0, rows)
    return pa.table({"x": list(x), "y": x[:, :3].argmax(1), "w": w})


def parts_of(sizes):
    table, starts = table_of(sum(sizes)), np.cumsum([0, *sizes])
    return [table.slice(a, n) for a, n in zip(starts, sizes, strict=False)]


def encoder_of(conf):
    return Encoder(conf.columns, (), conf.network.inputs, outputs=3, weight_mean=1.5)


def first_vector(conf):
    return Network(conf.network).build(conf.seed).vector


def trained(conf, sizes):
    return fitted(parts_of(sizes), conf, encoder_of(conf), first_vector(conf))


def joined(batches):
    """The batches of all ranks as one."""
    weight = None if batches[0].weight is None else np.concatenate([b.weight for b in batches])
    x = {k: np.concatenate([b.x[k] for b in batches]) for k in batches[0].x}
    return Batch(x, np.concatenate([b.y for b in batches]), weight, np.concatenate([b.ids for b in batches]))


def one_process(conf, sizes):
    """A single trainer that takes, step by step, the joint batch of what the ranks would take."""
    trainer = Trainer(Network(conf.network).build(conf.seed), conf.loss, conf.optimizer, conf.metrics, conf.seed)
    encoder, starts = encoder_of(conf), np.cumsum([0, *sizes])
    tables = [gather([encoder.pack(p)], int(at)) for p, at in zip(parts_of(sizes), starts, strict=False) if len(p)]
    ranks = [r for r, n in enumerate(sizes) if n]
    for epoch in range(conf.epochs):
        runs = [
            list(t.minibatches(conf.batch_size, Key.of(conf.seed).fold("rank", r), epoch))
            for r, t in zip(ranks, tables, strict=True)
        ]
        for k in range(max(map(len, runs))):
            trainer.step(joined([run[k] for run in runs if k < len(run)]))
    return trainer


def distance(got, due):
    """Relative, in the Euclidean norm and in the largest element."""
    apart = got.astype(np.float64) - due
    return float(np.linalg.norm(apart) / np.linalg.norm(due)), float(np.abs(apart).max() / np.abs(due).max())


@pytest.mark.parametrize("weight", [False, True], ids=["", "weights"])
@pytest.mark.parametrize("sizes", PARTITIONS.values(), ids=PARTITIONS)
def test_frequency_1_is_one_process_with_the_joint_batch(sizes, weight, record_property):
    conf = conf_of(workers=len(sizes), weight=weight)
    state, _ = trained(conf, sizes)
    due = one_process(conf, sizes).state
    norm, most = distance(state, due)
    record_property("distance", (norm, most))
    assert norm <= 1e-6 and most <= 2e-6  # each rank rounds its own step to float32; one process rounds once
    assert distance(state, first_vector(conf))[0] > 1e-3  # it did move


def test_the_history_is_that_of_all_rows():
    conf = conf_of(workers=3, epochs=1, shuffle=False, optimizer={"type": "SGD", "learning_rate": 1e-8})
    _, report = trained(conf, (20, 0, 11))
    one = one_process(conf, (20, 0, 11))
    due = one.objective.results(one.take_sums())
    (row,) = report["history"]
    assert row["loss"] == pytest.approx(due["loss"], rel=1e-6)
    assert row["accuracy"] == due["accuracy"] and row["examples"] == 31 and report["rows"] == [20, 0, 11]


@pytest.mark.parametrize("layers", [MLP, RANDOM], ids=["plain", "dropout and batch norm"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("frequency", [1, 3])
def test_one_worker_is_local_training_to_the_bit(layers, optimizer, frequency):
    conf = conf_of(layers, optimizer, workers=1, frequency=frequency, seed=3)
    state, report = trained(conf, (45,))
    network = Network(conf.network).build(3)
    table = encoder_of(conf).pack(table_of(45))
    history = network.fit(
        table.x["input"], table.y, loss=conf.loss, optimizer=conf.optimizer, metrics=conf.metrics,
        batch_size=8, epochs=6, seed=3,
    )  # fmt: skip
    assert np.array_equal(state[: network.layout.size], network.vector)
    assert [row["loss"] for row in report["history"]] == history.history["loss"]
    assert [row["accuracy"] for row in report["history"]] == history.history["accuracy"]


@pytest.mark.parametrize("layers", [MLP, RANDOM], ids=["plain", "dropout and batch norm"])
def test_the_same_seed_gives_the_same_bits(layers):
    conf = conf_of(layers, "adam", workers=3, frequency=2)
    one, other = (trained(conf, (30, 5, 17)) for _ in range(2))
    assert np.array_equal(one[0], other[0])
    different = trained(replace(conf, seed=1), (30, 5, 17))
    assert not np.array_equal(one[0], different[0])


@pytest.mark.parametrize("sizes", [(24, 24), (40, 9), (17, 0, 3)], ids=str)
@pytest.mark.parametrize("frequency", [1, 2, 5, 100])
def test_frequency_k_is_what_it_says(sizes, frequency):
    """Linear regression with momentum, done by hand in float64."""
    conf = FitConf(
        columns=Columns(["x"], label="y"),
        network=Topology({"input": (5,)}, [{"type": "Dense", "units": 1}]),
        loss="mse",
        optimizer={"type": "SGD", "learning_rate": 0.05, "momentum": 0.9},
        averaging=AveragingPlan(workers=len(sizes), averaging_frequency=frequency),
        epochs=3,
        batch_size=4,
        task="regression",
    )
    encoder = Encoder(conf.columns, (), conf.network.inputs, "regression", outputs=1)
    start = first_vector(conf)
    state, report = fitted(parts_of(sizes), conf, encoder, start)
    p, v = by_hand(conf, sizes, start)
    np.testing.assert_allclose(np.concatenate([state[:5], state[16:17]]), p, rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(np.concatenate([state[32:37], state[48:49]]), v, rtol=2e-4, atol=1e-6)
    assert report["iterations"] == 3 * max(-(-n // 4) for n in sizes)


def by_hand(conf, sizes, start):
    """Parameters (kernel, bias) and velocity after the fit: each rank steps alone, then both are averaged."""
    p = [np.concatenate([start[:5], start[16:17]]).astype(np.float64) for _ in sizes]
    v, k = [np.zeros(6) for _ in sizes], conf.averaging.averaging_frequency
    encoder = Encoder(conf.columns, (), conf.network.inputs, "regression", outputs=1)
    tables = [encoder.pack(part) for part in parts_of(sizes)]
    for epoch in range(conf.epochs):
        runs = [list(t.minibatches(4, Key.of(conf.seed).fold("rank", r), epoch)) for r, t in enumerate(tables)]
        for start_of_round in range(0, max(map(len, runs)), k):
            seen = np.zeros(len(sizes))
            for r, run in enumerate(runs):
                for batch in run[start_of_round : start_of_round + k]:
                    x = np.column_stack([batch.x["input"], np.ones(len(batch))]).astype(np.float64)
                    error = x @ p[r] - batch.y.reshape(-1)
                    v[r] = 0.9 * v[r] - 0.05 * 2 * x.T @ error / len(batch)
                    p[r] = p[r] + v[r]
                    seen[r] += len(batch)
            p = [np.average(p, axis=0, weights=seen)] * len(sizes)
            v = [np.average(v, axis=0, weights=seen)] * len(sizes)
    return p[0], v[0]
