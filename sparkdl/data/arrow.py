"""Arrow columns as NumPy matrices (B, k), without a copy where the column's memory allows one.

A row of a column is a number, an array of numbers (nested arrays too), bytes, or a vector of pyspark.ml. This module
must not know what the numbers mean.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sparkdl.base.errors import DataError
from sparkdl.base.registry import near

Array = NDArray[Any]
_VECTOR = {"type", "size", "indices", "values"}  # the fields of pyspark.ml's VectorUDT; type 0 is sparse, 1 is dense


def pick(batch: Any, name: str) -> Any:
    """The column `name` of a RecordBatch, Table or mapping, as one Array. Raises DataError with a near name.

    >>> pick(pa.table({"age": [3, 4]}), "agee")
    Traceback (most recent call last):
    sparkdl.base.errors.DataError: no column named 'agee'. Did you mean 'age'? The table has: age.
    """
    names = list(batch) if isinstance(batch, Mapping) else batch.schema.names
    if name not in names:
        raise DataError(f"no column named {name!r}.{near(name, names)} The table has: {', '.join(names)}.")
    column = batch[name] if isinstance(batch, Mapping) else batch.column(name)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def plain(column: Any) -> Any:
    """The column in a type that the readers below know: no extensions, dictionaries, views or single bits."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    to = _CASTS.get(str(column.type))
    return column.cast(to) if to is not None else column


_CASTS = {"string_view": pa.string(), "binary_view": pa.binary(), "bool": pa.uint8()}


def matrix(column: Any, name: str) -> Array:
    """The rows of a column as numbers (B, k) in the column's own dtype; bytes are uint8.

    Raises DataError for nulls, for rows of different lengths and for what is not a number. May be a read-only view.

    >>> matrix(pa.array([[1.0, 2.0], [3.0, 4.0]]), "x")
    array([[1., 2.], [3., 4.]])
    """
    column = plain(column)
    refuse_nulls(column, name)
    for holds, read in _READERS:
        if holds(column.type):
            return read(column, name)
    raise DataError(wrong_type(name, column.type))


def numeric(kind: Any) -> bool:
    """Whether `matrix` reads columns of this Arrow type."""
    kind = getattr(kind, "storage_type", kind)
    if pa.types.is_dictionary(kind):
        return numeric(kind.value_type)
    if is_list(kind):
        return numeric(kind.value_type)
    return str(kind) in ("bool", "binary_view") or any(holds(kind) for holds, _ in _READERS)


def wrong_type(name: str, kind: Any) -> str:
    """The wording for a column that holds no numbers."""
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    fix = "Encode it with OneHot, or cast it." if text else "Cast it in the query."
    return f"column {name!r} must hold numbers, arrays of numbers, or bytes. Got {kind}. {fix}"


def is_list(kind: Any) -> bool:
    """Whether the type is an array type of any sort."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def is_bytes(kind: Any) -> bool:
    """Whether the type is bytes of any sort."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def is_vector(kind: Any) -> bool:
    """Whether the type is the struct of a pyspark.ml vector."""
    return bool(pa.types.is_struct(kind)) and {kind.field(k).name for k in range(kind.num_fields)} == _VECTOR


def lengths(column: Any) -> NDArray[np.int64]:
    """How many numbers each row of a plain column holds (for nested arrays: of the outer level). (B,); 0 for a null."""
    kind = column.type
    if is_list(kind):
        return _whole(pc.list_value_length(column))
    if is_bytes(kind):
        return _whole(pc.binary_length(column))
    if is_vector(kind):
        return _vector_widths(*_vector_fields(column)[:2])
    return np.ones(len(column), np.int64)


def refuse_nulls(column: Any, name: str, where: str = "") -> None:
    """Raise DataError when the column has nulls."""
    if column.null_count:
        first = int(np.argmax(pc.is_null(column).to_numpy(zero_copy_only=False)))
        raise DataError(
            f"column {name!r} must have no nulls{where}. Got {column.null_count} in {len(column)}, "
            f"the first at {first}. Fill or drop them in the query."
        )


