"""Layers that fight overfitting."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sparkdl.base.checks import BelowOne, Count, Int
from sparkdl.base.errors import ShapeError
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.random import dropout
from sparkdl.nd.ops.shape import broadcast_to
from sparkdl.nn.layer import Ctx, Layer, layer


@layer
class Dropout(Layer):
    """In training zero a share `rate` of the inputs and scale the rest by 1 / (1 - rate); in inference nothing.

    Srivastava et al., JMLR 15, 2014. What is dropped depends on the run's seed, the step, the layer's name, `seed`
    and the example's number, never on how the batch was cut. `noise_shape` (None for the batch axis, first) says the
    shape of the mask, where axes of 1 share it: (None, 1, 1, C) drops whole channels of images.
    """

    rate: BelowOne
    noise_shape: tuple[Count | None, ...] | None = None
    seed: Int | None = None

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        mask = self._mask_shape(xs[0].spec.shape)
        if not ctx.training or self.rate == 0:
            return xs[0]
        key = ctx.key_for(ctx.scope if self.seed is None else f"{ctx.scope}/{self.seed}")
        if mask == xs[0].spec.shape:
            return dropout(xs[0], ctx.ids, key, self.rate)
        ones = broadcast_to(NDArray(np.ones(1, xs[0].spec.dtype)), mask)
        return xs[0] * dropout(ones, ctx.ids, key, self.rate)

    def _mask_shape(self, x: tuple[int, ...]) -> tuple[int, ...]:
        if self.noise_shape is None:
            return x
        mask = (x[0], *(n if m is None else m for m, n in zip(self.noise_shape[1:], x[1:], strict=False)))
        fits = len(self.noise_shape) == len(x) and self.noise_shape[0] is None
        if not fits or any(m not in (1, n) for m, n in zip(mask, x, strict=True)):
            raise ShapeError(f"noise_shape must be (None, ...), then None, 1 or as the inputs. Got {self.noise_shape}.")
        return mask
