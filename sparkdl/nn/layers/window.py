"""What layers over windows share: fields that take one number or one an axis, Keras's padding by name, and one axis
taken as two. "Places" are all axes but the batch and the channels: (T,), (H, W) or (D, H, W)."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from sparkdl.base.errors import ConfError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.ops.conv import row
from sparkdl.nd.ops.shape import reshape
from sparkdl.nd.ops.window import Ints, Padding, same_padding, windows

PaddingName = Literal["valid", "same"]
CausalName = Literal["valid", "same", "causal"]


@dataclass(frozen=True)
class _Plain:
    """A validator whose `parse` does it all."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.parse)

    def parse(self, value: object) -> Any:
        """The value of the field that `value` stands for."""
        raise TypeError(f"{type(self).__name__} must say parse")


@dataclass(frozen=True)
class _Each(_Plain):
    """The validator of a number an axis: all of them, or one for all; of one axis the number itself is kept."""

    axes: int
    least: int = 1

    @property
    def says(self) -> str:
        """The wording of what the field must be."""
        return f"an int >= {self.least}, or a list of {self.axes} of them"

    def parse(self, value: object) -> int | Ints:
        """The numbers that `value` stands for."""
        each: tuple[Any, ...] = tuple(value) if isinstance(value, tuple | list) else (value,) * self.axes
        if len(each) != self.axes or not all(_whole(n, self.least) for n in each):
            raise ConfError(f"must be {self.says}. Got {value!r}.")
        return each if self.axes > 1 else int(each[0])


@dataclass(frozen=True)
class _Sides(_Plain):
    """The validator of (before, after) for each axis: a number for all, one an axis, or all of them."""

    axes: int

    @property
    def says(self) -> str:
        """The wording of what the field must be."""
        return f"an int >= 0, a list of {self.axes} of them, or a list of {self.axes} pairs (before, after)"

    def parse(self, value: object) -> Padding:
        """The pairs that `value` stands for."""
        alone = self.axes == 1 and isinstance(value, tuple | list) and all(_whole(n, 0) for n in value)
        each = (value,) * self.axes if isinstance(value, int) or alone else value
        pairs = [_pair(side) for side in each] if isinstance(each, tuple | list) else []
        if len(pairs) != self.axes or None in pairs:
            raise ConfError(f"must be {self.says}. Got {value!r}.")
        return tuple(pair for pair in pairs if pair)


@dataclass(frozen=True)
class _ChannelsLast(_Plain):
    """The validator of `data_format`: there is one."""

    says: str = "'channels_last' or null"

    def parse(self, value: object) -> str | None:
        """The value, if it is allowed."""
        if value not in (None, "channels_last"):
            raise ConfError(
                f"must be {self.says}: images are (B, H, W, C). Got {value!r}; transpose the images and leave it out."
            )
        return None if value is None else "channels_last"


def _whole(n: object, least: int) -> bool:
    return isinstance(n, int) and not isinstance(n, bool) and n >= least


def _pair(side: object) -> tuple[int, int] | None:
    pair = side if isinstance(side, tuple | list) else (side, side)
    return (pair[0], pair[1]) if len(pair) == 2 and all(_whole(n, 0) for n in pair) else None


One = Annotated[int | Ints, _Each(1)]
Two = Annotated[int | Ints, _Each(2)]
Three = Annotated[int | Ints, _Each(3)]
OneOrNone = Annotated[int | Ints, _Each(1, 0)]
TwoOrNone = Annotated[int | Ints, _Each(2, 0)]
ThreeOrNone = Annotated[int | Ints, _Each(3, 0)]
Ends = Annotated[Any, _Sides(1)]
Edges = Annotated[Any, _Sides(2)]
Faces = Annotated[Any, _Sides(3)]
DataFormat = Annotated[str | None, _ChannelsLast()]

_WANTED = {1: "sequences (B, T, C)", 2: "images (B, H, W, C)", 3: "volumes (B, D, H, W, C)"}


def each(value: int | Ints, axes: int) -> Ints:
    """One number an axis, as a field of type `One`, `Two` or `Three` holds them.

    >>> each(3, 2), each((1, 2), 2)
    ((3, 3), (1, 2))
    """
    return (value,) * axes if isinstance(value, int) else value


def sides(value: Any, axes: int) -> Padding:
    """The pairs that a field of type `Ends`, `Edges` or `Faces` stands for, defaults as Keras writes them too."""
    return _Sides(axes).parse(value)


def check_places(x: Spec, axes: int) -> None:
    """Raise ShapeError unless x has a batch, that many axes, and channels."""
    if len(x.shape) != axes + 2:
        raise ShapeError(f"needs {_WANTED[axes]}; a Reshape layer before it can make them.")


def padded(name: CausalName, x: Spec, window: Ints, strides: Ints, dilation: Ints | None = None) -> Padding:
    """Zeros around x (B, ..., C): none for "valid"; for "same" as many as keep ceil(size / stride) outputs; for
    "causal" those before the first step, so that no output sees what comes after it.

    Raises ShapeError when the window does not fit.
    """
    check_places(x, len(window))
    dilation = dilation or (1,) * len(window)
    axes = list(zip(x.shape[1:-1], window, strides, dilation, strict=True))
    if name == "same":
        return tuple(same_padding(*axis) for axis in axes)
    if name == "causal":
        return tuple(((k - 1) * d, 0) for _, k, _, d in axes)
    if any(windows(size, k, s, (0, 0), d) < 1 for size, k, s, d in axes):
        spread = f" with dilation {dilation}" if max(dilation) > 1 else ""
        raise ShapeError(f"the window {window}{spread} must fit into the image; padding='same' makes it fit.")
    return ((0, 0),) * len(axes)


def lifted(x: Any) -> Any:
    """Sequences as images of one row, (B, 1, T, C): what kernels take. Others as they are."""
    return row(x) if len(x.spec.shape) == 3 else x


def lifted_kernel(w: Any) -> Any:
    """The same for a kernel (K, ..., O)."""
    return reshape(w, (1, *w.spec.shape)) if len(w.spec.shape) == 3 else w


def two(values: tuple[Any, ...], first: Any) -> tuple[Any, ...]:
    """The same for what holds one entry an axis."""
    return (first, *values) if len(values) == 1 else values


def lowered(y: Any, axes: int) -> Any:
    """Back from images of one row to sequences, when there is one axis."""
    return reshape(y, (y.spec.shape[0], *y.spec.shape[2:])) if axes == 1 else y
