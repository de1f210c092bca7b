"""Recurrent layers over sequences (B, T, I). They start from states of zeros.

Keras's dropout inside the recurrence, stateful layers, masks, returned or given states and `GRU(reset_after=False)` are
not offered, and their arguments are no fields.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from sparkdl.base.checks import Count, Flag
from sparkdl.base.errors import ShapeError
from sparkdl.base.rng import Key
from sparkdl.base.spec import Spec
from sparkdl.nd.ops.gather import take
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.rnn import gru, lstm, simple_rnn
from sparkdl.nd.ops.shape import reshape, slice_axis, transpose
from sparkdl.nn.init import Floats, GlorotUniform, InitializerField, Orthogonal, Zeros
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.params import ParamSpec
from sparkdl.nn.penalties import PenaltyField

# Those whose slope can be told from their value. Only tanh with sigmoid has native kernels: `Program.explain()` shows
# the others as numpy.
RecurrentName = Literal["tanh", "sigmoid", "relu", "elu", "linear"]


class _Recurrent(Layer):
    """What the three share: their parameters, the product with the inputs, and what they return."""

    blocks: ClassVar[int] = 1

    if TYPE_CHECKING:  # each layer declares these as fields, in Keras's order
        units: int
        use_bias: bool
        kernel_initializer: Any
        recurrent_initializer: Any
        bias_initializer: Any
        kernel_regularizer: Any
        recurrent_regularizer: Any
        bias_regularizer: Any
        return_sequences: bool
        go_backwards: bool

    def params(self, *xs: Spec) -> dict[str, ParamSpec]:
        if len(xs[0].shape) != 3 or xs[0].shape[1] < 1:
            raise ShapeError("needs sequences (B, T, I) of one step or more.")
        wide = self.blocks * self.units
        made = {
            "kernel": ParamSpec((xs[0].shape[2], wide), self.kernel_initializer, regularizer=self.kernel_regularizer),
            "recurrent_kernel": ParamSpec(
                (self.units, wide), self.recurrent_initializer, regularizer=self.recurrent_regularizer
            ),
        }
        if self.use_bias:
            made["bias"] = ParamSpec(self.bias_shape(), self.bias_drawn(), regularizer=self.bias_regularizer)
        return made

    def bias_shape(self) -> tuple[int, ...]:
        """Shape of `bias`."""
        return (self.blocks * self.units,)

    def bias_drawn(self) -> Callable[[tuple[int, ...], Key], Floats]:
        """What draws `bias`."""
        drawn: Callable[[tuple[int, ...], Key], Floats] = self.bias_initializer
        return drawn

    def projected(self, x: Any, kernel: Any, bias: Any) -> Any:
        """x (B,T,I) times kernel (I,W), plus bias (W,) unless None, in one product: (T,B,W)."""
        b, t, i = x.spec.shape
        rows = reshape(transpose(x, (1, 0, 2)), (t * b, i))
        z = matmul(rows, kernel)  # (T*B, W)
        return reshape(z if bias is None else z + bias, (t, b, kernel.spec.shape[1]))

    def returned(self, states: tuple[Any, Any]) -> Any:
        """The last state (B,H), or all (B,T,H) in the order in which they were computed."""
        last, each = states
        if not self.return_sequences:
            return last
        return transpose(_reversed(each) if self.go_backwards else each, (1, 0, 2))


@layer
class LSTM(_Recurrent):
    """Long short-term memory: (B,T,I) -> (B,units), or (B,T,units) with `return_sequences`.

    i, f, o = s(..), g = a(..) of x kernel + h recurrent_kernel + bias; c = f c + i g; h = o a(c).
    kernel (I,4H), recurrent_kernel (H,4H), bias (4H,), in blocks i f c o. `unit_forget_bias` starts the bias of f at 1
    (Jozefowicz et al. 2015). `go_backwards` reads the steps last to first. Hochreiter & Schmidhuber 1997.
    """

    blocks: ClassVar[int] = 4

    units: Count
    activation: RecurrentName = "tanh"
    recurrent_activation: RecurrentName = "sigmoid"
    use_bias: Flag = True
    kernel_initializer: InitializerField = GlorotUniform()
    recurrent_initializer: InitializerField = Orthogonal()
    bias_initializer: InitializerField = Zeros()
    unit_forget_bias: Flag = True
    kernel_regularizer: PenaltyField | None = None
    recurrent_regularizer: PenaltyField | None = None
    bias_regularizer: PenaltyField | None = None
    return_sequences: Flag = False
    go_backwards: Flag = False

    def bias_drawn(self) -> Callable[[tuple[int, ...], Key], Floats]:
        return _ForgetOnes(self.bias_initializer) if self.unit_forget_bias else self.bias_initializer

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        z = self.projected(xs[0], p["kernel"], p.get("bias"))
        how = (self.activation, self.recurrent_activation, self.go_backwards)
        return self.returned(lstm(z, p["recurrent_kernel"], *how))


@layer
class GRU(_Recurrent):
    """Gated recurrent unit: (B,T,I) -> (B,units), or (B,T,units) with `return_sequences`.

    q = h recurrent_kernel + bias[1]; z, r = s(..), s(..); g = a(x_h + r q_h); h = z h + (1 - z) g: the reset gate acts
    after the product, Keras's `reset_after=True`. kernel (I,3H), recurrent_kernel (H,3H), bias (2,3H), in blocks z r h.
    Cho et al. 2014.
    """

    blocks: ClassVar[int] = 3

    units: Count
    activation: RecurrentName = "tanh"
    recurrent_activation: RecurrentName = "sigmoid"
    use_bias: Flag = True
    kernel_initializer: InitializerField = GlorotUniform()
    recurrent_initializer: InitializerField = Orthogonal()
    bias_initializer: InitializerField = Zeros()
    kernel_regularizer: PenaltyField | None = None
    recurrent_regularizer: PenaltyField | None = None
    bias_regularizer: PenaltyField | None = None
    return_sequences: Flag = False
    go_backwards: Flag = False

    def bias_shape(self) -> tuple[int, ...]:
        return (2, self.blocks * self.units)

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        u = p["recurrent_kernel"]
        outer, inner = self._biases(p["bias"]) if self.use_bias else (None, np.zeros(u.spec.shape[1:], u.spec.dtype))
        z = self.projected(xs[0], p["kernel"], outer)
        how = (self.activation, self.recurrent_activation, self.go_backwards)
        return self.returned(gru(z, u, inner, *how))

    def _biases(self, bias: Any) -> tuple[Any, Any]:
        """The rows of `bias` (2,W): that of the product with x, and that of the product with h."""
        outer, inner = (reshape(slice_axis(bias, 0, k, k + 1), bias.spec.shape[1:]) for k in (0, 1))
        return outer, inner


@layer
class SimpleRNN(_Recurrent):
    """h = a(x kernel + h recurrent_kernel + bias): (B,T,I) -> (B,units), or (B,T,units) with `return_sequences`.

    kernel (I,H), recurrent_kernel (H,H), bias (H,). Elman 1990.
    """

    units: Count
    activation: RecurrentName = "tanh"
    use_bias: Flag = True
    kernel_initializer: InitializerField = GlorotUniform()
    recurrent_initializer: InitializerField = Orthogonal()
    bias_initializer: InitializerField = Zeros()
    kernel_regularizer: PenaltyField | None = None
    recurrent_regularizer: PenaltyField | None = None
    bias_regularizer: PenaltyField | None = None
    return_sequences: Flag = False
    go_backwards: Flag = False

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        z = self.projected(xs[0], p["kernel"], p.get("bias"))
        return self.returned(simple_rnn(z, p["recurrent_kernel"], self.activation, self.go_backwards))


@dataclass(frozen=True)
class _ForgetOnes:
    """A bias (4H,) whose second block is 1; `drawn` draws the others."""

    drawn: Callable[[tuple[int, ...], Key], Floats]

    def __call__(self, shape: tuple[int, ...], key: Key) -> Floats:
        bias, h = self.drawn(shape, key), shape[0] // 4
        bias[h : 2 * h] = 1
        return bias


def _reversed(each: Any) -> Any:
    """(T,B,H) from the last step to the first."""
    return take(each, np.arange(each.spec.shape[0])[::-1].copy())
