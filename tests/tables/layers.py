"""Layers as cases: what each makes of which shapes, and an oracle in plain NumPy, float64, written to be believed."""

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
from sparkdl.nn.layers.attention import MultiHeadAttention
from sparkdl.nn.layers.border import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from sparkdl.nn.layers.conv import Conv1D, Conv2D, Conv3D
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.depthwise import DepthwiseConv1D, DepthwiseConv2D, SeparableConv1D, SeparableConv2D
from sparkdl.nn.layers.embedding import Embedding
from sparkdl.nn.layers.image import Rescaling
from sparkdl.nn.layers.layernorm import GroupNormalization, LayerNormalization
from sparkdl.nn.layers.merge import Add, Concatenate
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from sparkdl.nn.layers.recurrent import GRU, LSTM, SimpleRNN
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.layers.reshape import Flatten, Reshape
from sparkdl.nn.layers.transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from tests.tables.recurrences import gru, lstm, recurrent, simple
from tests.tables.sequences import attention_weights, embedding, group_norm, layer_norm, multi_head
from tests.tables.windows import conv, depthwise, pool, separable, transposed

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
    ids: int = 0  # the inputs are numbers below it, and a half: floats are cut


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
STEPS = (7, 3)  # T, C
VOLUME = (4, 3, 5, 2)
NORM = (("gamma", (4,)), ("beta", (4,)), ("moving_mean", (4,)), ("moving_variance", (4,)))
KEPT = ("moving_mean", "moving_variance")


