"""Convolutional networks: residual ones from CIFAR to ResNet-50, AlexNet, VGG-A, DenseNet-121, MobileNetV2.

Where an image's side is even, "same" padding under a stride has one zero more at the end, and torch's padding one more
at the start. Each side is timed with its own; for the check torch pads as we do.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.workloads import Step, Workload, classes, normal
from benchmarks.workloads.weights import in_order
from sparkdl.nn.layer import Layer
from sparkdl.nn.layers.activation import Activation
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.merge import Add, Concatenate
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from sparkdl.nn.layers.reshape import Flatten
from sparkdl.nn.network import Network, Sequential
from sparkdl.nn.topology import Topology
from sparkdl.nn.wiring import Node
from sparkdl.optim.rules import SGD
from sparkdl.train.predictor import Predictor

EPS = 1e-3  # Keras's


class Wires:
    """A network while it is being written: each call adds a layer and gives its name."""

    def __init__(self, *shape: int) -> None:
        self.shape, self.nodes = shape, list[Node]()

    def __call__(self, layer: Layer, *inputs: str) -> str:
        name = f"{type(layer).__name__.lower()}_{len(self.nodes)}"
        self.nodes.append(Node(dataclasses.replace(layer, name=name), inputs))
        return name

    def network(self) -> Network:
        """What was written, from the input "x" to the last layer."""
        return Network(Topology({"x": self.shape}, tuple(self.nodes)))

    def conv(self, x: str, filters: int, size: int, stride: int = 1, groups: int = 1) -> str:
        """Convolution without a bias, padding "same"."""
        return self(Conv2D(filters, size, strides=stride, padding="same", groups=groups, use_bias=False), x)

    def normed(
        self, x: str, filters: int, size: int, stride: int = 1, act: str | None = "relu", groups: int = 1
    ) -> str:
        """Convolution, batch normalisation, activation."""
        y = self(BatchNormalization(), self.conv(x, filters, size, stride, groups))
        return self(Activation(act), y) if act else y


def padded_as_ours(network: Network, module: nn.Module) -> None:
    """`in_order`, and torch's windows padded as ours: done for the check only, timed modules keep their own padding."""
    in_order(network, module)
    for part in module.modules():
        if isinstance(part, Conv | MaxPool):
            part.as_ours = True


def prepared(network: Network, x: Any, y: Any) -> Step:
    """A step of ours whose weights are folded and packed beforehand."""
    predictor = Predictor(network)
    return lambda: predictor(x)


