"""What a rank sends back: rows of at most 1 MB that say how many there are and what they must sum to.

Spark can lose rows without a word when the driver's heap is small, so the driver counts and checks. A row is
(kind, seq, total, crc32, bytes). Kind "result" carries a safetensors file (state vector; history as JSON in its
metadata); kind "error" carries a fault that trying again would not mend, to be raised on the driver as what it was.
"""

import json
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sparkdl.base import errors
from sparkdl.base.errors import ClusterError, SparkdlError
from sparkdl.dist.faults import Lost

ROW = 1 << 20  # bytes of payload in a row
SCHEMA = pa.schema(
    [("kind", pa.string()), ("seq", pa.int32()), ("total", pa.int32()), ("crc", pa.int64()), ("bytes", pa.binary())]
)
DDL = "kind string, seq int, total int, crc bigint, bytes binary"  # the same, as Spark writes it


def rows(kind: str, payload: bytes, size: int = ROW) -> Iterator[pa.RecordBatch]:
    """`payload` as rows, one a batch. An empty payload is one row.

    >>> [batch["bytes"][0].as_py() for batch in rows("result", b"abcde", size=2)]
    [b'ab', b'cd', b'e']
    """
    total = max(1, -(-len(payload) // size))
    for seq in range(total):
        part = payload[seq * size : (seq + 1) * size]
        columns = [[kind], [seq], [total], [zlib.crc32(part)], [part]]
        yield pa.record_batch([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def payload(table: pa.Table) -> bytes:
    """What the rows held, in any order. Raises Lost when some are missing or damaged, or a row's error."""
    found = table.to_pylist()
    for row in found:
        if row["kind"] == "error":
            raise error_of(row["bytes"])
    parts = {row["seq"]: row for row in found if row["kind"] == "result"}
    total = max((row["total"] for row in found), default=0)
    if not parts or set(parts) != set(range(total)):
        raise Lost(f"Spark lost {max(total, 1) - len(parts)} of {max(total, 1)} result rows. {_MORE_HEAP}")
    damaged = [seq for seq, row in parts.items() if zlib.crc32(row["bytes"]) != row["crc"]]
    if damaged:
        raise Lost(f"result rows {damaged} of {total} came damaged. {_MORE_HEAP}")
    return b"".join(parts[seq]["bytes"] for seq in range(total))


def pack(state: NDArray[np.float32], report: dict[str, Any]) -> bytes:
    """A state vector and a JSON report as one safetensors file."""
    from safetensors.numpy import save

    return bytes(save({"state": state}, metadata={"report": json.dumps(report)}))


def unpack(data: bytes) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """What `pack` packed.

    >>> unpack(pack(np.ones(2, np.float32), {"rows": 3}))
    (array([1., 1.], dtype=float32), {'rows': 3})
    """
    from safetensors.numpy import load

    head = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return load(data)["state"], json.loads(head["__metadata__"]["report"])


def error_rows(error: SparkdlError) -> Iterator[pa.RecordBatch]:
    """A fault as a row."""
    return rows("error", error_text(error).encode(), size=1 << 30)


def error_text(error: SparkdlError) -> str:
    """A fault as JSON."""
    return json.dumps({"type": type(error).__name__, "what": str(error)})


def error_of(data: bytes) -> SparkdlError:
    """The fault of an error row, as the class it was where that is one of ours.

    >>> error_of(b'{"type": "DataError", "what": "no rows"}')
    DataError('no rows')
    """
    said = json.loads(data)
    cls = getattr(errors, said["type"], None)
    if isinstance(cls, type) and issubclass(cls, SparkdlError):
        return cls(said["what"])
    return ClusterError(said["what"])


_MORE_HEAP = "Its driver may be short of memory: raise spark.driver.memory."
