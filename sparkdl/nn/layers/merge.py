"""Layers that join several inputs into one."""

from collections.abc import Mapping
from functools import reduce
from typing import Any, ClassVar

from sparkdl.base.checks import Int
from sparkdl.base.errors import ShapeError
from sparkdl.nd.ops.arithmetic import add
from sparkdl.nd.ops.shape import concat, reshape
from sparkdl.nn.layer import Ctx, Layer, layer


@layer
class Add(Layer):
    """The sum of its inputs. Axes of length 1 are repeated; an input with fewer axes gets some after the batch axis."""

    arity: ClassVar[int | None] = None

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        shapes = [x.spec.shape[1:] for x in xs]
        ndim = max(map(len, shapes))
        padded = [(1,) * (ndim - len(s)) + s for s in shapes]
        if any(len({n for n in column if n != 1}) > 1 for column in zip(*padded, strict=True)):
            raise ShapeError("needs inputs of one shape, but for axes of length 1.")
        return reduce(add, (reshape(x, (x.spec.shape[0], *s)) for x, s in zip(xs, padded, strict=True)))


@layer
class Concatenate(Layer):
    """Its inputs one after another along `axis`, which counts the batch axis and is not it."""

    arity: ClassVar[int | None] = None

    axis: Int = -1

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        ndim = len(xs[0].spec.shape)
        if not (1 <= self.axis < ndim or -ndim < self.axis <= -1):
            raise ShapeError(f"axis must be one of the inputs' axes after the batch axis. Got {self.axis}.")
        axis = self.axis % ndim
        if len({(*x.spec.shape[:axis], 0, *x.spec.shape[axis + 1 :]) for x in xs}) > 1:
            raise ShapeError(f"needs inputs that agree on all axes but axis {axis}.")
        return xs[0] if len(xs) == 1 else concat(xs, axis)
