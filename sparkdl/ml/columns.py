"""Columns of a DataFrame as our records see them: their names, types and shapes, without reading a row."""

from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, functions as F  # noqa: N812
from pyspark.sql.types import StructField, StructType

from sparkdl.base.errors import DataError
from sparkdl.base.registry import near
from sparkdl.dist.columns import quoted
from sparkdl.dist.spark import is_vector


def field_of(schema: StructType, name: str) -> StructField:
    """The column's field. Raises DataError with a near name."""
    if name not in schema.names:
        known = ", ".join(schema.names)
        raise DataError(f"no column named {name!r}.{near(name, schema.names)} The table has: {known}.")
    return schema[name]


def vector_array(column: Column) -> Column:
    """Vectors as arrays, made in the JVM, where that is cheap; a null stays null."""
    return F.when(column.isNotNull(), vector_to_array(column))


def as_arrow(schema: StructType, name: str) -> Column:
    """The column in a type that travels to Python well."""
    column = F.col(quoted(name))
    return vector_array(column) if is_vector(field_of(schema, name).dataType) else column
