"""Local Parquet and Arrow files, read a batch at a time. On a cluster Spark reads; this is for a machine without it.

Parquet goes through `iter_batches`: a row group, or a dataset scan, takes all of Spark's 128 MB groups decoded at once.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from sparkdl.base.errors import DataError
from sparkdl.base.registry import near

BATCH_ROWS = 8192
_FORMATS = {".parquet": "parquet", ".arrow": "ipc", ".ipc": "ipc", ".feather": "ipc"}


def schema(path: str | os.PathLike[str]) -> Any:
    """The Arrow schema of a file, or of a folder of files with Hive partitions (`day=3/part-0.parquet`)."""
    return _dataset(local(path)).schema


def read(
    path: str | os.PathLike[str], columns: Sequence[str] | None = None, batch_rows: int = BATCH_ROWS
) -> Iterator[Any]:
    """RecordBatches of at most `batch_rows` rows, file by file in the order of their names, only with `columns`.

    Raises DataError at once for a path or column that is not there, and on reading for a damaged file.
    """
    data = _dataset(local(path))
    names = list(columns) if columns is not None else data.schema.names
    for name in names:
        if name not in data.schema.names:
            known = ", ".join(data.schema.names)
            raise DataError(f"{path}: no column named {name!r}.{near(name, data.schema.names)} It has: {known}.")
    return _batches(data, names, batch_rows)


def local(path: str | os.PathLike[str]) -> str:
    """The path without "file://". Raises DataError for other schemes, which Spark reads, and for what is not there."""
    text = os.fspath(path)
    parts = urlsplit(text)
    if parts.scheme == "file":
        text = unquote(parts.path)
    elif "://" in text:
        raise DataError(f"{text}: only local files are read here. Read {parts.scheme}:// with Spark.")
    if not os.path.exists(text):
        raise DataError(f"{text}: there is no such file or folder.")
    return text


def _dataset(path: str) -> Any:
    kind = _FORMATS.get(os.path.splitext(_sample(path))[1].lower())
    if kind is None:
        raise DataError(f"{path}: must be, or hold, files named {', '.join(_FORMATS)}. Got {_sample(path)!r}.")
    try:
        return ds.dataset(path, format=kind, partitioning="hive")
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: cannot be read as {kind}: {error}") from error


def _sample(path: str) -> str:
    """The file itself, or the first data file of a folder; Spark's `_SUCCESS` and hidden files are no data."""
    if os.path.isfile(path):
        return path
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        if named := sorted(name for name in files if not name.startswith((".", "_"))):
            return os.path.join(folder, named[0])
    raise DataError(f"{path}: the folder holds no data files.")


def _batches(data: Any, names: list[str], batch_rows: int) -> Iterator[Any]:
    for fragment in data.get_fragments():
        try:
            yield from _fragment(data, fragment, names, batch_rows)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{fragment.path}: cannot be read: {error}") from error


def _fragment(data: Any, fragment: Any, names: list[str], batch_rows: int) -> Iterator[Any]:
    if fragment.format.default_extname != "parquet":
        yield from fragment.to_batches(schema=data.schema, columns=names, batch_size=batch_rows, use_threads=False)
        return
    keys = ds.get_partition_keys(fragment.partition_expression)
    wanted = pa.schema([data.schema.field(name) for name in names])
    with pq.ParquetFile(fragment.path) as file:
        stored = [name for name in names if name not in keys]
        for batch in file.iter_batches(batch_rows, columns=stored):
            yield _with_keys(batch, keys, wanted)


def _with_keys(batch: Any, keys: dict[str, Any], wanted: Any) -> Any:
    """The batch with the columns that its folder's name gives, in the order and types of the table."""
    filled = np.zeros(batch.num_rows, np.int64)
    columns = [
        pa.array([keys[f.name]], f.type).take(pa.array(filled)) if f.name in keys else batch.column(f.name).cast(f.type)
        for f in wanted
    ]
    return pa.RecordBatch.from_arrays(columns, schema=wanted)
