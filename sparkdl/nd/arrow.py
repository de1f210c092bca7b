"""Arrow columns from and to arrays, in the same memory where its layout allows.

A column holds rows: a vector is a column of numbers, an array of more axes a column of tensors or of lists. pyarrow is
loaded when these functions are called, not before.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray as Numpy

from sparkdl.base.errors import DataError, DTypeError, ShapeError
from sparkdl.base.spec import BFLOAT16, KINDS
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.elementwise import array
from sparkdl.nd.op import is_eager

_NUMBERS = frozenset(KINDS["real numeric"]) - {BFLOAT16}
_ARROW = {"float16": "halffloat", "float32": "float", "float64": "double"}  # Arrow's names that are not ours
_OURS = {theirs: ours for ours, theirs in _ARROW.items()}
_FIXES = (  # the beginning of an Arrow type's name, and what to do about it
    ("string", "Encode the texts as numbers first."),
    ("large_string", "Encode the texts as numbers first."),
    ("dictionary", "Take its dictionary_decode()."),
    ("decimal", "Cast it to float64."),
    ("timestamp", "Cast it to int64."),
    ("date", "Cast it to int64."),
    ("struct", "Take its fields one by one."),
)


def to_arrow(x: Any, *, as_lists: bool = False, copy: bool | None = None) -> Any:
    """An array as an Arrow column, one row for each item of the first axis.

    x:        (B,) gives a pyarrow.Array of numbers, (B, ...) a FixedShapeTensorArray
    as_lists: fixed-size lists, nested one axis within the other, instead of tensors
    copy:     False to raise ValueError where a copy is needed, True for memory of its own, None for what is needed

    The memory is shared when x is in C order; writing to x then changes the column. Bools are copied, because Arrow
    packs eight into a byte. Raises DTypeError for complex numbers and bfloat16, which Arrow has not, ShapeError for an
    array without axes.

    >>> to_arrow(NDArray([1.0, 2.0])).to_pylist(), str(to_arrow(NDArray([[1, 2]]), as_lists=True).type)
    ([1.0, 2.0], 'fixed_size_list<item: int64>[2]')
    """
    import pyarrow as pa

    data = _numbers(x)
    shared = data.dtype != bool and bool(data.flags.c_contiguous)
    if copy is False and not shared:
        why = "Arrow packs bools into bits" if data.dtype == bool else f"its strides are {data.strides}"
        raise ValueError(f"to_arrow: {data.dtype}{list(data.shape)} needs a copy, and copy is False: {why}.")
    column = _column(np.array(data, order="C") if copy or not shared else data)
    if data.ndim == 1:
        return column
    if not as_lists:
        kind = pa.fixed_shape_tensor(column.type, data.shape[1:])
        return pa.ExtensionArray.from_storage(kind, _listed(column, (data.shape[0], math.prod(data.shape[1:]))))
    return _listed(column, data.shape)


def _numbers(x: Any) -> Numpy[Any]:
    x = array("to_arrow", x)
    if not is_eager(x):
        raise TypeError(f"to_arrow: x must hold its elements. Got {x!r}; return it from the function first.")
    if x.dtype not in _NUMBERS and x.dtype != "bool":
        raise DTypeError(f"to_arrow: Arrow has no {x.dtype}. Cast it to float32, or take real and imag of it.")
    if not x.shape:
        raise ShapeError(
            "to_arrow: x must have one axis or more, the first for the rows. Got none; reshape it to (1,)."
        )
    return x.numpy()  # type: ignore[no-any-return]


def _column(data: Numpy[Any]) -> Any:
    """The elements in C order as one column, in the array's memory."""
    import pyarrow as pa

    flat = data.reshape(-1)
    if flat.dtype == bool:
        return pa.array(flat)
    kind = pa.type_for_alias(_ARROW.get(flat.dtype.name, flat.dtype.name))
    return pa.Array.from_buffers(kind, flat.size, [None, pa.py_buffer(flat)])


def _listed(column: Any, shape: tuple[int, ...]) -> Any:
    """Elements (prod(shape),) as lists of lists, `shape[0]` of them."""
    import pyarrow as pa

    for axis in range(len(shape) - 1, 0, -1):
        kind = pa.list_(column.type, shape[axis])
        column = pa.Array.from_buffers(kind, math.prod(shape[:axis]), [None], children=[column])
    return column


