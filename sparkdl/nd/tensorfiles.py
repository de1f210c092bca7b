"""Arrays by name in safetensors files (github.com/huggingface/safetensors, "Format"): eight bytes that say how long the
header is, the header in JSON, the elements one tensor after another.

The library writes. Reading is done here, because the library copies every tensor: elements stay in the file's pages.
"""

import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sparkdl.base.errors import ArchiveError, ShapeError
from sparkdl.base.spec import ITEMSIZE, numpy_dtype
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.elementwise import array
from sparkdl.nd.files import File, output
from sparkdl.nd.mapped import mapped
from sparkdl.nd.op import is_eager

LONGEST = 100_000_000  # bytes of a header, the library's own bound
_NAMES = {
    "BOOL": "bool", "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64", "U8": "uint8", "U16": "uint16",
    "U32": "uint32", "U64": "uint64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
    "C64": "complex64",
}  # fmt: skip


class Tensors(Mapping[str, NDArray]):
    """The arrays of a safetensors file by name, read-only, in the order of the file. `metadata`: its texts by name."""

    def __init__(self, arrays: Mapping[str, NDArray], metadata: Mapping[str, str]) -> None:
        self._arrays, self.metadata = dict(arrays), dict(metadata)

    def __getitem__(self, name: str) -> NDArray:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        return f"Tensors({', '.join(f'{name}: {x.spec}' for name, x in self._arrays.items())})"


def save_safetensors(file: File, arrays: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> None:
    """Write arrays by name as a safetensors file, which torch, JAX and others read. Equal arrays, equal bytes.

    file:     a path, written beside its place and renamed, or an open binary file
    arrays:   of any dtype but complex128, bfloat16 too
    metadata: texts by name to keep beside them

    >>> import io
    >>> file = io.BytesIO()
    >>> save_safetensors(file, {"w": NDArray([1.0])}, {"made": "today"}); _ = file.seek(0)
    >>> load_safetensors(file)["w"]
    NDArray([1.], dtype=float32, device=cpu)
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save

    texts = dict(metadata or {})
    if not all(isinstance(k, str) and isinstance(v, str) for k, v in texts.items()):
        raise TypeError(f"save_safetensors: metadata must be texts by name. Got {texts!r:.200}.")
    data = {_name(name): np.ascontiguousarray(_data(name, x)).reshape(x.shape) for name, x in arrays.items()}
    try:
        made = save(data, texts or None)
    except SafetensorError as error:
        raise ShapeError(f"save_safetensors: {error}") from error
    with output(file) as out:
        out.write(made)


def _name(name: Any) -> str:
    if not isinstance(name, str) or name == "__metadata__":
        raise TypeError(f"save_safetensors: names must be texts other than __metadata__. Got {name!r}.")
    return name


def _data(name: str, x: Any) -> Any:
    x = array(f"save_safetensors: {name}", x)
    if not is_eager(x):
        raise TypeError(f"save_safetensors: {name} must hold its elements. Got {x!r}; return it from the function.")
    if x.dtype not in _NAMES.values():
        raise ShapeError(f"save_safetensors: {name} must be one of {', '.join(_NAMES.values())}. Got {x.dtype}.")
    return x.numpy()


def load_safetensors(file: File, *, mmap: bool = True) -> Tensors:
    """The arrays of a safetensors file by name, with its texts as `.metadata`.

    file: a path, or an open binary file, which is read to its end
    mmap: arrays of a path lie in the file's own memory pages, read-only and not copied, but those that a writer has not
          aligned. Cutting the file while they live ends the process. False reads them into memory, writable

    Raises ArchiveError naming file and fault for a file that is cut off, damaged or hostile, OSError for a path that
    cannot be opened.
    """
    if not isinstance(file, str | os.PathLike):
        return _parsed(memoryview(bytearray(file.read())), str(getattr(file, "name", "the file")))
    with open(file, "rb") as opened:
        return _parsed(mapped(opened) if mmap else memoryview(bytearray(opened.read())), os.fspath(file))


def _parsed(memory: memoryview, origin: str) -> Tensors:
    length = int.from_bytes(memory[:8], "little")
    if len(memory) < 8 or length > min(LONGEST, len(memory) - 8):
        said = f"a header of {length:,} in {len(memory):,} bytes"
        raise ArchiveError(f"{origin}: is no safetensors file, or cut off: {said}.")
    table = _table(bytes(memory[8 : 8 + length]), origin)
    metadata = table.pop("__metadata__", None) or {}
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ArchiveError(f"{origin}: __metadata__ must be texts by name. Got {metadata!r:.80}.")
    elements, arrays, end = memory[8 + length :], {}, 0
    places = {name: _offsets(name, entry, origin) for name, entry in table.items()}
    for name, (start, stop) in sorted(places.items(), key=lambda item: item[1]):
        if start != end or stop > len(elements):
            said = f"It says {start} to {stop}; it must follow at {end}, within {len(elements)}"
            raise ArchiveError(f"{origin}: {name!r:.80} is out of place. {said}.")
        arrays[name], end = _array(elements[start:stop], name, table[name], origin), stop
    if end != len(elements):
        raise ArchiveError(f"{origin}: must end with its last array, at {end}. It ends at {len(elements)}.")
    return Tensors(arrays, metadata)


def _table(data: bytes, origin: str) -> dict[str, Any]:
    try:
        made = json.loads(data, object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"{origin}: the header is damaged: {error}.") from error
    if not isinstance(made, dict):
        raise ArchiveError(f"{origin}: the header must be a table. It begins with {data[:20]!r}.")
    return made


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name is there twice")
    return made


def _offsets(name: str, entry: Any, origin: str) -> tuple[int, int]:
    """Where a tensor's elements begin and end; all of its entry checked. Raises ArchiveError."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ArchiveError(f"{origin}: {name!r:.80} must say dtype, shape and data_offsets. Got {entry!r:.80}.")
    dtype, shape, place = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _NAMES:
        raise ArchiveError(f"{origin}: {name!r:.80} must be one of {', '.join(_NAMES)}. Got {dtype!r:.80}.")
    if not _counts(shape) or len(shape) > 64 or not _counts(place) or len(place) != 2:
        raise ArchiveError(f"{origin}: {name!r:.80} has no sound shape and place: {shape!r:.80}, {place!r:.80}.")
    if place[1] - place[0] != math.prod(shape) * ITEMSIZE[_NAMES[dtype]]:
        said = f"{dtype}{shape!s:.80} does not take the bytes {place[0]} to {place[1]}"
        raise ArchiveError(f"{origin}: {name!r:.80}: {said}.")
    return place[0], place[1]


def _counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(n) is int and 0 <= n < 1 << 62 for n in values)


def _array(part: memoryview, name: str, entry: dict[str, Any], origin: str) -> NDArray:
    dtype = numpy_dtype(_NAMES[entry["dtype"]])
    flat = np.frombuffer(part, np.uint8)
    if flat.ctypes.data % dtype.alignment:
        flat = flat.copy()  # kernels take aligned addresses
    if dtype.kind == "b" and flat.max(initial=0) > 1:
        raise ArchiveError(f"{origin}: {name!r:.80} must hold bools, bytes of 0 and 1. Got {flat.max()}.")
    made = flat.view(dtype)
    if sys.byteorder == "big":
        made = made.byteswap()
    try:
        return wrap(made.reshape(entry["shape"]))
    except ValueError as error:  # lengths that NumPy cannot count, beside a 0
        said = f"{name!r:.80} has the shape {entry['shape']!s:.80}, which no array has"
        raise ArchiveError(f"{origin}: {said}.") from error
