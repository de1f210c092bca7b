"""Pooling over one, two or three axes, channels last: x (B,S,C) -> (B,S',C), windows of `pool` cells.

Letters: B batch, S the axes that windows slide over ((H, W) or (D, H, W)), C channels. One axis is pooled as two, the
first of length 1.
"""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec, Specs
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.conv import LETTERS, NONE, NONE3
from sparkdl.nd.ops.window import Ints, Padding, check_window, windows


@dataclass(frozen=True)
class _Pool(Op):
    """What the pooling ops share. axes: how many the windows slide over."""

    axes: ClassVar[int] = 2

    pool: Ints
    strides: Ints
    padding: Padding

    def output(self, x: Spec) -> Spec:
        """Spec of y. Every window must hold a cell of x."""
        self._check(x)
        places = tuple(map(windows, x.shape[1:-1], self.pool, self.strides, self.padding))
        if min(places) < 1:
            raise ShapeError(f"{self.name}: pool {self.pool} does not fit into {x} padded by {self.padding}.")
        return Spec((x.shape[0], *places, x.shape[-1]), x.dtype)

    def _check(self, x: Spec) -> None:
        check_window(self.name, self.axes, self.strides, self.padding, (1,) * len(self.pool))
        if min(self.pool) < 1:
            raise ShapeError(f"{self.name}: pool must be >= 1. Got {self.pool}.")
        if len(x.shape) != self.axes + 2:
            raise ShapeError(f"{self.name}: x must be {LETTERS[self.axes][0]}. Got {x}.")
        if any(max(pad) >= k for pad, k in zip(self.padding, self.pool, strict=True)):
            raise ShapeError(f"{self.name}: padding must be smaller than pool. Got {self.padding} and {self.pool}.")

    def window(self) -> tuple[Ints, Ints, Padding]:
        """The arguments that the other ops of this pooling take."""
        return self.pool, self.strides, self.padding

    def index(self) -> str:
        """dtype of an index inside the window."""
        return "uint8" if math.prod(self.pool) <= 255 else "int32"

    def agree(self, what: str, got: Spec, due: Spec) -> None:
        """Raises ShapeError unless `got` is `due`."""
        if got != due:
            raise ShapeError(f"{self.name}: {what} must be {due} for {self}. Got {got}.")


@dataclass(frozen=True)
class _Max(_Pool):
    """x -> y and where, both (B,S',C): the row-major index of the maximum inside its window.

    The first maximum wins; NaN counts as one; a cell of the padding never does.
    """

    def infer(self, *ins: Spec) -> Specs:
        y = self.output(ins[0])
        return y, Spec(y.shape, self.index())

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        if grads[0] is None:
            return (None,)
        return (max_pool_grad(grads[0], outs[1], ins[0].spec.shape, *self.window()),)


@dataclass(frozen=True)
class _MaxGrad(_Pool):
    """g (B,S',C) to the cells that `where` names -> x_shape."""

    x_shape: Ints

    def infer(self, *ins: Spec) -> Spec:
        x = Spec(self.x_shape, ins[0].dtype)
        self.agree("g", ins[0], self.output(x))
        self.agree("where", ins[1], Spec(ins[0].shape, self.index()))
        return x


@dataclass(frozen=True)
class _Avg(_Pool):
    """Mean of the window's cells that lie inside x: padding is not counted, as in Keras."""

    def infer(self, *ins: Spec) -> Spec:
        return self.output(ins[0])

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (avg_pool_grad(grads[0], ins[0].spec.shape, *self.window()),)


@dataclass(frozen=True)
class _AvgGrad(_Pool):
    """g (B,S',C) spread evenly over its windows -> x_shape."""

    x_shape: Ints

    def infer(self, *ins: Spec) -> Spec:
        x = Spec(self.x_shape, ins[0].dtype)
        self.agree("g", ins[0], self.output(x))
        return x

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (avg_pool(grads[0], *self.window()),)


@op("max_pool2d")
class MaxPool2d(_Max):
    """x (B,H,W,C) -> y, where (B,H',W',C)."""


@op("max_pool2d_grad")
class MaxPool2dGrad(_MaxGrad):
    """g, where (B,H',W',C) -> x_shape (B,H,W,C)."""


@op("avg_pool2d")
class AvgPool2d(_Avg):
    """x (B,H,W,C) -> (B,H',W',C)."""


@op("avg_pool2d_grad")
class AvgPool2dGrad(_AvgGrad):
    """g (B,H',W',C) -> x_shape (B,H,W,C)."""


