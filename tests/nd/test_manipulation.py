"""Shapes, orders, reductions, products and creation against NumPy, and what they refuse."""

from array import array

import numpy as np
import pytest

from sparkdl import nd
from sparkdl.base.errors import AxisError, DTypeError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.graph.check import check_grads, evaluate
from sparkdl.graph.graph import Graph

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
SAME = (  # ours, NumPy's
    (lambda x: nd.reshape(x, (4, -1)), lambda x: x.reshape(4, -1)),
    (lambda x: nd.permute_dims(x, (2, 0, 1)), lambda x: x.transpose(2, 0, 1)),
    (lambda x: nd.transpose(x), lambda x: x.T),
    (lambda x: x.mT, lambda x: x.mT),
    (lambda x: nd.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1)),
    (lambda x: nd.moveaxis(x, (0, 1), (2, 0)), lambda x: np.moveaxis(x, (0, 1), (2, 0))),
    (lambda x: nd.swapaxes(x, 0, 2), lambda x: x.swapaxes(0, 2)),
    (lambda x: nd.expand_dims(x, axis=(0, -1)), lambda x: np.expand_dims(x, (0, -1))),
    (lambda x: nd.squeeze(x[:, :1], axis=1), lambda x: x[:, 0]),
    (lambda x: nd.concat([x, x], axis=-1), lambda x: np.concatenate([x, x], -1)),
    (lambda x: nd.concat([x, x[0]], axis=None), lambda x: np.concatenate([x, x[0]], None)),
    (lambda x: nd.stack([x, x + 1.0], axis=1), lambda x: np.stack([x, x + 1], 1)),
    (lambda x: nd.flip(x, axis=(0, 2)), lambda x: np.flip(x, (0, 2))),
    (lambda x: nd.roll(x, 5), lambda x: np.roll(x, 5)),
    (lambda x: nd.roll(x, (1, -2), axis=(0, 2)), lambda x: np.roll(x, (1, -2), (0, 2))),
    (lambda x: nd.roll(x, 3, axis=(1, 1)), lambda x: np.roll(x, 3, (1, 1))),
    (lambda x: nd.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3))),
    (lambda x: nd.tile(x, (2,)), lambda x: np.tile(x, 2)),
    (lambda x: nd.tile(x, (2, 1, 1, 2)), lambda x: np.tile(x, (2, 1, 1, 2))),
    (lambda x: nd.repeat(x, 2), lambda x: np.repeat(x, 2)),
    (lambda x: nd.repeat(x, np.array([1, 0, 2]), axis=1), lambda x: np.repeat(x, [1, 0, 2], 1)),
    (lambda x: nd.tril(x, k=1), lambda x: np.tril(x, 1)),
    (lambda x: nd.triu(x, k=-1), lambda x: np.triu(x, -1)),
    (lambda x: nd.unstack(x, axis=1)[2], lambda x: x[:, 2]),
    (lambda x: nd.split(x, 2, axis=2)[1], lambda x: np.split(x, 2, 2)[1]),
    (lambda x: nd.split(x, [1, -1], axis=2)[1], lambda x: np.split(x, [1, -1], 2)[1]),
    (lambda x: nd.meshgrid(x[0, 0], x[0, :, 0])[1], lambda x: np.meshgrid(x[0, 0], x[0, :, 0])[1]),
    (lambda x: nd.meshgrid(x[0, 0], x[:, 0, 0], indexing="ij")[0],
     lambda x: np.meshgrid(x[0, 0], x[:, 0, 0], indexing="ij")[0]),
    (lambda x: nd.matmul(x, x.mT), lambda x: x @ x.mT),
    (lambda x: x @ x[0, 0], lambda x: x @ x[0, 0]),
    (lambda x: nd.matmul(x[0, :, 0], x), lambda x: x[0, :, 0] @ x),
    (lambda x: nd.tensordot(x, x, axes=([0, 2], [0, 2])), lambda x: np.tensordot(x, x, ([0, 2], [0, 2]))),
    (lambda x: nd.tensordot(x, x[0, 0], axes=1), lambda x: np.tensordot(x, x[0, 0], 1)),
    (lambda x: nd.vecdot(x, x[0], axis=-2), lambda x: np.vecdot(x, x[0], axis=-2)),
    (lambda x: nd.outer(x[0, 0], x[0, 1]), lambda x: np.outer(x[0, 0], x[0, 1])),
    (lambda x: nd.dot(x, x[0].T), lambda x: np.dot(x, x[0].T)),
    (lambda x: nd.sum(x, axis=(0, 2), keepdims=True), lambda x: x.sum((0, 2), keepdims=True)),
    (lambda x: nd.prod(x / 9.0, axis=1), lambda x: (x / 9).prod(1)),
    (lambda x: nd.mean(x, axis=-1), lambda x: x.mean(-1)),
    (lambda x: nd.var(x, axis=(1, 2), correction=1), lambda x: x.var((1, 2), ddof=1)),
    (lambda x: nd.std(x), lambda x: x.std()),
    (lambda x: nd.max(x, axis=0), lambda x: x.max(0)),
    (lambda x: nd.min(x, axis=(0, 1)), lambda x: x.min((0, 1))),
    (lambda x: nd.all(x > 1.0, axis=0), lambda x: (x > 1).all(0)),
    (lambda x: nd.any(x, axis=2, keepdims=True), lambda x: x.any(2, keepdims=True)),
)  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs"), SAME)
@pytest.mark.parametrize("start", [X, X[::-1, :, ::-1], np.asfortranarray(X)], ids=["C", "backwards", "F"])
def test_as_numpy(ours, theirs, start):
    want = theirs(start)
    got = ours(nd.asarray(start))
    np.testing.assert_allclose(got.numpy(), want, rtol=2e-6)
    assert got.shape == want.shape and got.dtype == want.dtype
    graph = Graph()
    made = ours(graph.input("x", Spec(start.shape)))
    np.testing.assert_allclose(evaluate(graph, {"x": start}, [made])[0], want, rtol=2e-6)
    assert made.spec == got.spec


