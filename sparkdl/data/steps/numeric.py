"""Steps for numbers: scaled by what the table shows, or by what the user says."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.checks import Real, Text
from sparkdl.base.errors import DataError
from sparkdl.data.arrow import matrix
from sparkdl.data.batches import Affine, to_float32
from sparkdl.data.steps.step import Array, Measured, Names, Step, step

Fitted = dict[Text, tuple[Real, ...]] | None
_BLOCK = 1 << 16  # numbers converted to float64 at a time: fits the cache, and keeps the peak small


@step
class Standardize(Step):
    """(x - mean) / std for each number of each column: mean 0, standard deviation 1 over the training rows.

    std is the biased one (divided by the number of rows, as scikit-learn's StandardScaler and unlike pyspark.ml's);
    a constant column has std 0, which is taken as 1. Mean and variance of parts are merged in float64 by Chan, Golub
    and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances" (1979).

    mean, std: {column: one number for each element of its rows}; None until fitted
    """

    fits: ClassVar[str] = "mean"
    columns: Names
    mean: Fitted = None
    std: Fitted = None

    def measure(self, column: Any, name: str) -> Measured:
        found: Measured = {"count": 0, "mean": [], "m2": []}
        for x in _blocks(matrix(column, name)):
            mean = x.mean(0)
            part = {"count": len(x), "mean": mean.tolist(), "m2": np.square(x - mean).sum(0).tolist()}
            found = self.join(found, part)
        return found

    def join(self, a: Measured, b: Measured) -> Measured:
        if not a["count"] or not b["count"]:
            return a if a["count"] else b
        n, (mean, other) = a["count"] + b["count"], _agree(a["mean"], b["mean"])
        delta, share = other - mean, b["count"] / n
        m2, other_m2 = _agree(a["m2"], b["m2"])
        spread = m2 + other_m2 + np.square(delta) * (a["count"] * share)
        return {"count": n, "mean": (mean + delta * share).tolist(), "m2": spread.tolist()}

    def fit(self, statistics: Mapping[str, Measured]) -> dict[str, Any]:
        std = {name: np.sqrt(np.asarray(s["m2"]) / max(s["count"], 1)) for name, s in statistics.items()}
        return {
            "mean": {name: tuple(s["mean"]) for name, s in statistics.items()},
            "std": {name: tuple(np.where(v > 0, v, 1.0).tolist()) for name, v in std.items()},
        }

    def apply(self, column: Any, name: str) -> NDArray[np.float32]:
        mean, std = _pair(self, self.mean, self.std, name)
        std = np.where(std > 0, std, 1.0)
        return _each(matrix(column, name), lambda x: (x - mean) / std, name, len(mean))


@step
class MinMax(Step):
    """(x - low) / (high - low) for each number of each column: 0..1 over the training rows; constants become 0.

    low, high: {column: one number for each element of its rows}; None until fitted
    """

    fits: ClassVar[str] = "low"
    columns: Names
    low: Fitted = None
    high: Fitted = None

    def measure(self, column: Any, name: str) -> Measured:
        x = matrix(column, name)
        if not len(x):
            return {"low": [], "high": []}
        return {"low": x.min(0).astype(np.float64).tolist(), "high": x.max(0).astype(np.float64).tolist()}

    def join(self, a: Measured, b: Measured) -> Measured:
        if not a["low"] or not b["low"]:
            return a if a["low"] else b
        low, high = np.minimum(*_agree(a["low"], b["low"])), np.maximum(*_agree(a["high"], b["high"]))
        return {"low": low.tolist(), "high": high.tolist()}

    def fit(self, statistics: Mapping[str, Measured]) -> dict[str, Any]:
        return {key: {name: tuple(s[key]) for name, s in statistics.items()} for key in ("low", "high")}

    def apply(self, column: Any, name: str) -> NDArray[np.float32]:
        low, high = _pair(self, self.low, self.high, name)
        span = np.where(high > low, high - low, 1.0)
        return _each(matrix(column, name), lambda x: (x - low) / span, name, len(low))


@step
class Scale(Step):
    """x * factor + offset. The default takes bytes 0..255 to 0..1. Nothing is fitted."""

    columns: Names
    factor: Real = 1 / 255
    offset: Real = 0.0

    def affine(self, name: str) -> Affine:
        return Affine(self.factor, self.offset)


def _blocks(x: Array) -> list[NDArray[np.float64]] | Any:
    """The rows of x (B, k) as float64, some at a time."""
    rows = max(1, _BLOCK // max(1, x.shape[1]))
    return (x[k : k + rows].astype(np.float64) for k in range(0, len(x), rows))


def _each(x: Array, fn: Callable[[Array], Array], name: str, width: int) -> NDArray[np.float32]:
    """fn on the rows of x (B, k) in float64, kept as float32."""
    if not len(x):
        return np.empty((0, width), np.float32)
    if x.shape[1] != width:
        raise DataError(f"column {name!r} must hold {width} numbers a row, as when fitted. Got {x.shape[1]}.")
    return np.concatenate([to_float32(fn(part)) for part in _blocks(x)])


def _pair(owner: Step, first: Fitted, second: Fitted, name: str) -> tuple[Array, Array]:
    if first is None or second is None or name not in first or name not in second:
        raise DataError(f"{type(owner).__name__} is not fitted for column {name!r}: fit it on a table first.")
    return np.asarray(first[name], np.float64), np.asarray(second[name], np.float64)


def _agree(a: list[float], b: list[float]) -> tuple[Array, Array]:
    """Both as arrays. Where lengths differ the first stands twice: the findings refuse such a table anyway."""
    return np.asarray(a, np.float64), np.asarray(b if len(a) == len(b) else a, np.float64)
