"""Arrow columns become the right numbers, without a copy where that can be."""

import decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from sparkdl.base.errors import DataError
from sparkdl.data.arrow import matrix, numeric, pick

X = np.arange(12.0).reshape(4, 3)
VECTOR = pa.struct(
    [("type", pa.int8()), ("size", pa.int32()), ("indices", pa.list_(pa.int32())), ("values", pa.list_(pa.float64()))]
)


def dense(*values: float) -> dict:
    return {"type": 1, "size": None, "indices": None, "values": list(values)}


def sparse(size: int, **at: float) -> dict:
    return {"type": 0, "size": size, "indices": [int(k[1:]) for k in at], "values": list(at.values())}


COLUMNS = [
    pa.array(X.tolist(), pa.list_(pa.float64())),
    pa.array(X.tolist(), pa.list_(pa.float32())),
    pa.array(X.tolist(), pa.large_list(pa.int16())),
    pa.array(X.tolist(), pa.list_(pa.float64(), 3)),
    pa.array([row.astype(np.uint8).tobytes() for row in X], pa.binary()),
    pa.array([row.astype(np.uint8).tobytes() for row in X], pa.large_binary()),
    pa.array([row.astype(np.uint8).tobytes() for row in X], pa.binary(3)),
    pa.array([row.astype(np.uint8).tobytes() for row in X], pa.binary_view()),
    pa.array([[[v] for v in row] for row in X.tolist()], pa.list_(pa.list_(pa.float32()))),
    pa.array([dense(*row) for row in X.tolist()], VECTOR),
]
by_type = pytest.mark.parametrize("column", COLUMNS, ids=lambda c: str(c.type)[:40])


@by_type
def test_rows_of_numbers(column):
    np.testing.assert_array_equal(matrix(column, "c"), X)
    assert numeric(column.type)


@by_type
@settings(deadline=None)  # a loaded machine is no fault
@given(start=st.integers(0, 4), length=st.integers(0, 4))
def test_slices_keep_their_offset(column, start, length):
    made = matrix(column.slice(start, length), "c")
    assert len(made) == len(X[start : start + length])
    assert made.ravel().tolist() == X[start : start + length].ravel().tolist()


@by_type
def test_nulls_are_refused_with_count_and_row(column):
    with pytest.raises(DataError, match=r"column 'c' must have no nulls. Got 1 in 5, the first at 2"):
        matrix(pa.concat_arrays([column[:2], pa.nulls(1, column.type), column[2:]]), "c")


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 0], pa.int8()), pa.array([1, 0], pa.uint64()), pa.array([1.0, 0.0], pa.float16()),
        pa.array([True, False]), pa.array([decimal.Decimal(1), decimal.Decimal(0)]),
        pa.array([1, 0]).dictionary_encode(), pa.array([[True], [False]]),
    ],
    ids=lambda c: str(c.type),
)  # fmt: skip
def test_scalars(column):
    assert matrix(column, "c").tolist() == [[1], [0]]
    assert numeric(column.type)


def test_big_columns_are_not_copied():
    for column, data in ((COLUMNS[1], 3), (COLUMNS[4], 2), (COLUMNS[6], 1), (pa.array([1.0, 2.0]), 1)):
        assert matrix(column, "c").ctypes.data == column.buffers()[data].address


def test_sparse_and_dense_vectors_mix():
    column = pa.array([dense(1, 0, 2), sparse(3, i1=5.0), sparse(3), sparse(3, i2=7.0, i0=6.0)], VECTOR)
    assert matrix(column, "c").tolist() == [[1, 0, 2], [0, 5, 0], [0, 0, 0], [6, 0, 7]]
    assert matrix(column.slice(1, 2), "c").tolist() == [[0, 5, 0], [0, 0, 0]]
    assert matrix(pa.chunked_array([column, column]).combine_chunks(), "c").shape == (8, 3)


def test_vectors_of_other_lengths_and_wild_indices_are_refused():
    with pytest.raises(DataError, match=r"one length. Got lengths 2 to 3: most have"):
        matrix(pa.array([dense(1, 0, 2), sparse(2)], VECTOR), "c")
    with pytest.raises(DataError, match=r"index outside 0\.\.2"):
        matrix(pa.array([sparse(3, i3=1.0)], VECTOR), "c")
    with pytest.raises(DataError, match=r"index outside 0\.\.2"):
        matrix(pa.array([{"type": 0, "size": 3, "indices": [-1], "values": [1.0]}], VECTOR), "c")
    with pytest.raises(DataError, match=r"has 1 indices for 2 values"):
        matrix(pa.array([{"type": 0, "size": 3, "indices": [1], "values": [1.0, 2.0]}], VECTOR), "c")


@pytest.mark.parametrize(
    "values", [pa.array([[1.0], [1.0, 2.0], [3.0]]), pa.array([b"a", b"bc", b"d"]), pa.array([[[1], [2, 3]]])]
)
def test_uneven_rows_are_refused(values):
    with pytest.raises(DataError, match=r"rows of one length. Got lengths 1 to 2"):
        matrix(values, "c")


def test_nulls_inside_arrays_are_refused():
    with pytest.raises(DataError, match=r"no nulls inside its arrays. Got 1 in 4, the first at 3"):
        matrix(pa.array([[1.0, 2.0], [3.0, None]]), "c")


@pytest.mark.parametrize("kind", [pa.string(), pa.timestamp("us"), pa.date32(), pa.struct([("a", pa.int8())])])
def test_what_is_no_number_is_refused(kind):
    assert not numeric(kind)
    with pytest.raises(DataError, match=r"column 'c' must hold numbers, arrays of numbers, or bytes. Got .*ast it"):
        matrix(pa.array([], kind), "c")


def test_pick_reads_batches_tables_and_mappings():
    table = pa.table({"a": pa.chunked_array([[1], [2]])})
    for batch in (table, table.to_batches()[0], {"a": pa.array([1, 2])}):
        assert pick(batch, "a")[0].as_py() == 1
        with pytest.raises(DataError, match=r"no column named 'aa'. Did you mean 'a'"):
            pick(batch, "aa")
