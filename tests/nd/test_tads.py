"""Tensors along dimensions and choices by condition: against NumPy, views, traced, gradients, what is refused."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest

from sparkdl.base.errors import AxisError, BoundsError, DTypeError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.compile.jit import compile
from sparkdl.graph.check import check_grads, evaluate
from sparkdl.graph.derive import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray
from sparkdl.nd.elementwise import square, where
from sparkdl.nd.functions import exp, log, sqrt
from sparkdl.nd.products import dot
from sparkdl.nd.reductions import sum as sum_
from sparkdl.nd.tads import apply_along, apply_where, num_tensors_along, replace_where, tensors_along

X = np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5)
CHOICES = [axes for count in range(5) for axes in combinations(range(4), count)]


def by_numpy(x, axes):
    """Other axes in front, in C order."""
    others = [k for k in range(x.ndim) if k not in axes]
    moved = x.transpose(*others, *sorted(axes))
    return moved.reshape(-1, *moved.shape[len(others) :])


@pytest.mark.parametrize("axes", CHOICES)
@pytest.mark.parametrize("x", [X, X[::-1, :, ::2], np.asfortranarray(X)], ids=["C", "strided", "F"])
def test_tensors_as_numpy(x, axes):
    want, found = by_numpy(x, axes), tensors_along(NDArray(x), *axes)
    assert isinstance(found, Sequence) and len(found) == num_tensors_along(NDArray(x), *axes) == len(want)
    for k, tensor in enumerate(found):
        np.testing.assert_array_equal(tensor.numpy(), want[k])
        np.testing.assert_array_equal(found[k - len(want)].numpy(), want[k])
        assert tensor.shape == want[k].shape and np.shares_memory(tensor.numpy(), x)


def test_order_and_sign_of_dimensions_do_not_matter():
    for axes in ((3, 1), (-1, 1), (1, -1), (-3, 3)):
        np.testing.assert_array_equal(tensors_along(NDArray(X), *axes)[5].numpy(), X[1, :, 1, :])


def test_as_a_sequence():
    rows = tensors_along(NDArray(X[0, 0]), 1)
    assert [row.tolist() for row in rows[1:3]] == X[0, 0, 1:3].tolist() and rows[9:] == []
    assert [row.tolist() for row in rows[::-2]] == X[0, 0, ::-2].tolist()
    assert [row.tolist() for row in reversed(rows)] == X[0, 0, ::-1].tolist()
    assert rows[NDArray(2)].tolist() == rows[np.int32(2)].tolist() == X[0, 0, 2].tolist()
    assert len(tensors_along(NDArray(X[:0]), 1)) == 0 and len(tensors_along(NDArray(X[:0]), 0)) == 60
    assert len(tensors_along(NDArray(3.0))) == 1 and float(tensors_along(NDArray(3.0))[0]) == 3


def test_writing_into_a_tensor_writes_into_the_array():
    x = NDArray(X.copy())
    parts = tensors_along(x, 1, 3)
    parts[5][...] = -1.0
    assert (x.numpy()[1, :, 1, :] == -1).all() and (x.numpy() == -1).sum() == 15
    part = parts[2]
    part *= 0.0
    assert not x.numpy()[0, :, 2, :].any()
    for element in tensors_along(x):
        element[...] = 7.0
    assert (x.numpy() == 7).all()


@pytest.mark.parametrize("axes", CHOICES)
def test_of_symbols(axes):
    graph = Graph()
    found = tensors_along(graph.input("x", Spec(X.shape)), *axes)
    wanted = [found[k] for k in (0, len(found) // 2, -1)]
    for k, made in zip((0, len(found) // 2, -1), evaluate(graph, {"x": X}, wanted), strict=True):
        np.testing.assert_array_equal(made, by_numpy(X, axes)[k])


def test_gradients_of_tensors():
    check_grads(lambda x: tuple(exp(t) * k for k, t in enumerate(tensors_along(x, 0, 2))), [X[..., :2] / 60 - 1])
    slope = grad(lambda x: sum_(square(tensors_along(x, 0)[1])))(NDArray([[1.0, 2.0], [3.0, 4.0]]))
    assert slope.tolist() == [[0, 4], [0, 8]]


APPLIED = (  # f, the axes, NumPy's result
    (lambda t: t - t[0], (1,), X - X[:, :1]),
    (lambda t: t * 2.0, (3, 0), X * 2),
    (lambda t: sum_(t), (1, 2), X.sum((1, 2))),
    (lambda t: sum_(t, axis=0), (1, 2), X.sum(1).transpose(0, 2, 1)),
    (lambda t: t[:2], (2,), X[:, :, :2]),
    (lambda t: t.T, (0, 2), X.transpose(2, 1, 0, 3)),
    (lambda t: t > 50.0, (), X > 50),
    (lambda t: sum_(t), (0, 1, 2, 3), X.sum()),
    (lambda t: dot(t, t), (-1,), (X * X).sum(-1)),
)


@pytest.mark.parametrize(("f", "axes", "want"), APPLIED)
def test_apply_along(f, axes, want):
    got = apply_along(f, NDArray(X), *axes)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-6)
    assert got.shape == want.shape and got.dtype == want.dtype
    graph = Graph()
    made = apply_along(f, graph.input("x", Spec(X.shape)), *axes)
    assert made.spec == got.spec
    np.testing.assert_allclose(evaluate(graph, {"x": X}, [made])[0], want, rtol=1e-6)


def test_apply_along_as_numpys_on_one_axis():
    for axis in range(4):
        want = np.apply_along_axis(np.cumsum, axis, X)
        np.testing.assert_array_equal(apply_along(lambda t: np.cumsum(t.numpy()), NDArray(X), axis).numpy(), want)


def test_results_with_other_axes_go_behind():
    got = apply_along(lambda t: t[:, None] * t, NDArray(X), 1)
    np.testing.assert_array_equal(got.numpy(), np.einsum("aibc,ajbc->abcij", X, X))


def test_gradients_of_apply_along():
    check_grads(lambda x: apply_along(lambda t: t / sum_(exp(t)), x, 1), [X[0] / 60 - 1])


X2 = np.array([[1.5, -2.0, 0.25], [-0.5, 3.0, -4.0]])


def replaced(x):
    return replace_where(x, lambda x: x < 0.0, 0.5)


def rooted(x):
    return apply_where(x, x > 0.0, lambda x: sqrt(where(x > 0.0, x, 1.0)))


@pytest.mark.parametrize(
    ("f", "want"), [(replaced, np.where(X2 < 0, 0.5, X2)), (rooted, np.where(X2 > 0, np.sqrt(abs(X2)), X2))]
)
def test_choices_by_condition(f, want):
    x = NDArray(X2)
    np.testing.assert_array_equal(f(x).numpy(), want)
    np.testing.assert_array_equal(compile(f)(x).numpy(), want)
    np.testing.assert_array_equal(x.numpy(), X2)
    check_grads(f, [X2])


def test_conditions_and_values_broadcast():
    x, mask = NDArray(X2), np.array([True, False, True])
    np.testing.assert_array_equal(replace_where(x, mask, 0.0).numpy(), np.where(mask, 0, X2))
    column = NDArray(np.array([[7.0], [8.0]]))
    np.testing.assert_array_equal(replace_where(x, NDArray(mask), column).numpy(), np.where(mask, [[7.0], [8.0]], X2))
    check_grads(lambda x, v: replace_where(x, mask, v), [X2, np.array([[7.0], [8.0]])])
    assert replace_where(NDArray([1, 2], "int8"), NDArray([True, False]), 5).dtype == "int8"
    assert replace_where(NDArray(X2, "float64"), mask, NDArray(1.0)).dtype == "float64"


def test_gradients_where_f_has_none():
    """The way of the docstring: f never sees what it cannot take."""
    f = lambda x: sum_(apply_where(x, x > 0.0, lambda x: log(replace_where(x, x <= 0.0, 1.0))))  # noqa: E731
    assert grad(f)(NDArray([2.0, 0.0, -1.0])).tolist() == [0.5, 1.0, 1.0]


REFUSED = (
    (lambda x: tensors_along(x, 4), AxisError, "tensors_along: axis must be within -4 .. 3. Got 4"),
    (lambda x: tensors_along(x, 1, -3), AxisError, "tensors_along: axes must be distinct"),
    (lambda x: tensors_along(x, (0, 1)), TypeError, r"tensors_along: axis must be an int. Got \(0, 1\)"),
    (lambda x: tensors_along([1.0], 0), DTypeError, "tensors_along: x must be an array. Got list"),
    (lambda x: tensors_along(x, 0, 1, 2)[5], BoundsError, "the index must lie within -5 .. 4. Got 5"),
    (lambda x: tensors_along(x, 0, 1, 2)[-6], BoundsError, "the index must lie within -5 .. 4. Got -6"),
    (lambda x: tensors_along(x, 0)[1.5], TypeError, "float"),
    (lambda x: num_tensors_along(x, 9), AxisError, "num_tensors_along: axis must be within"),
    (lambda x: apply_along(sum_, x, 9), AxisError, "apply_along: axis must be within"),
    (lambda x: apply_along(sum_, x[:0], 1), ShapeError, "apply_along: there must be a tensor to apply f to"),
    (lambda x: apply_along(lambda t: 1.0, x, 1), DTypeError, "apply_along: x must be an array. Got float"),
    (lambda x: apply_along(lambda t: t[: int(t[0]) + 1], x, 3), ShapeError, "stack: all must have one shape"),
    (lambda x: replace_where(x, x, 0.0), DTypeError, "where: the condition must be bool"),
    (lambda x: replace_where(NDArray([1]), NDArray([True]), 0.5), DTypeError, r"replace_where: int64\[1\] cannot take"),
    (lambda x: replace_where(x[0, 0, 0], x[0, 0] > 1.0, 0.0), ShapeError, "condition and value must broadcast to x"),
    (lambda x: replace_where(x, x > 1.0, NDArray([1.0, 2.0])), ShapeError, "where"),
    (lambda x: apply_where(x, x > 1.0, lambda x: x.numpy() + 1j), DTypeError, r"apply_where: .* without loss"),
)


@pytest.mark.parametrize(("call", "error", "said"), REFUSED)
def test_refused(call, error, said):
    with pytest.raises(error, match=said):
        call(NDArray(X))
