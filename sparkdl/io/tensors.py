"""Named tensors as safetensors: written, and read back against what they must be."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

from sparkdl.base.errors import ArchiveError

Tensors = dict[str, NDArray[Any]]
_HEADER = 64 << 10  # bytes that a header may take besides those of its tensors
_ENTRY = 256  # bytes of a tensor's entry in the header, besides its name


def dump(tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of a safetensors file; the same for equal tensors."""
    return safetensors.numpy.save({name: np.ascontiguousarray(value) for name, value in tensors.items()})


def most(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Bytes that float32 tensors of these shapes can take in a file."""
    return _HEADER + sum(4 * math.prod(shape) + _ENTRY + 6 * len(name) for name, shape in shapes.items())


def parse(data: bytes, where: str) -> Tensors:
    """The tensors of a safetensors file. Raises ArchiveError beginning with `where` for a damaged one."""
    try:
        return safetensors.numpy.load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ArchiveError(f"{where} is no safetensors file: {error}.") from error


def check(tensors: Tensors, shapes: Mapping[str, tuple[int, ...]], where: str) -> None:
    """Raise ArchiveError naming the tensors that are missing, too many, of another shape or not float32."""
    faults = [
        f"missing: {_some([name for name in shapes if name not in tensors])}",
        f"not of this network: {_some([name for name in tensors if name not in shapes])}",
        *(_fault(name, tensors[name], shape) for name, shape in shapes.items() if name in tensors),
    ]
    told = [fault for fault in faults if fault and not fault.endswith(": ")]
    if told:
        raise ArchiveError(f"{where} does not fit the network. {'; '.join(told[:10])}.")


def _fault(name: str, value: NDArray[Any], shape: tuple[int, ...]) -> str:
    if value.dtype != np.float32:
        return f"{name} must be float32, got {value.dtype}"
    return "" if value.shape == shape else f"{name} must be {shape}, got {value.shape}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