@pytest.mark.parametrize("ours", [ours for ours, theirs in SAME if theirs(X).dtype == np.float32])
def test_gradients(ours):
    check_grads(ours, [np.random.default_rng(0).permutation(X.ravel()).reshape(X.shape) / 7 + 0.3])


REFUSED = (
    (lambda x: nd.reshape(x, (5, -1)), ShapeError, "has 24 elements, which"),
    (lambda x: nd.reshape(x, (-1, -1)), ShapeError, "one at most -1"),
    (lambda x: nd.reshape(x, (4, 5)), ShapeError, "has 24 elements, .* holds 20"),
    (lambda x: nd.reshape(x.T, (24,), copy=False), ValueError, "needs a copy"),
    (lambda x: nd.permute_dims(x, (0, 1)), AxisError, "must name each of the 3 axes once"),
    (lambda x: nd.permute_dims(x, (0, 1, 1)), AxisError, "axes must be distinct"),
    (lambda x: nd.matrix_transpose(x[0, 0]), ShapeError, "must have two axes or more"),
    (lambda x: nd.squeeze(x, axis=0), ShapeError, "must have length 1"),
    (lambda x: nd.expand_dims(x, axis=5), AxisError, "axis must be within -4 .. 3. Got 5"),
    (lambda x: nd.sum(x, axis=3), AxisError, "sum: axis must be within -3 .. 2. Got 3"),
    (lambda x: nd.sum(x, axis=1.0), TypeError, "sum: axis must be an int. Got 1.0"),
    (lambda x: nd.sum(x, axis=(0, 0)), AxisError, "axes must be distinct"),
    (lambda x: nd.max(x[:, :0], axis=1), ShapeError, "must not be empty"),
    (lambda x: nd.mean(nd.astype(x, "int32")), DTypeError, "mean: dtype must be a floating"),
    (lambda x: nd.concat([]), ValueError, "at least one array"),
    (lambda x: nd.concat([x, x[0]]), ShapeError, "concat: all must agree|axes"),
    (lambda x: nd.stack([x, x[:1]]), ShapeError, "stack: all must have one shape"),
    (lambda x: nd.split(x, 5, axis=2), ShapeError, "must divide into 5 equal parts"),
    (lambda x: nd.repeat(x, np.array([1, 2]), axis=1), ShapeError, "repeats must be one int >= 0, or 3 of them"),
    (lambda x: nd.repeat(x, -1), ShapeError, "repeats must be"),
    (lambda x: nd.repeat(x, np.array([1.5])), DTypeError, "repeats must be integers"),
    (lambda x: nd.roll(x, (1, 2), axis=(0,)), ShapeError, "must be as many"),
    (lambda x: nd.meshgrid(x[0, 0], indexing="ab"), ValueError, "indexing must be 'xy' or 'ij'"),
    (lambda x: nd.matmul(x, x), ShapeError, "the inner lengths must agree|matmul"),
    (lambda x: nd.matmul(x, nd.asarray(1.0)), ShapeError, "numbers go by"),
    (lambda x: nd.matmul(x > 0.0, x > 0.0), DTypeError, "matmul: dtype must be a numeric"),
    (lambda x: nd.vecdot(x, x[..., :2]), ShapeError, "of one length"),
    (lambda x: nd.tensordot(x, x, axes=2), ShapeError, "must be distinct and agree in length"),
    (lambda x: nd.tensordot(x, x, axes=4), ShapeError, "axes must be within 0 .. 3"),
    (lambda x: nd.outer(x, x), ShapeError, "both must be vectors"),
    (lambda x: nd.broadcast_to(x, (2, 3)), ShapeError, "does not broadcast to"),
    (lambda x: x.to_device("gpu"), ValueError, "device must be 'cpu'"),
    (lambda x: x.__array_namespace__(api_version="1999.01"), ValueError, "api_version must be one of"),
)  # fmt: skip


