"""Layers that prepare images."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sparkdl.base.checks import Real
from sparkdl.base.errors import ShapeError
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.choice import cast
from sparkdl.nn.layer import Ctx, Layer, layer

Factor = Real | tuple[Real, ...]


@layer
class Rescaling(Layer):
    """x scale + offset; each a number, or one per channel (last axis). Integers become float32 first.

    `Rescaling(1 / 255)` takes bytes to [0, 1].
    """

    scale: Factor
    offset: Factor = 0.0

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        x = xs[0] if xs[0].spec.dtype.startswith("float") else cast(xs[0], "float32")
        return x * _operand("scale", self.scale, x) + _operand("offset", self.offset, x)


def _operand(name: str, value: float | tuple[float, ...], x: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    if len(value) not in (1, x.spec.shape[-1]):
        raise ShapeError(f"{name} must hold one number a channel. Got {len(value)}.")
    return NDArray(np.array(value, x.spec.dtype))
