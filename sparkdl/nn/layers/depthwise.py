"""Depthwise convolutions, each channel by itself, and separable ones, which mix the channels afterwards."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sparkdl.base.checks import Count, Flag
from sparkdl.base.record import record
from sparkdl.base.spec import Spec
from sparkdl.nd.ops.conv import conv
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.shape import reshape
from sparkdl.nn.activations import ActivationName, activate
from sparkdl.nn.init import GlorotUniform, InitializerField, Zeros
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.layers.window import (
    DataFormat,
    One,
    PaddingName,
    Two,
    check_places,
    each,
    lifted,
    lifted_kernel,
    lowered,
    padded,
    two,
)
from sparkdl.nn.params import ParamSpec
from sparkdl.nn.penalties import PenaltyField


def _by_channel(layer: Any, x: Any, kernel: Any) -> Any:
    """Each channel of x (B, S, C) with its own `depth_multiplier` windows (K, C, M); lifted: (B, S', C M).

    Output channel c M + m is channel c under window m. For the kernels it is a convolution in C groups.
    """
    *cells, channels, many = kernel.spec.shape
    strides, dilation = each(layer.strides, layer.axes), each(layer.dilation_rate, layer.axes)
    zeros = padded(layer.padding, x.spec, tuple(cells), strides, dilation)
    w = lifted_kernel(reshape(kernel, (*cells, 1, channels * many)))
    return conv(lifted(x), w, two(strides, 1), two(zeros, (0, 0)), two(dilation, 1), channels)


@record
class _DepthwiseConv(Layer):
    """What the depthwise convolutions share; C input channels, M = depth_multiplier.

    kernel (K, C, M), bias (C M,): output channel c M + m is channel c under its window m.
    """

    axes: ClassVar[int] = 2

    kernel_size: Any
    strides: Any = 1
    padding: PaddingName = "valid"
    depth_multiplier: Count = 1
    data_format: DataFormat = None
    dilation_rate: Any = 1
    activation: ActivationName | None = None
    use_bias: Flag = True
    depthwise_initializer: InitializerField = GlorotUniform()
    bias_initializer: InitializerField = Zeros()
    depthwise_regularizer: PenaltyField | None = None
    bias_regularizer: PenaltyField | None = None

    def params(self, *xs: Spec) -> dict[str, ParamSpec]:
        check_places(xs[0], self.axes)
        shape = (*each(self.kernel_size, self.axes), xs[0].shape[-1], self.depth_multiplier)
        made = {"kernel": ParamSpec(shape, self.depthwise_initializer, regularizer=self.depthwise_regularizer)}
        if self.use_bias:
            size = (shape[-2] * shape[-1],)
            made["bias"] = ParamSpec(size, self.bias_initializer, regularizer=self.bias_regularizer)
        return made

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        check_places(xs[0].spec, self.axes)
        y = _by_channel(self, xs[0], p["kernel"])
        return lowered(activate(self.activation, y + p["bias"] if self.use_bias else y), self.axes)


@layer
class DepthwiseConv1D(_DepthwiseConv):
    """activation(each channel's conv + bias): (B, T, C) -> (B, T', C depth_multiplier)."""

    axes: ClassVar[int] = 1

    kernel_size: One
    strides: One = 1
    dilation_rate: One = 1


@layer
class DepthwiseConv2D(_DepthwiseConv):
    """activation(each channel's conv + bias): (B, H, W, C) -> (B, H', W', C depth_multiplier)."""

    kernel_size: Two
    strides: Two = (1, 1)
    dilation_rate: Two = (1, 1)


@record
class _SeparableConv(Layer):
    """What the separable convolutions share: a depthwise one, then a product over the channels. Chollet,
    arXiv:1610.02357.

    depthwise_kernel (K, C, M), pointwise_kernel (1, ..., C M, filters), bias (filters,); M = depth_multiplier.
    """

    axes: ClassVar[int] = 2

    filters: Count
    kernel_size: Any
    strides: Any = 1
    padding: PaddingName = "valid"
    data_format: DataFormat = None
    dilation_rate: Any = 1
    depth_multiplier: Count = 1
    activation: ActivationName | None = None
    use_bias: Flag = True
    depthwise_initializer: InitializerField = GlorotUniform()
    pointwise_initializer: InitializerField = GlorotUniform()
    bias_initializer: InitializerField = Zeros()
    depthwise_regularizer: PenaltyField | None = None
    pointwise_regularizer: PenaltyField | None = None
    bias_regularizer: PenaltyField | None = None

    def params(self, *xs: Spec) -> dict[str, ParamSpec]:
        check_places(xs[0], self.axes)
        shape = (*each(self.kernel_size, self.axes), xs[0].shape[-1], self.depth_multiplier)
        mixed = (*(1,) * self.axes, shape[-2] * shape[-1], self.filters)
        made = {
            "depthwise_kernel": ParamSpec(shape, self.depthwise_initializer, regularizer=self.depthwise_regularizer),
            "pointwise_kernel": ParamSpec(mixed, self.pointwise_initializer, regularizer=self.pointwise_regularizer),
        }
        if self.use_bias:
            made["bias"] = ParamSpec((self.filters,), self.bias_initializer, regularizer=self.bias_regularizer)
        return made

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        check_places(xs[0].spec, self.axes)
        y = lowered(_by_channel(self, xs[0], p["depthwise_kernel"]), self.axes)  # (B, S', C M)
        *places, mixed = y.spec.shape
        y = matmul(reshape(y, (-1, mixed)), reshape(p["pointwise_kernel"], (mixed, self.filters)))
        y = activate(self.activation, y + p["bias"] if self.use_bias else y)
        return reshape(y, (*places, self.filters))


@layer
class SeparableConv1D(_SeparableConv):
    """activation(depthwise conv, channels mixed, + bias): (B, T, C) -> (B, T', filters)."""

    axes: ClassVar[int] = 1

    kernel_size: One
    strides: One = 1
    dilation_rate: One = 1


@layer
class SeparableConv2D(_SeparableConv):
    """activation(depthwise conv, channels mixed, + bias): (B, H, W, C) -> (B, H', W', filters)."""

    kernel_size: Two
    strides: Two = (1, 1)
    dilation_rate: Two = (1, 1)