def _padded(x: Any, size: int, stride: int, value: float = 0.0) -> Any:
    """x (B, C, H, W) with ceil(H / stride) windows, an odd zero at the end."""
    pads: list[int] = []
    for n in (x.shape[3], x.shape[2]):
        total = max((-(-n // stride) - 1) * stride + size - n, 0)
        pads += [total // 2, total - total // 2]
    return functional.pad(x, pads, value=value)


class Conv(nn.Conv2d):
    """A convolution padded by half its window."""

    as_ours = False

    def forward(self, x: Any) -> Any:
        if not self.as_ours:
            return super().forward(x)
        x = _padded(x, self.kernel_size[0], self.stride[0])
        return functional.conv2d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class MaxPool(nn.MaxPool2d):
    """Maxima of 3 x 3 windows, every second."""

    as_ours = False

    def forward(self, x: Any) -> Any:
        return functional.max_pool2d(_padded(x, 3, 2, -np.inf), 3, 2) if self.as_ours else super().forward(x)


def _normed(i: int, o: int, size: int, stride: int = 1, act: type[nn.Module] | None = nn.ReLU, groups: int = 1) -> Any:
    parts = [Conv(i, o, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(o, EPS)]
    return nn.Sequential(*parts, *([act(inplace=True)] if act else []))


class Residual(nn.Module):
    """relu(way(x) + x), x through `short` where shapes differ."""

    def __init__(self, way: nn.Module, short: nn.Module | None, relu: bool = True) -> None:
        super().__init__()
        self.way, self.short, self.relu = way, short, relu

    def forward(self, x: Any) -> Any:
        y = self.way(x) + (x if self.short is None else self.short(x))
        return functional.relu(y, inplace=True) if self.relu else y


class Head(nn.Module):
    """Mean over the image, then a Linear."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.last = nn.Linear(channels, outputs)

    def forward(self, x: Any) -> Any:
        return self.last(x.mean((2, 3)))


# --- ResNet: He et al. 2015, arXiv 1512.03385 -------------------------------------------------------------------------


def small_resnet(name: str, blocks: int, bars: tuple[float, float], **more: Any) -> Workload:
    """The CIFAR ones: 3 stages of `blocks` blocks of two 3 x 3 convolutions, 16, 32 and 64 channels."""

    def ours() -> Network:
        w = Wires(32, 32, 3)
        x = w.normed("x", 16, 3)
        for stage, c in enumerate((16, 32, 64)):
            for block in range(blocks):
                stride = 2 if stage and not block else 1
                y = w.normed(w.normed(x, c, 3, stride), c, 3, act=None)
                short = w.normed(x, c, 1, stride, act=None) if stride == 2 else x
                x = w(Activation("relu"), w(Add(), y, short))
        w(Dense(10), w(GlobalAveragePooling2D(), x))
        return w.network()

    def theirs() -> nn.Module:
        parts: list[nn.Module] = [_normed(3, 16, 3)]
        for stage, c in enumerate((16, 32, 64)):
            for block in range(blocks):
                stride = 2 if stage and not block else 1
                i = c // stride
                way = nn.Sequential(_normed(i, c, 3, stride), _normed(c, c, 3, act=None))
                parts.append(Residual(way, _normed(i, c, 1, stride, None) if stride == 2 else None))
        return nn.Sequential(*parts, Head(64, 10))

    return Workload(name, 64, ours, theirs, normal(32, 32, 3), classes(10), bars, copy=padded_as_ours, **more)


STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))


def resnet50(name: str, batch: int, bars: tuple[float, float]) -> Workload:
    """ResNet-50, the stride in the 3 x 3 convolution."""

    def ours() -> Network:
        w = Wires(224, 224, 3)
        x = w(MaxPooling2D(3, 2, "same"), w.normed("x", 64, 7, 2))
        for stage, (c, blocks) in enumerate(STAGES):
            for block in range(blocks):
                stride = 2 if stage and not block else 1
                y = w.normed(w.normed(w.normed(x, c, 1), c, 3, stride), 4 * c, 1, act=None)
                short = x if block else w.normed(x, 4 * c, 1, stride, act=None)
                x = w(Activation("relu"), w(Add(), y, short))
        w(Dense(1000), w(GlobalAveragePooling2D(), x))
        return w.network()

    def theirs() -> nn.Module:
        parts: list[nn.Module] = [_normed(3, 64, 7, 2), MaxPool(3, 2, 1)]
        i = 64
        for stage, (c, blocks) in enumerate(STAGES):
            for block in range(blocks):
                stride = 2 if stage and not block else 1
                way = nn.Sequential(_normed(i, c, 1), _normed(c, c, 3, stride), _normed(c, 4 * c, 1, act=None))
                parts.append(Residual(way, None if block else _normed(i, 4 * c, 1, stride, None)))
                i = 4 * c
        return nn.Sequential(*parts, Head(2048, 1000))

    return Workload(
        name,
        batch,
        ours,
        theirs,
        normal(224, 224, 3),
        bars=bars,
        mode="infer",
        copy=padded_as_ours,
        ours_step=prepared,
    )


# --- chains -----------------------------------------------------------------------------------------------------------


def chain(name: str, batch: int, side: int, layers: Sequence[tuple[int, ...] | str], **more: Any) -> Workload:
    """Convolutions (filters, size, stride, padding) with relu, "M" for pooling, then 4096, 4096, 1000 units."""
    pool = 3 if name == "alexnet" else 2

    def ours() -> Network:
        made: list[Layer] = []
        for say in layers:
            if isinstance(say, str):
                made.append(MaxPooling2D(pool, 2))
            else:
                filters, size, stride, padding = say
                made.append(Conv2D(filters, size, stride, "same" if padding else "valid", activation="relu"))
        return Sequential([*made, Flatten(), Dense(4096, "relu"), Dense(4096, "relu"), Dense(1000)], (side, side, 3))

    def theirs() -> nn.Module:
        made: list[nn.Module] = []
        i = 3
        for say in layers:
            if isinstance(say, str):
                made.append(nn.MaxPool2d(pool, 2))
            else:
                made += [nn.Conv2d(i, *say), nn.ReLU(inplace=True)]  # type: ignore[arg-type]
                i = int(say[0])
        return nn.Sequential(*made, nn.Flatten(), *_units(i * (6 if pool == 3 else 7) ** 2))

    return Workload(
        name, batch, ours, theirs, normal(side, side, 3), classes(1000), mode="gradient", optimizer=(DESCENT, descent),
        steps=4, **more,
    )  # fmt: skip


# The check of `chain` descends by the plain gradient: Adam would lift 60 M gradients near its epsilon, which Keras and
# torch add differently.
DESCENT = SGD(0.01)


def descent(parameters: Any, fused: bool) -> torch.optim.Optimizer:
    """torch's plain descent at the same rate."""
    return torch.optim.SGD(parameters, lr=DESCENT.learning_rate, fused=fused)


def _units(inputs: int) -> list[nn.Module]:
    hidden = [nn.Linear(inputs, 4096), nn.ReLU(inplace=True), nn.Linear(4096, 4096), nn.ReLU(inplace=True)]
    return [*hidden, nn.Linear(4096, 1000)]


# Krizhevsky 2014, arXiv 1404.5997, as in convnet-benchmarks; 227 pixels, so that no padding is needed at the start
ALEXNET = ((64, 11, 4, 0), "M", (192, 5, 1, 2), "M", (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1), "M")
# Simonyan & Zisserman 2014, arXiv 1409.1556, column A
_VGG = (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M")
VGG_A = tuple(n if isinstance(n, str) else (n, 3, 1, 1) for n in _VGG)


# --- DenseNet-121: Huang et al. 2016, arXiv 1608.06993 ----------------------------------------------------------------

DENSE, GROWTH = (6, 12, 24, 16), 32


def densenet121(batch: int, bars: tuple[float, float], **more: Any) -> Workload:
    """DenseNet-121: normalisation and relu before each convolution."""

    def ours() -> Network:
        w = Wires(224, 224, 3)

        def before(x: str, filters: int, size: int) -> str:
            return w.conv(w(Activation("relu"), w(BatchNormalization(), x)), filters, size)

        x, c = w(MaxPooling2D(3, 2, "same"), w.normed("x", 64, 7, 2)), 64
        for stage, blocks in enumerate(DENSE):
            for _ in range(blocks):
                x = w(Concatenate(), x, before(before(x, 4 * GROWTH, 1), GROWTH, 3))
            c += blocks * GROWTH
            if stage < 3:
                c //= 2
                x = w(AveragePooling2D(), before(x, c, 1))
        x = w(Activation("relu"), w(BatchNormalization(), x))
        w(Dense(1000), w(GlobalAveragePooling2D(), x))
        return w.network()

    def theirs() -> nn.Module:
        parts: list[nn.Module] = [_normed(3, 64, 7, 2), MaxPool(3, 2, 1)]
        c = 64
        for stage, blocks in enumerate(DENSE):
            for _ in range(blocks):
                way = nn.Sequential(*_before(c, 4 * GROWTH, 1), *_before(4 * GROWTH, GROWTH, 3))
                parts.append(Grown(way))
                c += GROWTH
            if stage < 3:
                parts += [*_before(c, c // 2, 1), nn.AvgPool2d(2)]
                c //= 2
        return nn.Sequential(*parts, nn.BatchNorm2d(c, EPS), nn.ReLU(inplace=True), Head(c, 1000))

    return Workload(
        "densenet121", batch, ours, theirs, normal(224, 224, 3), classes(1000), bars,
        copy=padded_as_ours, **more,
    )  # fmt: skip


class Grown(nn.Module):
    """x and way(x), one behind the other."""

    def __init__(self, way: nn.Module) -> None:
        super().__init__()
        self.way = way

    def forward(self, x: Any) -> Any:
        return torch.cat((x, self.way(x)), 1)


def _before(i: int, o: int, size: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(i, EPS), nn.ReLU(inplace=True), nn.Conv2d(i, o, size, 1, size // 2, bias=False)]


# --- MobileNetV2: Sandler et al. 2018, arXiv 1801.04381 ---------------------------------------------------------------

INVERTED = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def mobilenetv2(batch: int, bars: tuple[float, float], **more: Any) -> Workload:
    """MobileNetV2: rows of INVERTED are expansion, channels, blocks, first stride."""

    def ours() -> Network:
        w = Wires(224, 224, 3)
        x, i = w.normed("x", 32, 3, 2, "relu6"), 32
        for t, c, blocks, first in INVERTED:
            for block in range(blocks):
                stride = 1 if block else first
                y = w.normed(x, i * t, 1, act="relu6") if t > 1 else x
                y = w.normed(w.normed(y, i * t, 3, stride, "relu6", i * t), c, 1, act=None)
                x, i = (w(Add(), y, x) if stride == 1 and i == c else y), c
        w(Dense(1000), w(GlobalAveragePooling2D(), w.normed(x, 1280, 1, act="relu6")))
        return w.network()

    def theirs() -> nn.Module:
        parts: list[nn.Module] = [_normed(3, 32, 3, 2, nn.ReLU6)]
        i = 32
        for t, c, blocks, first in INVERTED:
            for block in range(blocks):
                stride = 1 if block else first
                wide = [_normed(i, i * t, 1, 1, nn.ReLU6)] if t > 1 else []
                deep = _normed(i * t, i * t, 3, stride, nn.ReLU6, i * t)
                way = nn.Sequential(*wide, deep, _normed(i * t, c, 1, act=None))
                parts.append(Residual(way, None, relu=False) if stride == 1 and i == c else way)
                i = c
        return nn.Sequential(*parts, _normed(i, 1280, 1, 1, nn.ReLU6), Head(1280, 1000))

    return Workload(
        "mobilenetv2_infer", batch, ours, theirs, normal(224, 224, 3), bars=bars, mode="infer",
        copy=padded_as_ours, ours_step=prepared, **more,
    )  # fmt: skip


WORKLOADS = (
    small_resnet("resnet8", 1, (0.85, 0.97), bf16_bar=0.72),
    small_resnet("resnet20", 3, (0.85, 0.97)),
    resnet50("resnet50_infer", 8, (0.65, 0.95)),
    resnet50("resnet50_infer_b1", 1, (0.60, 0.90)),
    chain("alexnet", 16, 227, ALEXNET, bars=(1.0, 1.05)),
    chain("vgg_a", 4, 224, VGG_A, bars=(1.0, 1.05)),
    densenet121(4, (1.0, 1.05), steps=3),
    mobilenetv2(8, (1.0, 1.05)),
)
