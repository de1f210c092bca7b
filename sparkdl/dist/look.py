"""The pass over the table before training: one plain Spark job measures columns and steps, the driver judges.

`df` is a DataFrame; this module does not import pyspark.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import pyarrow as pa

from sparkdl.base.record import from_conf, record, to_conf
from sparkdl.data import check
from sparkdl.data.encode import Encoder
from sparkdl.data.schema import Columns, Steps
from sparkdl.data.survey import Survey, merge_all, survey
from sparkdl.dist import wire
from sparkdl.dist.columns import named
from sparkdl.dist.faults import attempt
from sparkdl.dist.job import FitConf

DDL = "kind string, text string"


@record
class Asked:
    """What is measured, as it travels."""

    columns: Columns
    steps: Steps
    task: str


def look(df: Any, conf: FitConf) -> Encoder:
    """The encoder fitted on the table; df holds the used columns, `numbered`.

    Raises DataError with every fault that the rows have.
    """
    asked = to_conf(Asked(conf.columns, conf.steps, conf.task))
    rows = df.mapInArrow(partial(look_task, asked), DDL).toArrow().to_pylist()
    for row in rows:
        if row["kind"] == "error":
            raise wire.error_of(row["text"].encode())
    found = merge_all((Survey.from_json(row["text"]) for row in rows), conf.steps)
    outputs = conf.network.specs(1)[conf.network.outputs[0]].size
    return check.fit(found, conf.columns, conf.steps, conf.network.inputs, conf.task, outputs, conf.classes)


def look_task(asked: dict[str, Any], batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What a Spark task does: one row with the survey of its rows, or with the fault that it met."""
    made = from_conf(Asked, asked)
    found, fault = attempt(survey, named(batches, made.columns.used()), made.columns, made.steps, made.task)
    row = ("survey", found.to_json()) if found else ("error", wire.error_text(fault) if fault else "{}")
    yield pa.record_batch([[value] for value in row], names=["kind", "text"])
