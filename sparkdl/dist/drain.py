"""A rank's rows, taken from Spark once and kept in memory for all epochs."""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sparkdl.data.batches import Table, gather
from sparkdl.data.encode import Encoder
from sparkdl.dist.job import ORDER


def drain(batches: Iterable[pa.RecordBatch], encoder: Encoder) -> Table:
    """All rows, encoded, in the order of their column ORDER where there is one; none is fine.

    A shuffle hands out its blocks in the order in which they come, which differs from run to run: without a fixed order
    the same seed would not give the same network.
    """
    places: list[NDArray[np.int64]] = []

    def parts() -> Iterator[Table]:
        for batch in batches:
            if ORDER in batch.schema.names:
                places.append(batch.column(ORDER).to_numpy(zero_copy_only=False))
            yield encoder.pack(batch)
        yield Table({name: np.empty((0, *shape), np.float32) for name, shape in encoder.shapes.items()})

    table = gather(parts())
    return _sorted(table, np.concatenate(places)) if places else table


def _sorted(table: Table, place: NDArray[np.int64]) -> Table:
    if (place[1:] > place[:-1]).all():
        return table
    order = np.argsort(place, kind="stable")
    x = {name: value[order] for name, value in table.x.items()}
    y, weight = (None if v is None else v[order] for v in (table.y, table.weight))
    return dataclasses.replace(table, x=x, y=y, weight=weight)
