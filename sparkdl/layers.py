"""All layers, under one roof. Names, arguments and defaults are Keras 3's.

>>> from sparkdl import layers
>>> layers.Dense(10, activation="softmax").units
10
"""

from sparkdl.nn.layer import Layer, layer
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
from sparkdl.nn.layers.core import Input
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

__all__ = [
    "GRU", "LSTM", "Activation", "Add", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "BatchNormalization", "Concatenate", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D",
    "Conv3DTranspose", "Cropping1D", "Cropping2D", "Cropping3D", "Dense", "DepthwiseConv1D", "DepthwiseConv2D",
    "Dropout", "Embedding", "Flatten", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GroupNormalization", "Input", "Layer",
    "LayerNormalization", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "MultiHeadAttention", "Rescaling",
    "Reshape", "SeparableConv1D", "SeparableConv2D", "SimpleRNN", "UpSampling1D", "UpSampling2D", "UpSampling3D",
    "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D", "layer",
]  # fmt: skip
