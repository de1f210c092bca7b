"""Rows of the sparse family: an autoencoder of sparse rows, and wide & deep on hashed categories."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.workloads import RATE, Given, Step, Workload, normal
from benchmarks.workloads.weights import by_layer, copy_layer, put
from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile as compiled
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.ops.analysis import sigmoid
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.reduce import sum as sum_of
from sparkdl.nd.ops.shape import pack, view
from sparkdl.nd.ops.sigmoid import sigmoid_xent
from sparkdl.nd.ops.sparse import csr_matmul
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.embedding import Embedding
from sparkdl.nn.layers.merge import Concatenate
from sparkdl.nn.layers.reshape import Flatten
from sparkdl.nn.losses import BinaryCrossentropy
from sparkdl.nn.network import Network, Sequential
from sparkdl.nn.topology import Topology
from sparkdl.nn.wiring import Node
from sparkdl.optim.rules import Adam

INPUTS, HIDDEN, STORED = 27000, 128, 100
TABLES, ROWS, LENGTH, NUMBERS = 26, 100_000, 16, 13
TINY = Adam(RATE, epsilon=1e-12)  # gradients here are near the usual epsilon, which Keras and torch add differently
binary = nn.functional.binary_cross_entropy_with_logits

Array = np.ndarray[Any, Any]


def tiny(parameters: Any, fused: bool) -> torch.optim.Optimizer:
    """torch's Adam with the same epsilon."""
    return torch.optim.Adam(parameters, lr=RATE, eps=TINY.epsilon, fused=fused)


# --- sparse autoencoder: CSR rows in, the same rows to be found again ------------------------------------------------


def columns(rng: np.random.Generator, batch: int) -> Array:
    """The columns of each row's elements, int64 (B, STORED), the same in each call: the targets are the inputs."""
    rng = np.random.default_rng(1)
    return np.stack([np.sort(rng.choice(INPUTS, STORED, replace=False)) for _ in range(batch)])


def autoencoder() -> Network:
    """The weights, as those of dense layers: what is sparse is the product."""
    return Sequential([Dense(HIDDEN, "sigmoid"), Dense(INPUTS)], input_shape=(INPUTS,))


def sparse_step(network: Network, x: Given, y: Array | None) -> Step:
    """A step of Adam on sparse rows. The rows are fed as indptr, indices and values of a fixed capacity."""
    assert isinstance(x, np.ndarray)
    rows, layout, optimizer, graph = len(x), network.layout, TINY, Graph()
    flat = graph.input("params", Spec((layout.trainable_size,)))
    slots = {name: graph.input(name, flat.spec) for name in optimizer.slots}
    w1, b1, w2, b2 = (view(flat, s.offset, s.shape) for s in layout)
    csr = [graph.input(k, Spec((n,), d)) for k, n, d in _csr_inputs(rows)]
    hidden = sigmoid(csr_matmul(*csr, w1) + b1)
    loss = sum_of(sigmoid_xent(matmul(hidden, w2) + b2, *csr)[0]) * (1.0 / rows)
    g = pack(grad(graph, loss, [w1, b1, w2, b2]), [s.offset for s in layout], layout.trainable_size)
    new, new_slots = optimizer.update(flat, g, slots, graph.input("t", Spec((), "float64")))
    program = compiled(
        graph, {"loss": loss, "new": new, **{f"new {k}": v for k, v in new_slots.items()}},
        donate={"new": "params", **{f"new {k}": k for k in new_slots}}, bind={"params": network.vector},
    )  # fmt: skip
    fed = {"indptr": np.arange(rows + 1) * STORED, "indices": x.ravel(), "values": np.ones(x.size, np.float32)}

    def run() -> float:
        for name, value in fed.items():
            program.inputs[name][...] = value
        program.inputs["t"][...] += 1.0
        program.run()
        return float(program.outputs["loss"])

    return run


def _csr_inputs(rows: int) -> tuple[tuple[str, int, str], ...]:
    stored = rows * STORED
    return ("indptr", rows + 1, "int64"), ("indices", stored, "int64"), ("values", stored, "float32")


