"""Dense: every output is a weighted sum of every input."""

from collections.abc import Mapping
from typing import Any

from sparkdl.base.checks import Count, Flag
from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.shape import reshape
from sparkdl.nn.activations import ActivationName, activate
from sparkdl.nn.init import GlorotUniform, InitializerField, Zeros
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.params import ParamSpec
from sparkdl.nn.penalties import PenaltyField


@layer
class Dense(Layer):
    """activation(x @ kernel + bias) over the last axis: (B, ..., I) -> (B, ..., units).

    kernel (I, units), bias (units,).
    """

    units: Count
    activation: ActivationName | None = None
    use_bias: Flag = True
    kernel_initializer: InitializerField = GlorotUniform()
    bias_initializer: InitializerField = Zeros()
    kernel_regularizer: PenaltyField | None = None
    bias_regularizer: PenaltyField | None = None

    def params(self, *xs: Spec) -> dict[str, ParamSpec]:
        if len(xs[0].shape) < 2:
            raise ShapeError("needs inputs with a last axis to sum over (B, ..., I).")
        shape = (xs[0].shape[-1], self.units)
        made = {"kernel": ParamSpec(shape, self.kernel_initializer, regularizer=self.kernel_regularizer)}
        if self.use_bias:
            made["bias"] = ParamSpec((self.units,), self.bias_initializer, regularizer=self.bias_regularizer)
        return made

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        *lead, features = xs[0].spec.shape
        y = matmul(reshape(xs[0], (-1, features)), p["kernel"])  # (B * ..., units)
        y = y + p["bias"] if self.use_bias else y
        return activate(self.activation, reshape(y, (*lead, self.units)))
