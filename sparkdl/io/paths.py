"""Files by path: local ones directly, others (hdfs, s3a, gs, abfss) through pyarrow's file systems.

A file is written beside its place and renamed, so that nobody ever sees half of one.
"""

import contextlib
import os
from collections.abc import Iterator
from typing import IO, Any, cast
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from sparkdl.base.errors import ArchiveError

Path = str | os.PathLike[str]
_SCHEMES = {"s3a": "s3", "s3n": "s3", "wasbs": "abfss"}  # Hadoop's names that pyarrow knows by another


def exists(path: Path) -> bool:
    """Whether there is a file or folder."""
    if (here := local(path)) is not None:
        return os.path.exists(here)
    system, name = _remote(path)
    with _told(path, "looked up"):
        return bool(system.get_file_info(name).type.name != "NotFound")


@contextlib.contextmanager
def open_input(path: Path) -> Iterator[IO[bytes]]:
    """A seekable file to read from. Raises ArchiveError when it cannot be opened."""
    here = local(path)
    with contextlib.ExitStack() as stack:
        with _told(path, "read"):
            if here is not None:
                file: Any = stack.enter_context(open(here, "rb"))
            else:
                system, name = _remote(path)
                file = stack.enter_context(system.open_input_file(name))
        yield cast(IO[bytes], file)


@contextlib.contextmanager
def open_output_atomic(path: Path, overwrite: bool = False) -> Iterator[IO[bytes]]:
    """A file to write to, which is at `path` only once the block has ended well. Missing folders are made.

    Raises ArchiveError for a path that is taken (unless `overwrite`) or cannot be written.
    """
    refuse_taken(path, overwrite)
    output = _local_output if local(path) is not None else _remote_output
    with output(path, overwrite) as file:
        yield file


def check_output(path: Path, overwrite: bool = False) -> None:
    """Raise ArchiveError, before any work is done, when `open_output_atomic` would refuse the path.

    Makes the missing folders and, for a moment, an empty file beside the path.
    """
    refuse_taken(path, overwrite)
    if (here := local(path)) is not None:
        with _told(path, "written"):
            os.unlink(_beside(here))
        return
    system, name = _remote(path)
    with _told(path, "written"):
        _remote_folder(system, name)


def refuse_taken(path: Path, overwrite: bool) -> None:
    """Raise ArchiveError for a folder, and for a file unless it may be overwritten."""
    here = local(path)
    if here is not None and os.path.isdir(here):
        raise ArchiveError(f"{path}: is a folder. Give the name of a file in it.")
    if not overwrite and exists(path):
        raise ArchiveError(f"{path}: there is a file already. Give another name, or overwrite=True.")


def local(path: Path) -> str | None:
    """The plain path of a local file, None for one that lies elsewhere.

    >>> local("file:///tmp/a%20b.zip"), local("model.zip"), local("hdfs://nn/model.zip")
    ('/tmp/a b.zip', 'model.zip', None)
    """
    text = os.fspath(path)
    if text.startswith("file:/"):
        return unquote(urlsplit(text).path)
    return None if "://" in text else text


def _remote(path: Path) -> tuple[Any, str]:
    """pyarrow's file system for a URI, and the path in it."""
    from pyarrow import fs  # some 20 ms that local files need not pay

    scheme, rest = os.fspath(path).split("://", 1)
    try:
        return cast(tuple[Any, str], fs.FileSystem.from_uri(f"{_SCHEMES.get(scheme, scheme)}://{rest}"))
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ArchiveError(
            f"{path}: {scheme}:// cannot be opened here: {reason}. Write to a local path and copy the file, "
            "or install what pyarrow needs for this scheme (hdfs: HADOOP_HOME and libhdfs)."
        ) from error


@contextlib.contextmanager
def _local_output(path: Path, overwrite: bool) -> Iterator[IO[bytes]]:
    here = cast(str, local(path))
    with _told(path, "written"):
        beside = _beside(here)
    try:
        with _told(path, "written"), open(beside, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        refuse_taken(path, overwrite)  # again: someone may have been faster
        with _told(path, "written"):
            os.replace(beside, here)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)


def _beside(path: str) -> str:
    """A new empty file in the folder of `path`, which is made when missing."""
    folder, name = os.path.split(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    made = os.path.join(folder, f".{name}.{os.urandom(6).hex()}.part")
    with open(made, "xb"):
        return made


@contextlib.contextmanager
def _remote_output(path: Path, overwrite: bool) -> Iterator[IO[bytes]]:
    system, name = _remote(path)
    with _told(path, "written"):
        _remote_folder(system, name)
        beside = f"{name}.{os.urandom(6).hex()}.part"
        try:
            with system.open_output_stream(beside) as file:
                yield cast(IO[bytes], file)
            refuse_taken(path, overwrite)
            if overwrite and system.get_file_info(name).is_file:
                system.delete_file(name)  # HDFS does not rename onto a file
            system.move(beside, name)
        except BaseException:
            with contextlib.suppress(Exception):
                system.delete_file(beside)
            raise


def _remote_folder(system: Any, name: str) -> None:
    folder = name.rpartition("/")[0]
    if folder and system.get_file_info(folder).type.name == "NotFound":
        system.create_dir(folder)


@contextlib.contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    """Errors of the operating system and of pyarrow as an ArchiveError naming the path."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise ArchiveError(f"{path}: cannot be {what}: {getattr(error, 'strerror', None) or error}.") from error
