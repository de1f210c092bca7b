"""What to ask Spark's JVM for: the columns that are used, no wider than the encoder needs them. SQL texts only."""

from collections.abc import Iterable
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


def expressions(schema: pa.Schema, conf: FitConf) -> list[str]:
    """A SQL expression for each used column.

    Features that go through no step become float32 in the JVM, as the encoder would make them: half the bytes to shuffle
    where they are doubles. Those with a step stay exact for it. Decimals become doubles: Arrow has no fast way with them.
    """
    stepped = {name for step in conf.steps for name in step.columns}
    bare = [name for name in conf.columns.feature_names() if name not in stepped]
    return [_expression(schema.field(name), name in bare) for name in conf.columns.used()]


def _expression(field: pa.Field, bare: bool) -> str:
    to = _cast(field.type, bare)
    name = quoted(field.name)
    return f"CAST({name} AS {to}) AS {name}" if to else name


def _cast(kind: Any, bare: bool) -> str | None:
    """The SQL type to cast to, if any."""
    if is_list(kind):
        inner = _cast(kind.value_type, bare)
        return f"ARRAY<{inner}>" if inner else None
    if bare and _wide(kind):
        return "FLOAT"
    return "DOUBLE" if pa.types.is_decimal(kind) else None


def _wide(kind: Any) -> bool:
    """Whether numbers of this type are wider than float32, or as wide and not it."""
    return any(test(kind) for test in _WIDE)


_WIDE: Iterable[Any] = (pa.types.is_float64, pa.types.is_decimal, pa.types.is_int64, pa.types.is_int32)
