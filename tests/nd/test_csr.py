"""Sparse rows against dense NumPy: numbers, gradients, inside of grad and compile, errors."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import sparkdl
from sparkdl import nd
from sparkdl.base.errors import AxisError, BoundsError, DTypeError, ShapeError
from sparkdl.graph.check import check_grads
from sparkdl.nd.array import NDArray
from sparkdl.nd.sparse import CSRArray

WIDE = 27_000
DENSE = np.array([[0, 2, 0, 1], [0, 0, 0, 0], [3, 0, 0, -1]], "float64")  # a row and a column are empty
INDPTR, INDICES, VALUES = np.array([0, 2, 2, 4]), np.array([1, 3, 0, 3]), np.array([2.0, 1.0, 3.0, -1.0])


def example(values=VALUES):
    return CSRArray(INDPTR, INDICES, values, (3, 4))


@st.composite
def matrices(draw, shape=None):
    """A matrix of small whole numbers, most of them 0; any axis may be empty."""
    shape = shape or (draw(st.integers(0, 6)), draw(st.integers(0, 6)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    full = rng.integers(-3, 4, shape) * (rng.random(shape) < draw(st.sampled_from([0.0, 0.2, 0.6, 1.0])))
    return full.astype(draw(st.sampled_from(["float32", "float64"])))


@given(matrices(), st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_as_dense(full, seed):
    x, rng = CSRArray.from_dense(full), np.random.default_rng(seed)
    same(x.to_dense(), full)
    assert (x.shape, x.ndim, x.dtype, x.device, len(x)) == (full.shape, 2, full.dtype, "cpu", len(full))
    assert x.nnz == np.count_nonzero(full)
    same(x.T.to_dense(), full.T)
    same(x.T.T.to_dense(), full)
    for axis in (None, 0, 1, -1):
        same(x.sum(axis), full.sum(axis))
    w, g = (rng.integers(-3, 4, n).astype(full.dtype) for n in ((full.shape[1], 3), (2, full.shape[0])))
    same(x @ NDArray(w), full @ w)
    same(x @ w[:, 0], full @ w[:, 0])
    same(NDArray(g) @ x, g @ full)
    same(g[0] @ x, g[0] @ full)
    same((2.0 * x / 4.0 - x * 3.0).to_dense(), full / 2 - full * 3)


@given(matrices(), st.slices(6) | st.lists(st.integers(-6, 5)))
@settings(max_examples=150, deadline=None)
def test_rows(full, key):
    x = CSRArray.from_dense(full)
    try:
        found = full[np.array(key, "int64") if isinstance(key, list) else key]
    except IndexError:
        with pytest.raises(BoundsError, match="rows must lie within"):
            x[key]
    else:
        same(x[key].to_dense(), found)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_sums_of_two(data):
    a = data.draw(matrices())
    b = data.draw(matrices(a.shape))
    made = CSRArray.from_dense(a) + CSRArray.from_dense(b)
    same(made.to_dense(), a + b)
    assert made.nnz == np.count_nonzero((a != 0) | (b != 0))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(-3, 3))))
@settings(max_examples=150, deadline=None)
def test_coordinates(places):
    rows, cols, values = (np.array(v, "int64") for v in (zip(*places, strict=True) if places else ([], [], [])))
    full = np.zeros((5, 3), "int64")
    np.add.at(full, (rows, cols), values)
    x = CSRArray.from_coo(rows.astype("int16"), list(cols), values, (5, 3))
    same(x.to_dense(), full)
    flat = np.repeat(np.arange(5), np.diff(x.indptr.numpy())) * 3 + x.indices.numpy()
    assert (np.diff(flat) > 0).all()  # rows and columns rise, each place is there once


def same(made, wanted):
    assert made.shape == wanted.shape and made.dtype == wanted.dtype
    np.testing.assert_array_equal(made.numpy(), wanted)


def test_one_row_is_a_matrix():
    x = example()
    assert x[2].shape == x[-1].shape == x[np.int64(2)].shape == x[nd.asarray(2)].shape == (1, 4)
    same(x[-1].to_dense(), DENSE[2:])
    assert [row.nnz for row in x] == [2, 0, 2]
    assert np.shares_memory(x[:2].values.numpy(), x.values.numpy())


def test_what_is_stored_twice_counts_as_its_sum():
    x = CSRArray([0, 3], [1, 0, 1], [1.0, 2.0, 4.0], (1, 2))
    assert x.to_dense().tolist() == [[2.0, 5.0]] == x.T.to_dense().T.tolist()
    assert (x @ nd.asarray([1.0, 10.0])).tolist() == [52.0] and x.sum(0).tolist() == [2.0, 5.0]
    assert (x + x).nnz == 2 and (x + x).to_dense().tolist() == [[4.0, 10.0]]


def test_nothing_wide_becomes_dense():
    rng = np.random.default_rng(0)
    many = 1_000_000  # rows: as a dense matrix 10^11 bytes
    rows, cols = rng.integers(0, many, 1000), rng.integers(0, WIDE, 1000)
    x = CSRArray.from_coo(rows, cols, rng.normal(size=1000).astype("float32"), (many, WIDE))
    assert x.T.shape == (WIDE, many) and (x + x).nnz == x.nnz and x[rows[:7]].shape == (7, WIDE)
    w = nd.ones((WIDE,))
    np.testing.assert_allclose((x @ w).numpy(), x.sum(1).numpy(), rtol=1e-6)
    np.testing.assert_allclose((nd.ones((many,)) @ x).numpy(), x.sum(0).numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_empty(shape):
    x = CSRArray(np.zeros(shape[0] + 1, "int64"), [], [], shape)
    assert x.dtype == "float32" and x.nnz == 0 and x.T.shape == shape[::-1]
    same(x @ nd.ones((shape[1], 2)), np.zeros((shape[0], 2), "float32"))
    same(x @ nd.ones((shape[1], 0)), np.zeros((shape[0], 0), "float32"))
    same((x + x)[:0].to_dense(), np.zeros((0, shape[1]), "float32"))


def test_thresholds():
    full = np.array([[0.5, -0.5, 0.6, np.nan, -np.inf, -0.0]])
    assert CSRArray.from_dense(full, 0.5).indices.tolist() == [2, 3, 4]
    assert CSRArray.from_dense(np.array([[-128, 0, 1]], "int8")).indices.tolist() == [0, 2]
    assert CSRArray.from_dense(np.array([[3 + 4j, 1j]]), 2).values.tolist() == [3 + 4j]
    assert CSRArray.from_dense(np.array([[True, False]])).values.tolist() == [True]


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "bfloat16", "complex64"])
def test_other_dtypes_are_stored_and_summed(dtype):
    x, full = example().astype(dtype), nd.astype(nd.asarray(DENSE), dtype)
    assert x.dtype == dtype and x.values.dtype == dtype and x.to_dense().tolist() == full.tolist()
    for axis in (None, 0, 1):
        made, wanted = x.sum(axis), nd.sum(full, axis=axis)
        assert made.dtype == wanted.dtype and made.tolist() == wanted.tolist()
    assert x.T.dtype == x[1:].dtype == dtype
    with pytest.raises(DTypeError, match=r"must meet in float32 or float64. Got .*; take astype"):
        x @ nd.ones((4, 1), dtype=dtype)


def test_dtypes_meet():
    x = example(VALUES.astype("float32"))
    assert (x @ nd.ones((4,), dtype="float64")).dtype == "float64"
    assert (x.astype("int8") @ nd.ones((4,))).dtype == "float32" == (x @ nd.ones((4,), dtype="int64")).dtype
    assert (x + example()).dtype == "float64" and (x.astype("int8") * 0.5).dtype == "float32"
    assert (np.float32(2) * x).to_dense().tolist() == (2 * DENSE).tolist() == (nd.asarray(2.0) * x).to_dense().tolist()


def test_narrow_indices_stay_narrow():
    x = CSRArray(INDPTR.astype("int32"), INDICES.astype("int32"), VALUES, (3, 4))
    for made in (x, x.T, x[1:], x[[2, 0]], x.copy(), -x):
        assert made.indptr.dtype == made.indices.dtype == "int32"
    same(x.T.to_dense(), DENSE.T)
    same(x[[2, 0]].to_dense(), DENSE[[2, 0]])


def test_a_record():
    x = example()
    assert repr(x) == "CSRArray(shape=(3, 4), nnz=4, dtype=float64, device='cpu')"
    assert x == x and x != x.copy() and len({x, x.copy()}) == 2
    assert not np.shares_memory(x.copy().values.numpy(), VALUES) and np.shares_memory(x.values.numpy(), VALUES)
    with pytest.raises(AttributeError):
        x.shape = (4, 3)


def test_like_scipy():
    theirs = SimpleNamespace(indptr=INDPTR.astype("int32"), indices=INDICES, data=VALUES, shape=(3, 4), format="csr")
    x = CSRArray.from_scipy(theirs)
    (data, indices, indptr), shape = x.to_scipy()
    assert np.shares_memory(data, VALUES) and shape == (3, 4) and indptr.dtype == indices.dtype == "int64"
    same(CSRArray(indptr, indices, data, shape).to_dense(), DENSE)


W, G = np.linspace(-1, 1, 8).reshape(4, 2), np.linspace(1, 2, 6).reshape(2, 3)
LOSSES = {
    "matmul": lambda v, w, g: example(v) @ w,
    "vector": lambda v, w, g: example(v) @ w[:, 0],
    "second": lambda v, w, g: g @ example(v),
    "vector first": lambda v, w, g: g[0] @ example(v),
    "transposed": lambda v, w, g: w.T @ example(v * v).T,
    "sums": lambda v, w, g: (example(v * v).sum(), example(v * v).sum(0), example(v * v).sum(1)),
    "dense": lambda v, w, g: example(v * v).to_dense(),
    "rows": lambda v, w, g: (example(v)[1:] @ w, example(v)[[2, 0, 2]] @ w, example(v)[0] @ w),
    "numbers": lambda v, w, g: (-example(v) * 2.0 / w[0, 0] * g[0, 0]) @ w,
    "two": lambda v, w, g: (example(v) - example(v * v).T.T) @ w,
    "coo": lambda v, w, g: CSRArray.from_coo([0, 1, 0, 0], [1, 2, 1, 0], v, (3, 4)) @ w,
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients(name):
    check_grads(LOSSES[name], [VALUES, W, G])


@pytest.mark.parametrize("name", LOSSES)
def test_grad_and_compile_as_eager(name):
    def loss(v, w, g):
        made = LOSSES[name](v, w, g)
        return sum(nd.sum(y * y) for y in (made if isinstance(made, tuple) else (made,)))

    arrays = tuple(map(nd.asarray, (VALUES, W, G)))
    slopes = sparkdl.grad(loss, argnums=(0, 1, 2))
    np.testing.assert_allclose(sparkdl.compile(loss)(*arrays).numpy(), loss(*arrays).numpy())
    for made, wanted in zip(sparkdl.compile(slopes)(*arrays), slopes(*arrays), strict=True):
        np.testing.assert_allclose(made.numpy(), wanted.numpy())


def test_indices_as_arguments_of_a_program():
    @sparkdl.compile
    def f(indptr, indices, values, w, g):
        x = CSRArray(indptr, indices, values, (3, 4))
        return x @ w, g @ x, x.T @ g.T, x.T.to_dense(), x.sum(0), x.sum(1), (x * 2.0).to_dense()

    full, made = DENSE, f(INDPTR, INDICES, VALUES, W, G)
    wanted = full @ W, G @ full, full.T @ G.T, full.T, full.sum(0), full.sum(1), 2 * full
    for got, right in zip(made, wanted, strict=True):
        np.testing.assert_allclose(got.numpy(), right, atol=1e-14)


def test_weights_learn_from_wide_rows():
    rng = np.random.default_rng(1)
    x = CSRArray.from_coo(np.repeat(np.arange(20), 5), rng.integers(0, WIDE, 100), np.ones(100, "float32"), (20, WIDE))
    right, w = nd.asarray(rng.normal(size=20).astype("float32")), nd.zeros((WIDE,))
    step = sparkdl.compile(lambda w: sparkdl.value_and_grad(lambda w: nd.mean(nd.square(x @ w - right)))(w))
    first = step(w)[0].item()
    for _ in range(30):
        w = w - step(w)[1]
    assert step(w)[0].item() < 1e-3 * first


def test_what_must_know_the_indices_says_so():
    def told(f, *arrays):
        with pytest.raises(TypeError, match="must be known"):
            sparkdl.compile(f)(*arrays)

    told(lambda p: CSRArray(p, INDICES, VALUES, (3, 4))[0].values, INDPTR)
    told(lambda p: (CSRArray(p, INDICES, VALUES, (3, 4)) + example()).values, INDPTR)
    told(lambda k: example()[k].values, np.array(1))
    told(lambda x: CSRArray.from_dense(x).values, DENSE)
    told(lambda v: nd.asarray(example(v).to_scipy()[0][0]), VALUES)
    with pytest.raises(TypeError, match="x must be known here"):
        sparkdl.grad(lambda x: CSRArray.from_dense(x).sum())(nd.asarray(DENSE))


@pytest.mark.parametrize(
    ("parts", "error", "told"),
    [
        (([0, 2, 4], INDICES, VALUES, (3, 4)), ShapeError, r"indptr must have the shape \(4,\)"),
        (([[0, 2, 2, 4]], INDICES, VALUES, (3, 4)), ShapeError, "indptr must have the shape"),
        (([1, 2, 2, 4], INDICES, VALUES, (3, 4)), ShapeError, r"from 0 to the 4 stored .* Got \(1, 4\)"),
        (([0, 2, 2, 3], INDICES, VALUES, (3, 4)), ShapeError, r"from 0 to the 4 stored .* Got \(0, 3\)"),
        (([0, 3, 2, 4], INDICES, VALUES, (3, 4)), ShapeError, "must not fall. Got 3 at 1, then 2"),
        ((INDPTR, [1, 4, 0, 3], VALUES, (3, 4)), BoundsError, r"indices must lie within 0 .. 3. Got 4 at 1"),
        ((INDPTR, [1, 3, -1, 3], VALUES, (3, 4)), BoundsError, r"Got -1 at 2"),
        ((INDPTR, INDICES, VALUES, (3, 0)), BoundsError, "indices must lie within"),
        ((INDPTR, INDICES, VALUES[:3], (3, 4)), ShapeError, r"two \(N,\)"),
        ((INDPTR, INDICES, VALUES.reshape(2, 2), (3, 4)), ShapeError, r"two \(N,\)"),
        ((INDPTR.astype("float32"), INDICES, VALUES, (3, 4)), DTypeError, "indptr must be int32 or int64"),
        ((INDPTR, INDICES.astype("int32"), VALUES, (3, 4)), DTypeError, "indices must be .* both alike"),
        ((INDPTR, INDICES.astype("uint8"), VALUES, (3, 4)), DTypeError, "indices must be int32 or int64"),
        ((INDPTR, INDICES, np.array(list("abcd")), (3, 4)), DTypeError, "numbers or bools"),
        ((INDPTR, INDICES, VALUES, (3,)), ShapeError, r"two ints >= 0, \(rows, columns\). Got \(3,\)"),
        ((INDPTR, INDICES, VALUES, (3, -4)), ShapeError, "two ints >= 0"),
        ((INDPTR, INDICES, VALUES, (3, 4.0)), ShapeError, "two ints >= 0"),
        ((INDPTR, INDICES, VALUES, 12), ShapeError, "two ints >= 0"),
    ],
)
def test_parts_that_do_not_fit(parts, error, told):
    with pytest.raises(error, match=told):
        CSRArray(*parts)


@pytest.mark.parametrize(
    ("made", "error", "told"),
    [
        (lambda: CSRArray.from_dense([1.0, 2.0]), ShapeError, r"must be a matrix. Got the shape \(2,\)"),
        (lambda: CSRArray.from_dense(DENSE, -1.0), ValueError, "threshold must be >= 0. Got -1.0"),
        (lambda: CSRArray.from_dense(DENSE, np.nan), ValueError, "threshold must be >= 0"),
        (lambda: CSRArray.from_coo([3], [0], [1.0], (3, 4)), BoundsError, r"rows must lie within 0 .. 2. Got 3 at 0"),
        (lambda: CSRArray.from_coo([0], [-1], [1.0], (3, 4)), BoundsError, r"cols must lie within 0 .. 3"),
        (lambda: CSRArray.from_coo([0.5], [0], [1.0], (3, 4)), DTypeError, "rows must be integers. Got float64"),
        (lambda: CSRArray.from_coo([[0]], [0], [1.0], (3, 4)), ShapeError, "rows must be a vector"),
        (lambda: CSRArray.from_coo([0], [0], [1.0, 2.0], (3, 4)), ShapeError, "all must be of one length"),
        (lambda: CSRArray.from_scipy(DENSE), TypeError, "Got ndarray without indptr, indices"),
        (
            lambda: CSRArray.from_scipy(
                SimpleNamespace(indptr=INDPTR, indices=INDICES, data=VALUES, shape=(4, 3), format="csc")
            ),
            TypeError,
            "in the format 'csc'; take x.tocsr()",
        ),
        (lambda: example() @ W[:3], ShapeError, r"Got \(3, 4\) @ \(3, 2\)"),
        (lambda: example() @ W[None], ShapeError, r"Got \(3, 4\) @ \(1, 4, 2\)"),
        (lambda: W @ example(), ShapeError, r"Got \(4, 2\) @ \(3, 4\)"),
        (lambda: nd.asarray(W) @ example(), ShapeError, r"Got \(4, 2\) @ \(3, 4\)"),
        (lambda: example() @ nd.asarray(1.0), ShapeError, r"Got \(3, 4\) @ \(\)"),
        (lambda: example() @ example().T, TypeError, "one of the two must be dense"),
        (lambda: example() @ [1.0] * 4, TypeError, "unsupported operand"),
        (lambda: example() + example().T, ShapeError, r"one shape. Got \(3, 4\) and \(4, 3\)"),
        (lambda: example() + 1.0, TypeError, "unsupported operand"),
        (lambda: example() * example(), TypeError, "must be a number, or an array without axes. Got an array"),
        (lambda: W * example(), TypeError, r"must be a number, .* Got an array of the shape \(4, 2\)"),
        (lambda: example() / "2", TypeError, "must be a number, or an array without axes. Got str"),
        (lambda: 2.0 / example(), TypeError, "unsupported operand"),
        (lambda: example().sum(2), AxisError, "axis must be within -2 .. 1. Got 2"),
        (lambda: example()[3], BoundsError, r"rows must lie within -3 .. 2. Got 3"),
        (lambda: example()[0, 1], BoundsError, r"an int, a slice, or a vector of ints. Got \(0, 1\)"),
        (lambda: example()[1.0], BoundsError, "an int, a slice, or a vector of ints. Got 1.0"),
        (lambda: example()[True], BoundsError, "an int, a slice, or a vector of ints"),
        (lambda: example()[[[0]]], BoundsError, "an int, a slice, or a vector of ints"),
        (lambda: example()[None], BoundsError, "an int, a slice, or a vector of ints"),
        (lambda: example().astype("complex64").astype("float32"), DTypeError, "does not fit"),
        (lambda: example().astype("text"), DTypeError, "dtype must be one of"),
    ],
)
def test_errors(made, error, told):
    with pytest.raises(error, match=told):
        made()
