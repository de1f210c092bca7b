"""Normalisation within an example: the same in training and inference, whatever the batch."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from sparkdl.base.checks import Flag, Int, NonNegative
from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.layernorm import group_norm, layer_norm
from sparkdl.nd.ops.shape import reshape, transpose
from sparkdl.nn.init import InitializerField, Ones, Zeros
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.params import ParamSpec
from sparkdl.nn.penalties import PenaltyField


@layer
class LayerNormalization(Layer):
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta over `axis`, example by example. Ba et al., 1607.06450.

    `axis` is one axis or several; gamma and beta have their lengths. torch's epsilon is 1e-5.
    """

    axis: Int | tuple[Int, ...] = -1
    epsilon: NonNegative = 1e-3
    center: Flag = True
    scale: Flag = True
    beta_initializer: InitializerField = Zeros()
    gamma_initializer: InitializerField = Ones()
    beta_regularizer: PenaltyField | None = None
    gamma_regularizer: PenaltyField | None = None

    def params(self, *xs: Spec) -> dict[str, ParamSpec]:
        return _scale_and_offset(self, tuple(xs[0].shape[a] for a in self._axes(xs[0])))

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        shape, axes = xs[0].spec.shape, self._axes(xs[0].spec)
        order = (*(a for a in range(len(shape)) if a not in axes), *axes)
        x = _moved(xs[0], order)
        lead, length = order[: -len(axes)], math.prod(shape[a] for a in axes)
        rows = reshape(x, (*(shape[a] for a in lead), length))
        y = layer_norm(rows, *_operands(p, length, x.spec.dtype), self.epsilon)[0]
        return _moved(reshape(y, x.spec.shape), tuple(order.index(k) for k in range(len(order))))

    def _axes(self, x: Spec) -> tuple[int, ...]:
        given = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        return tuple(sorted({_axis(a, x) for a in given}))


@layer
class GroupNormalization(Layer):
    """Normalises groups of neighbouring channels of each example: (B, ..., C). Wu & He, arXiv 1803.08494.

    `groups` divides the channels, which lie along `axis`; -1 makes each channel a group (instance normalisation).
    """

    groups: Int = 32
    axis: Int = -1
    epsilon: NonNegative = 1e-3
    center: Flag = True
    scale: Flag = True
    beta_initializer: InitializerField = Zeros()
    gamma_initializer: InitializerField = Ones()
    beta_regularizer: PenaltyField | None = None
    gamma_regularizer: PenaltyField | None = None

    def params(self, *xs: Spec) -> dict[str, ParamSpec]:
        return _scale_and_offset(self, (xs[0].shape[_axis(self.axis, xs[0])],))

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        ndim, at = len(xs[0].spec.shape), _axis(self.axis, xs[0].spec)
        order = (*(a for a in range(ndim) if a != at), at)
        x = _moved(xs[0], order)
        channels = x.spec.shape[-1]
        groups = channels if self.groups == -1 else self.groups
        y = group_norm(x, *_operands(p, channels, x.spec.dtype), groups, self.epsilon)[0]
        return _moved(y, tuple(order.index(k) for k in range(ndim)))


def _scale_and_offset(layer: Any, shape: tuple[int, ...]) -> dict[str, ParamSpec]:
    """gamma and beta of `shape`, as far as the layer has them."""
    made = {}
    if layer.scale:
        made["gamma"] = ParamSpec(shape, layer.gamma_initializer, regularizer=layer.gamma_regularizer)
    if layer.center:
        made["beta"] = ParamSpec(shape, layer.beta_initializer, regularizer=layer.beta_regularizer)
    return made


def _operands(p: Mapping[str, Any], length: int, dtype: str) -> tuple[Any, Any]:
    """gamma and beta as vectors (length,); ones and zeros where the layer has none."""
    plain = {"gamma": np.ones, "beta": np.zeros}
    gamma, beta = (reshape(p[k], (length,)) if k in p else NDArray(make(length, dtype)) for k, make in plain.items())
    return gamma, beta


def _axis(axis: int, x: Spec) -> int:
    ndim = len(x.shape)
    if not (1 <= axis < ndim or -ndim < axis <= -1):
        raise ShapeError(f"axis must be one of the inputs' axes after the batch axis. Got {axis}.")
    return axis % ndim


def _moved(x: Any, order: tuple[int, ...]) -> Any:
    return x if order == tuple(range(len(order))) else transpose(x, order)
