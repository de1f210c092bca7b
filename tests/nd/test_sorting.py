"""Sorting, running sums and differences: numbers against NumPy, edges, errors, gradients."""

from itertools import product

import numpy as np
import pytest

from sparkdl.base.errors import AxisError, DTypeError, ShapeError
from sparkdl.base.spec import Spec, numpy_dtype
from sparkdl.compile.pipeline import compile
from sparkdl.graph.check import check_grads
from sparkdl.graph.derive import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray
from sparkdl.nd.cumulative import cumprod, cumsum, cumulative_prod, cumulative_sum, diff
from sparkdl.nd.op import apply
from sparkdl.nd.ops.sort import Nth
from sparkdl.nd.reductions import sum as sum_
from sparkdl.nd.searching import take_along_axis
from sparkdl.nd.sorting import argsort, searchsorted, sort, top_k

INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
REALS = ("bool", *INTS, "float16", "bfloat16", "float32", "float64")
AXES = (((7,), 0), ((7,), -1), ((3, 4), 0), ((3, 4), 1), ((2, 3, 4), 1), ((0, 3), 0), ((3, 0), 1), ((1,), 0))


def values(shape, dtype, seed=0):
    """Values with ties; of ints the limits are among them."""
    rng = np.random.default_rng(seed)
    made = rng.integers(-3, 4, shape)
    if dtype in INTS and made.size:
        info = np.iinfo(dtype)
        return rng.choice(np.array([info.min, info.max, 0, 1, info.max - 1], dtype), shape)
    return made.astype(numpy_dtype(dtype))


def exact(got, want):
    assert got.shape == want.shape
    np.testing.assert_array_equal(got.numpy(), want)


@pytest.mark.parametrize(("dtype", "where"), [*product(REALS, AXES)])
def test_sort_as_numpy(dtype, where):
    shape, axis = where
    x = values(shape, dtype)
    wide = x.astype(np.float32) if dtype == "bfloat16" else x
    up = np.argsort(wide, axis, kind="stable")
    down = x.shape[axis] - 1 - np.flip(np.argsort(np.flip(wide, axis), axis, kind="stable"), axis)
    for turned, order in ((False, up), (True, down)):
        exact(argsort(NDArray(x), axis=axis, descending=turned), order)
        made = sort(NDArray(x), axis=axis, descending=turned)
        exact(made, np.take_along_axis(x, order, axis))
        assert made.dtype == dtype
        exact(sort(NDArray(x), axis=axis, descending=turned, stable=False), np.take_along_axis(x, order, axis))


def test_nan_comes_last_and_zeros_keep_their_signs():
    x = NDArray([1.0, np.nan, -np.inf, 0.0, -0.0, np.inf])
    for turned, want in ((False, [-np.inf, 0, -0.0, 1, np.inf, np.nan]), (True, [np.inf, 1, 0, -0.0, -np.inf, np.nan])):
        made = sort(x, descending=turned).numpy()
        np.testing.assert_array_equal(made, np.array(want, np.float32))
        np.testing.assert_array_equal(np.signbit(made), np.signbit(want))
    assert argsort(x, descending=True).tolist() == [5, 0, 3, 4, 2, 1]
    assert sort(NDArray([-1.0, np.nan, 2.0]), descending=True).tolist()[:2] == [2, -1]


@pytest.mark.parametrize(("dtype", "k"), [*product(REALS, (0, 1, 3, 40))])
def test_top_k_is_the_head_of_a_descending_sort(dtype, k):
    x = NDArray(values((3, 40), dtype))
    order = argsort(x, descending=True).numpy()[:, :k]
    found, indices = top_k(x, k)
    exact(indices, order)
    exact(found, np.take_along_axis(x.numpy(), order, 1))
    assert found.dtype == dtype and indices.dtype == "int64"
    turned = top_k(NDArray(np.ascontiguousarray(x.numpy().T)), k, axis=0)
    exact(turned[1], order.T)


def test_places_must_rise():
    assert apply(Nth((0, 2)), NDArray([3, 1, 2])).tolist() == [1, 3]
    for places in ((1, 0), (1, 1), (3,), (-1,)):
        with pytest.raises(ShapeError, match=r"nth: places must rise within 0 .. 2"):
            apply(Nth(places), NDArray([3, 1, 2]))