class Bag(nn.Module):
    """torch's fastest way to the same: a bag of embeddings."""

    def __init__(self) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(INPUTS, HIDDEN, mode="sum")
        self.bias = nn.Parameter(torch.zeros(HIDDEN))
        self.out = nn.Linear(HIDDEN, INPUTS)

    def forward(self, indices: torch.Tensor) -> torch.Tensor:
        return self.out(torch.sigmoid(self.bag(indices) + self.bias))


def dense_binary(logits: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy; torch wants dense targets, which are made of the indices in each step."""
    return binary(logits, torch.zeros_like(logits).scatter_(1, indices, 1.0))


def copy_bag(network: Network, module: Any) -> None:
    """Weights of both layers."""
    first, second = by_layer(network)
    with torch.no_grad():
        put(module.bag.weight, first["kernel"])
        put(module.bias, first["bias"])
    copy_layer(second, module.out)


# --- wide & deep ------------------------------------------------------------------------------------------------------


def wide_deep() -> Network:
    """26 tables of 100,000 x 16, with 13 numbers, to 256, 128 and 1.

    The batch is the same in each step, as in all rows here, so that 99 rows of 100 are never looked up and their
    moments stay 0: our Adam passes over those, torch's does not. This is a step early in training. Once all rows have
    been looked up nothing is passed over, and all we save is zeroing and reading the gradient. With all moments set
    to 0.001 on both sides the ratio is 0.63 instead of 0.48 (27.3 ms against 43.5; Zen 4, AVX-512, 2026-11-24).
    """
    inputs = {f"c{k}": (1,) for k in range(TABLES)} | {"numbers": (NUMBERS,)}
    tables = [Node(Embedding(ROWS, LENGTH, name=f"table{k}"), (f"c{k}",)) for k in range(TABLES)]
    joined = [
        Node(Concatenate(name="joined"), tuple(n.name for n in tables)), Node(Flatten(name="flat"), ("joined",)),
        Node(Concatenate(name="all"), ("flat", "numbers")),
    ]  # fmt: skip
    dense = [Dense(256, "relu", name="a"), Dense(128, "relu", name="b"), Dense(1, name="out")]
    return Network(Topology(inputs, (*tables, *joined, *map(Node, dense))))


class WideDeep(nn.Module):
    """The same in torch."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(ROWS, LENGTH) for _ in range(TABLES))
        sizes = (TABLES * LENGTH + NUMBERS, 256, 128, 1)
        self.dense = nn.ModuleList(nn.Linear(i, o) for i, o in pairwise(sizes))

    def forward(self, *xs: torch.Tensor) -> torch.Tensor:
        found = [table(ids[:, 0]) for table, ids in zip(self.tables, xs, strict=False)]
        a, b, out = self.dense
        return out(torch.relu(b(torch.relu(a(torch.cat([*found, xs[-1]], 1))))))


def hashed(rng: np.random.Generator, batch: int) -> Array:
    """int64 (B, 1)"""
    return rng.integers(0, ROWS, (batch, 1))


def clicks(rng: np.random.Generator, batch: int) -> Array:
    """0 or 1, float32 (B, 1)"""
    return rng.integers(0, 2, (batch, 1)).astype(np.float32)


BOUND = "its 5.3 GFLOP of products at the 112 GF/s of a Zen 4 core alone take 47 ms"

WORKLOADS: tuple[Workload, ...] = (
    Workload(
        "sparse_autoencoder", 256, autoencoder, Bag, columns, columns, (0.45, 0.65),
        loss=(BinaryCrossentropy(from_logits=True), dense_binary), optimizer=(TINY, tiny), copy=copy_bag,
        ours_step=sparse_step, steps=5, reason=BOUND,
    ),
    Workload(
        "wide_deep", 512, wide_deep, WideDeep, {**{f"c{k}": hashed for k in range(TABLES)}, "numbers": normal(NUMBERS)},
        clicks, (0.60, 0.80), loss=(BinaryCrossentropy(from_logits=True), binary), optimizer=(TINY, tiny), steps=5,
    ),
)  # fmt: skip
