"""Convolutions over images, channels last."""

from collections.abc import Mapping
from typing import Any

from sparkdl.base.checks import Count, Flag
from sparkdl.base.errors import ConfError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.ops.conv import conv2d
from sparkdl.nn.activations import ActivationName, activate
from sparkdl.nn.init import GlorotUniform, InitializerField, Zeros
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.layers.window import DataFormat, PaddingName, Two, check_image, padded, pair
from sparkdl.nn.params import ParamSpec
from sparkdl.nn.penalties import PenaltyField


@layer
class Conv2D(Layer):
    """activation(conv(x, kernel) + bias): (B, H, W, C) -> (B, H', W', filters).

    kernel (KH, KW, C / groups, filters), bias (filters,). "valid": H' = floor((H - reach) / stride) + 1, where the
    reach of a window is (KH - 1) dilation + 1; "same": H' = ceil(H / stride), an odd zero going below and to the right.
    """

    filters: Count
    kernel_size: Two
    strides: Two = (1, 1)
    padding: PaddingName = "valid"
    data_format: DataFormat = None
    dilation_rate: Two = (1, 1)
    groups: Count = 1
    activation: ActivationName | None = None
    use_bias: Flag = True
    kernel_initializer: InitializerField = GlorotUniform()
    bias_initializer: InitializerField = Zeros()
    kernel_regularizer: PenaltyField | None = None
    bias_regularizer: PenaltyField | None = None

    def __post_init__(self) -> None:
        if self.filters % self.groups:
            raise ConfError(f"Conv2D: filters must be a multiple of groups. Got {self.filters} and {self.groups}.")
        if max(pair(self.strides)) > 1 and max(pair(self.dilation_rate)) > 1:
            raise ConfError(
                "Conv2D: strides > 1 and dilation_rate > 1 exclude each other. "
                f"Got {self.strides} and {self.dilation_rate}."
            )

    def params(self, *xs: Spec) -> dict[str, ParamSpec]:
        check_image(xs[0])
        channels = xs[0].shape[3]
        if channels % self.groups:
            raise ShapeError(f"needs images whose channels are a multiple of groups={self.groups}.")
        shape = (*pair(self.kernel_size), channels // self.groups, self.filters)
        made = {"kernel": ParamSpec(shape, self.kernel_initializer, regularizer=self.kernel_regularizer)}
        if self.use_bias:
            made["bias"] = ParamSpec((self.filters,), self.bias_initializer, regularizer=self.bias_regularizer)
        return made

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        strides, dilation = pair(self.strides), pair(self.dilation_rate)
        zeros = padded(self.padding, xs[0].spec, pair(self.kernel_size), strides, dilation)
        y = conv2d(xs[0], p["kernel"], strides, zeros, dilation, self.groups)  # (B, H', W', filters)
        return activate(self.activation, y + p["bias"] if self.use_bias else y)
