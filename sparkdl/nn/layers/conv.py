"""Convolutions over sequences, images and volumes, channels last."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sparkdl.base.checks import Count, Flag
from sparkdl.base.errors import ConfError, ShapeError
from sparkdl.base.record import record
from sparkdl.base.spec import Spec
from sparkdl.nd.ops.conv import conv
from sparkdl.nn.activations import ActivationName, activate
from sparkdl.nn.init import GlorotUniform, InitializerField, Zeros
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.layers.window import (
    CausalName,
    DataFormat,
    One,
    PaddingName,
    Three,
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


@record
class _Conv(Layer):
    """What the convolutions share; S are the places of the inputs, K the window's lengths.

    kernel (K, C / groups, filters), bias (filters,). "valid": S' = floor((S - reach) / stride) + 1, where the reach of
    a window is (K - 1) dilation + 1; "same": S' = ceil(S / stride), an odd zero going behind.
    """

    axes: ClassVar[int] = 2

    filters: Count
    kernel_size: Any
    strides: Any = 1
    padding: Any = "valid"
    data_format: DataFormat = None
    dilation_rate: Any = 1
    groups: Count = 1
    activation: ActivationName | None = None
    use_bias: Flag = True
    kernel_initializer: InitializerField = GlorotUniform()
    bias_initializer: InitializerField = Zeros()
    kernel_regularizer: PenaltyField | None = None
    bias_regularizer: PenaltyField | None = None

    def __post_init__(self) -> None:
        who = type(self).__name__
        if self.filters % self.groups:
            raise ConfError(f"{who}: filters must be a multiple of groups. Got {self.filters} and {self.groups}.")
        check_strides(who, self.strides, self.dilation_rate, self.axes)

    def params(self, *xs: Spec) -> dict[str, ParamSpec]:
        check_places(xs[0], self.axes)
        channels = xs[0].shape[-1]
        if channels % self.groups:
            raise ShapeError(f"needs images whose channels are a multiple of groups={self.groups}.")
        shape = (*each(self.kernel_size, self.axes), channels // self.groups, self.filters)
        made = {"kernel": ParamSpec(shape, self.kernel_initializer, regularizer=self.kernel_regularizer)}
        if self.use_bias:
            made["bias"] = ParamSpec((self.filters,), self.bias_initializer, regularizer=self.bias_regularizer)
        return made

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        window, strides, dilation = (each(v, self.axes) for v in (self.kernel_size, self.strides, self.dilation_rate))
        zeros = padded(self.padding, xs[0].spec, window, strides, dilation)
        slide = two(strides, 1), two(zeros, (0, 0)), two(dilation, 1)
        y = conv(lifted(xs[0]), lifted_kernel(p["kernel"]), *slide, self.groups)  # (B, S', filters)
        return lowered(activate(self.activation, y + p["bias"] if self.use_bias else y), self.axes)


def check_strides(who: str, strides: Any, dilation: Any, axes: int) -> None:
    """Raise ConfError when both are above 1: there Keras's backends do not agree."""
    if max(each(strides, axes)) > 1 and max(each(dilation, axes)) > 1:
        raise ConfError(f"{who}: strides > 1 and dilation_rate > 1 exclude each other. Got {strides} and {dilation}.")


@layer
class Conv1D(_Conv):
    """activation(conv(x, kernel) + bias): (B, T, C) -> (B, T', filters).

    "causal" padding: T' = ceil(T / stride), and no output sees a later step than its own.
    """

    axes: ClassVar[int] = 1

    kernel_size: One
    strides: One = 1
    padding: CausalName = "valid"
    dilation_rate: One = 1


@layer
class Conv2D(_Conv):
    """activation(conv(x, kernel) + bias): (B, H, W, C) -> (B, H', W', filters)."""

    kernel_size: Two
    strides: Two = (1, 1)
    padding: PaddingName = "valid"
    dilation_rate: Two = (1, 1)


@layer
class Conv3D(_Conv):
    """activation(conv(x, kernel) + bias): (B, D, H, W, C) -> (B, D', H', W', filters)."""

    axes: ClassVar[int] = 3

    kernel_size: Three
    strides: Three = (1, 1, 1)
    padding: PaddingName = "valid"
    dilation_rate: Three = (1, 1, 1)
