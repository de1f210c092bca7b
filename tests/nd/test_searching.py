"""Where something is: numbers against NumPy, edges, errors, gradients."""

import numpy as np
import pytest

from sparkdl.base.errors import AxisError, BoundsError, DTypeError, ShapeError
from sparkdl.base.spec import Spec, numpy_dtype
from sparkdl.graph.check import check_grads
from sparkdl.graph.derive import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray
from sparkdl.nd.reductions import sum as sum_
from sparkdl.nd.searching import argmax, argmin, argwhere, count_nonzero, nonzero, take_along_axis

INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
REALS = ("bool", *INTS, "float16", "bfloat16", "float32", "float64")
RNG = np.random.default_rng(0)


def values(dtype, shape=(3, 4)):
    if dtype in INTS:
        info = np.iinfo(dtype)
        return RNG.choice(np.array([info.min, info.max, 0, 1], dtype), shape)
    return RNG.integers(-1, 2, shape).astype(numpy_dtype(dtype))


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_extremes_as_numpy(dtype, axis):
    x = values(dtype)
    wide = x.astype(np.float32) if dtype == "bfloat16" else x
    for ours, numpys in ((argmax, np.argmax), (argmin, np.argmin)):
        for keep in (False, True):
            made = ours(NDArray(x), axis=axis, keepdims=keep)
            np.testing.assert_array_equal(made.numpy(), numpys(wide, axis, keepdims=keep))
            assert made.dtype == "int64" and made.shape == numpys(wide, axis, keepdims=keep).shape


def test_extremes_of_little():
    assert argmax(NDArray(3.0)).tolist() == 0 and argmin(NDArray(3.0), keepdims=True).shape == ()
    assert argmax(NDArray([1.0, np.nan, 2.0])).tolist() == 1 and argmin(NDArray([1.0, np.nan])).tolist() == 1
    assert argmax(NDArray(np.zeros((0, 3), "f")), axis=1).shape == (0,)
    out = NDArray(np.zeros(2, np.int64))
    assert argmin(NDArray([[1, 0], [0, 0]]), axis=1, out=out) is out and out.tolist() == [1, 0]


@pytest.mark.parametrize("dtype", [*REALS, "complex64", "complex128"])
def test_what_is_not_zero(dtype):
    x = values(dtype)
    wide = x.astype(np.float32) if dtype == "bfloat16" else x
    for axis in (None, 0, (0, 1), -1):
        made = count_nonzero(NDArray(x), axis=axis, keepdims=True)
        np.testing.assert_array_equal(made.numpy(), np.count_nonzero(wide, axis, keepdims=True))
        assert made.dtype == "int64"
    found = nonzero(NDArray(x))
    assert all(ids.dtype == "int64" for ids in found) and len(found) == 2
    np.testing.assert_array_equal(np.stack([ids.numpy() for ids in found]), np.nonzero(wide))
    np.testing.assert_array_equal(argwhere(NDArray(x)).numpy(), np.argwhere(wide))


def test_nonzero_of_little():
    assert [ids.shape for ids in nonzero(NDArray(np.zeros((0, 3))))] == [(0,), (0,)]
    assert argwhere(NDArray(1.0)).shape == (1, 0) and argwhere(NDArray(0.0)).shape == (0, 0)
    assert count_nonzero(NDArray([np.nan, -0.0, 0.0])).tolist() == 1
    assert count_nonzero(NDArray(np.zeros((0, 3))), axis=0).tolist() == [0, 0, 0]


@pytest.mark.parametrize("ids", ["int8", "int32", "int64", "uint8", "uint64"])
def test_take_along_axis_as_numpy(ids):
    x = RNG.normal(size=(3, 200, 2))
    for axis, shape in ((0, (5, 200, 2)), (1, (3, 7, 2)), (2, (3, 200, 1)), (1, (1, 4, 1)), (-3, (2, 1, 2))):
        low = 0 if ids[0] == "u" else -x.shape[axis]
        at = RNG.integers(max(low, -128), min(x.shape[axis], 128), shape).astype(ids)
        want = np.take_along_axis(x, at.astype(np.int64), axis)
        np.testing.assert_array_equal(take_along_axis(NDArray(x), NDArray(at), axis=axis).numpy(), want)
    one = take_along_axis(NDArray(x[:1]), NDArray(np.zeros((4, 3, 2), ids)), axis=1)
    assert one.shape == (4, 3, 2)
    check_grads(lambda v: take_along_axis(v, NDArray(at), axis=-3) ** 2.0, [x])
    check_grads(lambda v: take_along_axis(v, NDArray(np.array([[[0], [0], [-1]]])), axis=1), [x[:1]])


def test_maxima_by_their_places():
    x = NDArray([[1.0, 5.0], [7.0, 2.0]])
    assert take_along_axis(x, argmax(x, axis=1, keepdims=True)).tolist() == [[5], [7]]
    f = lambda v: sum_(take_along_axis(v, argmax(v, axis=1, keepdims=True), axis=1))  # noqa: E731
    assert grad(f)(x).tolist() == [[0, 1], [1, 0]]


def test_gradients_of_what_hangs_on_values():
    """A function that is differentiated as it runs knows its numbers: masks of them may be searched."""
    f = lambda v: sum_(v[nonzero(v > 1.0)[0]] ** 2.0)  # noqa: E731
    assert grad(f)(NDArray([1.0, 2.0, 3.0])).tolist() == [0, 4, 6]


def test_symbols_have_no_values_yet():
    x = Graph().input("x", Spec((2, 3)))
    assert argmax(x, axis=1).spec == Spec((2,), "int64") and count_nonzero(x).spec == Spec((), "int64")
    for fn in (nonzero, argwhere):
        with pytest.raises(TypeError, match=f"{fn.__name__}: the shape of the result hangs on the values.*nd.where"):
            fn(x)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda x: argmax(x, axis=2), AxisError, r"argmax: axis must be within -2 .. 1. Got 2"),
        (lambda x: argmin(x, axis=(0, 1)), TypeError, r"argmin: axis must be an int"),
        (lambda x: argmin(x[:0]), ShapeError, r"argmin: the reduced axes must not be empty"),
        (lambda x: argmax(NDArray([1j])), DTypeError, r"argmax: complex numbers have no order"),
        (lambda x: argmax([1, 2]), DTypeError, r"argmax: x must be an array. Got list"),
        (lambda x: nonzero(NDArray(1.0)), ShapeError, r"nonzero: x must have one axis or more"),
        (lambda x: count_nonzero(x, axis=5), AxisError, r"axis"),
        (lambda x: take_along_axis(x, NDArray([[3]])), BoundsError, r"must lie within -3 .. 2. Got 3 .. 3"),
        (lambda x: take_along_axis(x, NDArray([[0], [-4]])), BoundsError, r"Got -4 .. 0"),
        (
            lambda x: take_along_axis(x, NDArray([0])),
            ShapeError,
            r"as many axes as x. Got float32\[2,3\] and int64\[1\]",
        ),
        (lambda x: take_along_axis(x, NDArray([[0]] * 5)), ShapeError, r"take_along_axis: shapes must broadcast"),
        (lambda x: take_along_axis(x, NDArray([[0.0]])), DTypeError, r"indices must be integers. Got float32"),
        (lambda x: take_along_axis(x, NDArray([[0]]), axis=2), AxisError, r"take_along_axis: axis must be within"),
    ],
)
def test_errors(call, error, said):
    with pytest.raises(error, match=said):
        call(NDArray(np.arange(6, dtype=np.float32).reshape(2, 3)))