def from_arrow(column: Any, /, *, copy: bool | None = None) -> NDArray:
    """The numbers of an Arrow column.   result: (B,) of numbers, (B, ...) of tensors or of lists of one length

    column: a pyarrow Array or ChunkedArray, a column of a Table, or what has `__arrow_c_array__`: polars, DuckDB, ...
    copy:   False to raise ValueError where a copy is needed, True for memory of its own, None for what is needed

    The memory is shared, and then read-only, when the column is in one chunk; tensors and lists of any nesting
    included. Bools are copied, because Arrow packs eight into a byte (those of `pa.bool8` are not).

    Raises DataError for nulls, saying where, ShapeError for lists of several lengths, DTypeError for what are no
    numbers, TypeError for what is no column.

    >>> import pyarrow as pa
    >>> from_arrow(pa.array([[1, 2], [3, 4]]))
    NDArray([[1, 2],
             [3, 4]], dtype=int64, device=cpu)
    """
    whole, joined = _one(_imported(column))
    data, packed = _read(whole, "the column")
    if copy is False and (joined or packed) and data.size:
        why = f"it has {column.num_chunks} chunks" if joined else "Arrow packs bools into bits"
        raise ValueError(f"from_arrow: {whole.type} needs a copy, and copy is False: {why}.")
    return wrap(np.array(data) if copy else data)


def _imported(column: Any) -> Any:
    import pyarrow as pa

    if isinstance(column, pa.Array | pa.ChunkedArray):
        return column
    if hasattr(column, "__arrow_c_array__"):
        column = pa.array(column)
    elif hasattr(column, "__arrow_c_stream__"):
        column = pa.chunked_array(column)
    if not isinstance(column, pa.Array | pa.ChunkedArray) or pa.types.is_struct(column.type):
        raise TypeError(f"from_arrow: column must be one Arrow column. Got {type(column).__name__}.")
    return column


def _one(column: Any) -> tuple[Any, bool]:
    """All in one chunk, and whether that took a copy."""
    import pyarrow as pa

    if not isinstance(column, pa.ChunkedArray):
        return column, False
    if column.num_chunks == 1:
        return column.chunk(0), False
    whole = column.combine_chunks()
    return (whole if isinstance(whole, pa.Array) else whole.chunk(0)), column.num_chunks > 1


def _read(column: Any, where: str) -> tuple[Numpy[Any], bool]:
    """The elements, and whether they are a copy. `where` says in errors which level of lists this is."""
    import pyarrow as pa

    kind = column.type
    _refuse_nulls(column, where)
    if isinstance(kind, pa.FixedShapeTensorType):
        return _tensors(column, where)
    if str(kind) == "extension<arrow.bool8>":
        return column.storage.to_numpy().view(bool), False
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _lists(column, where)
    if pa.types.is_boolean(kind):
        return column.to_numpy(zero_copy_only=False), True
    if _OURS.get(str(kind), str(kind)) not in _NUMBERS:
        fix = next((f" {fix}" for name, fix in _FIXES if str(kind).startswith(name)), "")
        raise DTypeError(f"from_arrow: {where} must hold numbers, bools, or lists or tensors of them. Got {kind}.{fix}")
    return column.to_numpy(), False


def _tensors(column: Any, where: str) -> tuple[Numpy[Any], bool]:
    """Tensors lie in memory as the type's shape says; its permutation says in which order the axes are meant."""
    kind = column.type
    flat, packed = _read(column.storage.flatten(), f"the tensors of {where}")
    order = kind.permutation or range(len(kind.shape))
    return flat.reshape(len(column), *kind.shape).transpose(0, *(k + 1 for k in order)), packed


def _lists(column: Any, where: str) -> tuple[Numpy[Any], bool]:
    width = _width(column, where)
    inner, packed = _read(column.flatten(), f"the lists of {where}")  # not `.values`, which forgets the slice's offset
    return inner.reshape(len(column), width, *inner.shape[1:]), packed


def _width(column: Any, where: str) -> int:
    """The length that all lists have. Raises ShapeError naming the first row of another."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_fixed_size_list(column.type):
        return int(column.type.list_size)
    lengths = pc.list_value_length(column).to_numpy()
    odd = np.flatnonzero(lengths != lengths[0]) if len(lengths) else lengths
    if len(odd):
        said = f"row 0 has {lengths[0]}, row {odd[0]} has {lengths[odd[0]]}"
        raise ShapeError(f"from_arrow: {where} must hold lists of one length. Got {len(odd)} of another: {said}.")
    return int(lengths[0]) if len(lengths) else 0


def _refuse_nulls(column: Any, where: str) -> None:
    import pyarrow.compute as pc

    if column.null_count:
        first = int(np.argmax(pc.is_null(column).to_numpy(zero_copy_only=False)))
        raise DataError(
            f"from_arrow: {where} must have no nulls. Got {column.null_count} in {len(column)}, the first at {first}. "
            "Fill or drop them first."
        )
