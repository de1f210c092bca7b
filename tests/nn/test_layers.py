"""Arguments of layers: Keras's order and defaults, refused values, and what dropout depends on."""

import dataclasses

import numpy as np
import pytest

from sparkdl.base.errors import ConfError, ShapeError
from sparkdl.nd.array import NDArray
from sparkdl.nn.activations import ACTIVATIONS
from sparkdl.nn.init import HeNormal
from sparkdl.nn.layer import LAYERS, Ctx, Layer
from sparkdl.nn.layers.activation import Activation
from sparkdl.nn.layers.border import Cropping1D, Cropping2D, UpSampling2D, ZeroPadding1D, ZeroPadding2D
from sparkdl.nn.layers.conv import Conv1D, Conv2D, Conv3D
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.depthwise import DepthwiseConv2D
from sparkdl.nn.layers.image import Rescaling
from sparkdl.nn.layers.merge import Concatenate
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import MaxPooling2D
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.layers.reshape import Reshape
from sparkdl.nn.layers.transposed import Conv2DTranspose
from sparkdl.nn.penalties import L1, L2, PENALTIES

# Keras 3.15's arguments, in order, with defaults; those of constraints and of activity regularisation left out.
# Two differ: average pooling has a pool_size like the other (Keras asks for it), and Conv3DTranspose its arguments in
# the order of its kind (Keras has data_format before output_padding there alone).
KERAS = {
    "Input": "shape",
    "LSTM": "units activation='tanh' recurrent_activation='sigmoid' use_bias=True kernel_initializer=GlorotUniform "
    "recurrent_initializer=Orthogonal bias_initializer=Zeros unit_forget_bias=True kernel_regularizer=None "
    "recurrent_regularizer=None bias_regularizer=None return_sequences=False go_backwards=False",
    "GRU": "units activation='tanh' recurrent_activation='sigmoid' use_bias=True kernel_initializer=GlorotUniform "
    "recurrent_initializer=Orthogonal bias_initializer=Zeros kernel_regularizer=None recurrent_regularizer=None "
    "bias_regularizer=None return_sequences=False go_backwards=False",
    "SimpleRNN": "units activation='tanh' use_bias=True kernel_initializer=GlorotUniform "
    "recurrent_initializer=Orthogonal bias_initializer=Zeros kernel_regularizer=None recurrent_regularizer=None "
    "bias_regularizer=None return_sequences=False go_backwards=False",
    "Dense": "units activation=None use_bias=True kernel_initializer=GlorotUniform bias_initializer=Zeros "
    "kernel_regularizer=None bias_regularizer=None",
    "Conv2D": "filters kernel_size strides=(1, 1) padding='valid' data_format=None dilation_rate=(1, 1) groups=1 "
    "activation=None use_bias=True kernel_initializer=GlorotUniform bias_initializer=Zeros kernel_regularizer=None "
    "bias_regularizer=None",
    "MaxPooling2D": "pool_size=(2, 2) strides=None padding='valid' data_format=None",
    "AveragePooling2D": "pool_size=(2, 2) strides=None padding='valid' data_format=None",
    "GlobalAveragePooling2D": "data_format=None keepdims=False",
    "Flatten": "data_format=None",
    "Reshape": "target_shape",
    "Dropout": "rate noise_shape=None seed=None",
    "BatchNormalization": "axis=-1 momentum=0.99 epsilon=0.001 center=True scale=True beta_initializer=Zeros "
    "gamma_initializer=Ones moving_mean_initializer=Zeros moving_variance_initializer=Ones beta_regularizer=None "
    "gamma_regularizer=None",
    "LayerNormalization": "axis=-1 epsilon=0.001 center=True scale=True beta_initializer=Zeros gamma_initializer=Ones "
    "beta_regularizer=None gamma_regularizer=None",
    "GroupNormalization": "groups=32 axis=-1 epsilon=0.001 center=True scale=True beta_initializer=Zeros "
    "gamma_initializer=Ones beta_regularizer=None gamma_regularizer=None",
    "Embedding": "input_dim output_dim embeddings_initializer=RandomUniform embeddings_regularizer=None",
    "MultiHeadAttention": "num_heads key_dim value_dim=None dropout=0.0 use_bias=True kernel_initializer=GlorotUniform "
    "bias_initializer=Zeros kernel_regularizer=None bias_regularizer=None seed=None use_causal_mask=False",
    "Activation": "activation",
    "Add": "",
    "Concatenate": "axis=-1",
    "Conv1D": "filters kernel_size strides=1 padding='valid' data_format=None dilation_rate=1 groups=1 "
    "activation=None use_bias=True kernel_initializer=GlorotUniform bias_initializer=Zeros kernel_regularizer=None "
    "bias_regularizer=None",
    "Conv3D": "filters kernel_size strides=(1, 1, 1) padding='valid' data_format=None dilation_rate=(1, 1, 1) "
    "groups=1 activation=None use_bias=True kernel_initializer=GlorotUniform bias_initializer=Zeros "
    "kernel_regularizer=None bias_regularizer=None",
    "Conv1DTranspose": "filters kernel_size strides=1 padding='valid' output_padding=None data_format=None "
    "dilation_rate=1 activation=None use_bias=True kernel_initializer=GlorotUniform bias_initializer=Zeros "
    "kernel_regularizer=None bias_regularizer=None",
    "Conv2DTranspose": "filters kernel_size strides=(1, 1) padding='valid' output_padding=None "
    "data_format=None dilation_rate=(1, 1) activation=None use_bias=True kernel_initializer=GlorotUniform "
    "bias_initializer=Zeros kernel_regularizer=None bias_regularizer=None",
    "Conv3DTranspose": "filters kernel_size strides=(1, 1, 1) padding='valid' output_padding=None "
    "data_format=None dilation_rate=(1, 1, 1) activation=None use_bias=True kernel_initializer=GlorotUniform "
    "bias_initializer=Zeros kernel_regularizer=None bias_regularizer=None",
    "DepthwiseConv1D": "kernel_size strides=1 padding='valid' depth_multiplier=1 data_format=None "
    "dilation_rate=1 activation=None use_bias=True depthwise_initializer=GlorotUniform bias_initializer=Zeros "
    "depthwise_regularizer=None bias_regularizer=None",
    "DepthwiseConv2D": "kernel_size strides=(1, 1) padding='valid' depth_multiplier=1 data_format=None "
    "dilation_rate=(1, 1) activation=None use_bias=True depthwise_initializer=GlorotUniform bias_initializer=Zeros "
    "depthwise_regularizer=None bias_regularizer=None",
    "SeparableConv1D": "filters kernel_size strides=1 padding='valid' data_format=None dilation_rate=1 "
    "depth_multiplier=1 activation=None use_bias=True depthwise_initializer=GlorotUniform "
    "pointwise_initializer=GlorotUniform bias_initializer=Zeros depthwise_regularizer=None "
    "pointwise_regularizer=None bias_regularizer=None",
    "SeparableConv2D": "filters kernel_size strides=(1, 1) padding='valid' data_format=None dilation_rate=(1, "
    "1) depth_multiplier=1 activation=None use_bias=True depthwise_initializer=GlorotUniform "
    "pointwise_initializer=GlorotUniform bias_initializer=Zeros depthwise_regularizer=None "
    "pointwise_regularizer=None bias_regularizer=None",
    "MaxPooling1D": "pool_size=2 strides=None padding='valid' data_format=None",
    "MaxPooling3D": "pool_size=(2, 2, 2) strides=None padding='valid' data_format=None",
    "AveragePooling1D": "pool_size=2 strides=None padding='valid' data_format=None",
    "AveragePooling3D": "pool_size=(2, 2, 2) strides=None padding='valid' data_format=None",
    "GlobalMaxPooling1D": "data_format=None keepdims=False",
    "GlobalMaxPooling2D": "data_format=None keepdims=False",
    "GlobalMaxPooling3D": "data_format=None keepdims=False",
    "GlobalAveragePooling1D": "data_format=None keepdims=False",
    "GlobalAveragePooling3D": "data_format=None keepdims=False",
    "UpSampling1D": "size=2",
    "UpSampling2D": "size=(2, 2) data_format=None interpolation='nearest'",
    "UpSampling3D": "size=(2, 2, 2) data_format=None",
    "ZeroPadding1D": "padding=1 data_format=None",
    "ZeroPadding2D": "padding=(1, 1) data_format=None",
    "ZeroPadding3D": "padding=((1, 1), (1, 1), (1, 1)) data_format=None",
    "Cropping1D": "cropping=(1, 1)",
    "Cropping2D": "cropping=((0, 0), (0, 0)) data_format=None",
    "Cropping3D": "cropping=((1, 1), (1, 1), (1, 1)) data_format=None",
    "Rescaling": "scale offset=0.0",
}


