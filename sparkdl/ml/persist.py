"""Saving and loading stages as pyspark.ml does: `path/metadata`, and for models `path/model`.

The model is the network's archive, cut into rows (seq, total, crc, bytes) of 1 MB in a Parquet table, because a
DataFrame is the one thing that every session can write to every file system. Spark may lose rows without an error when
the driver is short of memory, so the rows are counted and summed on loading.
"""

import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any, cast

import pyarrow as pa
from pyspark.ml.param import Params
from pyspark.ml.util import DefaultParamsReader, DefaultParamsWriter, MLReadable, MLReader, MLWritable, MLWriter
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.utils import is_remote

from sparkdl.base.errors import ArchiveError

ROW = 1 << 20  # bytes a row
GROUP = 16  # rows a file: Spark's Parquet reader takes a whole file of so few rows into memory at once
_SCHEMA = "seq int, total int, crc long, bytes binary"
_ARROW = pa.schema([("seq", pa.int32()), ("total", pa.int32()), ("crc", pa.int64()), ("bytes", pa.binary())])


class Saved(MLWritable, MLReadable[Any]):
    """A stage that can be saved: its params, and what `_payload` gives."""

    uid: str

    def write(self) -> MLWriter:
        """The writer: `stage.write().overwrite().save(path)`."""
        return Writer(cast(Params, self))

    @classmethod
    def read(cls) -> "Reader":
        """The reader: `Class.read().load(path)`."""
        return Reader(cls)

    def _payload(self) -> tuple[bytes, dict[str, Any]] | None:
        """The archive and further metadata of a model; None for stages that are all params."""
        return None

    def _restore(self, read: Callable[[], bytes], extra: Any) -> None:
        """Take over what `_payload` gave: `read()` gives the archive; extra is None where nothing was given."""


class Writer(DefaultParamsWriter):
    """Writes a stage. Refuses a path that exists, unless `overwrite()` was called."""

    def saveImpl(self, path: str) -> None:
        payload = cast(Saved, self.instance)._payload()
        extra = {"sparkdl": payload[1]} if payload else None
        DefaultParamsWriter.saveMetadata(self.instance, path, self.sparkSession, extra)
        if payload:
            write_bytes(self.sparkSession, f"{path.rstrip('/')}/model", payload[0])

    def _handleOverwrite(self, path: str) -> None:
        if not is_remote():
            return super()._handleOverwrite(path)
        # Over Connect pyspark's own way looks for a JVM; the server has a helper for it, which its JVM stages use.
        from pyspark.ml.util import ML_CONNECT_HELPER_ID
        from pyspark.ml.wrapper import JavaWrapper

        helper = JavaWrapper(java_obj=cast(Any, ML_CONNECT_HELPER_ID))
        helper._call_java("handleOverwrite", path, True)
        return None


class Reader(MLReader[Any]):
    """Reads a stage of class `cls`. Raises ArchiveError for what is not one."""

    def __init__(self, cls: type[Saved]) -> None:
        super().__init__()
        self.cls = cls

    def load(self, path: str) -> Any:
        """The stage saved at `path`."""
        metadata = self._metadata(path)
        stage = self.cls()
        _take_params(cast(Params, stage), metadata, path)
        stage._restore(lambda: read_bytes(self.sparkSession, f"{path.rstrip('/')}/model"), metadata.get("sparkdl"))
        return stage

    def _metadata(self, path: str) -> dict[str, Any]:
        text = self.sparkSession.read.text(f"{path.rstrip('/')}/metadata").first()
        try:
            found: dict[str, Any] = json.loads(text[0] if text else "")
            named = str(found["class"])
        except (ValueError, KeyError, TypeError) as error:
            raise ArchiveError(f"{path}: metadata is not that of a Spark ML stage ({error!r}).") from None
        wanted = f"{self.cls.__module__}.{self.cls.__name__}"
        if named != wanted:
            raise ArchiveError(f"{path}: must hold a {wanted}. Got a {named}. Load it with that class.")
        return found


def _take_params(stage: Params, metadata: dict[str, Any], path: str) -> None:
    try:
        stage._resetUid(metadata["uid"])
        DefaultParamsReader.getAndSetParams(cast(Any, stage), metadata)
    except (KeyError, AttributeError, TypeError, ValueError, AssertionError) as error:
        raise ArchiveError(f"{path}: metadata does not fit {type(stage).__name__}: {error}") from None


def write_bytes(spark: SparkSession, path: str, data: bytes) -> None:
    """Write `data` as a Parquet table at `path`. Raises Spark's own error when something is there."""
    mode = "error"
    for group in _groups(data):
        spark.createDataFrame(group).coalesce(1).write.mode(mode).parquet(path)
        mode = "append"


def _groups(data: bytes) -> Iterator[Any]:
    total = max(1, -(-len(data) // ROW))
    for first in range(0, total, GROUP):
        seqs = range(first, min(first + GROUP, total))
        parts = [data[k * ROW : (k + 1) * ROW] for k in seqs]
        columns = [list(seqs), [total] * len(parts), [zlib.crc32(p) for p in parts], parts]
        yield pa.table([pa.array(c, t.type) for c, t in zip(columns, _ARROW, strict=True)], schema=_ARROW)


def read_bytes(spark: SparkSession, path: str) -> bytes:
    """What `write_bytes` wrote. Raises ArchiveError when rows are missing, doubled or changed."""
    rows = spark.read.schema(_SCHEMA).parquet(path)
    parts: list[bytes] = []
    total = 1
    while len(parts) < total:
        found = _group(rows.where(f"seq >= {len(parts)} and seq < {len(parts) + GROUP}"), path)
        total = total if parts else max(1, found[0]["total"] if found else 1)
        _take(found, parts, min(len(parts) + GROUP, total), total, path)
    return b"".join(parts)


def _group(rows: DataFrame, path: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = rows.toArrow().to_pylist()
    except Exception as error:  # which one, depends on the session's kind and on what is wrong with the file
        raise ArchiveError(f"{path}: cannot be read as a saved model: {str(error).splitlines()[0]}") from error
    return sorted(found, key=lambda row: int(row["seq"]))


def _take(found: list[dict[str, Any]], parts: list[bytes], until: int, total: int, path: str) -> None:
    """Append the next rows, which must lead up to row `until`, to `parts`."""
    for row in found:
        data = row["bytes"] or b""
        if (row["seq"], row["total"], row["crc"]) != (len(parts), total, zlib.crc32(data)):
            raise ArchiveError(f"{path}: row {len(parts)} of the model is missing or damaged.")
        parts.append(data)
    if len(parts) != until:
        raise ArchiveError(f"{path}: the model is cut short. Got {len(parts)} rows of {total}.")
