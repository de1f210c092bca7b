"""Two-dimensional convolution (cross-correlation, as everywhere in deep learning), channels last, and its gradients.

    y[b,i,j,o] = sum over k,l,c of x[b, i*s - t + k*d, j*s' - l0 + l*d', c] w[k,l,c,o]

Letters: B batch, H W height and width, C input and O output channels, KH KW window. With groups, output channel o sees
only the C/groups input channels of its group. The three ops are the partial maps of one trilinear form, so each one's
gradient is made of the other two.
"""

from dataclasses import dataclass
from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.matmul import check_activation

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]  # ((top, bottom), (left, right))
Shape4 = tuple[int, int, int, int]
NONE: Padding = ((0, 0), (0, 0))


def same_padding(size: int, window: int, stride: int, dilation: int = 1) -> Pair:
    """Zeros before and after an axis so that ceil(size / stride) windows fit; the odd one after (Keras, TensorFlow).

    >>> same_padding(5, 2, 1), same_padding(4, 3, 2), same_padding(7, 3, 2)
    ((0, 1), (0, 1), (1, 1))
    """
    reach = (-(-size // stride) - 1) * stride + (window - 1) * dilation + 1
    total = max(reach - size, 0)
    return total // 2, total - total // 2


def windows(size: int, window: int, stride: int, padding: Pair, dilation: int = 1) -> int:
    """How many windows fit into a padded axis; below 1 when none does.

    >>> windows(28, 5, 1, (0, 0)), windows(28, 5, 2, (2, 2))
    (24, 14)
    """
    return (size + sum(padding) - (window - 1) * dilation - 1) // stride + 1


def check_window(who: str, strides: Pair, padding: Padding, dilation: Pair = (1, 1)) -> None:
    """Raises ShapeError when strides or dilation are below 1, or padding is negative."""
    if min(*strides, *dilation) < 1 or min(n for pair in padding for n in pair) < 0:
        raise ShapeError(
            f"{who}: strides and dilation must be >= 1 and padding >= 0. "
            f"Got strides {strides}, dilation {dilation}, padding {padding}."
        )


@dataclass(frozen=True)
class _Conv(Op):
    """What the convolution ops share."""

    strides: Pair
    padding: Padding
    dilation: Pair
    groups: int

    def window(self) -> tuple[Pair, Padding, Pair, int]:
        """The arguments that the other ops of this convolution take."""
        return self.strides, self.padding, self.dilation, self.groups

    def output(self, x: Spec, w: Spec) -> Spec:
        """Spec of y for x (B,H,W,C) and w (KH,KW,C/groups,O)."""
        check_window(self.name, self.strides, self.padding, self.dilation)
        self._check(x, w)
        both = zip(x.shape[1:3], w.shape[:2], self.strides, self.padding, self.dilation, strict=True)
        h, v = (windows(*axis) for axis in both)
        if h < 1 or v < 1:
            raise ShapeError(f"{self.name}: the window of {w} does not fit into {x} padded by {self.padding}.")
        return Spec((x.shape[0], h, v, w.shape[3]), x.dtype)

    def _check(self, x: Spec, w: Spec) -> None:
        if len(x.shape) != 4 or len(w.shape) != 4 or x.dtype != w.dtype:
            raise ShapeError(f"{self.name}: needs x (B,H,W,C) and w (KH,KW,C/groups,O) of one dtype. Got {x} and {w}.")
        groups, (c, o) = self.groups, w.shape[2:]
        if groups < 1 or x.shape[3] != c * groups or o % groups or min(w.shape) < 1:
            raise ShapeError(
                f"{self.name}: w (KH,KW,C/groups,O) must take the channels of x (B,H,W,C) in {groups} groups, "
                f"and O be a multiple of groups. Got {x} and {w}."
            )

    def agree(self, what: str, got: Spec, x: Spec, w: Spec) -> None:
        """Raises ShapeError unless `got` is the output's spec."""
        if got != self.output(x, w):
            raise ShapeError(f"{self.name}: {what} must be {self.output(x, w)} for {x} and {w}. Got {got}.")


@op("conv2d")
class Conv2d(_Conv):
    """x (B,H,W,C), w (KH,KW,C/groups,O) -> (B,H',W',O)."""

    def infer(self, *ins: Spec) -> Spec:
        return self.output(*ins)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (g,), (x, w) = grads, ins
        dx = conv2d_grad_input(g, w, x.spec.shape, *self.window())
        return dx, conv2d_grad_kernel(x, g, w.spec.shape, *self.window())


@op("conv2d_grad_input")
class Conv2dGradInput(_Conv):
    """g (B,H',W',O), w (KH,KW,C/groups,O) -> x_shape (B,H,W,C): also known as transposed convolution."""

    x_shape: Shape4

    def infer(self, *ins: Spec) -> Spec:
        x = Spec(self.x_shape, ins[0].dtype)
        self.agree("g", ins[0], x, ins[1])
        return x

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (dx,), (g, w) = grads, ins
        return conv2d(dx, w, *self.window()), conv2d_grad_kernel(dx, g, w.spec.shape, *self.window())


@op("conv2d_grad_kernel")
class Conv2dGradKernel(_Conv):
    """x (B,H,W,C), g (B,H',W',O) -> w_shape (KH,KW,C/groups,O)."""

    w_shape: Shape4

    def infer(self, *ins: Spec) -> Spec:
        w = Spec(self.w_shape, ins[0].dtype)
        self.agree("g", ins[1], ins[0], w)
        return w

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (dw,), (x, g) = grads, ins
        return conv2d_grad_input(g, dw, x.spec.shape, *self.window()), conv2d(x, dw, *self.window())


@op("conv2d_bias")
class Conv2dBias(_Conv):
    """act(conv2d(x, w) + b), b (O,). Made by the fuse pass, after differentiation: it has no gradient."""

    act: str = "linear"

    def infer(self, *ins: Spec) -> Spec:
        check_activation(self.name, self.act)
        out = self.output(ins[0], ins[1])
        if ins[2] != Spec(out.shape[3:], out.dtype):
            raise ShapeError(f"{self.name}: b must be {Spec(out.shape[3:], out.dtype)} for w {ins[1]}. Got {ins[2]}.")
        return out


def conv2d(
    x: Any, w: Any, strides: Pair = (1, 1), padding: Padding = NONE, dilation: Pair = (1, 1), groups: int = 1
) -> Any:
    """Convolve images x (B,H,W,C) with w (KH,KW,C/groups,O).

    >>> from sparkdl.nd.array import NDArray
    >>> import numpy as np
    >>> conv2d(NDArray(np.ones((1, 3, 3, 1), "f")), NDArray(np.ones((2, 2, 1, 1), "f"))).numpy().ravel()
    array([4., 4., 4., 4.], dtype=float32)
    """
    return apply(Conv2d(strides, padding, dilation, groups), x, w)


def conv2d_grad_input(
    g: Any,
    w: Any,
    x_shape: Shape4,
    strides: Pair = (1, 1),
    padding: Padding = NONE,
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Any:
    """Gradient of `conv2d` in x, given that of y: (B,H',W',O) -> x_shape."""
    return apply(Conv2dGradInput(strides, padding, dilation, groups, x_shape), g, w)


def conv2d_grad_kernel(
    x: Any,
    g: Any,
    w_shape: Shape4,
    strides: Pair = (1, 1),
    padding: Padding = NONE,
    dilation: Pair = (1, 1),
    groups: int = 1,
) -> Any:
    """Gradient of `conv2d` in w, given that of y: (B,H',W',O) -> w_shape."""
    return apply(Conv2dGradKernel(strides, padding, dilation, groups, w_shape), x, g)


def conv2d_bias(
    x: Any,
    w: Any,
    b: Any,
    strides: Pair = (1, 1),
    padding: Padding = NONE,
    dilation: Pair = (1, 1),
    groups: int = 1,
    act: str = "linear",
) -> Any:
    """act(conv2d(x, w) + b) in one kernel; act is "linear" or "relu"."""
    return apply(Conv2dBias(strides, padding, dilation, groups, act), x, w, b)
