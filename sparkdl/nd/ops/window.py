"""The geometry of windows that slide over axes: what convolution and pooling share. No ops."""

from sparkdl.base.errors import ShapeError

Ints = tuple[int, ...]
Pair = tuple[int, int]
Padding = tuple[Pair, ...]  # zeros (before, after) each axis


def same_padding(size: int, window: int, stride: int, dilation: int = 1) -> Pair:
    """Zeros before and after an axis so that ceil(size / stride) windows fit; the odd one after (Keras, TensorFlow).

    >>> same_padding(5, 2, 1), same_padding(4, 3, 2), same_padding(7, 3, 2)
    ((0, 1), (0, 1), (1, 1))
    """
    reach = (-(-size // stride) - 1) * stride + (window - 1) * dilation + 1
    total = max(reach - size, 0)
    return total // 2, total - total // 2


def windows(size: int, window: int, stride: int, padding: Pair, dilation: int = 1) -> int:
    """How many windows fit into a padded axis; below 1 when none does.

    >>> windows(28, 5, 1, (0, 0)), windows(28, 5, 2, (2, 2))
    (24, 14)
    """
    return (size + sum(padding) - (window - 1) * dilation - 1) // stride + 1


def check_window(who: str, axes: int, strides: Ints, padding: Padding, dilation: Ints) -> None:
    """Raises ShapeError when strides or dilation are below 1, padding is negative, or any is not for `axes` axes."""
    if {len(strides), len(padding), len(dilation)} != {axes}:
        raise ShapeError(
            f"{who}: strides, padding and dilation must hold {axes} each. Got {strides}, {padding}, {dilation}."
        )
    if min(*strides, *dilation) < 1 or min(n for pair in padding for n in pair) < 0:
        raise ShapeError(
            f"{who}: strides and dilation must be >= 1 and padding >= 0. "
            f"Got strides {strides}, dilation {dilation}, padding {padding}."
        )