@pytest.mark.parametrize(("call", "error", "said"), REFUSED)
def test_refused(call, error, said):
    with pytest.raises(error, match=said):
        call(nd.asarray(X))


def test_sums_of_integers_are_wide():
    for dtype, wide in (("int8", "int64"), ("uint8", "uint64"), ("bool", "int64"), ("float16", "float16")):
        assert nd.sum(nd.ones(300, dtype)).dtype == wide == nd.prod(nd.ones(3, dtype)).dtype
    assert int(nd.sum(nd.full((300,), 100, dtype="int8"))) == 30000
    assert nd.sum(nd.ones(3), dtype="float64").dtype == "float64"


@pytest.mark.parametrize("shape", [(70001,), (3000, 70), (70, 3000), (5, 70000), (70000, 5), (40, 50, 60)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_sums_are_as_exact_as_numpys(shape, dtype):
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    for axis in (None, 0, -1, tuple(range(len(shape) - 1)), tuple(range(1, len(shape)))):
        for keep in (False, True):
            exact = x.astype("float128").sum(axis, keepdims=keep)
            got = nd.sum(nd.asarray(x), axis=axis, keepdims=keep).numpy()
            theirs = np.abs(x.sum(axis, keepdims=keep) - exact).max()
            assert got.dtype == dtype and got.shape == exact.shape
            assert np.abs(got - exact).max() <= 4 * theirs + 1e3 * np.finfo(dtype).eps


def test_large_sums_see_nan_and_infinity():
    x = np.ones((300, 400), "f")
    x[3, 5], x[7, 1] = np.nan, np.inf
    for axis in (None, 0, 1):
        np.testing.assert_array_equal(nd.sum(nd.asarray(x), axis=axis).numpy(), x.sum(axis))


def test_creation():
    assert nd.arange(1, 7, 2).tolist() == [1, 3, 5] and nd.arange(0.0, 1.0, 0.25).dtype == "float32"
    assert nd.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1] and nd.linspace(0, 1, 4, endpoint=False)[1] == 0.25
    assert nd.eye(2, 3, k=1).tolist() == [[0, 1, 0], [0, 0, 1]] and nd.full((2,), True).dtype == "bool"
    assert nd.full(2, 3).dtype == "int64" and nd.full((), 1j).dtype == "complex64" and nd.empty(3).shape == (3,)
    x = nd.asarray([[1, 2]], dtype="int8")
    assert nd.zeros_like(x).dtype == "int8" and nd.ones_like(x, dtype="float64").tolist() == [[1.0, 1.0]]
    assert nd.full_like(x, 7).tolist() == [[7, 7]] and nd.empty_like(x).shape == (1, 2)


def test_asarray():
    data = np.arange(3.0)
    assert np.shares_memory(nd.asarray(data).numpy(), data) and nd.asarray(data, copy=True).numpy() is not data
    x = nd.asarray(data)
    assert nd.asarray(x) is x and nd.asarray(memoryview(data)).tolist() == [0, 1, 2]
    assert nd.asarray([x[0], 2.0]).tolist() == [0, 2] and nd.asarray([], dtype="int8").shape == (0,)
    numbers = array("d", [0.1, 0.2])
    assert nd.asarray(numbers).dtype == "float64" and np.shares_memory(nd.asarray(numbers).numpy(), np.asarray(numbers))
    assert np.asarray(nd.ones(2, "bfloat16")).tolist() == [1, 1] == np.array(nd.ones(2, "bfloat16")).tolist()
    assert nd.asarray([]).dtype == "float32" and nd.asarray(True).dtype == "bool" and nd.asarray(2**40).dtype == "int64"
    assert nd.asarray([0.1], dtype="float64")[0] == 0.1


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ([[1.0], [1.0, 2.0]], ShapeError, "lists must be nested evenly"),
        (["a"], DTypeError, "elements must be numbers or bools. Got <U1"),
        ([None], DTypeError, "elements must be numbers or bools. Got object"),
        (object(), DTypeError, "elements must be numbers or bools"),
        (np.array(["2020-01-01"], "M8[D]"), DTypeError, "elements must be numbers or bools"),
        ([2**70], OverflowError, "does not fit into 64 bits|too large"),
    ],
)
def test_no_numbers(given, error, said):
    with pytest.raises(error, match=said):
        nd.asarray(given)


