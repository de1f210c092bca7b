"""Distinct elements: numbers against NumPy, the standard's demands on NaN and shapes, errors."""

import numpy as np
import pytest

from sparkdl.base.spec import Spec, numpy_dtype
from sparkdl.graph.derive import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray
from sparkdl.nd.reductions import sum as sum_
from sparkdl.nd.sets import unique_all, unique_counts, unique_inverse, unique_values

INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
ALL = ("bool", *INTS, "float16", "bfloat16", "float32", "float64", "complex64", "complex128")
SHAPES = ((), (1,), (0,), (12,), (3, 4), (2, 0), (2, 2, 3))


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("shape", SHAPES)
def test_as_numpy(dtype, shape):
    x = np.random.default_rng(1).integers(0, 5, shape).astype(numpy_dtype(dtype))
    found = unique_all(NDArray(x))
    want = np.unique_all(x.astype(np.float32) if dtype == "bfloat16" else x)
    for name, got in found._asdict().items():
        np.testing.assert_array_equal(got.numpy(), np.asarray(getattr(want, name)).astype(got.numpy().dtype))
        assert got.dtype == (dtype if name == "values" else "int64")
    assert found.inverse_indices.shape == shape
    assert unique_values(NDArray(x)).tolist() == found.values.tolist()
    assert [v.tolist() for v in unique_counts(NDArray(x))] == [found.values.tolist(), found.counts.tolist()]
    assert [v.tolist() for v in unique_inverse(NDArray(x))] == [found.values.tolist(), found.inverse_indices.tolist()]
    np.testing.assert_array_equal(found.values.numpy()[found.inverse_indices.numpy()], x)
    np.testing.assert_array_equal(x.ravel()[found.indices.numpy()], found.values.numpy())


def test_names():
    x = NDArray([1])
    assert unique_all(x)._fields == ("values", "indices", "inverse_indices", "counts")
    assert unique_counts(x)._fields == ("values", "counts")
    assert unique_inverse(x)._fields == ("values", "inverse_indices")


def test_every_nan_is_its_own():
    x = NDArray([np.nan, 1.0, np.nan, 1.0])
    found = unique_all(x)
    assert found.values.shape == (3,) and found.counts.tolist() == [2, 1, 1]
    assert sorted(found.indices.tolist()) == [0, 1, 2]
    np.testing.assert_array_equal(found.values.numpy()[found.inverse_indices.numpy()], x.numpy())
    assert unique_values(x).shape == (3,)
    assert unique_counts(NDArray(np.array([np.nan, np.nan + 1j]))).counts.tolist() == [1, 1]


def test_zeros_are_one():
    assert unique_counts(NDArray([0.0, -0.0])).counts.tolist() == [2]


@pytest.mark.parametrize("fn", [unique_all, unique_counts, unique_inverse, unique_values])
def test_values_must_be_known(fn):
    said = f"{fn.__name__}: the shape of the result hangs on the values, which are not known of .*nd.sort"
    with pytest.raises(TypeError, match=said):
        fn(Graph().input("x", Spec((3,))))
    with pytest.raises(TypeError, match=said):
        grad(lambda x: sum_(fn(x)[0]))(NDArray([1.0, 2.0]))
    with pytest.raises(TypeError, match=f"{fn.__name__}: x must be an array. Got list"):
        fn([1, 2])
