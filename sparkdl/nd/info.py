"""What the namespace can do: the inspection part of the array API standard."""

from typing import Any

from sparkdl.nd.dtypes import DTYPES, DType, isdtype

_STANDARD = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float32", "float64", "complex64", "complex128"),
)


class Info:
    """`nd.__array_namespace_info__()`: capabilities, devices, dtypes.

    >>> Info().default_dtypes()["real floating"]
    float32
    """

    def capabilities(self) -> dict[str, Any]:
        """Which parts of the standard that are optional are there."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Where arrays are made."""
        return "cpu"

    def devices(self) -> list[str]:
        """Where arrays can be."""
        return ["cpu"]

    def default_dtypes(self, *, device: str | None = None) -> dict[str, DType]:
        """What numbers of Python become."""
        _known(device)
        kinds = {"real floating": "float32", "complex floating": "complex64", "integral": "int64", "indexing": "int64"}
        return {kind: DTYPES[name] for kind, name in kinds.items()}

    def dtypes(self, *, device: str | None = None, kind: Any = None) -> dict[str, DType]:
        """The standard's dtypes by name, those of a kind if one is given; float16 and bfloat16 are ours besides."""
        _known(device)
        return {name: DTYPES[name] for name in _STANDARD if kind is None or isdtype(name, kind)}


def _known(device: Any) -> None:
    if device not in (None, "cpu"):
        raise ValueError(f"device must be 'cpu' or None. Got {device!r}.")
