"""Layers as cases: what each makes of which shapes, and an oracle in plain NumPy, float64, written to be believed."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparkdl.base.rng import Key, philox
from sparkdl.nn.init import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Initializer,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)
from sparkdl.nn.layer import Layer
from sparkdl.nn.layers.activation import Activation
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.image import Rescaling
from sparkdl.nn.layers.merge import Add, Concatenate
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.layers.reshape import Flatten, Reshape

BATCH = 3
IDS = np.array([5, 2**33 + 1, 7], np.int64)
KEY = np.array([11, 4_000_000_000], np.uint32)

Oracle = Callable[..., Any]  # (p, *xs, training) -> y, float64


@dataclass(frozen=True)
class Case:
    """A layer on inputs of `shapes` (without B) must give `out`, own `weights`, and compute `oracle`."""

    label: str
    layer: Layer
    shapes: tuple[tuple[int, ...], ...]
    out: tuple[int, ...]
    oracle: Oracle
    weights: tuple[tuple[str, tuple[int, ...]], ...] = ()
    state: tuple[str, ...] = ()  # weights that are not trained
    updates: Callable[..., dict[str, Any]] | None = None


# --- oracles --------------------------------------------------------------------------------------------------------


def plain(fn: Callable[..., Any]) -> Oracle:
    """An oracle without parameters that is the same in training."""
    return lambda p, *xs, training: fn(*xs)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def relu(x):
    return np.where(x > 0, x, 0)


def dense(p, x, training):
    return np.einsum("...i,io->...o", x, p["kernel"]) + p.get("bias", 0)


def window_cells(size: int, out: int, k: int, stride: int, before: int, dilation: int = 1):
    """For each output position, pairs (cell of the window, cell of the image) that lie inside the image."""
    for i in range(out):
        cells = [(a, i * stride - before + a * dilation) for a in range(k)]
        yield i, [(a, at) for a, at in cells if 0 <= at < size]


def conv(out, strides=(1, 1), before=(0, 0), dilation=(1, 1), groups=1):
    """Convolution by five loops; `before` is the padding above and to the left."""

    def oracle(p, x, training):
        kernel, (n, h, w, channels) = p["kernel"], x.shape
        y = np.zeros((n, *out))
        per, made = channels // groups, kernel.shape[3] // groups
        rows = list(window_cells(h, out[0], kernel.shape[0], strides[0], before[0], dilation[0]))
        columns = list(window_cells(w, out[1], kernel.shape[1], strides[1], before[1], dilation[1]))
        for (i, down), (j, right), g in itertools.product(rows, columns, range(groups)):
            into, frm = slice(g * made, (g + 1) * made), slice(g * per, (g + 1) * per)
            for (a, r), (b, c) in itertools.product(down, right):
                y[:, i, j, into] += x[:, r, c, frm] @ kernel[a, b, :, into]
        return y + p.get("bias", 0)

    return oracle


def pool(reduce, out, size=(2, 2), strides=(2, 2), before=(0, 0)):
    """`reduce` over the cells of each window that lie inside the image."""

    def oracle(p, x, training):
        y = np.zeros((len(x), *out))
        rows = list(window_cells(x.shape[1], out[0], size[0], strides[0], before[0]))
        columns = list(window_cells(x.shape[2], out[1], size[1], strides[1], before[1]))
        for (i, down), (j, right) in itertools.product(rows, columns):
            y[:, i, j] = reduce([x[:, r, c] for (_, r), (_, c) in itertools.product(down, right)])
        return y

    return oracle


def largest(cells):
    return np.max(cells, 0)


def average(cells):
    return np.sum(cells, 0) / len(cells)


def norm(axis=-1, epsilon=1e-3, frozen=False):
    def oracle(p, x, training):
        x = np.moveaxis(x, axis, -1)
        mean, variance = p["moving_mean"], p["moving_variance"]
        if training and not frozen:
            mean, variance = batch_statistics(x)
        y = p.get("gamma", 1) * (x - mean) / np.sqrt(variance + epsilon) + p.get("beta", 0)
        return np.moveaxis(y, -1, axis)

    return oracle


def batch_statistics(x):
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axes)
    return mean, ((x - mean) ** 2).mean(axes)


def moved(axis=-1, momentum=0.99):
    def updates(p, x):
        mean, variance = batch_statistics(np.moveaxis(x, axis, -1))
        return {
            "moving_mean": momentum * p["moving_mean"] + (1 - momentum) * mean,
            "moving_variance": momentum * p["moving_variance"] + (1 - momentum) * variance,
        }

    return updates


def dropped(rate: float, mask: tuple[int, ...], salt: str) -> Oracle:
    """`mask`: shape of an example's mask."""

    def oracle(p, x, training):
        if not training:
            return x
        key = KEY + Key.of(0).fold("stream", salt).words()
        words = np.stack([_words(int(i), math.prod(mask), key) for i in IDS]).reshape(len(IDS), *mask)
        return np.where(words >= rate * 2**32, x / (1 - rate), 0.0)

    return oracle


