"""The estimators that must keep pyspark.ml's contract, each with a table that it can learn."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparkdl.layers import Dense, Dropout


@dataclass(frozen=True)
class Case:
    """`kind`: the estimator; `arguments`: how it is made; `shape`: the type of its features; `metric`: what it must
    reach on its own training table, and how much of it; `also`: the slow parts of the contract that it is tried on."""

    name: str
    kind: str
    model: str
    arguments: dict[str, Any]
    shape: str
    classes: int
    metric: tuple[str, float]
    also: tuple[str, ...]


FAST = {"epochs": 15, "batchSize": 16, "numWorkers": 1, "learningRate": 0.05}

CASES = [
    Case(
        "three classes of vectors", "DLClassifier", "DLClassificationModel",
        FAST | {"network": [Dense(8, "relu"), Dropout(0.1), Dense(3, "softmax")]}, "vector", 3, ("accuracy", 0.9),
        ("stream", "cross validation"),
    ),
    Case(
        "two classes, one sigmoid unit, arrays", "DLClassifier", "DLClassificationModel",
        FAST | {"network": [Dense(8, "tanh"), Dense(1, "sigmoid")], "scaling": "standardize"}, "array", 2, ("f1", 0.9),
        ("pipeline",),
    ),
    Case(
        "a regression on weighted scalars", "DLRegressor", "DLRegressionModel",
        FAST | {"network": [Dense(8, "relu"), Dense(1)], "featuresCols": ["f0", "f1", "f2", "f3"], "weightCol": "w",
                "scaling": "minmax"}, "scalars", 0, ("r2", 0.8),
        ("split",),
    ),
]  # fmt: skip


def rows(case, n=90, seed=3):
    """(features (n, 4), labels (n,)): classes around one corner each, or a sum of the features."""
    draw = np.random.default_rng(seed)
    if not case.classes:
        x = draw.normal(size=(n, 4))
        return x, x @ np.array([1.0, -2.0, 0.5, 0.0]) + 3
    label = np.arange(n) % case.classes
    corners = 3 * np.eye(4)[:3]
    return corners[label] + draw.normal(size=(n, 4)) * 0.3, label.astype(float)
