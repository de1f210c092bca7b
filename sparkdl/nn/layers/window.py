"""What layers over windows of an image share: fields that take one number or two, and Keras's padding by name."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from sparkdl.base.errors import ConfError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.ops.conv import Padding, same_padding, windows

Pair = tuple[int, int]
PaddingName = Literal["valid", "same"]


@dataclass(frozen=True)
class _Twice:
    """The validator of a pair: (height, width), or one number for both."""

    says: str = "an int >= 1, or a list of 2 of them"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.parse)

    def parse(self, value: object) -> Pair:
        """The pair that `value` stands for."""
        pair = value if isinstance(value, tuple | list) else (value, value)
        if len(pair) != 2 or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in pair):
            raise ConfError(f"must be {self.says}. Got {value!r}.")
        return pair[0], pair[1]


@dataclass(frozen=True)
class _ChannelsLast:
    """The validator of `data_format`: there is one."""

    says: str = "'channels_last' or null"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.parse)

    def parse(self, value: object) -> str | None:
        """The value, if it is allowed."""
        if value not in (None, "channels_last"):
            raise ConfError(
                f"must be {self.says}: images are (B, H, W, C). Got {value!r}; transpose the images and leave it out."
            )
        return None if value is None else "channels_last"


Two = Annotated[int | tuple[int, int], _Twice()]
DataFormat = Annotated[str | None, _ChannelsLast()]


def pair(value: int | tuple[int, int]) -> Pair:
    """The pair that a field of type `Two` holds."""
    return (value, value) if isinstance(value, int) else value


def check_image(x: Spec) -> None:
    """Raise ShapeError unless x is (B, H, W, C)."""
    if len(x.shape) != 4:
        raise ShapeError("needs images (B, H, W, C); a Reshape layer before it can make them.")


def padded(name: PaddingName, x: Spec, window: Pair, strides: Pair, dilation: Pair = (1, 1)) -> Padding:
    """Zeros around x (B, H, W, C): none for "valid", for "same" as many as keep ceil(size / stride) outputs.

    Raises ShapeError when the window does not fit.
    """
    check_image(x)
    axes = list(zip(x.shape[1:3], window, strides, dilation, strict=True))
    if name == "same":
        return same_padding(*axes[0]), same_padding(*axes[1])
    if any(windows(size, k, s, (0, 0), d) < 1 for size, k, s, d in axes):
        spread = f" with dilation {dilation}" if dilation != (1, 1) else ""
        raise ShapeError(f"the window {window}{spread} must fit into the image; padding='same' makes it fit.")
    return (0, 0), (0, 0)
