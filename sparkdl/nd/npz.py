"""The .npz format: a zip of .npy files. Members are read one by one, when asked for, and never extracted to disk."""

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray as Numpy

from sparkdl.base.errors import ArchiveError
from sparkdl.nd import npy
from sparkdl.nd.array import NDArray, wrap

MOST = 8 << 30  # bytes of one array of a compressed file, unless the caller says otherwise
_STAMP = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say: equal arrays are equal bytes
_ENCRYPTED = 1
_FAULTS = (
    zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error, IndexError, NotImplementedError,
    OSError,
)  # fmt: skip


class Arrays(Mapping[str, NDArray]):
    """The arrays of a .npz by name, read-only; each is read anew when asked for. Close it, or use it in `with`."""

    def __init__(self, file: IO[bytes], origin: str, most: int = MOST) -> None:
        self._file, self._origin, self._most = file, origin, most
        try:
            self._zip = zipfile.ZipFile(file)
        except _FAULTS as error:
            raise ArchiveError(f"{origin}: is a damaged or cut-off zip: {error}.") from error
        self._members = _checked(self._zip.infolist(), origin)

    def __getitem__(self, name: str) -> NDArray:
        info = self._members[name]
        origin = f"{self._origin}: {info.filename}"
        if info.compress_type != zipfile.ZIP_STORED and info.file_size > self._most:
            said = f"It says {info.file_size:,}; give `most`, if the file is to be trusted"
            raise ArchiveError(f"{origin}: must unpack to at most {self._most:,} bytes. {said}.")
        try:
            return wrap(self._read(info, origin))
        except ArchiveError:
            raise
        except _FAULTS as error:
            raise ArchiveError(f"{origin}: is damaged: {error}.") from error

    def _read(self, info: zipfile.ZipInfo, origin: str) -> Numpy[Any]:
        with self._zip.open(info) as member:
            if member.read(len(npy.MAGIC)) != npy.MAGIC:
                raise ArchiveError(f"{origin}: is no .npy file.")
            made = npy.read(_Bounded(member, info.file_size - len(npy.MAGIC)), origin)  # type: ignore[arg-type]
            member.read()  # to the end, where the checksum is compared
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def close(self) -> None:
        """Close the file. Arrays that were read stay."""
        self._zip.close()
        self._file.close()

    def __enter__(self) -> "Arrays":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_members"):
            self.close()

    def __repr__(self) -> str:
        return f"Arrays({self._origin!r}, {', '.join(self._members)})"


class _Bounded:
    """A member that knows how many bytes it has left: seeking to its end would unpack all of it."""

    def __init__(self, file: IO[bytes], left: int) -> None:
        self._file, self._at, self._end = file, 0, left

    def read(self, count: int) -> bytes:
        part = self._file.read(count)
        self._at += len(part)
        return part

    def tell(self) -> int:
        return self._at

    def seek(self, to: int, whence: int = os.SEEK_SET) -> int:
        """Answers where the end is; the place is not moved, and is asked back at once."""
        return self._end if whence == os.SEEK_END else to


def pack(file: IO[bytes], members: Mapping[str, Numpy[Any]], compressed: bool) -> None:
    """Write arrays as a .npz, the same bytes each time."""
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    for name in members:
        _check_name(f"{name}.npy", "savez")
    with zipfile.ZipFile(file, "w", kind) as out:
        for name, data in members.items():
            info = zipfile.ZipInfo(f"{name}.npy", _STAMP)
            info.compress_type, info.create_system, info.external_attr = kind, 3, 0o644 << 16  # whatever the machine
            with out.open(info, "w", force_zip64=data.nbytes >= 1 << 30) as member:
                npy.write(member, np.asarray(data))


def _checked(infos: list[zipfile.ZipInfo], origin: str) -> dict[str, zipfile.ZipInfo]:
    """Members by the names of their arrays. Raises ArchiveError for what no honest .npz holds."""
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        _check_name(info.filename, origin)
        name = info.filename.removesuffix(".npy")
        if name in found:
            raise ArchiveError(f"{origin}: holds {info.filename!r} twice.")
        if info.flag_bits & _ENCRYPTED:
            raise ArchiveError(f"{origin}: {info.filename!r} must not be encrypted.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveError(f"{origin}: {info.filename!r} must be stored or deflated. Got {info.compress_type}.")
        found[name] = info
    return found


def _check_name(name: str, origin: str) -> None:
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in name or "\0" in name:
        raise ArchiveError(f"{origin}: {name[:80]!r} is a path that leaves the archive.")
    if not name.endswith(".npy"):
        raise ArchiveError(f"{origin}: holds {name[:80]!r}, which is no .npy; an .npz holds nothing else.")
