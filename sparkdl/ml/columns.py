"""Columns of a DataFrame as our records see them: their names, types and shapes, without reading a row."""

from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, functions as F  # noqa: N812
from pyspark.sql.types import ArrayType, DoubleType, StructField, StructType

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


def vector_array(column: Column, dtype: str = "float64") -> Column:
    """Vectors as arrays, made in the JVM, where that is cheap; a null stays null."""
    return F.when(column.isNotNull(), vector_to_array(column, dtype))


def as_arrow(schema: StructType, name: str, narrow: bool = False) -> Column:
    """The column in a type that travels to Python well; `narrow`: vectors and arrays of doubles as float32."""
    column, kind = F.col(quoted(name)), field_of(schema, name).dataType
    if is_vector(kind):
        return vector_array(column, "float32" if narrow else "float64")
    wide = isinstance(kind, ArrayType) and isinstance(kind.elementType, DoubleType)
    return column.cast("array<float>") if narrow and wide else column