@op("max_pool3d")
class MaxPool3d(_Max):
    """x (B,D,H,W,C) -> y, where (B,D',H',W',C)."""

    axes: ClassVar[int] = 3


@op("max_pool3d_grad")
class MaxPool3dGrad(_MaxGrad):
    """g, where (B,D',H',W',C) -> x_shape (B,D,H,W,C)."""

    axes: ClassVar[int] = 3


@op("avg_pool3d")
class AvgPool3d(_Avg):
    """x (B,D,H,W,C) -> (B,D',H',W',C)."""

    axes: ClassVar[int] = 3


@op("avg_pool3d_grad")
class AvgPool3dGrad(_AvgGrad):
    """g (B,D',H',W',C) -> x_shape (B,D,H,W,C)."""

    axes: ClassVar[int] = 3


_MAX: dict[int, type[_Max]] = {2: MaxPool2d, 3: MaxPool3d}
_MAX_GRAD: dict[int, type[_MaxGrad]] = {2: MaxPool2dGrad, 3: MaxPool3dGrad}
_AVG: dict[int, type[_Avg]] = {2: AvgPool2d, 3: AvgPool3d}
_AVG_GRAD: dict[int, type[_AvgGrad]] = {2: AvgPool2dGrad, 3: AvgPool3dGrad}


def max_pool(x: Any, pool: Ints, strides: Ints, padding: Padding) -> tuple[Any, Any]:
    """Maximum of each window of x (B,S,C) over two or three axes, and where in the window it was found."""
    y, where = apply(_MAX[len(pool)](pool, strides, padding), x)
    return y, where


def max_pool_grad(g: Any, where: Any, x_shape: Ints, pool: Ints, strides: Ints, padding: Padding) -> Any:
    """Gradient of `max_pool` in x, given that of y."""
    return apply(_MAX_GRAD[len(pool)](pool, strides, padding, x_shape), g, where)


def avg_pool(x: Any, pool: Ints, strides: Ints, padding: Padding) -> Any:
    """Mean of each window of x (B,S,C) over two or three axes; padding is not counted."""
    return apply(_AVG[len(pool)](pool, strides, padding), x)


def avg_pool_grad(g: Any, x_shape: Ints, pool: Ints, strides: Ints, padding: Padding) -> Any:
    """Gradient of `avg_pool` in x, given that of y."""
    return apply(_AVG_GRAD[len(pool)](pool, strides, padding, x_shape), g)


def max_pool2d(x: Any, pool: Ints, strides: Ints, padding: Padding = NONE) -> tuple[Any, Any]:
    """Maximum of each window of images (B,H,W,C), and where in the window it was found.

    >>> from sparkdl.nd.array import NDArray
    >>> y, where = max_pool2d(NDArray([[[[1.0], [3.0]], [[2.0], [0.0]]]]), (2, 2), (2, 2))
    >>> y.numpy().item(), where.numpy().item()
    (3.0, 1)
    """
    return max_pool(x, pool, strides, padding)


def max_pool2d_grad(g: Any, where: Any, x_shape: Ints, pool: Ints, strides: Ints, padding: Padding = NONE) -> Any:
    """Gradient of `max_pool2d` in x, given that of y."""
    return max_pool_grad(g, where, x_shape, pool, strides, padding)


def avg_pool2d(x: Any, pool: Ints, strides: Ints, padding: Padding = NONE) -> Any:
    """Mean of each window of images (B,H,W,C); padding is not counted.

    >>> from sparkdl.nd.array import NDArray
    >>> avg_pool2d(NDArray([[[[1.0], [3.0]]]]), (1, 2), (1, 2)).numpy().item()
    2.0
    """
    return avg_pool(x, pool, strides, padding)


def avg_pool2d_grad(g: Any, x_shape: Ints, pool: Ints, strides: Ints, padding: Padding = NONE) -> Any:
    """Gradient of `avg_pool2d` in x, given that of y."""
    return avg_pool_grad(g, x_shape, pool, strides, padding)


def max_pool3d(x: Any, pool: Ints, strides: Ints, padding: Padding = NONE3) -> tuple[Any, Any]:
    """Maximum of each window of volumes (B,D,H,W,C), and where in the window it was found."""
    return max_pool(x, pool, strides, padding)


def avg_pool3d(x: Any, pool: Ints, strides: Ints, padding: Padding = NONE3) -> Any:
    """Mean of each window of volumes (B,D,H,W,C); padding is not counted."""
    return avg_pool(x, pool, strides, padding)
