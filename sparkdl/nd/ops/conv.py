"""Convolution (cross-correlation, as everywhere in deep learning) over one, two or three axes, channels last.

    y[b,i,j,o] = sum over k,l,c of x[b, i*s - t + k*d, j*s' - l0 + l*d', c] w[k,l,c,o]

Letters: B batch, S the axes that windows slide over ((T,), (H, W) or (D, H, W)), C input and O output channels,
K the window's lengths. With groups, output channel o sees only the C/groups input channels of its group. The three ops
are the partial maps of one trilinear form, so each one's gradient is made of the other two.

The records hold strides, padding and dilation as one entry an axis. One axis is computed as two, the first of length 1:
the reshapes cost nothing.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.matmul import check_activation
from sparkdl.nd.ops.shape import reshape
from sparkdl.nd.ops.window import Ints, Padding, Pair, check_window, windows

NONE: Padding = ((0, 0),) * 2
NONE3: Padding = ((0, 0),) * 3


@dataclass(frozen=True)
class _Conv(Op):
    """What the convolution ops share. axes: how many the windows slide over."""

    axes: ClassVar[int] = 2

    strides: Ints
    padding: Padding
    dilation: Ints
    groups: int

    def window(self) -> tuple[Ints, Padding, Ints, int]:
        """The arguments that the other ops of this convolution take."""
        return self.strides, self.padding, self.dilation, self.groups

    def output(self, x: Spec, w: Spec) -> Spec:
        """Spec of y for x (B,S,C) and w (K,C/groups,O)."""
        check_window(self.name, self.axes, self.strides, self.padding, self.dilation)
        self._check(x, w)
        axes = zip(x.shape[1:-1], w.shape[:-2], self.strides, self.padding, self.dilation, strict=True)
        places = tuple(windows(*axis) for axis in axes)
        if min(places) < 1:
            raise ShapeError(f"{self.name}: the window of {w} does not fit into {x} padded by {self.padding}.")
        return Spec((x.shape[0], *places, w.shape[-1]), x.dtype)

    def _check(self, x: Spec, w: Spec) -> None:
        images, kernel = LETTERS[self.axes]
        if not len(x.shape) == len(w.shape) == self.axes + 2 or x.dtype != w.dtype:
            raise ShapeError(f"{self.name}: needs x {images} and w {kernel} of one dtype. Got {x} and {w}.")
        groups, (c, o) = self.groups, w.shape[-2:]
        if groups < 1 or x.shape[-1] != c * groups or o % groups or min(w.shape) < 1:
            raise ShapeError(
                f"{self.name}: w {kernel} must take the channels of x {images} in {groups} groups, "
                f"and O be a multiple of groups. Got {x} and {w}."
            )

    def agree(self, what: str, got: Spec, x: Spec, w: Spec) -> None:
        """Raises ShapeError unless `got` is the output's spec."""
        if got != self.output(x, w):
            raise ShapeError(f"{self.name}: {what} must be {self.output(x, w)} for {x} and {w}. Got {got}.")


LETTERS = {2: ("(B,H,W,C)", "(KH,KW,C/groups,O)"), 3: ("(B,D,H,W,C)", "(KD,KH,KW,C/groups,O)")}


@dataclass(frozen=True)
class _Forward(_Conv):
    """x, w -> y."""

    def infer(self, *ins: Spec) -> Spec:
        return self.output(*ins)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (g,), (x, w) = grads, ins
        dw = conv_grad_kernel(x, g, w.spec.shape, *self.window())  # first: then `x` may be gone before dx takes memory
        return conv_grad_input(g, w, x.spec.shape, *self.window()), dw


@dataclass(frozen=True)
class _GradInput(_Conv):
    """g, w -> x_shape."""

    x_shape: Ints

    def infer(self, *ins: Spec) -> Spec:
        x = Spec(self.x_shape, ins[0].dtype)
        self.agree("g", ins[0], x, ins[1])
        return x

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (dx,), (g, w) = grads, ins
        return conv(dx, w, *self.window()), conv_grad_kernel(dx, g, w.spec.shape, *self.window())


