"""Losses: what training makes small. Names, arguments and formulas are Keras 3's.

A loss gives one number per example, (B,). The training step reduces them as Keras's `sum_over_batch_size` does:
sum_i weight_i loss_i / B, where B counts examples, not weights. Where predictions have more axes than (B, C), the mean
over them is taken first. Written in ops: works on arrays and in graphs.

A loss that takes probabilities looks whether they come from a softmax (sigmoid) in the graph; then it works from that
op's input, which is faster, and exact where a probability rounds to 0 or 1. Elsewhere probabilities are clipped to
[1e-7, 1 - 1e-7], as Keras does.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, TypeVar, cast, dataclass_transform

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.checks import Flag, UnitInterval
from sparkdl.base.errors import DataError, ShapeError
from sparkdl.base.record import OneOf, record
from sparkdl.base.registry import Registry
from sparkdl.base.spec import Spec
from sparkdl.graph.graph import Sym
from sparkdl.nd.ops.analysis import exp, log, log1p
from sparkdl.nd.ops.arithmetic import absolute, clip, maximum, square
from sparkdl.nd.ops.choice import cast as cast_to
from sparkdl.nd.ops.gather import one_hot
from sparkdl.nd.ops.reduce import mean, sum as sum_of
from sparkdl.nd.ops.shape import reshape
from sparkdl.nd.ops.sigmoid import sigmoid_xent
from sparkdl.nd.ops.softmax import softmax_xent

EPSILON = 1e-7  # Keras's fuzz factor
WIDE = 16  # outputs from which a kernel of its own pays for binary cross-entropy

C = TypeVar("C", bound="type[Loss]")


class Loss:
    """The base of all losses."""

    of_kind: ClassVar[bool] = True

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        """Loss of each example. y_true: as `target` says, y_pred: (B, ...). Returns (B,)."""
        raise TypeError(f"{type(self).__name__} must say __call__")

    def target(self, pred: Spec) -> Spec:
        """The spec of `y_true` for predictions of spec `pred`."""
        return pred

    def labels(self, y: NDArray[Any], pred: Spec) -> NDArray[Any]:
        """The labels of a whole table, checked and turned into what `target` says. y: (N, ...).

        Raises ShapeError when they do not match the predictions, DataError for a value that cannot be a label.
        """
        want = self.target(pred)
        shaped = _shaped(type(self).__name__, y, want, pred).astype(want.dtype, copy=False)
        _refuse(self, shaped, ~np.isfinite(shaped), "a finite number")
        return shaped


LOSSES: Registry[type[Loss]] = Registry("loss")
LossField = Annotated[Loss, OneOf(LOSSES)]


@dataclass_transform(frozen_default=True)
def loss(*aliases: str) -> Any:
    """Make the class a record and enter it under its name and Keras's short ones."""

    def make(cls: C) -> C:
        made = cast(C, record(cls))
        for name in (cls.__name__, *aliases):
            LOSSES.add(name, made)
        return made

    return make


@loss()
class SparseCategoricalCrossentropy(Loss):
    """-log p[label]. y_true: (B, ...) class numbers 0 .. C-1, y_pred: (B, ..., C).

    from_logits: y_pred are logits, softmax is part of the loss. A label outside, which `labels` refuses, gives NaN when
    the loss works from logits, 0 when from probabilities.

    >>> from sparkdl.nd.array import NDArray
    >>> SparseCategoricalCrossentropy()(NDArray([1], "int32"), NDArray([[0.25, 0.5, 0.25]]))
    NDArray([0.6931472], dtype=float32, device=cpu)
    """

    from_logits: Flag = False

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        classes = y_pred.spec.shape[-1]
        flat, logits = reshape(y_true, (-1,)), y_pred if self.from_logits else logits_of(y_pred, "softmax")
        if logits is not None:
            return _per_example(softmax_xent(reshape(logits, (-1, classes)), flat)[0], y_pred)
        hot = reshape(cast_to(one_hot(flat, classes), y_pred.spec.dtype), y_pred.spec.shape)
        return _per_example(-sum_of(hot * _log_share(y_pred), axis=-1), y_pred)

    def target(self, pred: Spec) -> Spec:
        return Spec(pred.shape[:-1], "int32")

    def labels(self, y: NDArray[Any], pred: Spec) -> NDArray[Any]:
        shaped = _shaped(type(self).__name__, y, self.target(pred), pred)
        with np.errstate(invalid="ignore"):
            whole = shaped.astype(np.int32)
        last = pred.shape[-1] - 1
        bad = (whole != shaped) | (whole < 0) | (whole > last)
        _refuse(self, shaped, bad, f"a class number 0 .. {last}, since the output has {last + 1} classes")
        return whole


