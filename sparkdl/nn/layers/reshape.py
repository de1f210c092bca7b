"""Layers that give the same numbers another shape."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge

from sparkdl.base.checks import Int
from sparkdl.base.errors import ConfError, ShapeError
from sparkdl.nd.ops.shape import reshape
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.layers.window import DataFormat


@layer
class Flatten(Layer):
    """All but the batch axis in one: (B, ...) -> (B, N)."""

    data_format: DataFormat = None

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        batch, *rest = xs[0].spec.shape
        return reshape(xs[0], (batch, math.prod(rest)))


@layer
class Reshape(Layer):
    """The same elements in C order as (B, *target_shape); one length may be -1: what is left."""

    target_shape: tuple[Annotated[Int, Ge(-1)], ...]

    def __post_init__(self) -> None:
        if 0 in self.target_shape or self.target_shape.count(-1) > 1:
            raise ConfError(f"Reshape: target_shape must be ints >= 1, at most one -1. Got {self.target_shape}.")

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        batch, *rest = xs[0].spec.shape
        known, size = math.prod(n for n in self.target_shape if n > 0), math.prod(rest)
        left = size // known
        if known * (left if -1 in self.target_shape else 1) != size:
            raise ShapeError(f"cannot reshape {size} elements of an example to {self.target_shape}.")
        return reshape(xs[0], (batch, *(left if n == -1 else n for n in self.target_shape)))
