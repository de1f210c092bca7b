"""Every loss: labels, predictions, a plain NumPy oracle in float64, and what Keras 3.15.1 (torch backend) computes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparkdl.nn.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)


@dataclass(frozen=True)
class Case:
    """`last` is the activation that made the predictions from `z`, None where they are z itself.

    oracle(y, p) gives (B,) for predictions p in float64. keras: the same from Keras in float32.
    """

    loss: Loss
    y: Any
    z: Any
    last: str | None
    oracle: Callable[[Any, Any], Any]
    keras: tuple[float, ...]

    @property
    def label(self) -> str:
        given = [k for k in self.loss.__dataclass_fields__ if getattr(self.loss, k)]
        return ",".join([type(self.loss).__name__, *given, *([self.last] if self.last else []), f"{np.ndim(self.z)}-d"])

    def predictions(self) -> Any:
        """float64, made from z."""
        z = np.asarray(self.z, np.float64)
        return {"softmax": softmax, "sigmoid": sigmoid, None: np.asarray}[self.last](z)


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def per_row(values):
    return values.reshape(len(values), -1).mean(axis=1)


def clip(p):
    return np.clip(p, 1e-7, 1 - 1e-7)


def sparse(y, p):
    p = clip(p / p.sum(axis=-1, keepdims=True))
    return per_row(-np.log(np.take_along_axis(p, np.asarray(y)[..., None], axis=-1)))


def categorical(y, p, smooth=0.0):
    y = np.asarray(y) * (1 - smooth) + smooth / p.shape[-1]
    return per_row(-(y * np.log(clip(p / p.sum(axis=-1, keepdims=True)))).sum(axis=-1))


def binary(y, p, smooth=0.0):
    y, p = np.asarray(y) * (1 - smooth) + smooth / 2, clip(p)
    return per_row(-(y * np.log(p) + (1 - y) * np.log(1 - p)))


Z = ((0.3, -1.2, 2.0), (1.5, 0.1, 0.2), (-0.4, -0.3, 0.9), (0.0, 0.0, 0.0))
P = ((0.2, 0.3, 0.5), (1.0, 0.0, 0.0), (0.3, 0.3, 0.1), (0.9, 0.05, 0.05))  # row 2 does not sum to 1
LABELS = (2, 1, 0, 1)
HOT = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
SOFT = ((0.1, 0.2, 0.7), (0.0, 1.0, 0.0), (0.5, 0.25, 0.25), (0.0, 0.5, 0.5))
BITS = ((0.0, 1.0, 1.0), (1.0, 0.0, 0.0), (0.0, 0.0, 0.25), (1.0, 1.0, 0.0))
ONE = ((1.3,), (-0.7,), (0.0,), (9.0,))
ONE_BIT = ((1.0,), (1.0,), (0.0,), (0.0,))
DEEP_Z = (((0.1, 0.9), (0.3, -0.3)), ((1.0, 2.0), (0.0, 0.5)))
DEEP_LABELS = ((0, 1), (1, 1))

CASES = (
    Case(SparseCategoricalCrossentropy(), LABELS, Z, "softmax", sparse, (0.20167121, 1.818137, 1.753446, 1.0986123)),
    Case(SparseCategoricalCrossentropy(), LABELS, P, None, sparse, (0.69314718, 16.118095, 0.84729791, 2.9957323)),
    Case(SparseCategoricalCrossentropy(), DEEP_LABELS, DEEP_Z, "softmax", sparse, (1.1042943, 0.39366931)),
    Case(
        SparseCategoricalCrossentropy(from_logits=True),
        LABELS,
        Z,
        None,
        lambda y, z: sparse(y, softmax(z)),
        (0.20167118, 1.8181369, 1.753446, 1.0986123),
    ),
    Case(CategoricalCrossentropy(), HOT, Z, "softmax", categorical, (0.20167121, 1.818137, 1.753446, 1.0986123)),
    Case(CategoricalCrossentropy(), SOFT, P, None, categorical, (0.88694137, 16.118095, 1.121951, 2.9957323)),
    Case(
        CategoricalCrossentropy(label_smoothing=0.1),
        HOT,
        Z,
        "softmax",
        lambda y, p: categorical(y, p, 0.1),
        (0.36500457, 1.7681371, 1.7067794, 1.0986123),
    ),
    Case(
        CategoricalCrossentropy(True),
        SOFT,
        Z,
        None,
        lambda y, z: categorical(y, softmax(z)),
        (1.0116712, 1.8181369, 1.403446, 1.0986123),
    ),
    Case(BinaryCrossentropy(), BITS, Z, "sigmoid", binary, (0.81485528, 0.58131623, 0.69450814, 0.69314718)),
    Case(BinaryCrossentropy(), ONE_BIT, ONE, "sigmoid", binary, (0.2410084, 1.103186, 0.69314718, 9.0002289)),
    Case(BinaryCrossentropy(), BITS, P, None, binary, (0.70675451, 1.064031e-07, 0.45600554, 1.0507954)),
    Case(
        BinaryCrossentropy(label_smoothing=0.2),
        BITS,
        Z,
        "sigmoid",
        lambda y, p: binary(y, p, 0.2),
        (0.83152181, 0.62131619, 0.70284146, 0.69314718),
    ),
    Case(
        BinaryCrossentropy(True),
        BITS,
        Z,
        None,
        lambda y, z: binary(y, sigmoid(z)),
        (0.81485528, 0.58131629, 0.69450808, 0.69314718),
    ),
    Case(
        MeanSquaredError(),
        SOFT,
        Z,
        None,
        lambda y, p: per_row((np.asarray(y) - p) ** 2),
        (1.23, 1.0333333, 0.5116666, 0.16666667),
    ),
    Case(
        MeanSquaredError(), DEEP_Z, DEEP_Z[::-1], None, lambda y, p: per_row((np.asarray(y) - p) ** 2), (0.6875, 0.6875)
    ),
    Case(
        MeanAbsoluteError(),
        SOFT,
        Z,
        None,
        lambda y, p: per_row(np.abs(np.asarray(y) - p)),
        (0.9666667, 0.86666673, 0.69999999, 0.33333334),
    ),
    Case(
        MeanAbsoluteError(),
        ONE_BIT,
        ONE,
        None,
        lambda y, p: per_row(np.abs(np.asarray(y) - p)),
        (0.29999995, 1.7, 0.0, 9.0),
    ),
)
