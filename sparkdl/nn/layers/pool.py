"""Pooling of images, channels last: one number for a window of each channel."""

from collections.abc import Mapping
from typing import Any

from sparkdl.base.checks import Flag
from sparkdl.nd.ops.pool import avg_pool2d, max_pool2d
from sparkdl.nd.ops.reduce import mean
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.layers.window import DataFormat, PaddingName, Two, check_image, padded, pair


@layer
class MaxPooling2D(Layer):
    """The maximum of each window: (B, H, W, C) -> (B, H', W', C). `strides` is `pool_size` when None.

    The first of equal maxima takes the gradient; padding never wins.
    """

    pool_size: Two = (2, 2)
    strides: Two | None = None
    padding: PaddingName = "valid"
    data_format: DataFormat = None

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        window, strides = pair(self.pool_size), pair(self.strides or self.pool_size)
        return max_pool2d(xs[0], window, strides, padded(self.padding, xs[0].spec, window, strides))[0]


@layer
class AveragePooling2D(Layer):
    """The mean of each window: (B, H, W, C) -> (B, H', W', C). `strides` is `pool_size` when None.

    Padding is not counted: a window over the edge is the mean of what it sees.
    """

    pool_size: Two = (2, 2)
    strides: Two | None = None
    padding: PaddingName = "valid"
    data_format: DataFormat = None

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        window, strides = pair(self.pool_size), pair(self.strides or self.pool_size)
        return avg_pool2d(xs[0], window, strides, padded(self.padding, xs[0].spec, window, strides))


@layer
class GlobalAveragePooling2D(Layer):
    """The mean of each channel: (B, H, W, C) -> (B, C), or (B, 1, 1, C) with `keepdims`."""

    data_format: DataFormat = None
    keepdims: Flag = False

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        check_image(xs[0].spec)
        return mean(xs[0], (1, 2), self.keepdims)
