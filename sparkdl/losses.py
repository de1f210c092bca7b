"""All losses, under one roof. Names, arguments and defaults are Keras 3's.

>>> from sparkdl import losses
>>> losses.SparseCategoricalCrossentropy(from_logits=True).from_logits
True
"""

from sparkdl.nn.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
    loss,
)

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "Loss", "MeanAbsoluteError", "MeanSquaredError",
    "SparseCategoricalCrossentropy", "loss",
]  # fmt: skip
