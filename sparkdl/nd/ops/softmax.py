"""Softmax, its logarithm, and the cross-entropy that is computed from logits.

Letters: B batch, C classes. Labels are class indices, int (B,), or soft targets, float (B, C). An index outside
0 .. C-1 is a fault of the data that a running program cannot raise: its loss is NaN and its gradient zero.
"""

from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.analysis import exp
from sparkdl.nd.ops.gather import one_hot
from sparkdl.nd.ops.reduce import axes_of, sum as sum_
from sparkdl.nd.ops.shape import reshape, transpose


class Rowwise(Op):
    """A function of each row of a float array; the rows lie along the last axis."""

    def infer(self, *ins: Spec) -> Spec:
        if not ins[0].shape or not ins[0].dtype.startswith("float"):
            raise ShapeError(f"{self.name}: needs floats with at least one axis. Got {ins[0]}.")
        return ins[0]


@op("softmax")
class Softmax(Rowwise):
    """y = exp(x) / sum(exp(x)) along the last axis, shifted by the maximum. An entry of -inf gives 0."""

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (_through_softmax(grads[0], outs[0]),)


@op("log_softmax")
class LogSoftmax(Rowwise):
    """y = x - log(sum(exp(x))) along the last axis, without overflow."""

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (grads[0] - exp(outs[0]) * sum_(grads[0], -1, keepdims=True),)


@op("softmax_xent")
class SoftmaxXent(Op):
    """loss_i = -sum_j t_ij log softmax(z_i)_j; outputs loss (B,) and softmax(z) (B, C).

    A target of 0 adds nothing, even where the logit is -inf. Targets need not sum to 1.
    """

    def infer(self, *ins: Spec) -> tuple[Spec, Spec]:
        logits, labels = ins
        _check_labels(self.name, logits, labels)
        return Spec(logits.shape[:1], logits.dtype), logits

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        logits, labels = ins
        by_loss = None if grads[0] is None else softmax_xent_grad(outs[1], labels, grads[0])
        by_probs = None if grads[1] is None else _through_softmax(grads[1], outs[1])
        to_logits = by_loss if by_probs is None else by_probs if by_loss is None else by_loss + by_probs
        if grads[0] is None or not _soft(labels):
            return to_logits, None
        return to_logits, -(_column(grads[0]) * log_softmax(logits))


@op("softmax_xent_grad")
class SoftmaxXentGrad(Op):
    """dz = g (p sum(t) - t): the gradient of `softmax_xent`. p (B, C), labels, g (B,) -> (B, C)."""

    def infer(self, *ins: Spec) -> Spec:
        probs, labels, g = ins
        _check_labels(self.name, probs, labels)
        _check_weights(self.name, probs, g)
        return probs

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (p, labels, g), back = ins, grads[0]
        t = labels if _soft(labels) else one_hot(labels, p.spec.shape[1], p.spec.dtype)
        total, column = sum_(t, -1, keepdims=True), _column(g)  # (B, 1), (B, 1)
        to_labels = column * (sum_(p * back, -1, keepdims=True) - back) if _soft(labels) else None
        return column * back * total, to_labels, sum_(back * (p * total - t), -1)


@op("softmax_xent_both")
class SoftmaxXentBoth(Op):
    """`softmax_xent` and its gradient in one pass: logits, labels, g (B,) -> loss (B,), dz (B, C).

    Made by the fuse pass when nothing else wants the probabilities.
    """

    def infer(self, *ins: Spec) -> tuple[Spec, Spec]:
        logits, labels, g = ins
        _check_labels(self.name, logits, labels)
        _check_weights(self.name, logits, g)
        return Spec(logits.shape[:1], logits.dtype), logits


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / sum(exp(x)) along `axis`.

    >>> from sparkdl.nd.array import NDArray
    >>> softmax(NDArray([[0.0, 0.0], [5.0, 5.0]]))
    NDArray([[0.5, 0.5], [0.5, 0.5]], dtype=float32, device=cpu)
    """
    return _along(Softmax(), x, axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """x - log(sum(exp(x))) along `axis`."""
    return _along(LogSoftmax(), x, axis)


def softmax_xent(logits: Any, labels: Any) -> Any:
    """Cross-entropy of softmax(logits) (B, C) with `labels`: (loss (B,), probabilities (B, C)).

    labels: class indices, int (B,), or soft targets, float (B, C). Raises ShapeError when they do not fit.

    >>> from sparkdl.nd.array import NDArray
    >>> import numpy as np
    >>> softmax_xent(NDArray([[0.0, 0.0]]), NDArray(np.array([1])))[0]
    NDArray([0.6931472], dtype=float32, device=cpu)
    """
    return apply(SoftmaxXent(), logits, labels)


def softmax_xent_grad(probs: Any, labels: Any, g: Any) -> Any:
    """Gradient of `softmax_xent` with respect to the logits, from its probabilities and the loss's gradient g (B,)."""
    return apply(SoftmaxXentGrad(), probs, labels, g)


def softmax_xent_both(logits: Any, labels: Any, g: Any) -> Any:
    """(loss (B,), gradient of the logits (B, C)) for the loss's gradient g (B,)."""
    return apply(SoftmaxXentBoth(), logits, labels, g)


def _along(kind: Op, x: Any, axis: int) -> Any:
    ndim = len(x.spec.shape)
    at = axes_of(axis, ndim, kind.name)[0]
    if at == ndim - 1:
        return apply(kind, x)
    swapped = [*range(ndim)]
    swapped[at], swapped[-1] = swapped[-1], swapped[at]  # its own inverse
    return transpose(apply(kind, transpose(x, swapped)), swapped)


def _through_softmax(g: Any, y: Any) -> Any:
    return y * (g - sum_(g * y, -1, keepdims=True))


def _column(g: Any) -> Any:
    return reshape(g, (*g.spec.shape, 1))  # (B,) -> (B, 1)


def _soft(labels: Any) -> bool:
    return bool(labels.spec.dtype.startswith("float"))


def _check_labels(who: str, logits: Spec, labels: Spec) -> None:
    if len(logits.shape) != 2 or not logits.dtype.startswith("float") or logits.shape[1] == 0:
        raise ShapeError(f"{who}: logits must be floats (batch, classes), one class or more. Got {logits}.")
    indices = labels.shape == logits.shape[:1] and "int" in labels.dtype
    if not indices and labels != logits:
        wanted = f"int[{logits.shape[0]}] (class indices) or {logits} (soft targets)"
        raise ShapeError(f"{who}: labels must be {wanted}. Got {labels}.")


def _check_weights(who: str, logits: Spec, g: Spec) -> None:
    if g != Spec(logits.shape[:1], logits.dtype):
        raise ShapeError(f"{who}: g must be {Spec(logits.shape[:1], logits.dtype)}. Got {g}.")
