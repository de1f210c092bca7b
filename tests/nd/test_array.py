"""NDArray: dtypes, operators, errors."""

import numpy as np
import pytest

from sparkdl import nd
from sparkdl.base.errors import DTypeError, ShapeError


def test_dtypes() -> None:
    assert nd.asarray([1.0]).dtype == "float32" and nd.asarray([1]).dtype == "int64"
    assert nd.asarray(np.zeros(2)).dtype == "float64" and nd.zeros((2, 2)).shape == (2, 2)
    with pytest.raises(DTypeError, match=r"elements must be numbers or bools. Got <U1"):
        nd.asarray(["a"])


def test_operators_take_numbers_on_either_side() -> None:
    x = nd.asarray([1.0, 2.0])
    np.testing.assert_allclose((2 - x * 3 / 2 + x**2).numpy(), [1.5, 3.0])
    assert (1.0 / x).dtype == "float32" and (np.float32(2) * x).numpy().tolist() == [2, 4]
    np.testing.assert_allclose((nd.asarray([[1.0, 2.0]]) @ nd.asarray([[3.0], [4.0]])).numpy(), [[11.0]])


def test_errors_show_both_shapes() -> None:
    with pytest.raises(ShapeError, match=r"add: shapes must broadcast. Got \(2,\) and \(3,\)"):
        nd.zeros(2) + nd.zeros(3)
    with pytest.raises(TypeError, match=r"exp: dtype must be a floating. Got int64"):
        nd.exp(nd.asarray([1]))
    with pytest.raises(TypeError, match=r"uint64 and int8 have no common dtype"):
        nd.zeros(2, "uint64") + nd.zeros(2, "int8")
    with pytest.raises(AttributeError, match=r"no 'sine'"):
        nd.sine  # noqa: B018


def test_views_of_numpy_are_not_copied() -> None:
    data = np.arange(4.0)
    assert nd.from_numpy(data).numpy() is data
    assert nd.asarray(data, copy=True).numpy() is not data and nd.asarray(data).numpy() is data
    np.testing.assert_array_equal(np.asarray(nd.from_numpy(data)), data)
    assert len(nd.arange(5)) == 5 and nd.full((2,), 3.0).numpy().tolist() == [3, 3]


def test_files_byte_order_and_odd_addresses_are_mended():
    """Kernels take addresses: they would read such elements as other numbers."""
    values = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    odd = np.frombuffer(b"x" + values.tobytes(), np.float32, offset=1).reshape(2, 3)
    for given in (values.astype(">f4"), odd):
        made = nd.asarray(given)
        assert made.numpy().dtype.isnative and made.numpy().flags.aligned
        np.testing.assert_array_equal((made + made).numpy(), 2 * values)