@dataclass(frozen=True)
class _GradKernel(_Conv):
    """x, g -> w_shape."""

    w_shape: Ints

    def infer(self, *ins: Spec) -> Spec:
        w = Spec(self.w_shape, ins[0].dtype)
        self.agree("g", ins[1], ins[0], w)
        return w

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (dw,), (x, g) = grads, ins
        return conv_grad_input(g, dw, x.spec.shape, *self.window()), conv(x, dw, *self.window())


@dataclass(frozen=True)
class _Bias(_Conv):
    """act(conv(x, w) + b). Made by the fuse pass, after differentiation: it has no gradient."""

    act: str = "linear"

    def infer(self, *ins: Spec) -> Spec:
        check_activation(self.name, self.act)
        out = self.output(ins[0], ins[1])
        if ins[2] != Spec(out.shape[-1:], out.dtype):
            raise ShapeError(f"{self.name}: b must be {Spec(out.shape[-1:], out.dtype)} for w {ins[1]}. Got {ins[2]}.")
        return out


@op("conv2d")
class Conv2d(_Forward):
    """x (B,H,W,C), w (KH,KW,C/groups,O) -> (B,H',W',O)."""


@op("conv2d_grad_input")
class Conv2dGradInput(_GradInput):
    """g (B,H',W',O), w (KH,KW,C/groups,O) -> x_shape (B,H,W,C): also known as transposed convolution."""


@op("conv2d_grad_kernel")
class Conv2dGradKernel(_GradKernel):
    """x (B,H,W,C), g (B,H',W',O) -> w_shape (KH,KW,C/groups,O)."""


@op("conv2d_bias")
class Conv2dBias(_Bias):
    """x (B,H,W,C), w (KH,KW,C/groups,O), b (O,) -> (B,H',W',O)."""


@op("conv2d_bias_add")
class Conv2dBiasAdd(_Bias):
    """act(conv(x, w) + b + r): x (B,H,W,C), w (KH,KW,C/groups,O), b (O,), r and the result (B,H',W',O)."""

    def infer(self, *ins: Spec) -> Spec:
        out = super().infer(*ins)
        self.agree("r", ins[3], ins[0], ins[1])
        return out


@op("conv3d")
class Conv3d(_Forward):
    """x (B,D,H,W,C), w (KD,KH,KW,C/groups,O) -> (B,D',H',W',O)."""

    axes: ClassVar[int] = 3


@op("conv3d_grad_input")
class Conv3dGradInput(_GradInput):
    """g (B,D',H',W',O), w (KD,KH,KW,C/groups,O) -> x_shape (B,D,H,W,C)."""

    axes: ClassVar[int] = 3


@op("conv3d_grad_kernel")
class Conv3dGradKernel(_GradKernel):
    """x (B,D,H,W,C), g (B,D',H',W',O) -> w_shape (KD,KH,KW,C/groups,O)."""

    axes: ClassVar[int] = 3


@op("conv3d_bias")
class Conv3dBias(_Bias):
    """x (B,D,H,W,C), w (KD,KH,KW,C/groups,O), b (O,) -> (B,D',H',W',O)."""

    axes: ClassVar[int] = 3


_FORWARD: dict[int, type[_Forward]] = {2: Conv2d, 3: Conv3d}
_INPUT: dict[int, type[_GradInput]] = {2: Conv2dGradInput, 3: Conv3dGradInput}
_KERNEL: dict[int, type[_GradKernel]] = {2: Conv2dGradKernel, 3: Conv3dGradKernel}


def conv(x: Any, w: Any, strides: Ints, padding: Padding, dilation: Ints, groups: int) -> Any:
    """Convolve x (B,S,C) with w (K,C/groups,O) over two or three axes."""
    return apply(_FORWARD[len(strides)](strides, padding, dilation, groups), x, w)


def conv_grad_input(g: Any, w: Any, x_shape: Ints, strides: Ints, padding: Padding, dilation: Ints, groups: int) -> Any:
    """Gradient of `conv` in x, given that of y: (B,S',O) -> x_shape (B,S,C).

    Transposed convolution is the same: from g to an x that `conv` would turn into the shape of g.
    """
    return apply(_INPUT[len(strides)](strides, padding, dilation, groups, x_shape), g, w)


