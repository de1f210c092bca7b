"""Pooling of sequences, images and volumes, channels last: one number for a window of each channel."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sparkdl.base.checks import Flag
from sparkdl.base.record import record
from sparkdl.nd.ops.pool import avg_pool, max_pool
from sparkdl.nd.ops.reduce import max as max_of, mean
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.layers.window import (
    DataFormat,
    One,
    PaddingName,
    Three,
    Two,
    check_places,
    each,
    lifted,
    lowered,
    padded,
    two,
)


@record
class _Pooling(Layer):
    """What windowed pooling shares. `strides` is `pool_size` when None."""

    axes: ClassVar[int] = 2

    pool_size: Any = 2
    strides: Any = None
    padding: PaddingName = "valid"
    data_format: DataFormat = None

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        window, strides = each(self.pool_size, self.axes), each(self.strides or self.pool_size, self.axes)
        zeros = padded(self.padding, xs[0].spec, window, strides)
        y = self.pooled(lifted(xs[0]), two(window, 1), two(strides, 1), two(zeros, (0, 0)))
        return lowered(y, self.axes)

    def pooled(self, x: Any, *slide: Any) -> Any:
        """One number for each window of x over two or three axes."""
        raise TypeError(f"{type(self).__name__} must say pooled")


@record
class _Max(_Pooling):
    """The maximum. The first of equal maxima takes the gradient; padding never wins."""

    def pooled(self, x: Any, *slide: Any) -> Any:
        return max_pool(x, *slide)[0]


@record
class _Average(_Pooling):
    """The mean. Padding is not counted: a window over the edge is the mean of what it sees."""

    def pooled(self, x: Any, *slide: Any) -> Any:
        return avg_pool(x, *slide)


@layer
class MaxPooling1D(_Max):
    """The maximum of each window: (B, T, C) -> (B, T', C). `strides` is `pool_size` when None."""

    axes: ClassVar[int] = 1

    pool_size: One = 2
    strides: One | None = None


@layer
class MaxPooling2D(_Max):
    """The maximum of each window: (B, H, W, C) -> (B, H', W', C). `strides` is `pool_size` when None."""

    pool_size: Two = (2, 2)
    strides: Two | None = None


@layer
class MaxPooling3D(_Max):
    """The maximum of each window: (B, D, H, W, C) -> (B, D', H', W', C). `strides` is `pool_size` when None."""

    axes: ClassVar[int] = 3

    pool_size: Three = (2, 2, 2)
    strides: Three | None = None


@layer
class AveragePooling1D(_Average):
    """The mean of each window: (B, T, C) -> (B, T', C). `strides` is `pool_size` when None.

    Keras asks for `pool_size` in average pooling; here it is 2 as for maxima.
    """

    axes: ClassVar[int] = 1

    pool_size: One = 2
    strides: One | None = None


@layer
class AveragePooling2D(_Average):
    """The mean of each window: (B, H, W, C) -> (B, H', W', C). `strides` is `pool_size` when None."""

    pool_size: Two = (2, 2)
    strides: Two | None = None


@layer
class AveragePooling3D(_Average):
    """The mean of each window: (B, D, H, W, C) -> (B, D', H', W', C). `strides` is `pool_size` when None."""

    axes: ClassVar[int] = 3

    pool_size: Three = (2, 2, 2)
    strides: Three | None = None


@record
class _Global(Layer):
    """What pooling over all places shares: (B, ..., C) -> (B, C), or (B, 1, ..., C) with `keepdims`."""

    axes: ClassVar[int] = 2

    data_format: DataFormat = None
    keepdims: Flag = False

    def places(self, x: Any) -> tuple[int, ...]:
        """The axes that go."""
        check_places(x.spec, self.axes)
        return tuple(range(1, self.axes + 1))


@record
class _GlobalMax(_Global):
    """The maximum. Equal maxima share the gradient."""

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        return max_of(xs[0], self.places(xs[0]), self.keepdims)


@record
class _GlobalAverage(_Global):
    """The mean."""

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        return mean(xs[0], self.places(xs[0]), self.keepdims)


@layer
class GlobalMaxPooling1D(_GlobalMax):
    """The maximum of each channel: (B, T, C) -> (B, C), or (B, 1, C) with `keepdims`."""

    axes: ClassVar[int] = 1


@layer
class GlobalMaxPooling2D(_GlobalMax):
    """The maximum of each channel: (B, H, W, C) -> (B, C), or (B, 1, 1, C) with `keepdims`."""


@layer
class GlobalMaxPooling3D(_GlobalMax):
    """The maximum of each channel: (B, D, H, W, C) -> (B, C), or (B, 1, 1, 1, C) with `keepdims`."""

    axes: ClassVar[int] = 3


@layer
class GlobalAveragePooling1D(_GlobalAverage):
    """The mean of each channel: (B, T, C) -> (B, C), or (B, 1, C) with `keepdims`."""

    axes: ClassVar[int] = 1


@layer
class GlobalAveragePooling2D(_GlobalAverage):
    """The mean of each channel: (B, H, W, C) -> (B, C), or (B, 1, 1, C) with `keepdims`."""


@layer
class GlobalAveragePooling3D(_GlobalAverage):
    """The mean of each channel: (B, D, H, W, C) -> (B, C), or (B, 1, 1, 1, C) with `keepdims`."""

    axes: ClassVar[int] = 3
