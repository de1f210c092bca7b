"""How a network's bytes reach the executors: inside the function where they are few, else as a file of the session.

Both ways work on classic sessions and on Spark Connect. A file's name is the hash of its content, so that shipping the
same network again costs little and a changed network never meets a stale file.
"""

import atexit
import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

IN_CLOSURE = 8 << 20  # bytes: above, a closure costs every task more than a file costs every executor


@dataclass(frozen=True)
class Parcel:
    """Bytes that travel. `data` is None when they lie in the session's file named `name`."""

    digest: str
    data: bytes | None = None

    @property
    def name(self) -> str:
        """The name of the file that holds them."""
        return f"sparkdl-{self.digest}.zip"

    def read(self) -> bytes:
        """The bytes, on an executor."""
        if self.data is not None:
            return self.data
        from pyspark import SparkFiles

        return Path(SparkFiles.get(self.name)).read_bytes()


def ship(spark: "SparkSession", data: bytes, limit: int = IN_CLOSURE) -> Parcel:
    """Make `data` readable on all executors of the session."""
    digest = hashlib.sha256(data).hexdigest()
    if len(data) <= limit:
        return Parcel(digest, data)
    parcel = Parcel(digest)
    path = Path(_folder(), parcel.name)
    if not path.exists():
        path.write_bytes(data)
    spark.addArtifacts(str(path), file=True)
    return parcel


@lru_cache(1)
def _folder() -> str:
    """Where the files lie until this process ends: executors that join later fetch them from here."""
    made = tempfile.mkdtemp(prefix="sparkdl-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
