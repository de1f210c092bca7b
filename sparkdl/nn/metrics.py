"""Metrics: what is reported of predictions. NumPy only; never inside a program.

A metric turns rows into sums (`update`), which add across batches and workers, and sums into its value (`result`):
the value over all rows, whatever the batches were. Means are weighted, sum_i w_i m_i / sum_i w_i, as Keras 3's are.
Sums are float64.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, TypeVar, cast, dataclass_transform

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.checks import Real
from sparkdl.base.record import OneOf, record
from sparkdl.base.registry import Registry
from sparkdl.nn.losses import BinaryCrossentropy, CategoricalCrossentropy, Loss, SparseCategoricalCrossentropy

Rows = NDArray[Any]
Sums = NDArray[np.float64]
C = TypeVar("C", bound="type[Metric]")


class Metric:
    """The base of all metrics. `label` is its name in histories and results."""

    of_kind: ClassVar[bool] = True
    label: ClassVar[str] = ""

    def update(self, y_true: Rows, y_pred: Rows, weight: Rows | None = None) -> Sums:
        """The sums of some rows. y_true: (B,) or (B, ...), y_pred: (B, ...), weight: (B,), ones by default."""
        raise TypeError(f"{type(self).__name__} must say update")

    def result(self, sums: Sums) -> Any:
        """The value that sums stand for; NaN of no rows."""
        return float(sums[0] / sums[1]) if sums[1] else float("nan")

    def given(self, loss: Loss) -> "Metric":
        """This metric as it must be for a network trained with `loss`."""
        return self


METRICS: Registry[type[Metric]] = Registry("metric")


@dataclass_transform(frozen_default=True)
def metric(label: str, *aliases: str) -> Any:
    """Make the class a record and enter it under its name and Keras's short ones."""

    def make(cls: C) -> C:
        cls.label = label
        made = cast(C, record(cls))
        for name in (cls.__name__, *aliases):
            METRICS.add(name, made)
        return made

    return make


@metric("accuracy", "acc")
class Accuracy(Metric):
    """Share of right answers, by what the labels are: class numbers, one-hot rows, or 0 and 1 beside one output.

    With a cross-entropy it becomes that loss's accuracy, so that many-label outputs count per output (Keras would take
    the largest) and logits are cut at 0.

    >>> m = Accuracy(); m.result(m.update(np.array([1, 0]), np.array([[0.2, 0.8], [0.4, 0.6]])))
    0.5
    """

    def update(self, y_true: Rows, y_pred: Rows, weight: Rows | None = None) -> Sums:
        return self._kind(y_true, y_pred).update(y_true, y_pred, weight)

    def given(self, loss: Loss) -> Metric:
        if isinstance(loss, BinaryCrossentropy):
            return BinaryAccuracy(0.0 if loss.from_logits else 0.5)
        if isinstance(loss, SparseCategoricalCrossentropy):
            return SparseCategoricalAccuracy()
        return CategoricalAccuracy() if isinstance(loss, CategoricalCrossentropy) else self

    def _kind(self, y_true: Rows, y_pred: Rows) -> Metric:
        if y_pred.ndim == 1 or y_pred.shape[-1] == 1:
            return BinaryAccuracy()
        one_hot = y_true.ndim == y_pred.ndim and y_true.shape[-1] != 1
        return CategoricalAccuracy() if one_hot else SparseCategoricalAccuracy()


@metric("sparse_categorical_accuracy")
class SparseCategoricalAccuracy(Metric):
    """Share of rows whose largest output is the label. y_true: (B, ...) class numbers, y_pred: (B, ..., C)."""

    def update(self, y_true: Rows, y_pred: Rows, weight: Rows | None = None) -> Sums:
        best = np.argmax(y_pred, axis=-1)
        return _mean(best == y_true.reshape(best.shape), weight)


@metric("categorical_accuracy")
class CategoricalAccuracy(Metric):
    """Share of rows whose largest output is where the label is largest. y_true, y_pred: (B, ..., C)."""

    def update(self, y_true: Rows, y_pred: Rows, weight: Rows | None = None) -> Sums:
        return _mean(np.argmax(y_pred, axis=-1) == np.argmax(y_true, axis=-1), weight)


@metric("binary_accuracy")
class BinaryAccuracy(Metric):
    """Share of outputs on the label's side of `threshold`. y_true: 0 or 1, as many as y_pred: (B, ...)."""

    threshold: Real = 0.5

    def update(self, y_true: Rows, y_pred: Rows, weight: Rows | None = None) -> Sums:
        return _mean((y_pred > self.threshold) == (y_true.reshape(y_pred.shape) > 0.5), weight)

    def given(self, loss: Loss) -> Metric:
        logits = isinstance(loss, BinaryCrossentropy) and loss.from_logits and self.threshold == 0.5
        return replace(self, threshold=0.0) if logits else self


