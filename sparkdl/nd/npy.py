"""The .npy format: a magic, a version, a header that is a Python literal, the elements.

numpy.lib.format takes the memory that a header asks for before it looks how long the file is, and evaluates headers of
any nesting; here both are checked first. Versions 1, 2 and 3 are read, 1 is written.
"""

import ast
import math
import os
import re
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray as Numpy

from sparkdl.base.errors import ArchiveError
from sparkdl.base.spec import ITEMSIZE
from sparkdl.nd import memory

MAGIC = b"\x93NUMPY"
_LONGEST = 10_000  # bytes of a header, NumPy's own bound: those of plain arrays have some 100
_PIECE = 16 << 20  # bytes read at once of a file whose length is not known
_PLAIN = re.compile(r"[<>|=]?[biufc]\d{1,2}")
_KEYS = {"descr", "fortran_order", "shape"}


@dataclass(frozen=True)
class Header:
    """What a file says of its array."""

    dtype: "np.dtype[Any]"
    fortran: bool
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the elements."""
        return math.prod(self.shape) * self.dtype.itemsize

    def placed(self, memory: Any, start: int, origin: str) -> Numpy[Any]:
        """The array in that memory. Raises ArchiveError where it is too short, ValueError where a copy is needed."""
        if start + self.nbytes > len(memory):
            raise ArchiveError(_short(origin, self, len(memory) - start))
        if not self.dtype.isnative or start % self.dtype.itemsize:
            why = f"they begin at byte {start}" if self.dtype.isnative else f"they are {self.dtype.str} in byte order"
            raise ValueError(f"{origin}: these elements cannot be mapped: {why}. Load without mmap.")
        flat = np.frombuffer(memory[start : start + self.nbytes], np.uint8)
        return self.formed(flat.view(self.dtype), origin)

    def formed(self, data: Numpy[Any], origin: str) -> Numpy[Any]:
        """The elements in their shape. Raises ArchiveError for bools that are none: NumPy would compute nonsense."""
        if data.dtype == bool and data.view(np.uint8).max(initial=0) > 1:
            raise ArchiveError(f"{origin}: must hold bools, bytes of 0 and 1. Got {data.view(np.uint8).max()}.")
        return data.reshape(self.shape, order="F" if self.fortran else "C")


def write(file: IO[bytes], data: Numpy[Any]) -> None:
    """An array of a dtype that .npy has, in the order in which it lies."""
    np.lib.format.write_array(file, data, version=(1, 0), allow_pickle=False)


def read(file: IO[bytes], origin: str) -> Numpy[Any]:
    """The array that follows the magic. Raises ArchiveError."""
    found = header(file, origin)
    left = _left(file)
    if left is not None and found.nbytes > left:
        raise ArchiveError(_short(origin, found, left))
    flat = _filled(file, found, origin) if left is not None else _pieces(file, found, origin)
    return found.formed(flat if flat.dtype.isnative else flat.astype(flat.dtype.newbyteorder("=")), origin)


def header(file: IO[bytes], origin: str) -> Header:
    """The version and header that follow the magic, checked. Raises ArchiveError."""
    version = exactly(file, 2, origin)
    if version not in (b"\x01\x00", b"\x02\x00", b"\x03\x00"):
        raise ArchiveError(f"{origin}: .npy version must be 1.0, 2.0 or 3.0. Got {version[0]}.{version[1]}.")
    length = int.from_bytes(exactly(file, 2 if version[0] == 1 else 4, origin), "little")
    if length > _LONGEST:
        raise ArchiveError(f"{origin}: the .npy header must have at most {_LONGEST:,} bytes. It says {length:,}.")
    text = exactly(file, length, origin).decode("utf-8" if version[0] == 3 else "latin1", "replace")
    return _parsed(text, origin)


def _parsed(text: str, origin: str) -> Header:
    try:
        table = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError) as error:
        raise ArchiveError(f"{origin}: the .npy header is damaged: {text[:80]!r}.") from error
    if not isinstance(table, dict) or table.keys() != _KEYS:
        raise ArchiveError(f"{origin}: the .npy header must hold {', '.join(sorted(_KEYS))}. Got {text[:80]!r}.")
    fortran, shape = table["fortran_order"], table["shape"]
    if not isinstance(fortran, bool) or not isinstance(shape, tuple) or len(shape) > 64:
        raise ArchiveError(f"{origin}: the .npy header must say a shape and a bool. Got {text[:80]!r}.")
    if not all(type(n) is int and 0 <= n < 1 << 62 for n in shape) or math.prod(n for n in shape if n) >= 1 << 59:
        raise ArchiveError(f"{origin}: the .npy header says the shape {str(shape)[:80]}, which no array has.")
    return Header(_dtype(table["descr"], origin), fortran, shape)


def _dtype(descr: Any, origin: str) -> "np.dtype[Any]":
    if isinstance(descr, str) and descr.lstrip("<>|=").startswith("O"):
        raise ArchiveError(f"{origin}: holds Python objects, which are pickled. They are never opened.")
    if isinstance(descr, str) and _PLAIN.fullmatch(descr):
        try:
            made = np.dtype(descr)
        except TypeError:
            made = None
        if made is not None and made.name in ITEMSIZE:
            return made
    raise ArchiveError(f"{origin}: elements must be one of {', '.join(ITEMSIZE)}. Got {str(descr)[:80]!r}.")


def exactly(file: IO[bytes], count: int, origin: str) -> bytes:
    """So many bytes. Raises ArchiveError when the file ends before."""
    parts = b""
    while len(parts) < count:
        part = file.read(count - len(parts))
        if not part:
            raise ArchiveError(f"{origin}: is cut off: it ends within the header.")
        parts += part
    return parts


def _left(file: IO[bytes]) -> int | None:
    """How many bytes follow, None where the file cannot tell."""
    try:
        here = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(here)
    except (OSError, AttributeError, ValueError):
        return None
    return end - here


def _filled(file: IO[bytes], found: Header, origin: str) -> Numpy[Any]:
    """The elements of a file that is known to have them."""
    data = memory.empty((math.prod(found.shape),), found.dtype)
    view, at = data.view(np.uint8), 0
    while at < len(view):
        part = file.read(min(len(view) - at, _PIECE))
        if not part:
            raise ArchiveError(_short(origin, found, at))
        view[at : at + len(part)] = np.frombuffer(part, np.uint8)
        at += len(part)
    return data


def _pieces(file: IO[bytes], found: Header, origin: str) -> Numpy[Any]:
    """The elements of a stream: memory is taken as they come."""
    got = bytearray()
    while len(got) < found.nbytes:
        part = file.read(min(found.nbytes - len(got), _PIECE))
        if not part:
            raise ArchiveError(_short(origin, found, len(got)))
        got += part
    return np.frombuffer(got, found.dtype)


def _short(origin: str, found: Header, left: int) -> str:
    said = f"{found.dtype}{list(found.shape)} needs {found.nbytes:,} bytes"
    return f"{origin}: is cut off: {said}, {max(left, 0):,} are there."