def test_asarray_says_when_it_must_copy():
    with pytest.raises(ValueError, match=r"list needs a copy to become float32\[1\], and copy is False"):
        nd.asarray([1.0], copy=False)
    with pytest.raises(ValueError, match=r"ndarray needs a copy to become float32\[2\]"):
        nd.asarray(np.zeros(2), dtype="float32", copy=False)
    with pytest.raises(ValueError, match=r"device must be 'cpu' or None"):
        nd.zeros(2, device="gpu")
    with pytest.raises(ShapeError, match=r"zeros: lengths must be >= 0"):
        nd.zeros((2, -1))


def test_the_namespace():
    x = nd.zeros(2)
    assert x.__array_namespace__() is nd and x.__array_namespace__(api_version="2024.12") is nd
    info = nd.__array_namespace_info__()
    assert info.devices() == ["cpu"] and info.default_device() == "cpu" and info.capabilities()["boolean indexing"]
    assert set(info.dtypes(kind="signed integer")) == {"int8", "int16", "int32", "int64"}
    assert info.default_dtypes() == {
        "real floating": "float32", "complex floating": "complex64", "integral": "int64", "indexing": "int64",
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"device must be 'cpu' or None"):
        info.dtypes(device="gpu")


OUT = (  # functions besides the elementwise ones that write into `out`, as NumPy's do
    lambda x, **o: nd.sum(x, axis=0, **o), lambda x, **o: nd.prod(x, axis=1, **o), lambda x, **o: nd.mean(x, **o),
    lambda x, **o: nd.var(x, axis=2, **o), lambda x, **o: nd.std(x, **o), lambda x, **o: nd.max(x, axis=0, **o),
    lambda x, **o: nd.min(x, **o), lambda x, **o: nd.all(x, axis=0, **o), lambda x, **o: nd.any(x, **o),
    lambda x, **o: nd.argmax(x, axis=1, **o), lambda x, **o: nd.cumulative_sum(x, axis=1, **o),
    lambda x, **o: nd.concat([x, x], **o), lambda x, **o: nd.stack([x, x], **o), lambda x, **o: nd.matmul(x, x.mT, **o),
    lambda x, **o: nd.take(x, np.array([1, 0]), axis=0, **o), lambda x, **o: nd.dot(x, x[0, 0], **o),
    lambda x, **o: nd.outer(x[0, 0], x[0, 1], **o), lambda x, **o: nd.vecdot(x, x, **o),
    lambda x, **o: nd.clip(x, 1.0, **o), lambda x, **o: nd.einsum("abc->ac", x, **o),
)  # fmt: skip


@pytest.mark.parametrize("fn", OUT)
def test_results_go_into_out(fn):
    x = nd.asarray(X)
    want = fn(x)
    out = nd.zeros(want.shape, want.dtype)
    assert fn(x, out=out) is out
    np.testing.assert_array_equal(out.numpy(), want.numpy())
    with pytest.raises(ShapeError, match="out must have the shape"):
        fn(x, out=nd.zeros((*want.shape, 2), want.dtype))
