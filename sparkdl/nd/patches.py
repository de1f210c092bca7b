"""Windows of images as rows, and back: the convolution's own view of its input. Letters: B images of H x W, C channels,
a window of KH x KW, H' x W' places for it.

Composed of slices, so that it is traced and differentiated; each is the other's adjoint. ND4J's im2col has images
channels first and gives (B, C, KH, KW, H', W'); ours are channels last, like everything here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.nd.elementwise import array
from sparkdl.nd.op import apply
from sparkdl.nd.ops.broadcast import check_kind
from sparkdl.nd.ops.index import GetItem, GetItemGrad, Key, Span
from sparkdl.nd.ops.shape import PadAxis, concat, slice_axis
from sparkdl.nd.ops.window import Ints, Padding, check_window, same_padding, windows


@dataclass(frozen=True)
class _Form:
    """Windows over images of a shape."""

    images: Ints
    kernel: Ints
    strides: Ints
    padding: Padding
    dilation: Ints

    @property
    def places(self) -> Ints:
        axes = zip(self.images[1:3], self.kernel, self.strides, self.padding, self.dilation, strict=True)
        return tuple(windows(*axis) for axis in axes)

    @property
    def shape(self) -> Ints:
        """Of the windows as rows."""
        return (self.images[0], *self.places, self.kernel[0] * self.kernel[1] * self.images[3])

    def views(self) -> Iterator[Key]:
        """For each cell of the window what it sees of the padded images."""
        (rows, cols), (down, right), (by, across) = self.places, self.strides, self.dilation
        for i, j in product(*map(range, self.kernel)):
            yield (
                Span(0, self.images[0], 1),
                Span(i * by, rows, down),
                Span(j * across, cols, right),
                Span(0, self.images[3], 1),
            )


def im2col(x: Any, kernel_size: Any, strides: Any = 1, padding: Any = "valid", dilation: Any = 1) -> Any:
    """The windows of images.   x: (B, H, W, C)   result: (B, H', W', KH*KW*C), in the order of a kernel's weights

    kernel_size, strides, dilation: (rows, columns), or one int for both
    padding: "valid" for none, "same" for H' = ceil(H / stride), or zeros ((top, bottom), (left, right))

    `im2col(x, (KH, KW), ...) @ reshape(w, (KH*KW*C, O))` is `conv2d(x, w, ...)`.

    >>> from sparkdl.nd.array import NDArray
    >>> im2col(NDArray([[[[1.0], [2.0], [3.0]]]]), (1, 2))
    NDArray([[[[1., 2.],
               [2., 3.]]]], dtype=float32, device=cpu)
    """
    x = array("im2col", x)
    form = _form("im2col", x.spec.shape, kernel_size, strides, padding, dilation)
    wide = x
    for axis, pair in zip((1, 2), form.padding, strict=True):
        n = wide.spec.shape[axis]
        wide = apply(PadAxis(axis, pair[0], n + sum(pair)), wide) if any(pair) else wide
    return concat([apply(GetItem(key), wide) for key in form.views()], -1)


def col2im(
    cols: Any, shape: Ints, kernel_size: Any, strides: Any = 1, padding: Any = "valid", dilation: Any = 1
) -> Any:
    """Windows added up where they came from: the adjoint of `im2col`, and its gradient.   cols: (B, H', W', KH*KW*C)

    shape: that of the images (B, H, W, C); what lies under several windows gets the sum, what under none 0. The rest as
           `im2col` had it. Raises ShapeError unless `im2col` would make cols of such images
    """
    cols, shape = array("col2im", cols), tuple(shape)
    check_kind("col2im", "numeric", cols.spec)
    form = _form("col2im", shape, kernel_size, strides, padding, dilation)
    if cols.spec.shape != form.shape:
        raise ShapeError(f"col2im: cols must be {form.shape} for images {shape}. Got {cols.spec}.")
    (top, bottom), (left, right) = form.padding
    wide = (shape[0], shape[1] + top + bottom, shape[2] + left + right, shape[3])
    total, at = None, 0
    for key in form.views():
        part = apply(GetItemGrad(key, wide), slice_axis(cols, -1, at, at + shape[3]))
        total, at = part if total is None else total + part, at + shape[3]
    return slice_axis(slice_axis(total, 1, top, top + shape[1]), 2, left, left + shape[2])


def _form(who: str, images: Ints, kernel: Any, strides: Any, padding: Any, dilation: Any) -> _Form:
    if len(images) != 4:
        raise ShapeError(f"{who}: images must be (B, H, W, C). Got the shape {images}.")
    window, steps, apart = (
        _two(who, name, v) for name, v in (("kernel_size", kernel), ("strides", strides), ("dilation", dilation))
    )
    around = _padding(who, images, window, steps, padding, apart)
    check_window(who, 2, steps, around, apart)
    made = _Form(images, window, steps, around, apart)
    if min(window) < 1 or min(made.places) < 1:
        raise ShapeError(f"{who}: a window of {window} must fit into {images[1:3]} padded by {around}.")
    return made


def _two(who: str, name: str, given: Any) -> Ints:
    """Rows and columns."""
    made = tuple(given) if isinstance(given, tuple | list) else (given, given)
    if len(made) != 2 or not all(isinstance(n, int) and not isinstance(n, bool) for n in made):
        raise ShapeError(f"{who}: {name} must be an int or two. Got {given!r}.")
    return made


def _padding(who: str, images: Ints, kernel: Ints, strides: Ints, padding: Any, dilation: Ints) -> Padding:
    if padding == "valid":
        return ((0, 0), (0, 0))
    if padding == "same":
        if min(*strides, *dilation) < 1:
            return ((0, 0), (0, 0))  # which the check names
        return tuple(same_padding(*axis) for axis in zip(images[1:3], kernel, strides, dilation, strict=True))
    if not isinstance(padding, tuple | list) or len(padding) != 2:
        raise ShapeError(f"{who}: padding must be 'valid', 'same' or ((top, bottom), (left, right)). Got {padding!r}.")
    rows, cols = (_two(who, "padding", pair) for pair in padding)
    return ((rows[0], rows[1]), (cols[0], cols[1]))