@metric("mean_squared_error", "mse")
class MeanSquaredError(Metric):
    """Mean of (y - p)^2 over rows and outputs."""

    def update(self, y_true: Rows, y_pred: Rows, weight: Rows | None = None) -> Sums:
        return _mean(_error(y_true, y_pred) ** 2, weight)


@metric("root_mean_squared_error", "rmse")
class RootMeanSquaredError(Metric):
    """Square root of the mean of (y - p)^2 over rows and outputs."""

    def update(self, y_true: Rows, y_pred: Rows, weight: Rows | None = None) -> Sums:
        return _mean(_error(y_true, y_pred) ** 2, weight)

    def result(self, sums: Sums) -> Any:
        return float(np.sqrt(super().result(sums)))


@metric("mean_absolute_error", "mae")
class MeanAbsoluteError(Metric):
    """Mean of |y - p| over rows and outputs."""

    def update(self, y_true: Rows, y_pred: Rows, weight: Rows | None = None) -> Sums:
        return _mean(np.abs(_error(y_true, y_pred)), weight)


@metric("r2_score", "r2", "R2")
class R2Score(Metric):
    """1 - sum (y - p)^2 / sum (y - mean y)^2 of each output, then their mean. A constant y gives 1 when met, else 0.

    Sums, (4, outputs): weights, w y, w y^2, w (y - p)^2.
    """

    def update(self, y_true: Rows, y_pred: Rows, weight: Rows | None = None) -> Sums:
        y, e = (_flat(v) for v in (y_true.reshape(y_pred.shape).astype(np.float64), _error(y_true, y_pred)))
        w = _weights(weight, len(y))[:, None]
        return np.stack([(w * v).sum(axis=0) for v in (np.ones_like(y), y, y * y, e * e)])

    def result(self, sums: Sums) -> Any:
        total, first, second, residual = sums
        if not total.all():
            return float("nan")
        spread = np.maximum(second - first**2 / total, 0.0)
        flat = spread <= 1e-14 * second
        share = residual / np.where(flat, 1.0, spread)
        return float(np.mean(1.0 - np.where(flat, residual > 1e-14 * second, share)))


@metric("confusion_matrix")
class ConfusionMatrix(Metric):
    """Weighted rows by class, true class down, predicted class across: a list of lists. One output: two classes, cut at
    `threshold`. y_true: class numbers or one-hot rows, y_pred: (B, C) or (B, 1)."""

    threshold: Real = 0.5

    def update(self, y_true: Rows, y_pred: Rows, weight: Rows | None = None) -> Sums:
        classes = max(y_pred.shape[-1], 2)
        best = np.argmax(y_pred, axis=-1) if y_pred.shape[-1] > 1 else (y_pred[:, 0] > self.threshold).astype(np.int64)
        hot = y_true.shape == y_pred.shape and y_pred.shape[-1] > 1
        true = np.argmax(y_true, axis=-1) if hot else y_true.reshape(len(best)).astype(np.int64)
        sums = np.bincount(true * classes + best, _weights(weight, len(best)), classes * classes).astype(np.float64)
        return sums.reshape(classes, classes)

    def result(self, sums: Sums) -> Any:
        return sums.tolist()

    def given(self, loss: Loss) -> Metric:
        logits = isinstance(loss, BinaryCrossentropy) and loss.from_logits and self.threshold == 0.5
        return replace(self, threshold=0.0) if logits else self


MetricField = Annotated[Metric, OneOf(METRICS)]


def merged(parts: Sequence[dict[str, Sums]]) -> dict[str, Sums]:
    """Sums of several batches or workers, as one."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: np.sum([part[name] for part in parts if name in part], axis=0) for name in names}


def _error(y_true: Rows, y_pred: Rows) -> Rows:
    return y_true.reshape(y_pred.shape).astype(np.float64) - y_pred


def _flat(values: Rows) -> Rows:
    """(B, ...) -> (B, k), B = 0 too"""
    return values.reshape(len(values), math.prod(values.shape[1:]))


def _weights(weight: Rows | None, rows: int) -> Sums:
    return np.ones(rows) if weight is None else np.asarray(weight, np.float64)


def _mean(values: Rows, weight: Rows | None) -> Sums:
    """Values of all rows -> [sum of w value, sum of w], values of one row averaged first. values: (B, ...)."""
    each = _flat(values).mean(axis=1, dtype=np.float64)
    w = _weights(weight, len(each))
    return np.array([each @ w, w.sum()])
