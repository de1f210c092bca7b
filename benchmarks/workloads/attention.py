"""Rows of the attention family: a transformer encoder."""

from typing import Any

import torch
from torch import nn

from benchmarks.workloads import Workload, classes, normal
from benchmarks.workloads.weights import by_layer, copy_layer, put
from sparkdl.nn.layers.attention import MultiHeadAttention
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.layernorm import LayerNormalization
from sparkdl.nn.layers.merge import Add
from sparkdl.nn.layers.pool import GlobalAveragePooling1D
from sparkdl.nn.network import Network
from sparkdl.nn.topology import Topology
from sparkdl.nn.wiring import Node

WIDTH, HEADS, INNER, TIMES, LAYERS, CLASSES = 128, 4, 512, 64, 2, 10
EPSILON = 1e-5  # torch's
BOUND = "its 5.0 GFLOP of products at the 112 GF/s of a Zen 4 core alone take 0.60 of torch's time"


def ours() -> Network:
    """Two post-norm encoder layers, the mean over time, a dense layer."""
    nodes: list[Node] = []

    def put_in(layer: Any, *inputs: str) -> str:
        nodes.append(Node(layer, inputs))
        return str(layer.name)

    x = "x"
    for k in range(LAYERS):
        a = put_in(MultiHeadAttention(HEADS, WIDTH // HEADS, name=f"attention{k}"), x, x)
        s = put_in(Add(name=f"add{k}"), x, a)
        x = put_in(LayerNormalization(epsilon=EPSILON, name=f"norm{k}"), s)
        f = put_in(Dense(INNER, "relu", name=f"inner{k}"), x)
        f = put_in(Dense(WIDTH, name=f"outer{k}"), f)
        s = put_in(Add(name=f"add_too{k}"), x, f)
        x = put_in(LayerNormalization(epsilon=EPSILON, name=f"norm_too{k}"), s)
    put_in(Dense(CLASSES, name="head"), put_in(GlobalAveragePooling1D(name="mean"), x))
    return Network(Topology({"x": (TIMES, WIDTH)}, tuple(nodes)))


class Encoder(nn.Module):
    """The same in torch."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, INNER, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(x).mean(1))


def copy(network: Network, module: Any) -> None:
    """torch keeps query, key and value in one matrix."""
    mine = by_layer(network)
    for theirs in module.encoder.layers:
        with torch.no_grad():
            _copy_attention(next(mine), theirs.self_attn)
        for part in (theirs.norm1, theirs.linear1, theirs.linear2, theirs.norm2):
            copy_layer(next(mine), part)
    copy_layer(next(mine), module.head)


def _copy_attention(weights: dict[str, Any], part: Any) -> None:
    for k, name in enumerate(("query", "key", "value")):
        rows = slice(k * WIDTH, (k + 1) * WIDTH)
        put(part.in_proj_weight[rows], weights[f"{name}_kernel"].reshape(WIDTH, WIDTH).T)
        put(part.in_proj_bias[rows], weights[f"{name}_bias"].reshape(WIDTH))
    put(part.out_proj.weight, weights["output_kernel"].reshape(WIDTH, WIDTH).T)
    put(part.out_proj.bias, weights["output_bias"])


WORKLOADS: tuple[Workload, ...] = (
    Workload(
        "transformer", 32, ours, Encoder, normal(TIMES, WIDTH), classes(CLASSES), (0.50, 0.80), copy=copy, reason=BOUND,
    ),
)  # fmt: skip
