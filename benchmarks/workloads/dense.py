"""Networks of dense layers, and LeNet."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from benchmarks.workloads import Workload, classes, normal
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.pool import MaxPooling2D
from sparkdl.nn.layers.reshape import Flatten
from sparkdl.nn.network import Network, Sequential


def mlp(name: str, sizes: Sequence[int], batch: int, bars: tuple[float, float], **more: Any) -> Workload:
    """Dense layers with relu between them."""
    inner = sizes[1:-1]

    def theirs() -> nn.Module:
        parts: list[nn.Module] = []
        for i, o in zip(sizes[:-2], inner, strict=True):
            parts += [nn.Linear(i, o), nn.ReLU()]
        return nn.Sequential(*parts, nn.Linear(sizes[-2], sizes[-1]))

    def ours() -> Network:
        return Sequential([*(Dense(n, "relu") for n in inner), Dense(sizes[-1])], input_shape=(sizes[0],))

    return Workload(name, batch, ours, theirs, normal(sizes[0]), bars=bars, **more)


def lenet() -> Workload:
    """Caffe's LeNet: 20 and 50 filters of 5 x 5, 500 units."""

    def ours() -> Network:
        convolved = [Conv2D(20, 5), MaxPooling2D(), Conv2D(50, 5), MaxPooling2D()]
        return Sequential([*convolved, Flatten(), Dense(500, "relu"), Dense(10)], input_shape=(28, 28, 1))

    def theirs() -> nn.Module:
        convolved = [nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2)]
        return nn.Sequential(*convolved, nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))

    return Workload("lenet", 64, ours, theirs, normal(28, 28, 1), classes(10), (0.70, 0.85))


GEMM = "products alone, at the 112 GF/s that a Zen 4 core makes with AVX2 and AVX-512 alike, take longer than the bar"

WORKLOADS = (
    mlp("mlp_tabular", (40, 64, 32, 2), 64, (0.12, 0.20), y=classes(2)),
    mlp("mlp_mid", (784, 512, 256, 10), 128, (0.45, 0.75), y=classes(10), bf16_bar=0.68, reason=GEMM),
    mlp("mlp_wide", (784, 2048, 2048, 10), 256, (0.45, 0.95), y=classes(10), reason=GEMM),
    mlp("fcn5_infer", (26752, 2048, 2048, 2048, 26752), 64, (0.45, 1.0), mode="infer", reason=GEMM),
    lenet(),
)