def test_top_k_with_nan():
    x = np.full((2, 40), np.nan, np.float32)
    x[0, 5], x[0, 30], x[1] = 1.0, 2.0, np.arange(40)
    found, indices = top_k(NDArray(x), 3)
    assert indices.tolist() == [[30, 5, 0], [39, 38, 37]] and np.isnan(found.numpy()[0, 2])


@pytest.mark.parametrize("dtype", [d for d in REALS if d not in ("bool", "bfloat16")])
def test_searchsorted_as_numpy(dtype):
    line, asked = np.sort(values((9,), dtype)), values((2, 5), dtype, 1)
    order = np.random.default_rng(0).permutation(9)
    for side in ("left", "right"):
        want = np.searchsorted(line, asked, side)
        exact(searchsorted(NDArray(line), NDArray(asked), side=side), want)
        mixed = np.empty_like(line)
        mixed[order] = line
        exact(searchsorted(NDArray(mixed), NDArray(asked), side=side, sorter=NDArray(order)), want)
    assert searchsorted(NDArray([1.0, np.nan]), np.nan).tolist() == 1
    assert searchsorted(NDArray([1.0, 3.0]), 2.0).shape == ()


@pytest.mark.parametrize("dtype", [d for d in (*REALS, "complex64", "complex128") if d != "bfloat16"])
@pytest.mark.parametrize("where", AXES)
def test_running_sums_as_numpy(dtype, where):
    shape, axis = where
    x = values(shape, "float32").astype(dtype) if dtype.startswith("complex") else values(shape, dtype)
    wide = dtype if dtype[0] in "fc" else "uint64" if dtype[0] == "u" else "int64"
    for ours, numpys in ((cumulative_sum, np.cumulative_sum), (cumulative_prod, np.cumulative_prod)):
        for first in (False, True):
            made = ours(NDArray(x), axis=axis, include_initial=first)
            np.testing.assert_allclose(made.numpy(), numpys(x, axis=axis, include_initial=first), rtol=1e-3)
            assert made.dtype == wide
    exact(cumsum(NDArray(x)), np.cumsum(x))
    np.testing.assert_allclose(cumprod(NDArray(x)).numpy(), np.cumprod(x), rtol=1e-3)


def test_running_sums_take_a_dtype_and_out():
    x = NDArray([[1, 2], [3, 4]])
    assert cumulative_sum(x, axis=0, dtype="float32").dtype == "float32"
    assert cumsum(x, dtype="int8").dtype == "int8"
    out = NDArray(np.zeros((2, 2), np.int64))
    assert cumulative_prod(x, axis=1, out=out) is out and out.tolist() == [[1, 2], [3, 12]]
    assert cumsum(NDArray(5)).tolist() == [5]
    assert cumulative_sum(NDArray(np.zeros((0,), "f4")), include_initial=True).tolist() == [0]


def test_differences_as_numpy():
    x = np.array([[1, 4, 9, 16], [2, 3, 5, 7]])
    for n, axis in product((0, 1, 2, 5), (0, 1, -1)):
        exact(diff(NDArray(x), axis=axis, n=n), np.diff(x, n, axis))
    edge = np.array([[0], [1]])
    want = np.diff(x, prepend=edge, append=edge)
    exact(diff(NDArray(x), prepend=NDArray(edge), append=NDArray(edge)), want)
    assert diff(NDArray(np.array([1, 0], np.uint8))).tolist() == [255]
    assert diff(NDArray(np.array([3], np.int8)), prepend=NDArray(np.array([1000], np.int16))).dtype == "int16"


def test_gradients():
    x = np.array([[0.3, -1.0, 2.0], [1.5, 0.7, -0.2]])
    check_grads(lambda v: diff(v, n=2) * 3.0, [x])
    check_grads(lambda v: diff(v, axis=0, prepend=v * 2.0), [x])
    check_grads(lambda v: take_along_axis(v, argsort(v, axis=0, descending=True), axis=0) * sort(v, axis=0), [x])
    check_grads(lambda v: cumulative_sum(v * v, axis=1, include_initial=True), [x])
    check_grads(lambda v: top_k(v, 2, axis=0)[0] ** 2.0, [x])


