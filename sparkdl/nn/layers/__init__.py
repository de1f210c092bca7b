"""The layers, one file a family. Importing this fills the registry."""

from sparkdl.nn.layers.activation import Activation
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.core import Input
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.image import Rescaling
from sparkdl.nn.layers.merge import Add, Concatenate
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import AveragePooling2D, GlobalAveragePooling2D, MaxPooling2D
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.layers.reshape import Flatten, Reshape

__all__ = [
    "Activation", "Add", "AveragePooling2D", "BatchNormalization", "Concatenate", "Conv2D", "Dense", "Dropout",
    "Flatten", "GlobalAveragePooling2D", "Input", "MaxPooling2D", "Rescaling", "Reshape",
]  # fmt: skip
