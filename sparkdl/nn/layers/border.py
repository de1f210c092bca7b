"""Layers that add to the edges of sequences, images and volumes, cut from them, or repeat their cells."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from sparkdl.base.errors import ShapeError
from sparkdl.base.record import record
from sparkdl.nd.op import apply as run
from sparkdl.nd.ops.shape import PadAxis, broadcast_to, reshape, slice_axis
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.layers.window import DataFormat, Edges, Ends, Faces, One, Three, Two, check_places, each, sides


@record
class _ZeroPadding(Layer):
    """Zeros before and after each axis between the batch and the channels."""

    axes: ClassVar[int] = 2

    padding: Any = 1
    data_format: DataFormat = None

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        check_places(xs[0].spec, self.axes)
        y = xs[0]
        for axis, (before, after) in enumerate(sides(self.padding, self.axes), 1):
            size = y.spec.shape[axis] + before + after
            y = run(PadAxis(axis, before, size), y) if before + after else y
        return y


@layer
class ZeroPadding1D(_ZeroPadding):
    """Zeros around the steps: (B, T, C) -> (B, T + before + after, C). `padding`: n, or (before, after)."""

    axes: ClassVar[int] = 1

    padding: Ends = 1


@layer
class ZeroPadding2D(_ZeroPadding):
    """Zeros around images (B, H, W, C). `padding`: n, (of H, of W), or ((top, bottom), (left, right))."""

    padding: Edges = (1, 1)


@layer
class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes (B, D, H, W, C). `padding`: n, three numbers, or three pairs (before, after)."""

    axes: ClassVar[int] = 3

    padding: Faces = ((1, 1), (1, 1), (1, 1))


@record
class _Cropping(Layer):
    """Cells left out before and after each axis between the batch and the channels."""

    axes: ClassVar[int] = 2

    cropping: Any = 1

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        check_places(xs[0].spec, self.axes)
        y = xs[0]
        for axis, (before, after) in enumerate(sides(self.cropping, self.axes), 1):
            stop = y.spec.shape[axis] - after
            if stop <= before:
                raise ShapeError(f"cropping must leave something of {y.spec.shape[axis]}. Got {before} and {after}.")
            y = slice_axis(y, axis, before, stop) if before + after else y
        return y


@layer
class Cropping1D(_Cropping):
    """The steps without the first and last: (B, T, C) -> (B, T - before - after, C). `cropping`: n, or a pair."""

    axes: ClassVar[int] = 1

    cropping: Ends = (1, 1)


@layer
class Cropping2D(_Cropping):
    """Images without their edges. `cropping`: n, (of H, of W), or ((top, bottom), (left, right))."""

    cropping: Edges = ((0, 0), (0, 0))
    data_format: DataFormat = None


@layer
class Cropping3D(_Cropping):
    """Volumes without their faces. `cropping`: n, three numbers, or three pairs (before, after)."""

    axes: ClassVar[int] = 3

    cropping: Faces = ((1, 1), (1, 1), (1, 1))
    data_format: DataFormat = None


@record
class _UpSampling(Layer):
    """Each cell `size` times along each axis between the batch and the channels."""

    axes: ClassVar[int] = 2

    size: Any = 2

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        check_places(xs[0].spec, self.axes)
        y = xs[0]
        for axis, times in enumerate(each(self.size, self.axes), 1):
            y = _repeated(y, axis, times) if times > 1 else y
        return y


def _repeated(x: Any, axis: int, times: int) -> Any:
    """Each entry of an axis `times` times, one after another."""
    lead, n, rest = x.spec.shape[:axis], x.spec.shape[axis], x.spec.shape[axis + 1 :]
    wide = broadcast_to(reshape(x, (*lead, n, 1, *rest)), (*lead, n, times, *rest))
    return reshape(wide, (*lead, n * times, *rest))


@layer
class UpSampling1D(_UpSampling):
    """Each step `size` times: (B, T, C) -> (B, T size, C)."""

    axes: ClassVar[int] = 1

    size: One = 2


@layer
class UpSampling2D(_UpSampling):
    """Each pixel `size` times along each axis: (B, H, W, C) -> (B, H size, W size', C). Only the nearest is known."""

    size: Two = (2, 2)
    data_format: DataFormat = None
    interpolation: Literal["nearest"] = "nearest"


@layer
class UpSampling3D(_UpSampling):
    """Each voxel `size` times along each axis of (B, D, H, W, C)."""

    axes: ClassVar[int] = 3

    size: Three = (2, 2, 2)
    data_format: DataFormat = None
