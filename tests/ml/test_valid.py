import numpy as np
import pyarrow as pa
import pytest

from sparkdl.ml.valid import valid, valid_rows

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1.0, None, NAN, INF, -INF]), [1, 0, 0, 0, 0]),
        (pa.array([1, None]), [1, 0]),
        (pa.array(["a", None]), [1, 0]),
        (pa.array([True, None]), [1, 0]),
        (pa.array([b"a", None]), [1, 0]),
        (pa.array([[1.0], [None], None, [INF], []]), [1, 0, 0, 0, 1]),
        (pa.array([[1.0, 2.0], None, [NAN, 1.0]], pa.list_(pa.float32(), 2)), [1, 0, 0]),
        (pa.array([[[1.0], [NAN]], [[1.0]]]), [0, 1]),
        (pa.array([], pa.float64()), []),
        (pa.array([], pa.list_(pa.float64())), []),
    ],
)
def test_a_row_is_valid_when_all_of_it_is_finite(column, expected):
    assert valid_rows(column).tolist() == [bool(v) for v in expected]


def test_a_slice_of_arrays_is_read_from_its_own_start():
    column = pa.array([[NAN], [1.0], [2.0], [NAN]]).slice(1, 3)
    assert valid_rows(column).tolist() == [True, True, False]


def test_all_columns_must_be_valid():
    columns = {"a": pa.array([1.0, NAN, 2.0]), "b": pa.array([[1.0], [2.0], None])}
    np.testing.assert_array_equal(valid(columns), [True, False, False])
