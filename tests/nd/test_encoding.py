"""One-hot vectors: Keras's arguments, NumPy's numbers, what is refused."""

import numpy as np
import pytest

from sparkdl.base.errors import AxisError, DTypeError, ShapeError
from sparkdl.base.spec import KINDS, Spec
from sparkdl.compile.jit import compile
from sparkdl.graph.check import evaluate
from sparkdl.graph.derive import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray
from sparkdl.nd.encoding import one_hot
from sparkdl.nd.reductions import sum as sum_

IDS = np.array([[0, 3, 1], [2, 2, 0]])


@pytest.mark.parametrize("ids", [IDS, IDS[0], IDS[1, 2], IDS[:0], IDS.T[::-1]], ids=["2", "1", "0", "empty", "strided"])
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "int8", "uint64"])
def test_as_numpy(ids, dtype):
    ids = ids.astype(dtype)
    for axis in range(-ids.ndim - 1, ids.ndim + 1):
        want = np.moveaxis(np.eye(4, dtype="f")[ids], -1, axis)
        got = one_hot(NDArray(ids), 4, axis)
        np.testing.assert_array_equal(got.numpy(), want)
        assert got.shape == want.shape and got.dtype == "float32"
        graph = Graph()
        made = one_hot(graph.input("x", Spec(ids.shape, dtype)), 4, axis)
        assert made.spec == got.spec
        np.testing.assert_array_equal(evaluate(graph, {"x": ids}, [made])[0], want)


def test_ids_outside_give_zeros():
    for ids in (np.array([-1, 4, 2**40, -(2**62)]), np.array([255, 4], "uint8"), np.array([2**64 - 1], "uint64")):
        assert not one_hot(NDArray(ids), 4).numpy().any()
    assert one_hot(NDArray([1, -1, 3]), 2).tolist() == [[0, 1], [0, 0], [0, 0]]


@pytest.mark.parametrize("dtype", [*KINDS["numeric"], "bool"])
def test_dtypes(dtype):
    got = one_hot(NDArray(IDS), 4, dtype=dtype)
    assert got.dtype == dtype and int(sum_(got != NDArray(0, dtype))) == IDS.size
    compiled = compile(lambda ids: one_hot(ids, 4, 0, dtype))(NDArray(IDS))
    np.testing.assert_array_equal(compiled.numpy(), np.moveaxis(got.numpy(), -1, 0))


def test_under_a_gradient():
    ids = NDArray(IDS)
    slope = grad(lambda w: sum_(one_hot(ids, 4) @ w))(NDArray(np.zeros((4, 2), "f")))
    assert slope.tolist() == [[2, 2], [1, 1], [2, 2], [1, 1]]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda x: one_hot(NDArray([1.0]), 4), DTypeError, r"one_hot: x must be ints. Got float32\[1\]; cast it first"),
        (lambda x: one_hot(NDArray([True]), 4), DTypeError, "one_hot: x must be ints. Got bool"),
        (lambda x: one_hot([1], 4), DTypeError, "one_hot: x must be an array. Got list"),
        (lambda x: one_hot(x, 0), ShapeError, "one_hot: num_classes must be an int >= 1. Got 0"),
        (lambda x: one_hot(x, 4.0), ShapeError, "one_hot: num_classes must be an int >= 1. Got 4.0"),
        (lambda x: one_hot(x, 4, 3), AxisError, "one_hot: axis must be within -3 .. 2. Got 3"),
        (lambda x: one_hot(x, 4, dtype="float8"), DTypeError, "float8"),
    ],
)
def test_refused(call, error, said):
    with pytest.raises(error, match=said):
        call(NDArray(IDS))
