"""Normalisation layers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sparkdl.base.checks import Flag, Int, NonNegative, UnitInterval
from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.arithmetic import rsqrt
from sparkdl.nd.ops.norm import batch_norm
from sparkdl.nd.ops.shape import transpose
from sparkdl.nn.init import InitializerField, Ones, Zeros
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.params import ParamSpec
from sparkdl.nn.penalties import PenaltyField


@layer
class BatchNormalization(Layer):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta along `axis`. Ioffe & Szegedy, arXiv 1502.03167.

    Training takes mean and (biased) variance of the batch and moves the kept ones: kept = kept momentum + batch
    (1 - momentum). Inference, and a layer that is not trainable, takes the kept ones. Differs from PyTorch, whose
    momentum is 1 minus this one, and which keeps the unbiased variance.
    """

    axis: Int = -1
    momentum: UnitInterval = 0.99
    epsilon: NonNegative = 1e-3
    center: Flag = True
    scale: Flag = True
    beta_initializer: InitializerField = Zeros()
    gamma_initializer: InitializerField = Ones()
    moving_mean_initializer: InitializerField = Zeros()
    moving_variance_initializer: InitializerField = Ones()
    beta_regularizer: PenaltyField | None = None
    gamma_regularizer: PenaltyField | None = None

    def params(self, *xs: Spec) -> dict[str, ParamSpec]:
        shape = (xs[0].shape[self._axis(xs[0])],)
        made = {}
        if self.scale:
            made["gamma"] = ParamSpec(shape, self.gamma_initializer, regularizer=self.gamma_regularizer)
        if self.center:
            made["beta"] = ParamSpec(shape, self.beta_initializer, regularizer=self.beta_regularizer)
        made["moving_mean"] = ParamSpec(shape, self.moving_mean_initializer, trainable=False)
        made["moving_variance"] = ParamSpec(shape, self.moving_variance_initializer, trainable=False)
        return made

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        order = self._channels_last(xs[0].spec)
        x = _moved(xs[0], order)
        y = self._by_batch(p, x, ctx) if ctx.training and self.trainable else self._by_kept(p, x)
        return _moved(y, tuple(order.index(k) for k in range(len(order))))

    def _by_batch(self, p: Mapping[str, Any], x: Any, ctx: Ctx) -> Any:
        channels, dtype = x.spec.shape[-1], x.spec.dtype
        gamma = p["gamma"] if self.scale else NDArray(np.ones(channels, dtype))
        beta = p["beta"] if self.center else NDArray(np.zeros(channels, dtype))
        y, mean, variance = batch_norm(x, gamma, beta, self.epsilon)
        for name, batch in (("moving_mean", mean), ("moving_variance", variance)):
            ctx.update(name, p[name] * self.momentum + batch * (1.0 - self.momentum))
        return y

    def _by_kept(self, p: Mapping[str, Any], x: Any) -> Any:
        factor = rsqrt(p["moving_variance"] + self.epsilon)  # (C,)
        factor = factor * p["gamma"] if self.scale else factor
        offset = p["beta"] - p["moving_mean"] * factor if self.center else -(p["moving_mean"] * factor)
        return x * factor + offset

    def _axis(self, x: Spec) -> int:
        ndim = len(x.shape)
        if not (1 <= self.axis < ndim or -ndim < self.axis <= -1):
            raise ShapeError(f"axis must be one of the inputs' axes after the batch axis. Got {self.axis}.")
        return self.axis % ndim

    def _channels_last(self, x: Spec) -> tuple[int, ...]:
        axis = self._axis(x)
        return (*(k for k in range(len(x.shape)) if k != axis), axis)


def _moved(x: Any, order: tuple[int, ...]) -> Any:
    return x if order == tuple(range(len(order))) else transpose(x, order)