@loss()
class CategoricalCrossentropy(Loss):
    """-sum_c y_c log p_c. y_true, y_pred: (B, ..., C), y_true one-hot or a distribution.

    label_smoothing s: y becomes y (1 - s) + s / C (Szegedy et al., arXiv:1512.00567).
    """

    from_logits: Flag = False
    label_smoothing: UnitInterval = 0.0

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        classes = y_pred.spec.shape[-1]
        soft = _smooth(y_true, self.label_smoothing, 1.0 / classes)
        logits = y_pred if self.from_logits else logits_of(y_pred, "softmax")
        if logits is None:
            return _per_example(-sum_of(soft * _log_share(y_pred), axis=-1), y_pred)
        rows = (reshape(v, (-1, classes)) for v in (logits, soft))
        return _per_example(softmax_xent(*rows)[0], y_pred)


@loss()
class BinaryCrossentropy(Loss):
    """-(y log p + (1 - y) log(1 - p)), the mean over all outputs. y_true, y_pred: (B, ...), y_true within 0 .. 1.

    label_smoothing s: y becomes y (1 - s) + s / 2.
    """

    from_logits: Flag = False
    label_smoothing: UnitInterval = 0.0

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        soft = _smooth(y_true, self.label_smoothing, 0.5)
        logits = y_pred if self.from_logits else logits_of(y_pred, "sigmoid")
        if logits is not None:  # log(1 + e^z) - z y, without overflow; its gradient is sigmoid(z) - y, at 0 too
            return _from_logits(logits, soft)
        p = clip(y_pred, EPSILON, 1.0 - EPSILON)
        return _mean(-(soft * log(p) + (1.0 - soft) * log(1.0 - p)))

    def labels(self, y: NDArray[Any], pred: Spec) -> NDArray[Any]:
        made = super().labels(y, pred)
        _refuse(self, made, (made < 0) | (made > 1), "within 0 .. 1")
        return made


@loss("mse")
class MeanSquaredError(Loss):
    """(y - p)^2, the mean over all outputs. y_true, y_pred: (B, ...)."""

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        return _mean(square(y_true - y_pred))


@loss("mae")
class MeanAbsoluteError(Loss):
    """|y - p|, the mean over all outputs; the gradient at 0 is 0. y_true, y_pred: (B, ...)."""

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        return _mean(absolute(y_true - y_pred))


def _from_logits(z: Any, t: Any) -> Any:
    """Binary cross-entropy of logits z (B, ...): the mean of log(1 + e^z) - z t, (B,)."""
    outputs = math.prod(z.spec.shape[1:])
    if outputs < WIDE:  # short rows do better in the loop of the elementwise ops around them
        return _mean(maximum(z, 0.0) - z * t + log1p(exp(-absolute(z))))
    return sigmoid_xent(reshape(z, (-1, outputs)), reshape(t, (-1, outputs)))[0]


def logits_of(pred: Any, activation: str) -> Any:
    """What went into the op named `activation` that made `pred`; None for an array and where another op made it."""
    if not isinstance(pred, Sym):
        return None
    op, ins = pred.graph.nodes[pred.ref[0]].op, pred.graph.nodes[pred.ref[0]].ins
    last = (-1, len(pred.spec.shape) - 1)
    if op is None or op.name != activation or getattr(op, "axis", -1) not in last:
        return None
    return pred.graph.sym(ins[0])


def _log_share(p: Any) -> Any:
    """log of probabilities, made to sum to 1 over the last axis and clipped."""
    return log(clip(p / sum_of(p, axis=-1, keepdims=True), EPSILON, 1.0 - EPSILON))


def _smooth(y: Any, amount: float, towards: float) -> Any:
    return y * (1.0 - amount) + amount * towards if amount else y


def _per_example(values: Any, pred: Any) -> Any:
    """Values of all positions, mean per example. values: as many as pred has but for its last axis. Returns (B,)."""
    return _mean(reshape(values, pred.spec.shape[:-1]))


def _mean(values: Any) -> Any:
    """(B, ...) -> (B,)"""
    axes = tuple(range(1, len(values.spec.shape)))
    return mean(values, axis=axes) if axes else values


def _shaped(who: str, y: NDArray[Any], want: Spec, pred: Spec) -> NDArray[Any]:
    """y with the axes of `want`; (N,) and (N, 1) may stand for each other."""
    if y.dtype.kind not in "biuf":
        raise DataError(f"{who}: labels must be numbers. Got {y.dtype}.")
    rest = want.shape[1:]
    if y.ndim and y.shape[1:] != rest and math.prod(y.shape[1:]) == math.prod(rest) == 1:
        y = y.reshape(len(y), *rest)
    if not y.ndim or y.shape[1:] != rest:
        hint = " For class numbers use SparseCategoricalCrossentropy." if who == "CategoricalCrossentropy" else ""
        due = f"{_rows(rest)} for an output of {_rows(pred.shape[1:])}"
        raise ShapeError(f"{who}: labels must be {due}. Got {y.shape}.{hint}")
    return y


def _rows(rest: Sequence[int]) -> str:
    return f"({', '.join(map(str, ('N', *rest)))}{'' if rest else ','})"


def _refuse(who: Loss, y: NDArray[Any], bad: NDArray[np.bool_], must: str) -> None:
    if bad.any():
        at = int(np.argmax(bad.reshape(len(bad), -1).any(axis=1)))
        raise DataError(f"{type(who).__name__}: a label must be {must}. Got {y[bad][0]} in row {at}.")