def conv_grad_kernel(
    x: Any, g: Any, w_shape: Ints, strides: Ints, padding: Padding, dilation: Ints, groups: int
) -> Any:
    """Gradient of `conv` in w, given that of y: (B,S',O) -> w_shape (K,C/groups,O)."""
    return apply(_KERNEL[len(strides)](strides, padding, dilation, groups, w_shape), x, g)


def conv1d(x: Any, w: Any, stride: int = 1, padding: Pair = (0, 0), dilation: int = 1, groups: int = 1) -> Any:
    """Convolve sequences x (B,T,C) with w (K,C/groups,O).

    >>> from sparkdl.nd.array import NDArray
    >>> import numpy as np
    >>> conv1d(NDArray(np.ones((1, 4, 1), "f")), NDArray(np.ones((3, 1, 1), "f"))).numpy().ravel()
    array([3., 3.], dtype=float32)
    """
    if (len(x.spec.shape), len(w.spec.shape)) != (3, 3):
        raise ShapeError(f"conv1d: needs x (B,T,C) and w (K,C/groups,O). Got {x.spec} and {w.spec}.")
    y = conv(row(x), reshape(w, (1, *w.spec.shape)), (1, stride), ((0, 0), padding), (1, dilation), groups)
    return reshape(y, (y.spec.shape[0], *y.spec.shape[2:]))


def row(x: Any) -> Any:
    """x (B,T,C) as images of one row, (B,1,T,C)."""
    return reshape(x, (x.spec.shape[0], 1, *x.spec.shape[1:]))


def conv2d(
    x: Any, w: Any, strides: Ints = (1, 1), padding: Padding = NONE, dilation: Ints = (1, 1), groups: int = 1
) -> Any:
    """Convolve images x (B,H,W,C) with w (KH,KW,C/groups,O).

    >>> from sparkdl.nd.array import NDArray
    >>> import numpy as np
    >>> conv2d(NDArray(np.ones((1, 3, 3, 1), "f")), NDArray(np.ones((2, 2, 1, 1), "f"))).numpy().ravel()
    array([4., 4., 4., 4.], dtype=float32)
    """
    return apply(Conv2d(strides, padding, dilation, groups), x, w)


def conv3d(
    x: Any, w: Any, strides: Ints = (1, 1, 1), padding: Padding = NONE3, dilation: Ints = (1, 1, 1), groups: int = 1
) -> Any:
    """Convolve volumes x (B,D,H,W,C) with w (KD,KH,KW,C/groups,O).

    >>> from sparkdl.nd.array import NDArray
    >>> import numpy as np
    >>> conv3d(NDArray(np.ones((1, 2, 2, 2, 1), "f")), NDArray(np.ones((2, 2, 2, 1, 1), "f"))).numpy().ravel()
    array([8.], dtype=float32)
    """
    return apply(Conv3d(strides, padding, dilation, groups), x, w)


def conv2d_grad_input(
    g: Any, w: Any, x_shape: Ints, strides: Ints = (1, 1), padding: Padding = NONE, dilation: Ints = (1, 1),
    groups: int = 1,
) -> Any:  # fmt: skip
    """Gradient of `conv2d` in x, given that of y: (B,H',W',O) -> x_shape."""
    return conv_grad_input(g, w, x_shape, strides, padding, dilation, groups)


def conv2d_grad_kernel(
    x: Any, g: Any, w_shape: Ints, strides: Ints = (1, 1), padding: Padding = NONE, dilation: Ints = (1, 1),
    groups: int = 1,
) -> Any:  # fmt: skip
    """Gradient of `conv2d` in w, given that of y: (B,H',W',O) -> w_shape."""
    return conv_grad_kernel(x, g, w_shape, strides, padding, dilation, groups)


def conv2d_bias(
    x: Any, w: Any, b: Any, strides: Ints = (1, 1), padding: Padding = NONE, dilation: Ints = (1, 1), groups: int = 1,
    act: str = "linear",
) -> Any:  # fmt: skip
    """act(conv2d(x, w) + b) in one kernel; act is "linear" or "relu"."""
    return apply(Conv2dBias(strides, padding, dilation, groups, act), x, w, b)