def recurrent_weights(blocks: int, bias: tuple[int, ...] | None):
    """Of three units on two numbers a step."""
    made = (("kernel", (2, 3 * blocks)), ("recurrent_kernel", (3, 3 * blocks)))
    return made if bias is None else (*made, ("bias", bias))


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
    Case(
        "conv of sequences", Conv1D(2, 3), (STEPS,), (5, 2), conv((5, 2)), (("kernel", (3, 3, 2)), ("bias", (2,))),
    ),
    Case(
        "conv of sequences, causal, dilated, relu", Conv1D(4, 2, padding="causal", dilation_rate=3, activation="relu"),
        (STEPS,), (7, 4), lambda p, x, training: relu(conv((7, 4), before=(3,), dilation=(3,))(p, x, training)),
        (("kernel", (2, 3, 4)), ("bias", (4,))),
    ),
    Case(
        "conv of sequences, causal, strides", Conv1D(2, 3, 2, "causal", use_bias=False), (STEPS,), (4, 2),
        conv((4, 2), (2,), (2,)), (("kernel", (3, 3, 2)),),
    ),
    Case(
        "conv of sequences, same, groups", Conv1D(6, 4, padding="same", groups=3), (STEPS,), (7, 6),
        conv((7, 6), before=(1,), groups=3), (("kernel", (4, 1, 6)), ("bias", (6,))),
    ),
    Case(
        "conv of volumes", Conv3D(3, (2, 3, 2), activation="softmax"), (VOLUME,), (3, 1, 4, 3),
        lambda p, x, training: softmax(conv((3, 1, 4, 3))(p, x, training)),
        (("kernel", (2, 3, 2, 2, 3)), ("bias", (3,))),
    ),
    Case(
        "conv of volumes, same, strides, groups", Conv3D(4, 3, (1, 2, 2), "same", groups=2), (VOLUME,), (4, 2, 3, 4),
        conv((4, 2, 3, 4), (1, 2, 2), (1, 1, 1), groups=2), (("kernel", (3, 3, 3, 1, 4)), ("bias", (4,))),
    ),
    Case(
        "transposed conv of sequences", Conv1DTranspose(2, 3, 2, activation="tanh"), (STEPS,), (15, 2),
        lambda p, x, training: np.tanh(transposed((15, 2), (2,))(p, x, training)),
        (("kernel", (3, 2, 3)), ("bias", (2,))),
    ),
    Case(
        "transposed conv of sequences, gaps", Conv1DTranspose(2, 2, 3, use_bias=False), (STEPS,), (21, 2),
        transposed((21, 2), (3,)), (("kernel", (2, 2, 3)),),
    ),
    Case(
        "transposed conv", Conv2DTranspose(2, 3, 2, "same"), (IMAGE,), (12, 10, 2),
        transposed((12, 10, 2), (2, 2), (0, 0)), (("kernel", (3, 3, 2, 4)), ("bias", (2,))),
    ),
    Case(
        "transposed conv, output padding", Conv2DTranspose(3, (2, 4), (2, 3), "same", (1, 0)), (IMAGE,), (11, 12, 3),
        transposed((11, 12, 3), (2, 3), (0, 2)), (("kernel", (2, 4, 3, 4)), ("bias", (3,))),
    ),
    Case(
        "transposed conv, dilated", Conv2DTranspose(2, 2, dilation_rate=(2, 1)), (IMAGE,), (8, 6, 2),
        transposed((8, 6, 2), (1, 1), dilation=(2, 1)), (("kernel", (2, 2, 2, 4)), ("bias", (2,))),
    ),
    Case(
        "transposed conv of volumes", Conv3DTranspose(3, 2, (1, 2, 2)), (VOLUME,), (5, 6, 10, 3),
        transposed((5, 6, 10, 3), (1, 2, 2)), (("kernel", (2, 2, 2, 3, 2)), ("bias", (3,))),
    ),
    Case(
        "depthwise conv", DepthwiseConv2D(3, (2, 2), "same", 2), (IMAGE,), (3, 3, 8),
        depthwise((3, 3, 8), (2, 2), (0, 1)), (("kernel", (3, 3, 4, 2)), ("bias", (8,))),
    ),
    Case(
        "depthwise conv of relu", DepthwiseConv2D((2, 3), activation="relu"), (IMAGE,), (5, 3, 4),
        lambda p, x, training: relu(depthwise((5, 3, 4))(p, x, training)), (("kernel", (2, 3, 4, 1)), ("bias", (4,))),
    ),
    Case(
        "depthwise conv of sequences", DepthwiseConv1D(3, depth_multiplier=2, use_bias=False), (STEPS,), (5, 6),
        depthwise((5, 6)), (("kernel", (3, 3, 2)),),
    ),
    Case(
        "separable conv", SeparableConv2D(5, 3, 2, "same", depth_multiplier=2), (IMAGE,), (3, 3, 5),
        separable((3, 3, 8), (2, 2), (0, 1)),
        (("depthwise_kernel", (3, 3, 4, 2)), ("pointwise_kernel", (1, 1, 8, 5)), ("bias", (5,))),
    ),
    Case(
        "separable conv of sequences", SeparableConv1D(2, 3, activation="relu"), (STEPS,), (5, 2),
        lambda p, x, training: relu(separable((5, 3))(p, x, training)),
        (("depthwise_kernel", (3, 3, 1)), ("pointwise_kernel", (1, 3, 2)), ("bias", (2,))),
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
    Case("max pool of sequences", MaxPooling1D(), (STEPS,), (3, 3), pool(largest, (3, 3))),
    Case(
        "max pool of volumes, same", MaxPooling3D(2, 2, "same"), (VOLUME,), (2, 2, 3, 2), pool(largest, (2, 2, 3, 2)),
    ),
    Case(
        "average pool of sequences, same", AveragePooling1D(3, 2, "same"), (STEPS,), (4, 3),
        pool(average, (4, 3), (3,), (2,), (1,)),
    ),
    Case(
        "average pool of volumes", AveragePooling3D((2, 1, 3), 1), (VOLUME,), (3, 3, 3, 2),
        pool(average, (3, 3, 3, 2), (2, 1, 3), (1, 1, 1)),
    ),
    Case("global max of sequences", GlobalMaxPooling1D(), (STEPS,), (3,), plain(lambda x: x.max(1))),
    Case(
        "global max", GlobalMaxPooling2D(keepdims=True), (IMAGE,), (1, 1, 4),
        plain(lambda x: x.max((1, 2), keepdims=True)),
    ),
    Case("global max of volumes", GlobalMaxPooling3D(), (VOLUME,), (2,), plain(lambda x: x.max((1, 2, 3)))),
    Case("global average of sequences", GlobalAveragePooling1D(), (STEPS,), (3,), plain(lambda x: x.sum(1) / 7)),
    Case(
        "global average of volumes", GlobalAveragePooling3D(keepdims=True), (VOLUME,), (1, 1, 1, 2),
        plain(lambda x: x.sum((1, 2, 3), keepdims=True) / 60),
    ),
    Case(
        "zeros around sequences", ZeroPadding1D((2, 1)), (STEPS,), (10, 3),
        plain(lambda x: np.pad(x, ((0, 0), (2, 1), (0, 0)))),
    ),
    Case(
        "zeros around images", ZeroPadding2D(((1, 0), (2, 3))), (IMAGE,), (7, 10, 4),
        plain(lambda x: np.pad(x, ((0, 0), (1, 0), (2, 3), (0, 0)))),
    ),
    Case(
        "zeros around volumes", ZeroPadding3D((1, 0, 2)), (VOLUME,), (6, 3, 9, 2),
        plain(lambda x: np.pad(x, ((0, 0), (1, 1), (0, 0), (2, 2), (0, 0)))),
    ),
    Case("a crop of sequences", Cropping1D((2, 0)), (STEPS,), (5, 3), plain(lambda x: x[:, 2:])),
    Case("a crop of images", Cropping2D(((1, 2), (0, 3))), (IMAGE,), (3, 2, 4), plain(lambda x: x[:, 1:4, :2])),
    Case("a crop of volumes", Cropping3D(), (VOLUME,), (2, 1, 3, 2), plain(lambda x: x[:, 1:3, 1:2, 1:4])),
    Case("steps repeated", UpSampling1D(3), (STEPS,), (21, 3), plain(lambda x: x.repeat(3, 1))),
    Case("pixels repeated", UpSampling2D((2, 1)), (IMAGE,), (12, 5, 4), plain(lambda x: x.repeat(2, 1))),
    Case(
        "voxels repeated", UpSampling3D(), (VOLUME,), (8, 6, 10, 2),
        plain(lambda x: x.repeat(2, 1).repeat(2, 2).repeat(2, 3)),
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
    Case("lstm", LSTM(3), ((5, 2),), (3,), recurrent(lstm()), recurrent_weights(4, (12,))),
    Case(
        "lstm, every state", LSTM(3, return_sequences=True), ((5, 2),), (5, 3), recurrent(lstm(), every=True),
        recurrent_weights(4, (12,)),
    ),
    Case(
        "lstm, backwards, no bias", LSTM(3, use_bias=False, go_backwards=True), ((5, 2),), (3,),
        recurrent(lstm(), backwards=True), recurrent_weights(4, None),
    ),
    Case(
        "lstm, every state, backwards", LSTM(3, return_sequences=True, go_backwards=True), ((5, 2),), (5, 3),
        recurrent(lstm(), True, True), recurrent_weights(4, (12,)),
    ),
    Case(
        "lstm, other activations", LSTM(3, "elu", "tanh"), ((2, 2),), (3,), recurrent(lstm("elu", "tanh")),
        recurrent_weights(4, (12,)),
    ),
    Case("gru", GRU(3), ((5, 2),), (3,), recurrent(gru()), recurrent_weights(3, (2, 9))),
    Case(
        "gru, every state, backwards, no bias", GRU(3, use_bias=False, return_sequences=True, go_backwards=True),
        ((5, 2),), (5, 3), recurrent(gru(), True, True), recurrent_weights(3, None),
    ),
    Case(
        "gru, other activations", GRU(3, "linear", "tanh", return_sequences=True), ((3, 2),), (3, 3),
        recurrent(gru("linear", "tanh"), every=True), recurrent_weights(3, (2, 9)),
    ),
    Case("simple rnn", SimpleRNN(3), ((5, 2),), (3,), recurrent(simple()), recurrent_weights(1, (3,))),
    Case(
        "simple rnn, every state", SimpleRNN(3, "sigmoid", return_sequences=True), ((5, 2),), (5, 3),
        recurrent(simple("sigmoid"), every=True), recurrent_weights(1, (3,)),
    ),
    Case(
        "simple rnn, every state, backwards, no bias",
        SimpleRNN(3, use_bias=False, return_sequences=True, go_backwards=True), ((5, 2),), (5, 3),
        recurrent(simple(), True, True), recurrent_weights(1, None),
    ),
    Case("layer norm", LayerNormalization(), ((5, 4),), (5, 4), layer_norm(), NORM[:2]),
    Case("layer norm, no beta", LayerNormalization(center=False), ((4,),), (4,), layer_norm(), NORM[:1]),
    Case(
        "layer norm on two axes", LayerNormalization((1, 3), 0.1), ((2, 3, 4),), (2, 3, 4), layer_norm((1, 3), 0.1),
        (("gamma", (2, 4)), ("beta", (2, 4))),
    ),
    Case(
        "layer norm on another axis, no gamma", LayerNormalization(1, scale=False), ((4, 3),), (4, 3),
        layer_norm((1,)), NORM[1:2],
    ),
    Case("group norm", GroupNormalization(2), (IMAGE,), IMAGE, group_norm(2), NORM[:2]),
    Case("group norm of channels", GroupNormalization(-1, center=False), ((7, 4),), (7, 4), group_norm(4), NORM[:1]),
    Case("group norm on another axis", GroupNormalization(2, 1), ((4, 3),), (4, 3), group_norm(2, 1), NORM[:2]),
    Case("embedding", Embedding(7, 3), ((5,),), (5, 3), embedding, (("embeddings", (7, 3)),), ids=7),
    Case("embedding of tables", Embedding(7, 1), ((2, 3),), (2, 3, 1), embedding, (("embeddings", (7, 1)),), ids=7),
    Case(
        "attention", MultiHeadAttention(2, 3), ((5, 4), (6, 2)), (5, 4), multi_head(3),
        attention_weights((4, 2, 2), 2, 3, 3),
    ),
    Case(
        "attention with keys, no bias", MultiHeadAttention(3, 2, 5, use_bias=False), ((5, 4), (6, 2), (6, 3)), (5, 4),
        multi_head(2), attention_weights((4, 2, 3), 3, 2, 5, bias=False),
    ),
    Case(
        "attention, causal", MultiHeadAttention(2, 3, use_causal_mask=True), ((5, 4), (5, 4)), (5, 4),
        multi_head(3, causal=True), attention_weights((4, 4, 4), 2, 3, 3),
    ),
    Case(
        "attention with dropout", MultiHeadAttention(2, 3, dropout=0.4, use_causal_mask=True), ((5, 4), (6, 4)), (5, 4),
        multi_head(3, True, dropped(0.4, (2, 5, 6), "it")), attention_weights((4, 4, 4), 2, 3, 3),
    ),
    Case("linear", Activation("linear"), ((4,),), (4,), plain(lambda x: x)),
    Case("relu", Activation("relu"), ((4,),), (4,), plain(relu)),
    Case("sigmoid", Activation("sigmoid"), ((4,),), (4,), plain(lambda x: 1 / (1 + np.exp(-x)))),
    Case("tanh", Activation("tanh"), ((4,),), (4,), plain(np.tanh)),
    Case("softmax", Activation("softmax"), ((2, 4),), (2, 4), plain(softmax)),
    Case("elu", Activation("elu"), ((4,),), (4,), plain(lambda x: np.where(x > 0, x, np.exp(x) - 1))),
    Case("gelu", Activation("gelu"), ((4,),), (4,), plain(gelu)),
    Case("relu6", Activation("relu6"), ((4,),), (4,), plain(lambda x: np.clip(x, 0, 6))),
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