@pytest.mark.parametrize("x", [[2.0, 0.0, 3.0], [0.0, 0.0, 3.0], [0.0], [2.0, 1.0, 0.0, 0.0]])
def test_second_derivatives_of_products_with_zeros(x):
    """d2/dxi dxj of a running product is the product of the others."""
    weights = np.arange(1.0, len(x) + 1)
    slope = lambda v: grad(lambda u: sum_(cumulative_prod(u) * NDArray(weights)))(v)  # noqa: E731
    for i in range(len(x)):
        found = grad(lambda v, i=i: slope(v)[i])(NDArray(np.array(x))).numpy()
        want = [
            sum(w * np.prod(np.delete(x[: k + 1], [i, j])) for k, w in enumerate(weights) if k >= max(i, j)) * (i != j)
            for j in range(len(x))
        ]
        np.testing.assert_allclose(found, want)


def test_gradients_of_ties_go_each_to_its_own():
    f = lambda x: sum_(sort(x) * NDArray([1.0, 10.0, 100.0]))  # noqa: E731
    assert grad(f)(NDArray([2.0, 2.0, 1.0])).tolist() == [10, 100, 1]


def test_compiled():
    graph = Graph()
    x = graph.input("x", Spec((2, 5)))
    values, indices = top_k(sort(x, axis=0), 2)
    program = compile(graph, {"v": values, "k": indices, "s": searchsorted(NDArray([0.0, 1.0]), x)})
    given = np.random.default_rng(0).normal(size=(2, 5)).astype("f")
    program.inputs["x"][...] = given
    program.run()
    want = top_k(sort(NDArray(given), axis=0), 2)
    np.testing.assert_array_equal(program.outputs["v"], want[0].numpy())
    np.testing.assert_array_equal(program.outputs["k"], want[1].numpy())
    np.testing.assert_array_equal(program.outputs["s"], np.searchsorted([0, 1], given))


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda x: sort(x, axis=2), AxisError, r"sort: axis must be within -2 .. 1. Got 2"),
        (lambda x: argsort(x, axis=-3), AxisError, r"argsort: axis must be within"),
        (lambda x: sort(NDArray(1.0)), AxisError, r"sort: axis must be within"),
        (lambda x: sort(NDArray([1j])), DTypeError, r"sort: complex numbers have no order. Got complex64\[1\]"),
        (lambda x: argsort([3, 1]), DTypeError, r"argsort: x must be an array. Got list"),
        (lambda x: top_k(x, 4), ShapeError, r"top_k: k must be within 0 .. 3, the length of axis 1"),
        (lambda x: top_k(x, -1), ShapeError, r"top_k: k must be within 0"),
        (lambda x: top_k(x, 1.5), TypeError, r"top_k: k must be an int. Got 1.5"),
        (lambda x: searchsorted(x, x), ShapeError, r"what is searched must have one axis. Got float32\[2,3\]"),
        (lambda x: searchsorted(x[0], x, side="middle"), ValueError, r"side must be 'left' or 'right'. Got 'middle'"),
        (lambda x: searchsorted(x[0], x, sorter=NDArray([0.0])), DTypeError, r"indices must be integers. Got float32"),
        (lambda x: searchsorted(x[0], x, sorter=NDArray([0])), ShapeError, r"sorter must have the shape of x1, \(3,\)"),
        (lambda x: searchsorted(x[0], x, sorter=NDArray([0, 1, 9])), IndexError, r"9"),
        (lambda x: cumulative_sum(x), AxisError, r"axis must be given for an array of 2 axes"),
        (lambda x: cumulative_prod(NDArray(1.0)), AxisError, r"axis must be given for an array of 0 axes"),
        (lambda x: cumulative_sum(x, axis=5), AxisError, r"cumulative_sum: axis must be within"),
        (lambda x: cumulative_sum(x, axis=0, dtype="bool"), DTypeError, r"dtype must be a numeric"),
        (lambda x: cumsum(x, axis=2), AxisError, r"cumsum: axis"),
        (lambda x: diff(x, axis=2), AxisError, r"diff: axis"),
        (lambda x: diff(x, n=-1), ValueError, r"diff: n must be an int >= 0. Got -1"),
        (lambda x: diff(x, prepend=x[0]), ShapeError, r"concat"),
        (lambda x: diff(NDArray([True])), DTypeError, r"diff: dtype must be a numeric. Got bool"),
    ],
)
def test_errors(call, error, said):
    with pytest.raises(error, match=said):
        call(NDArray(np.arange(6, dtype=np.float32).reshape(2, 3)))
