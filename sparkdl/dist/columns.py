"""What to ask Spark's JVM for: the columns that are used, no wider than the encoder needs them. SQL texts only."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from sparkdl.data.arrow import is_list
from sparkdl.dist.job import ORDER, FitConf

NUMBERING = f"monotonically_increasing_id() AS {ORDER}"


def quoted(name: str) -> str:
    """A column's name in SQL.

    >>> quoted("a.b`c")
    '`a.b``c`'
    """
    return "`" + name.replace("`", "``") + "`"


def numbered(names: Sequence[str]) -> list[str]:
    """Names to travel under: pyspark's mapInArrow fails on a name with a dot.

    >>> numbered(["a.b", "c"])
    ['c0', 'c1']
    """
    return [f"c{k}" for k in range(len(names))]


def named(batches: Iterable[pa.RecordBatch], names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The batches with their own names again; columns that come after keep theirs."""
    for batch in batches:
        yield batch.rename_columns([*names, *batch.schema.names[len(names) :]])


def expressions(schema: pa.Schema, conf: FitConf) -> list[str]:
    """A SQL expression for each used column, which travel as `numbered`, with the types of `schema`.

    Features that go through no step become float32 in the JVM, as the encoder would make them: half the bytes to
    shuffle where they are doubles. Those with a step stay exact for it. Decimals become doubles, which Arrow reads
    without a detour.
    """
    names = conf.columns.used()
    stepped = {name for step in conf.steps for name in step.columns}
    bare = set(conf.columns.feature_names()) - stepped
    types = [schema.field(k).type for k in range(len(names))]
    return [_expression(c, t, n in bare) for c, t, n in zip(numbered(names), types, names, strict=True)]


def _expression(column: str, kind: Any, bare: bool) -> str:
    to = _cast(kind, bare)
    return f"CAST({column} AS {to}) AS {column}" if to else column


def _cast(kind: Any, bare: bool) -> str | None:
    """The SQL type to cast to, if any."""
    if is_list(kind):
        inner = _cast(kind.value_type, bare)
        return f"ARRAY<{inner}>" if inner else None
    if pa.types.is_decimal(kind):
        return "DOUBLE"
    return "FLOAT" if bare and str(kind) in _WIDE else None


_WIDE = {"double", "int64", "int32"}  # what float32 does not hold, by Arrow's names
