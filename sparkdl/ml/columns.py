"""Columns of a DataFrame as our records see them: their names, types and shapes, without reading a row."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame, functions as F  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_type
from pyspark.sql.types import DataType, StructField, StructType, UserDefinedType

from sparkdl.base.errors import DataError
from sparkdl.base.registry import near


def quoted(name: str) -> str:
    """A column name in which dots mean nothing.

    >>> quoted("a.b")
    '`a.b`'
    """
    return f"`{name.replace('`', '``')}`"


def field_of(schema: StructType, name: str) -> StructField:
    """The column's field. Raises DataError with a near name."""
    if name not in schema.names:
        known = ", ".join(schema.names)
        raise DataError(f"no column named {name!r}.{near(name, schema.names)} The table has: {known}.")
    return schema[name]


def is_vector(field: StructField) -> bool:
    """Whether the column holds vectors of pyspark.ml (or of pyspark.mllib, which Spark converts as well)."""
    return type(field.dataType).__name__ == "VectorUDT"


def vector_array(column: Column) -> Column:
    """Vectors as arrays, made in the JVM, where that is cheap; a null stays null."""
    return F.when(column.isNotNull(), vector_to_array(column))


def as_arrow(schema: StructType, name: str) -> Column:
    """The column in a type that travels to Python well."""
    column = F.col(quoted(name))
    return vector_array(column) if is_vector(field_of(schema, name)) else column


def selected(df: DataFrame, names: Sequence[str]) -> DataFrame:
    """These columns alone, in types that travel well. Raises DataError for a missing one, with a near name."""
    return df.select(*(as_arrow(df.schema, name).alias(name) for name in names))


def arrow_schema(schema: StructType) -> Any:
    """What `as_arrow` gives of each column, as an Arrow schema."""
    return pa.schema([(f.name, pa.list_(pa.float64()) if is_vector(f) else _arrow(f.dataType)) for f in schema.fields])


def _arrow(kind: DataType) -> Any:
    if isinstance(kind, UserDefinedType):
        return pa.null()
    try:
        return to_arrow_type(kind)
    except Exception:  # a type of Spark's that Arrow has not: no column of ours, but it may stand in the table
        return pa.null()
