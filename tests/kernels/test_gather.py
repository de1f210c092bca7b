"""Lookups: an index outside is never used as an address."""

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.nd.array import NDArray, execute
from sparkdl.nd.ops.gather import OneHot, Take, TakeGrad, one_hot, take, take_grad

libraries = pytest.mark.parametrize("library", ["numba", "numpy", "ref"])
TABLE = np.arange(6, dtype=np.float32).reshape(3, 2)


@libraries
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_indices_outside(library: str, dtype: str) -> None:
    ids = np.array([2, -1, 3, np.iinfo(dtype).max, np.iinfo(dtype).min, 0], dtype)
    (rows,) = execute(Take(), (TABLE, ids), (library,))
    np.testing.assert_array_equal(rows[[0, 5]], TABLE[[2, 0]])
    assert np.isnan(rows[1:5]).all()
    (back,) = execute(TakeGrad(3), (np.ones((6, 2), np.float32), ids), (library,))
    np.testing.assert_array_equal(back, [[1, 1], [0, 0], [1, 1]])
    (hot,) = execute(OneHot(3), (ids,), (library,))
    np.testing.assert_array_equal(hot.sum(-1), [1, 0, 0, 0, 0, 1])


@libraries
def test_an_empty_table(library: str) -> None:
    assert np.isnan(execute(Take(), (np.zeros((0, 2), np.float32), np.array([0])), (library,))[0]).all()
    assert execute(TakeGrad(0), (np.ones((1, 2), np.float32), np.array([0])), (library,))[0].shape == (0, 2)


@libraries
def test_equal_indices_add_up(library: str) -> None:
    ids = np.array([1, 1, 1], np.int64)
    (back,) = execute(TakeGrad(2), (np.arange(6, dtype=np.float32).reshape(3, 2), ids), (library,))
    np.testing.assert_array_equal(back, [[0, 0], [6, 9]])


def test_tables_of_ints_give_zero() -> None:
    got = take(NDArray(np.array([[5], [6]])), NDArray(np.array([1, 2])))
    assert got.numpy().tolist() == [[6], [0]] and got.dtype == "int64"


def test_specs_that_do_not_fit() -> None:
    x, ids = NDArray(TABLE), NDArray(np.array([1]))
    with pytest.raises(ShapeError, match="take: indices must be ints"):
        take(x, x)
    with pytest.raises(ShapeError, match="take: the table must have rows"):
        take(NDArray(1.0), ids)
    with pytest.raises(ShapeError, match="take_grad: g must begin with the shape of ids"):
        take_grad(x, ids, 3)
    with pytest.raises(ShapeError, match="one_hot: indices must be ints"):
        one_hot(x, 3)
