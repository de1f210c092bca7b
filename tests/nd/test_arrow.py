"""Arrow columns: the same memory where claimed, by address; bad columns are named."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from sparkdl import nd
from sparkdl.base.errors import DataError, DTypeError, ShapeError
from sparkdl.nd.array import NDArray
from sparkdl.nd.arrow import from_arrow, to_arrow

NUMBERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64")
SHAPES = ((4,), (1,), (0,), (4, 3), (2, 3, 4), (0, 3), (3, 1))


def address(x):
    return x.__array_interface__["data"][0]


def memory(column):
    """The address of the first element of a column of any nesting."""
    column = column.storage if isinstance(column, pa.ExtensionArray) else column
    while not pa.types.is_primitive(column.type):
        column = column.values
    return column.buffers()[-1].address


def values(shape, dtype="float32"):
    return NDArray(np.arange(np.prod(shape)).reshape(shape).astype(dtype))


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("as_lists", [False, True])
def test_there_and_back_in_one_memory(shape, dtype, as_lists):
    x = values(shape, dtype)
    column = to_arrow(x, as_lists=as_lists, copy=False)
    column.validate(full=True)
    assert len(column) == shape[0]
    rows = x.numpy() if as_lists or x.ndim == 1 else x.numpy().reshape(shape[0], int(np.prod(shape[1:])))
    assert column.to_pylist() == rows.tolist()
    back = from_arrow(column, copy=False)
    assert (back.shape, back.dtype) == (x.shape, dtype)
    np.testing.assert_array_equal(back.numpy(), x.numpy())
    if x.size:
        assert memory(column) == address(x)
        assert address(back) == address(x)
        x[0] = x[0] + x[0] + 1
        np.testing.assert_array_equal(back.numpy(), x.numpy())


def test_kinds_of_columns():
    assert isinstance(to_arrow(values((2, 3))), pa.FixedShapeTensorArray)
    assert tuple(to_arrow(values((2, 3, 4))).type.shape) == (3, 4)
    assert str(to_arrow(values((2, 3, 4)), as_lists=True).type) == (
        "fixed_size_list<item: fixed_size_list<item: float>[4]>[3]"
    )
    np.testing.assert_array_equal(to_arrow(values((2, 3, 4))).to_numpy_ndarray(), values((2, 3, 4)).numpy())


def test_the_memory_lives_as_long_as_the_column():
    column = to_arrow(values((1000, 3)) * 1.0)
    again = from_arrow(column)
    del column
    np.testing.assert_array_equal(again.numpy(), values((1000, 3)).numpy())


def test_shared_columns_are_read_only_and_copies_are_not():
    column = pa.array([1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        from_arrow(column)[0] = 3.0
    own = from_arrow(column, copy=True)
    own[0] = 3.0
    assert column[0].as_py() == 1.0
    x = values((3,))
    assert memory(to_arrow(x, copy=True)) != address(x)


def test_strided_arrays_are_copied():
    x = values((4, 6))[:, ::2]
    assert from_arrow(to_arrow(x)).tolist() == x.tolist()
    assert from_arrow(to_arrow(x.T, as_lists=True)).tolist() == x.T.tolist()
    with pytest.raises(ValueError, match=r"copy is False: its strides are \(24, 8\)"):
        to_arrow(x, copy=False)


@pytest.mark.parametrize("shape", SHAPES)
def test_bools_are_packed(shape):
    x = NDArray(np.arange(np.prod(shape)).reshape(shape) % 3 == 0)
    for as_lists in (False, True):
        back = from_arrow(to_arrow(x, as_lists=as_lists))
        assert back.dtype == "bool"
        np.testing.assert_array_equal(back.numpy(), x.numpy())
    with pytest.raises(ValueError, match="packs bools"):
        to_arrow(x, copy=False)


def test_bools_in():
    with pytest.raises(ValueError, match="packs bools"):
        from_arrow(pa.array([True]), copy=False)
    bytes_ = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, 1], pa.int8()))
    assert from_arrow(bytes_, copy=False).tolist() == [True, False, True]
    assert address(from_arrow(bytes_)) == bytes_.storage.buffers()[1].address


@pytest.mark.parametrize("kind", [pa.list_(pa.int32()), pa.large_list(pa.int32()), pa.list_(pa.int32(), 2)])
def test_lists_and_slices_of_them_are_shared(kind):
    column = pa.array([[1, 2], [3, 4], [5, 6]], kind)
    assert address(from_arrow(column, copy=False)) == memory(column)
    part = from_arrow(column[1:], copy=False)
    assert part.tolist() == [[3, 4], [5, 6]]
    assert address(part) == memory(column) + 8
    assert from_arrow(column[:0]).shape == (0, 2 if pa.types.is_fixed_size_list(kind) else 0)
    assert from_arrow(pa.array([[], []], pa.list_(pa.int32()))).shape == (2, 0)


def test_nested_lists_and_sliced_numbers():
    column = pa.array([[[1, 2, 3]], [[4, 5, 6]]])
    assert from_arrow(column, copy=False).shape == (2, 1, 3)
    flat = pa.array(np.arange(9.0))
    assert address(from_arrow(flat[3:])) == flat.buffers()[1].address + 24


def test_tensors_with_their_axes_in_another_order():
    kind = pa.fixed_shape_tensor(pa.float32(), (2, 3), permutation=(1, 0))
    column = pa.ExtensionArray.from_storage(kind, to_arrow(values((4, 6)), as_lists=True))
    made = from_arrow(column, copy=False)
    assert made.shape == (4, 3, 2)
    np.testing.assert_array_equal(made.numpy(), column.to_numpy_ndarray())
    np.testing.assert_array_equal(from_arrow(column[2:]).numpy(), column.to_numpy_ndarray()[2:])


def test_chunks():
    one = pa.chunked_array([[1, 2, 3]])
    assert address(from_arrow(one, copy=False)) == one.chunk(0).buffers()[1].address
    two = pa.chunked_array([[1, 2], [3]])
    assert from_arrow(two).tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="2 chunks"):
        from_arrow(two, copy=False)
    assert from_arrow(pa.chunked_array([], pa.int16())).dtype == "int16"
    table = pa.table({"x": to_arrow(values((2, 3))), "y": [1, 2]})
    assert from_arrow(table["x"]).shape == (2, 3)
    assert from_arrow(table["y"], copy=False).tolist() == [1, 2]
    joined = pa.concat_tables([table, table]).column("x")
    assert from_arrow(joined).shape == (4, 3)


class Foreign:
    """A column of another library."""

    def __init__(self, column):
        self.column = column

    def __arrow_c_array__(self, requested_schema=None):
        return self.column.__arrow_c_array__(requested_schema)


class Stream:
    """Chunks of another library."""

    def __init__(self, column):
        self.column = column

    def __arrow_c_stream__(self, requested_schema=None):
        return self.column.__arrow_c_stream__(requested_schema)


def test_columns_of_other_libraries():
    column = pa.array([1.0, 2.0])
    assert address(from_arrow(Foreign(column), copy=False)) == memory(column)
    assert from_arrow(Stream(pa.chunked_array([[1], [2]]))).tolist() == [1, 2]
    for bad in (Foreign(pa.record_batch({"x": [1]})), pa.table({"x": [1]}), [1, 2], np.zeros(2), None):
        with pytest.raises(TypeError, match="one Arrow column"):
            from_arrow(bad)


def test_parquet_there_and_back(tmp_path):
    import pyarrow.parquet as pq

    x = values((5, 2, 3))
    pq.write_table(pa.table({"x": to_arrow(x), "y": to_arrow(x, as_lists=True)}), tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    np.testing.assert_array_equal(from_arrow(table["x"]).numpy(), x.numpy())
    np.testing.assert_array_equal(from_arrow(table["y"]).numpy(), x.numpy())


@pytest.mark.parametrize(
    ("column", "error", "said"),
    [
        (pa.array([1, None, 2, None]), DataError, r"the column must have no nulls. Got 2 in 4, the first at 1"),
        (pa.array([[1, 2], None]), DataError, r"the column must have no nulls. Got 1 in 2, the first at 1"),
        (pa.array([[1, 2], [3, None]]), DataError, r"lists of the column must have no nulls.* the first at 3"),
        (pa.array([[1, 2], [3]]), ShapeError, r"lists of one length. Got 1 of another: row 0 has 2, row 1 has 1"),
        (pa.array([[[1], [2, 3]]]), ShapeError, r"the lists of the column must hold lists of one length"),
        (pa.array(["a"]), DTypeError, r"must hold numbers.* Got string. Encode"),
        (pa.array([["a"]]), DTypeError, r"the lists of the column must hold numbers"),
        (pa.array([b"a"]), DTypeError, "Got binary"),
        (pa.array([{"a": 1}]), DTypeError, r"struct.*fields one by one"),
        (pa.array(["a"]).dictionary_encode(), DTypeError, "dictionary_decode"),
        (pa.array([1]).cast(pa.timestamp("s")), DTypeError, "timestamp.*Cast it to int64"),
        (pa.array([1]).cast(pa.decimal128(20, 0)), DTypeError, "decimal128.*Cast it to float64"),
        (pa.nulls(2), DataError, "nulls"),
        (pa.nulls(0), DTypeError, "Got null"),
    ],
)
def test_bad_columns(column, error, said):
    with pytest.raises(error, match=said):
        from_arrow(column)


def test_nan_is_a_number():
    assert np.isnan(from_arrow(pa.array([1.0, float("nan")])).numpy()[1])


@pytest.mark.parametrize(
    ("x", "error"),
    [
        (nd.ones(2, "complex64"), DTypeError), (nd.ones(2, "bfloat16"), DTypeError), (nd.asarray(1.0), ShapeError),
        ([1.0], DTypeError), ("abc", DTypeError), (np.array(["a"]), DTypeError),
    ],
)  # fmt: skip
def test_bad_arrays(x, error):
    with pytest.raises(error):
        to_arrow(x)


def test_a_value_that_is_differentiated_cannot_leave():
    from sparkdl.graph.derive import grad

    with pytest.raises(TypeError, match="hold its elements"):
        grad(lambda x: to_arrow(x))(nd.ones(2))


def test_nd_loads_neither_pyarrow_nor_safetensors():
    code = "import sys, sparkdl.nd as nd; nd.ones(2) + 1; sys.exit(bool({'pyarrow', 'safetensors'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
