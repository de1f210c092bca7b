"""The zip that an archive is, read without trust: nothing is extracted, every size is bounded before it is read.

Members are stored, not compressed: tensors hardly shrink, equal networks give equal bytes on every machine, and a
small file cannot claim to hold a large one.
"""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import IO, Any

from sparkdl.base.errors import ArchiveError

CONF, METADATA, PARAMETERS, OPTIMIZER = "conf.json", "metadata.json", "parameters.safetensors", "optimizer.safetensors"
REQUIRED = (CONF, METADATA, PARAMETERS)
MOST_JSON = 16 << 20  # bytes
MOST_DEPTH = 64
_STAMP = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say: equal contents are equal bytes
_SIGNS: tuple[tuple[bytes, str], ...] = (
    (b"\x80\x02", "a pickle"), (b"\x80\x03", "a pickle"), (b"\x80\x04", "a pickle"), (b"\x80\x05", "a pickle"),
    (b"\x89HDF", "an HDF5 file, as Keras writes"), (b"PAR1", "a Parquet file"), (b"\x1f\x8b", "a gzip file"),
)  # fmt: skip
_ENCRYPTED = 1
_FAULTS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError, struct.error, IndexError)


def pack(members: Mapping[str, bytes]) -> bytes:
    """The zip of these members, the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _STAMP)
            info.create_system, info.external_attr = 3, 0o644 << 16  # as if on Unix, whatever the machine
            file.writestr(info, data)
    return buffer.getvalue()


class Container:
    """An opened archive whose list of members is known to be sound. `origin` names it in errors."""

    def __init__(self, file: IO[bytes], origin: str) -> None:
        self.origin = origin
        _check_head(file, origin)
        try:
            self._zip = zipfile.ZipFile(file)
        except _FAULTS as error:
            raise ArchiveError(f"{origin}: is a damaged or cut-off zip: {error}.") from error
        self._sizes = {info.filename: info.file_size for info in self._zip.infolist()}
        _check_members(self._zip.infolist(), origin)

    def __contains__(self, name: object) -> bool:
        return name in self._sizes

    def read(self, name: str, most: int) -> bytes:
        """A member's bytes, checked by its CRC. Raises ArchiveError when it has more than `most`, or is damaged."""
        if self._sizes[name] > most:
            raise ArchiveError(
                f"{self.origin}: {name} must have at most {most:,} bytes. It says {self._sizes[name]:,}."
            )
        try:
            return self._zip.read(name)
        except (*_FAULTS, NotImplementedError) as error:
            raise ArchiveError(f"{self.origin}: {name} is damaged: {error}.") from error

    def table(self, name: str) -> dict[str, Any]:
        """A JSON member, which must be a table of no great depth."""
        try:
            made = json.loads(self.read(name, MOST_JSON))
        except (ValueError, RecursionError) as error:
            if isinstance(error, ArchiveError):
                raise
            raise ArchiveError(f"{self.origin}: {name} is no JSON: {error}.") from error
        if not isinstance(made, dict):
            raise ArchiveError(f"{self.origin}: {name} must be a table. Got a {type(made).__name__}.")
        if _too_deep(made):
            raise ArchiveError(f"{self.origin}: {name} must not be nested deeper than {MOST_DEPTH}.")
        return made


def to_json(table: Mapping[str, Any], name: str) -> bytes:
    """A JSON member. Raises ArchiveError for what `Container.table` would not read back."""
    try:
        data = json.dumps(table, indent=1, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ArchiveError(f"{name}: cannot be written as JSON: {error}.") from error
    if len(data) > MOST_JSON or _too_deep(table):
        raise ArchiveError(f"{name}: must have at most {MOST_JSON:,} bytes and {MOST_DEPTH} levels. Got {len(data):,}.")
    return data


def _check_head(file: IO[bytes], origin: str) -> None:
    head = file.read(8)
    file.seek(0)
    for sign, what in _SIGNS:
        if head.startswith(sign):
            raise ArchiveError(f"{origin}: must be a sparkdl archive. It is {what}, which is not opened.")
    if not head.startswith(b"PK\x03\x04"):
        raise ArchiveError(f"{origin}: must be a sparkdl archive, a zip. It {'is empty' if not head else 'is none'}.")


def _check_members(members: list[zipfile.ZipInfo], origin: str) -> None:
    names = [info.filename for info in members]
    for name in names:
        _check_name(name, origin)
    for info in members:
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise ArchiveError(f"{origin}: {info.filename} must be stored. It is compressed, to any size when opened.")
        if info.flag_bits & _ENCRYPTED:
            raise ArchiveError(f"{origin}: {info.filename} must not be encrypted.")
    if twice := [name for k, name in enumerate(names) if name in names[:k]]:
        raise ArchiveError(f"{origin}: holds {twice[0]} twice.")
    if missing := [name for name in REQUIRED if name not in names]:
        raise ArchiveError(f"{origin}: lacks {', '.join(missing)}. Is it a sparkdl archive?")


def _check_name(name: str, origin: str) -> None:
    if name in (*REQUIRED, OPTIMIZER):
        return
    if name.endswith((".pkl", ".pickle", ".pt", ".bin")):
        raise ArchiveError(f"{origin}: holds {name!r}, a pickle (torch writes such zips), which is never opened.")
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or ":" in name:
        raise ArchiveError(f"{origin}: holds {name!r}, a path that leaves the archive.")
    raise ArchiveError(f"{origin}: holds {name!r}, which no sparkdl archive does.")


def _too_deep(value: Any) -> bool:
    """Whether lists and tables are nested deeper than MOST_DEPTH; level by level, so that no depth harms."""
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [
            w for v in level if isinstance(v, dict | list | tuple) for w in (v.values() if isinstance(v, dict) else v)
        ]
        if not level:
            return False
    return True