def signature(cls) -> str:
    return " ".join(map(argument, (f for f in dataclasses.fields(cls) if not f.kw_only)))


def argument(field) -> str:
    if field.default is dataclasses.MISSING:
        return field.name
    kind = getattr(field.default, "of_kind", False)
    return f"{field.name}={type(field.default).__name__ if kind else repr(field.default)}"


def test_arguments_are_keras_s():
    assert {name: signature(cls) for name, cls in LAYERS.items()} == KERAS


def test_name_and_trainable_are_keywords_of_all():
    assert all([f.name for f in dataclasses.fields(c) if f.kw_only] == ["name", "trainable"] for _, c in LAYERS.items())


def test_one_number_stands_for_all():
    assert Conv1D(2, [3], (2,)) == Conv1D(2, 3, 2)
    assert ZeroPadding2D(2) == ZeroPadding2D((2, 2)) == ZeroPadding2D([[2, 2], [2, 2]])
    assert ZeroPadding1D((1, 2)).padding == ((1, 2),)
    assert Conv2D(2, 3, 2, dilation_rate=1) == Conv2D(2, (3, 3), [2, 2], dilation_rate=(1, 1))
    assert MaxPooling2D(3).pool_size == (3, 3)


def test_keras_s_spellings():
    assert Dense(2, kernel_initializer="he_normal", kernel_regularizer="l1").kernel_initializer == HeNormal()
    assert Dense(2, kernel_regularizer={"type": "L2", "l2": 0.5}).kernel_regularizer == L2(0.5)
    assert Dense(2, kernel_regularizer=L1(0.1)).kernel_regularizer == L1(0.1)
    assert Conv2D(2, 3, data_format="channels_last")


