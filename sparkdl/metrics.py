"""All metrics, under one roof. Names and meanings are Keras 3's; the confusion matrix is ours.

>>> from sparkdl import metrics
>>> metrics.BinaryAccuracy().threshold
0.5
"""

from sparkdl.nn.metrics import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    ConfusionMatrix,
    MeanAbsoluteError,
    MeanSquaredError,
    Metric,
    R2Score,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
    metric,
)

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "ConfusionMatrix", "MeanAbsoluteError", "MeanSquaredError",
    "Metric", "R2Score", "RootMeanSquaredError", "SparseCategoricalAccuracy", "metric",
]  # fmt: skip
