"""Pooling of images, channels last: x (B,H,W,C) -> (B,H',W',C), windows of `pool` = (KH, KW) cells."""

from dataclasses import dataclass
from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec, Specs
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.conv import NONE, Padding, Pair, Shape4, check_window, windows


@dataclass(frozen=True)
class _Pool(Op):
    """What the pooling ops share."""

    pool: Pair
    strides: Pair
    padding: Padding

    def output(self, x: Spec) -> Spec:
        """Spec of y. Every window must hold a cell of x."""
        check_window(self.name, self.strides, self.padding)
        if min(self.pool) < 1:
            raise ShapeError(f"{self.name}: pool must be >= 1. Got {self.pool}.")
        if len(x.shape) != 4:
            raise ShapeError(f"{self.name}: x must be (B,H,W,C). Got {x}.")
        if any(max(pad) >= k for pad, k in zip(self.padding, self.pool, strict=True)):
            raise ShapeError(f"{self.name}: padding must be smaller than pool. Got {self.padding} and {self.pool}.")
        h, w = map(windows, x.shape[1:3], self.pool, self.strides, self.padding)
        if h < 1 or w < 1:
            raise ShapeError(f"{self.name}: pool {self.pool} does not fit into {x} padded by {self.padding}.")
        return Spec((x.shape[0], h, w, x.shape[3]), x.dtype)

    def index(self) -> str:
        """dtype of an index inside the window."""
        return "uint8" if self.pool[0] * self.pool[1] <= 255 else "int32"

    def agree(self, what: str, got: Spec, due: Spec) -> None:
        """Raises ShapeError unless `got` is `due`."""
        if got != due:
            raise ShapeError(f"{self.name}: {what} must be {due} for {self}. Got {got}.")


@op("max_pool2d")
class MaxPool2d(_Pool):
    """x -> y (B,H',W',C) and where (B,H',W',C): the row-major index of the maximum inside its window.

    The first maximum wins; NaN counts as one; a cell of the padding never does.
    """

    def infer(self, *ins: Spec) -> Specs:
        y = self.output(ins[0])
        return y, Spec(y.shape, self.index())

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        if grads[0] is None:
            return (None,)
        return (max_pool2d_grad(grads[0], outs[1], ins[0].spec.shape, self.pool, self.strides, self.padding),)


@op("max_pool2d_grad")
class MaxPool2dGrad(_Pool):
    """g (B,H',W',C) to the cells that `where` names -> x_shape."""

    x_shape: Shape4

    def infer(self, *ins: Spec) -> Spec:
        x = Spec(self.x_shape, ins[0].dtype)
        self.agree("g", ins[0], self.output(x))
        self.agree("where", ins[1], Spec(ins[0].shape, self.index()))
        return x


@op("avg_pool2d")
class AvgPool2d(_Pool):
    """Mean of the window's cells that lie inside x: padding is not counted, as in Keras."""

    def infer(self, *ins: Spec) -> Spec:
        return self.output(ins[0])

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (avg_pool2d_grad(grads[0], ins[0].spec.shape, self.pool, self.strides, self.padding),)


@op("avg_pool2d_grad")
class AvgPool2dGrad(_Pool):
    """g (B,H',W',C) spread evenly over its windows -> x_shape."""

    x_shape: Shape4

    def infer(self, *ins: Spec) -> Spec:
        x = Spec(self.x_shape, ins[0].dtype)
        self.agree("g", ins[0], self.output(x))
        return x

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (avg_pool2d(grads[0], self.pool, self.strides, self.padding),)


def max_pool2d(x: Any, pool: Pair, strides: Pair, padding: Padding = NONE) -> tuple[Any, Any]:
    """Maximum of each window, and where in the window it was found.

    >>> from sparkdl.nd.array import NDArray
    >>> y, where = max_pool2d(NDArray([[[[1.0], [3.0]], [[2.0], [0.0]]]]), (2, 2), (2, 2))
    >>> y.numpy().item(), where.numpy().item()
    (3.0, 1)
    """
    y, where = apply(MaxPool2d(pool, strides, padding), x)
    return y, where


def max_pool2d_grad(g: Any, where: Any, x_shape: Shape4, pool: Pair, strides: Pair, padding: Padding = NONE) -> Any:
    """Gradient of `max_pool2d` in x, given that of y."""
    return apply(MaxPool2dGrad(pool, strides, padding, x_shape), g, where)


def avg_pool2d(x: Any, pool: Pair, strides: Pair, padding: Padding = NONE) -> Any:
    """Mean of each window; padding is not counted.

    >>> from sparkdl.nd.array import NDArray
    >>> avg_pool2d(NDArray([[[[1.0], [3.0]]]]), (1, 2), (1, 2)).numpy().item()
    2.0
    """
    return apply(AvgPool2d(pool, strides, padding), x)


def avg_pool2d_grad(g: Any, x_shape: Shape4, pool: Pair, strides: Pair, padding: Padding = NONE) -> Any:
    """Gradient of `avg_pool2d` in x, given that of y."""
    return apply(AvgPool2dGrad(pool, strides, padding, x_shape), g)