def _one_length(found: NDArray[np.int64], name: str) -> int:
    """The length that all rows have. Raises DataError when there are several."""
    low, high = (int(found.min()), int(found.max())) if len(found) else (0, 0)
    if low != high:
        common = int(np.bincount(found).argmax())
        odd = found != common
        raise DataError(
            f"column {name!r} must hold rows of one length. Got lengths {low} to {high}: most have {common}, "
            f"{int(odd.sum())} of {len(found)} do not, the first is row {int(np.argmax(odd))}."
        )
    return low


def _scalar(column: Any, name: str) -> Array:
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    return np.asarray(column.to_numpy(zero_copy_only=True)).reshape(-1, 1)


def _list(column: Any, name: str) -> Array:
    width = _one_length(lengths(column), name)
    values = plain(column.flatten())  # not `.values`, which ignores the offset of a slice
    refuse_nulls(values, name, " inside its arrays")
    return matrix(values, name).reshape(len(column), -1 if width and len(column) else 0)


def _bytes(column: Any, name: str) -> Array:
    """(B,) bytes -> (B, k) uint8, a view of the Arrow buffer."""
    n, kind = len(column), column.type
    if pa.types.is_fixed_size_binary(kind):
        start, width, data = column.offset * kind.byte_width, kind.byte_width, column.buffers()[1]
    else:
        width = _one_length(lengths(column), name)
        wide = np.int64 if pa.types.is_large_binary(kind) else np.int32
        start = int(np.frombuffer(column.buffers()[1], wide)[column.offset]) if n else 0
        data = column.buffers()[2]
    if not n * width:
        return np.empty((n, width), np.uint8)
    return np.frombuffer(data, np.uint8)[start : start + n * width].reshape(n, width)


def _vector_fields(column: Any) -> tuple[Array, Array, Any, Any]:
    """(widths given (B,), numbers stored (B,), indices, values) of a vector column; a dense row gives width -1."""
    parts = {column.type.field(k).name: part for k, part in enumerate(column.flatten())}
    dense = parts["type"].fill_null(1).to_numpy(zero_copy_only=False) == 1
    given = np.where(dense, -1, _whole(parts["size"]))
    return given, _whole(pc.list_value_length(parts["values"])), parts["indices"], parts["values"]


def _vector_widths(given: Array, stored: Array) -> NDArray[np.int64]:
    return np.asarray(np.where(given < 0, stored, given), np.int64)


def _vector(column: Any, name: str) -> Array:
    """Vectors, dense and sparse mixed, as (B, k) float64."""
    given, stored, indices, values = _vector_fields(column)
    n, width = len(column), _one_length(_vector_widths(given, stored), name)
    flat = matrix(values.flatten(), name)[:, 0]
    if (given < 0).all():
        return flat.reshape(n, width)
    at = _positions(given, stored, indices, name)
    if len(at) != len(flat) or (len(at) and not 0 <= at.min() <= at.max() < width):
        raise DataError(f"column {name!r}: a sparse vector has an index outside 0..{width - 1}.")
    made = np.zeros((n, width))
    made[np.repeat(np.arange(n), stored), at] = flat
    return made


def _positions(given: Array, stored: Array, indices: Any, name: str) -> NDArray[np.int64]:
    """For each stored number the place in its row: counted in a dense row, read in a sparse one."""
    at: NDArray[np.int64] = np.arange(int(stored.sum())) - np.repeat(np.cumsum(stored) - stored, stored)
    sparse = np.repeat(given >= 0, stored)
    read = matrix(indices.flatten(), name)[:, 0]
    if len(read) != int(sparse.sum()):
        raise DataError(f"column {name!r}: a sparse vector has {len(read)} indices for {int(sparse.sum())} values.")
    at[sparse] = read
    return at


def _whole(column: Any) -> NDArray[np.int64]:
    return np.asarray(column.fill_null(0).cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


_READERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, str], Array]], ...] = (
    (_is_number, _scalar),
    (is_list, _list),
    (is_bytes, _bytes),
    (is_vector, _vector),
)