FAULTS = {
    "units": (lambda: Dense(0), "Dense: units must be an int >= 1. Got 0."),
    "units type": (lambda: Dense(2.5), "Dense: units must be an int >= 1. Got 2.5."),
    "activation": (lambda: Dense(2, "rleu"), "Dense: activation must be 'linear' or 'relu' or .* Got 'rleu'."),
    "initializer": (lambda: Dense(2, kernel_initializer="he_norml"), "no initializer named 'he_norml'. Did you mean"),
    "penalty": (lambda: Dense(2, kernel_regularizer="l3"), "no penalty named 'l3'"),
    "channels first": (lambda: Conv2D(2, 3, data_format="channels_first"), "must be 'channels_last' or null: "),
    "kernel size": (lambda: Conv2D(2, (3, 3, 3)), "kernel_size: must be an int >= 1, or a list of 2 of them. Got"),
    "strides": (lambda: Conv2D(2, 3, 0), "strides: must be an int >= 1"),
    "one axis": (lambda: Conv1D(2, (3, 3)), "kernel_size: must be an int >= 1, or a list of 1 of them. Got"),
    "three axes": (lambda: Conv3D(2, (3, 3)), "kernel_size: must be an int >= 1, or a list of 3 of them. Got"),
    "causal images": (lambda: Conv2D(2, 3, padding="causal"), "padding must be 'valid' or 'same'. Got 'causal'."),
    "output padding": (lambda: Conv2DTranspose(2, 3, 2, output_padding=2), "must be smaller than strides. Got"),
    "depth": (lambda: DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier must be an int >= 1. Got 0"),
    "border": (lambda: ZeroPadding2D(-1), "padding: must be an int >= 0, a list of 2 of them, or a list of 2 pairs"),
    "borders": (lambda: Cropping2D(((1, 2), (3,))), "cropping: must be an int >= 0, a list of 2 of them"),
    "interpolation": (lambda: UpSampling2D(2, interpolation="cubic"), "interpolation must be 'nearest'. Got 'cubic'"),
    "a flag": (lambda: Conv2D(2, True), "kernel_size: must be an int >= 1"),
    "padding": (lambda: Conv2D(2, 3, padding="full"), "padding must be 'valid' or 'same'. Got 'full'."),
    "groups": (lambda: Conv2D(3, 3, groups=2), "filters must be a multiple of groups. Got 3 and 2"),
    "strides and dilation": (lambda: Conv2D(2, 3, 2, dilation_rate=2), "exclude each other"),
    "rate": (lambda: Dropout(1.0), "Dropout: rate must be a finite number >= 0 and < 1. Got 1.0"),
    "momentum": (lambda: BatchNormalization(momentum=1.5), "momentum must be .* Got 1.5"),
    "two unknowns": (lambda: Reshape((-1, -1)), "at most one -1"),
    "length 0": (lambda: Reshape((0,)), "must be ints >= 1"),
    "what activation": (lambda: Activation(), "Activation needs 'activation'"),
    "unknown argument": (lambda: Dense(2, kernal_initializer="zeros"), "no field 'kernal_initializer'. Did you"),
    "scale": (lambda: Rescaling("1/255"), "Rescaling: scale must be a finite number or a list"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "says"), FAULTS.values(), ids=FAULTS)
def test_faults_are_said(make, says):
    with pytest.raises(ConfError, match=says):
        make()


def test_layers_are_values():
    assert Dense(3) == Dense(3) != Dense(4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Dense(3).units = 4


def test_the_base_computes_nothing():
    with pytest.raises(TypeError, match="Layer must say apply"):
        Layer().apply({}, ctx=Ctx())


def test_activations_have_a_literal_each():
    assert [Activation(name).activation for name in ACTIVATIONS] == list(ACTIVATIONS)


def dropped(ids, layer=None, key=(1, 2), scope="a", shape=(50,)):
    ctx = Ctx(True, NDArray(np.array(ids, np.int64)), NDArray(np.array(key, np.uint32)), scope=scope)
    return (layer or Dropout(0.5)).apply({}, NDArray(np.ones((len(ids), *shape), "f")), ctx=ctx).numpy()


def test_dropout_depends_on_the_example_not_on_the_batch():
    np.testing.assert_array_equal(dropped([4, 9, 2])[[2, 0]], dropped([2, 4]))


@pytest.mark.parametrize(
    "other",
    [{"ids": [5]}, {"key": (1, 3)}, {"scope": "b"}, {"layer": Dropout(0.5, seed=1)}],
    ids=["example", "step", "layer", "seed"],
)
def test_dropout_differs_by(other):
    assert (dropped([4]) != dropped(**({"ids": [4]} | other))).any()


def test_dropout_of_whole_channels():
    y = dropped([1, 2, 3], Dropout(0.5, (None, 1, None)), shape=(6, 40))
    assert (y == y[:, :1]).all()
    assert set(np.unique(y)) == {0, 2}


def test_dropout_needs_a_key():
    with pytest.raises(ConfError, match="a: random layers need a run with `key` and `ids`"):
        Dropout(0.5).apply({}, NDArray(np.ones((2, 3), "f")), ctx=Ctx(True, scope="a"))


def test_noise_shape_must_fit():
    for bad in ((None,), (2, 3), (None, 2)):
        with pytest.raises(ShapeError, match="noise_shape must be"):
            Dropout(0.5, bad).apply({}, NDArray(np.ones((2, 3), "f")), ctx=Ctx())


def test_rescaling_takes_bytes():
    y = Rescaling(1 / 255).apply({}, NDArray(np.array([[0, 255]], np.uint8)), ctx=Ctx())
    assert y.dtype == "float32"
    np.testing.assert_allclose(y.numpy(), [[0, 1]])


def test_a_crop_must_leave_something():
    with pytest.raises(ShapeError, match=r"cropping must leave something of 3\. Got 1 and 2"):
        Cropping1D((1, 2)).apply({}, NDArray(np.ones((2, 3, 1), "f")), ctx=Ctx())


def test_sequences_images_and_volumes_are_told_apart():
    x = NDArray(np.ones((2, 3, 1), "f"))
    for layer, wanted in ((Conv2D(2, 1), "images"), (Conv3D(2, 1), "volumes"), (Conv2DTranspose(2, 1), "images")):
        with pytest.raises(ShapeError, match=f"needs {wanted}"):
            layer.params(x.spec)
        with pytest.raises(ShapeError, match=f"needs {wanted}"):
            layer.apply({"kernel": x, "bias": x}, x, ctx=Ctx())


def test_concatenate_of_one_is_that():
    x = NDArray(np.ones((2, 3), "f"))
    assert Concatenate().apply({}, x, ctx=Ctx()) is x


def test_penalties_have_keras_s_defaults_and_sums():
    w = NDArray(np.array([[1.0, -2.0], [0.0, 3.0]], np.float32))
    got = {name: float(cls()(w).numpy()) for name, cls in PENALTIES.items()}
    assert got == pytest.approx({"L1": 0.06, "L2": 0.14, "L1L2": 0.0})
    assert float(PENALTIES["L1L2"](0.1, 0.01)(w).numpy()) == pytest.approx(0.74)
