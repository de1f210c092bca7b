"""Transposed convolutions: the gradient of a convolution in its inputs, as a layer that makes images larger."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sparkdl.base.checks import Count, Flag
from sparkdl.base.errors import ConfError
from sparkdl.base.record import record
from sparkdl.base.spec import Spec
from sparkdl.nd.ops.conv import conv_grad_input
from sparkdl.nn.activations import ActivationName, activate
from sparkdl.nn.init import GlorotUniform, InitializerField, Zeros
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.layers.conv import check_strides
from sparkdl.nn.layers.window import (
    DataFormat,
    One,
    OneOrNone,
    PaddingName,
    Three,
    ThreeOrNone,
    Two,
    TwoOrNone,
    check_places,
    each,
    lifted,
    lifted_kernel,
    lowered,
    two,
)
from sparkdl.nn.params import ParamSpec
from sparkdl.nn.penalties import PenaltyField

Axis = tuple[int, tuple[int, int]]  # length of the outputs, zeros (before, after) of the convolution that undoes it


@record
class _ConvTranspose(Layer):
    """What the transposed convolutions share; S are the places of the inputs, K the window's lengths.

    kernel (K, filters, C), bias (filters,). Each input cell adds its multiple of the window to the outputs, `strides`
    apart. "valid": S' = (S - 1) stride + max(reach, stride), where reach = (K - 1) dilation + 1; "same": S' = S stride.
    With `output_padding`: (S - 1) stride + reach + it, or for "same" (S - 1) stride + reach % 2 + it.
    """

    axes: ClassVar[int] = 2

    filters: Count
    kernel_size: Any
    strides: Any = 1
    padding: PaddingName = "valid"
    output_padding: Any = None
    data_format: DataFormat = None
    dilation_rate: Any = 1
    activation: ActivationName | None = None
    use_bias: Flag = True
    kernel_initializer: InitializerField = GlorotUniform()
    bias_initializer: InitializerField = Zeros()
    kernel_regularizer: PenaltyField | None = None
    bias_regularizer: PenaltyField | None = None

    def __post_init__(self) -> None:
        who, more = type(self).__name__, self.output_padding
        check_strides(who, self.strides, self.dilation_rate, self.axes)
        if more is not None and any(map(int.__ge__, each(more, self.axes), each(self.strides, self.axes))):
            raise ConfError(f"{who}: output_padding must be smaller than strides. Got {more} and {self.strides}.")

    def params(self, *xs: Spec) -> dict[str, ParamSpec]:
        check_places(xs[0], self.axes)
        shape = (*each(self.kernel_size, self.axes), self.filters, xs[0].shape[-1])
        made = {"kernel": ParamSpec(shape, self.kernel_initializer, regularizer=self.kernel_regularizer)}
        if self.use_bias:
            made["bias"] = ParamSpec((self.filters,), self.bias_initializer, regularizer=self.bias_regularizer)
        return made

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        check_places(xs[0].spec, self.axes)
        x, w = lifted(xs[0]), lifted_kernel(p["kernel"])
        sizes, zeros = zip(*self._outputs(xs[0].spec), strict=True)
        shape = (x.spec.shape[0], *two(sizes, 1), self.filters)
        strides, dilation = each(self.strides, self.axes), each(self.dilation_rate, self.axes)
        y = conv_grad_input(x, w, shape, two(strides, 1), two(zeros, (0, 0)), two(dilation, 1), 1)  # (B, S', filters)
        return lowered(activate(self.activation, y + p["bias"] if self.use_bias else y), self.axes)

    def _outputs(self, x: Spec) -> list[Axis]:
        fields = (each(v, self.axes) for v in (self.kernel_size, self.strides, self.dilation_rate))
        more = (None,) * self.axes if self.output_padding is None else each(self.output_padding, self.axes)
        return [enlarged(self.padding, *axis) for axis in zip(x.shape[1:-1], *fields, more, strict=True)]


def enlarged(name: PaddingName, size: int, window: int, stride: int, dilation: int, more: int | None) -> Axis:
    """What a transposed convolution makes of an axis: Keras's arithmetic, in which "same" centres the window.

    >>> enlarged("same", 5, 3, 2, 1, None), enlarged("valid", 5, 3, 2, 1, 1)
    ((10, (0, 1)), (12, (0, 0)))
    """
    reach = (window - 1) * dilation + 1
    if name == "valid":
        return (size - 1) * stride + reach + (max(stride - reach, 0) if more is None else more), (0, 0)
    length = (size - 1) * stride + (stride if more is None else reach % 2 + more)
    spread = length - (size - 1) * stride + reach - 2  # cells that the convolution of the stretched input takes in
    before = reach - 1 - min(spread // 2 + spread % 2, reach - 1)
    return length, (before, max((size - 1) * stride + reach - length - before, 0))


@layer
class Conv1DTranspose(_ConvTranspose):
    """activation(transposed conv(x, kernel) + bias): (B, T, C) -> (B, T', filters)."""

    axes: ClassVar[int] = 1

    kernel_size: One
    strides: One = 1
    output_padding: OneOrNone | None = None
    dilation_rate: One = 1


@layer
class Conv2DTranspose(_ConvTranspose):
    """activation(transposed conv(x, kernel) + bias): (B, H, W, C) -> (B, H', W', filters)."""

    kernel_size: Two
    strides: Two = (1, 1)
    output_padding: TwoOrNone | None = None
    dilation_rate: Two = (1, 1)


@layer
class Conv3DTranspose(_ConvTranspose):
    """activation(transposed conv(x, kernel) + bias): (B, D, H, W, C) -> (B, D', H', W', filters).

    Keras gives data_format before output_padding here; by name they are the same.
    """

    axes: ClassVar[int] = 3

    kernel_size: Three
    strides: Three = (1, 1, 1)
    output_padding: ThreeOrNone | None = None
    dilation_rate: Three = (1, 1, 1)
