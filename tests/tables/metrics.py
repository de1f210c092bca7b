"""Every metric: rows, and its value worked out by hand (or by the plain formula) with and without weights."""

from dataclasses import dataclass
from typing import Any

import numpy as np

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
)


@dataclass(frozen=True)
class Case:
    """plain: the value without weights; weighted: with WEIGHT."""

    metric: Metric
    y: Any
    pred: Any
    plain: Any
    weighted: Any

    @property
    def label(self) -> str:
        return f"{type(self.metric).__name__},{np.ndim(self.y)}-d,{np.ndim(self.pred)}-d"


WEIGHT = np.array([1.0, 2.0, 0.0, 3.0])
THREE = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.3, 0.4, 0.3], [0.1, 0.2, 0.7]])  # classes 2 0 1 2
LABELS = np.array([2, 0, 0, 1])  # right, right, wrong, wrong
HOT = np.eye(3)[LABELS]
ONE = np.array([[0.9], [0.2], [0.5], [0.6]])  # 1 0 0 1
BITS = np.array([1.0, 1.0, 0.0, 1.0])  # right, wrong, right, right
TRUE = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [6.0, 20.0]])
GUESS = np.array([[1.0, 12.0], [3.0, 20.0], [3.0, 30.0], [4.0, 24.0]])
SQUARED = np.array([2.0, 0.5, 0.0, 10.0])  # mean over the outputs of each row
ABSOLUTE = np.array([1.0, 0.5, 0.0, 3.0])


def weighted_mean(values):
    return float(values @ WEIGHT / WEIGHT.sum())


def r2(w):
    shares = []
    for k in range(2):
        mean = (w * TRUE[:, k]).sum() / w.sum()
        shares.append(1 - (w * (TRUE - GUESS)[:, k] ** 2).sum() / (w * (TRUE[:, k] - mean) ** 2).sum())
    return float(np.mean(shares))


CASES = (
    Case(SparseCategoricalAccuracy(), LABELS, THREE, 0.5, 0.5),
    Case(SparseCategoricalAccuracy(), LABELS[:, None], THREE, 0.5, 0.5),
    Case(CategoricalAccuracy(), HOT, THREE, 0.5, 0.5),
    Case(BinaryAccuracy(), BITS, ONE, 0.75, 4 / 6),
    Case(BinaryAccuracy(0.1), BITS, ONE, 0.75, 1.0),
    Case(BinaryAccuracy(), np.array([[1, 0], [0, 0], [1, 1], [0, 1]]), np.full((4, 2), 0.7), 0.5, 2.0 / 6),
    Case(Accuracy(), LABELS, THREE, 0.5, 0.5),
    Case(Accuracy(), HOT, THREE, 0.5, 0.5),
    Case(Accuracy(), BITS, ONE, 0.75, 4 / 6),
    Case(MeanSquaredError(), TRUE, GUESS, 3.125, weighted_mean(SQUARED)),
    Case(RootMeanSquaredError(), TRUE, GUESS, 3.125**0.5, weighted_mean(SQUARED) ** 0.5),
    Case(MeanAbsoluteError(), TRUE, GUESS, 1.125, weighted_mean(ABSOLUTE)),
    Case(MeanAbsoluteError(), BITS, ONE, (0.1 + 0.8 + 0.5 + 0.4) / 4, (0.1 + 1.6 + 1.2) / 6),
    Case(R2Score(), TRUE, GUESS, r2(np.ones(4)), r2(WEIGHT)),
    Case(
        ConfusionMatrix(),
        LABELS,
        THREE,
        [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]],
        [[2.0, 0.0, 0.0], [0.0, 0.0, 3.0], [0.0, 0.0, 1.0]],
    ),
    Case(
        ConfusionMatrix(),
        HOT,
        THREE,
        [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]],
        [[2.0, 0.0, 0.0], [0.0, 0.0, 3.0], [0.0, 0.0, 1.0]],
    ),
    Case(ConfusionMatrix(), BITS, ONE, [[1.0, 0.0], [1.0, 2.0]], [[0.0, 0.0], [2.0, 4.0]]),
)