def _words(example: int, count: int, key):
    counters = [[example & 0xFFFFFFFF, example >> 32, block, 0] for block in range(-(-count // 4))]
    return philox(np.array(counters, np.uint32), key).ravel()[:count]


# --- cases ----------------------------------------------------------------------------------------------------------

IMAGE = (6, 5, 4)
NORM = (("gamma", (4,)), ("beta", (4,)), ("moving_mean", (4,)), ("moving_variance", (4,)))
KEPT = ("moving_mean", "moving_variance")

LAYER_CASES = (
    Case("dense", Dense(3), ((5,),), (3,), dense, (("kernel", (5, 3)), ("bias", (3,)))),
    Case("dense of sequences", Dense(3, use_bias=False), ((2, 4, 5),), (2, 4, 3), dense, (("kernel", (5, 3)),)),
    Case(
        "dense with softmax", Dense(3, "softmax"), ((2, 5),), (2, 3),
        lambda p, x, training: softmax(dense(p, x, training)), (("kernel", (5, 3)), ("bias", (3,))),
    ),
    Case("conv", Conv2D(2, 3), (IMAGE,), (4, 3, 2), conv((4, 3, 2)), (("kernel", (3, 3, 4, 2)), ("bias", (2,)))),
    Case(
        "conv of relu, same, even window", Conv2D(2, (2, 4), padding="same", activation="relu"), (IMAGE,), (6, 5, 2),
        lambda p, x, training: relu(conv((6, 5, 2), before=(0, 1))(p, x, training)),
        (("kernel", (2, 4, 4, 2)), ("bias", (2,))),
    ),
    Case(
        "conv with strides, same", Conv2D(2, 3, 2, "same", use_bias=False), (IMAGE,), (3, 3, 2),
        conv((3, 3, 2), (2, 2), (0, 1)), (("kernel", (3, 3, 4, 2)),),
    ),
    Case(
        "conv with dilation", Conv2D(2, (3, 2), dilation_rate=(2, 1)), (IMAGE,), (2, 4, 2),
        conv((2, 4, 2), dilation=(2, 1)), (("kernel", (3, 2, 4, 2)), ("bias", (2,))),
    ),
    Case(
        "conv in groups", Conv2D(6, 2, groups=2), (IMAGE,), (5, 4, 6), conv((5, 4, 6), groups=2),
        (("kernel", (2, 2, 2, 6)), ("bias", (6,))),
    ),
    Case("max pool", MaxPooling2D(), (IMAGE,), (3, 2, 4), pool(largest, (3, 2, 4))),
    Case(
        "max pool, overlapping, same", MaxPooling2D(3, 2, "same"), (IMAGE,), (3, 3, 4),
        pool(largest, (3, 3, 4), (3, 3), (2, 2), (0, 1)),
    ),
    Case(
        "average pool", AveragePooling2D((2, 3), strides=(2, 1)), (IMAGE,), (3, 3, 4),
        pool(average, (3, 3, 4), (2, 3), (2, 1)),
    ),
    Case(
        "average pool, same", AveragePooling2D(3, 2, "same"), (IMAGE,), (3, 3, 4),
        pool(average, (3, 3, 4), (3, 3), (2, 2), (0, 1)),
    ),
    Case("global average", GlobalAveragePooling2D(), (IMAGE,), (4,), plain(lambda x: x.sum((1, 2)) / 30)),
    Case(
        "global average, dims kept", GlobalAveragePooling2D(keepdims=True), (IMAGE,), (1, 1, 4),
        plain(lambda x: x.sum((1, 2), keepdims=True) / 30),
    ),
    Case("flatten", Flatten(), (IMAGE,), (120,), plain(lambda x: x.reshape(BATCH, 120))),
    Case("flatten scalars", Flatten(), ((),), (1,), plain(lambda x: x.reshape(BATCH, 1))),
    Case("reshape", Reshape((3, -1, 2)), (IMAGE,), (3, 20, 2), plain(lambda x: x.reshape(BATCH, 3, 20, 2))),
    Case("dropout", Dropout(0.4), ((7,),), (7,), dropped(0.4, (7,), "it")),
    Case("dropout of nothing", Dropout(0), ((7,),), (7,), plain(lambda x: x)),
    Case("dropout with a seed", Dropout(0.4, seed=3), ((7, 2),), (7, 2), dropped(0.4, (7, 2), "it/3")),
    Case("dropout of channels", Dropout(0.4, (None, 1, 1, 4)), (IMAGE,), IMAGE, dropped(0.4, (1, 1, 4), "it")),
    Case("batch norm", BatchNormalization(), (IMAGE,), IMAGE, norm(), NORM, KEPT, moved()),
    Case(
        "batch norm of features", BatchNormalization(momentum=0.9, epsilon=0.1), ((4,),), (4,), norm(epsilon=0.1), NORM,
        KEPT, moved(momentum=0.9),
    ),
    Case(
        "batch norm on another axis, no gamma", BatchNormalization(1, scale=False), ((4, 3),), (4, 3), norm(1),
        NORM[1:], KEPT, moved(1),
    ),
    Case(
        "batch norm, no beta", BatchNormalization(center=False), ((4,),), (4,), norm(), NORM[:1] + NORM[2:], KEPT,
        moved(),
    ),
    Case(
        "batch norm, frozen", BatchNormalization(trainable=False), ((4,),), (4,), norm(frozen=True), NORM,
        tuple(name for name, _ in NORM),
    ),
    Case("linear", Activation("linear"), ((4,),), (4,), plain(lambda x: x)),
    Case("relu", Activation("relu"), ((4,),), (4,), plain(relu)),
    Case("sigmoid", Activation("sigmoid"), ((4,),), (4,), plain(lambda x: 1 / (1 + np.exp(-x)))),
    Case("tanh", Activation("tanh"), ((4,),), (4,), plain(np.tanh)),
    Case("softmax", Activation("softmax"), ((2, 4),), (2, 4), plain(softmax)),
    Case("elu", Activation("elu"), ((4,),), (4,), plain(lambda x: np.where(x > 0, x, np.exp(x) - 1))),
    Case("gelu", Activation("gelu"), ((4,),), (4,), plain(gelu)),
    Case("add", Add(), ((4, 2), (4, 2), (4, 2)), (4, 2), plain(lambda a, b, c: a + b + c)),
    Case("add with broadcast", Add(), ((4, 2), (2,)), (4, 2), plain(lambda a, b: a + b[:, None])),
    Case("add of one", Add(), ((4,),), (4,), plain(lambda a: a)),
    Case("concatenate", Concatenate(), ((4, 2), (4, 3)), (4, 5), plain(lambda a, b: np.concatenate((a, b), -1))),
    Case(
        "concatenate on axis 1", Concatenate(1), ((1, 2), (4, 2)), (5, 2),
        plain(lambda a, b: np.concatenate((a, b), 1)),
    ),
    Case("rescaling", Rescaling(1 / 255, 0.5), (IMAGE,), IMAGE, plain(lambda x: x / 255 + 0.5)),
    Case(
        "rescaling of channels", Rescaling((1.0, 2.0, 3.0, 4.0), (0.0, 1.0, 0.0, 2.0)), (IMAGE,), IMAGE,
        plain(lambda x: x * [1, 2, 3, 4] + [0, 1, 0, 2]),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Draw:
    """What many draws of an initialiser for `shape` must look like. Bounds include; `constant` is the only value."""

    made: Initializer
    shape: tuple[int, ...]
    mean: float = 0.0
    deviation: float = 0.0
    bound: float = math.inf  # of |w - mean|


SHAPE = (3, 3, 40, 60)  # fan in 360, fan out 540
CUT = 0.87962566103423978  # deviation of a standard normal cut at +-2

INITIALIZER_CASES = (
    Draw(Zeros(), SHAPE),
    Draw(Ones(), SHAPE, mean=1.0),
    Draw(Constant(0.25), SHAPE, mean=0.25),
    Draw(RandomNormal(), SHAPE, 0.0, 0.05),
    Draw(RandomNormal(2.0, 0.5), SHAPE, 2.0, 0.5),
    Draw(RandomUniform(), SHAPE, 0.0, 0.1 / math.sqrt(12), 0.05),
    Draw(RandomUniform(1.0, 3.0), SHAPE, 2.0, 2 / math.sqrt(12), 1.0),
    Draw(TruncatedNormal(), SHAPE, 0.0, 0.05 * CUT, 0.1),
    Draw(TruncatedNormal(1.0, 2.0), SHAPE, 1.0, 2 * CUT, 4.0),
    Draw(VarianceScaling(), SHAPE, 0.0, math.sqrt(1 / 360), 2 * math.sqrt(1 / 360) / CUT),
    Draw(VarianceScaling(2.0, "fan_out", "untruncated_normal"), SHAPE, 0.0, math.sqrt(2 / 540)),
    Draw(VarianceScaling(3.0, "fan_avg", "uniform"), SHAPE, 0.0, math.sqrt(3 / 450), 3 / math.sqrt(450)),
    Draw(GlorotUniform(), SHAPE, 0.0, math.sqrt(2 / 900), math.sqrt(6 / 900)),
    Draw(GlorotNormal(), SHAPE, 0.0, math.sqrt(2 / 900), 2 * math.sqrt(2 / 900) / CUT),
    Draw(HeUniform(), SHAPE, 0.0, math.sqrt(2 / 360), math.sqrt(6 / 360)),
    Draw(HeNormal(), SHAPE, 0.0, math.sqrt(2 / 360), 2 * math.sqrt(2 / 360) / CUT),
    Draw(LecunUniform(), SHAPE, 0.0, math.sqrt(1 / 360), math.sqrt(3 / 360)),
    Draw(LecunNormal(), SHAPE, 0.0, math.sqrt(1 / 360), 2 * math.sqrt(1 / 360) / CUT),
    Draw(Orthogonal(), (300, 200), 0.0, math.sqrt(1 / 300)),
    Draw(Orthogonal(2.0), (100, 400), 0.0, 2 * math.sqrt(1 / 400)),
)
