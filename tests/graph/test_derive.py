"""Derivatives of functions of arrays and trees: values, shapes of what is given back, and errors."""

from typing import Any, NamedTuple

import numpy as np
import pytest

import sparkdl
from sparkdl import nd
from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.graph import grad as graph_grad
from sparkdl.graph.check import evaluate
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray

rng = np.random.default_rng(0)
X, W, V = (nd.asarray(rng.normal(size=s)) for s in ((5, 3), (3, 2), (3, 2)))


def loss(w: Any, x: Any = X) -> Any:
    return nd.sum(nd.tanh(x @ w) ** 2)


def slope(f: Any, x: np.ndarray, v: np.ndarray, h: float = 1e-5) -> Any:
    return (f(nd.asarray(x + h * v)).numpy() - f(nd.asarray(x - h * v)).numpy()) / (2 * h)


def test_the_gradient_is_the_slope():
    along = nd.sum(sparkdl.grad(loss)(W) * V)
    np.testing.assert_allclose(along.numpy(), slope(loss, W.numpy(), V.numpy()), rtol=1e-8)


def test_value_and_grad():
    value, found = sparkdl.value_and_grad(loss)(W)
    assert value.numpy() == loss(W).numpy()
    np.testing.assert_array_equal(found.numpy(), sparkdl.grad(loss)(W).numpy())


def test_several_arguments():
    both = sparkdl.grad(loss, argnums=(1, 0))(W, X)
    assert [g.shape for g in both] == [(5, 3), (3, 2)]
    np.testing.assert_array_equal(sparkdl.grad(loss, -1)(W, X).numpy(), both[0].numpy())


class Params(NamedTuple):
    w: Any
    b: Any


def test_trees_come_back_as_they_were():
    def f(p, scale):
        return nd.sum(p["layers"][0].w * p["layers"][0].b) * p["gain"] * scale[0]

    p = {"layers": [Params(nd.ones((2, 2)), nd.asarray([1.0, 2.0]))], "gain": 3.0, "none": None}
    found = sparkdl.grad(f)(p, (2.0,))
    assert found["layers"][0].b.tolist() == [12.0, 12.0]
    assert found["gain"].tolist() == 12.0
    assert found["none"] is None
    assert isinstance(found["layers"][0], Params)


def test_what_nothing_depends_on_gets_zeros():
    found = sparkdl.grad(lambda a, b: nd.sum(a), (0, 1))(X, W)
    assert found[1].spec == W.spec
    assert not found[1].numpy().any()
    assert sparkdl.grad(lambda a: nd.asarray(3.0))(W).spec == W.spec
    assert sparkdl.grad(lambda a: nd.sum(nd.floor(a)))(W).numpy().any() == False  # noqa: E712


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64", "complex128"])
def test_a_gradient_has_the_dtype_of_its_argument(dtype):
    x = nd.asarray([1.0, 2.0], dtype=dtype)
    assert sparkdl.grad(lambda x: nd.sum(nd.abs(x * 2.0)))(x).spec == x.spec


def test_numbers_and_numpy_arrays_are_arrays():
    assert sparkdl.grad(lambda x: x * x)(3.0).tolist() == 6.0
    assert sparkdl.grad(lambda x: nd.sum(x * x))(np.ones(2)).dtype == "float64"


def test_keywords_are_handed_on():
    assert sparkdl.grad(lambda x, power: x**power)(2.0, power=3).tolist() == 12.0


def test_aux():
    def f(x):
        y = x * 2.0
        return nd.sum(y), {"y": y, "n": 3, "said": "so"}

    found, aux = sparkdl.grad(f, has_aux=True)(W)
    assert (found.numpy() == 2).all()
    assert isinstance(aux["y"], NDArray)
    assert (aux["n"], aux["said"]) == (3, "so")
    (value, aux), _ = sparkdl.value_and_grad(f, has_aux=True)(W)
    np.testing.assert_allclose(value.numpy(), aux["y"].numpy().sum())


def test_hessian_vector_products():
    def product(w, v):
        return sparkdl.grad(lambda w: nd.sum(sparkdl.grad(loss)(w) * v))(w)

    forward = sparkdl.jvp(sparkdl.grad(loss), (W,), (V,))[1]
    np.testing.assert_allclose(product(W, V).numpy(), forward.numpy(), rtol=1e-10)
    differences = slope(sparkdl.grad(loss), W.numpy(), V.numpy())
    np.testing.assert_allclose(forward.numpy(), differences, rtol=1e-6, atol=1e-8)


# --- vjp and jvp ------------------------------------------------------------------------------------------------------


def test_vjp_of_trees():
    out, back = sparkdl.vjp(lambda p, y: {"s": p["x"] * y, "n": nd.argmax(y, axis=0)}, {"x": X}, X)
    assert out["s"].shape == (5, 3)
    d, dy = back({"s": X, "n": None})
    np.testing.assert_allclose(d["x"].numpy(), (X * X).numpy())
    np.testing.assert_allclose(dy.numpy(), (X * X).numpy())
    assert back({"s": X, "n": out["n"]})[1].shape == (5, 3)
    assert not back({"s": None, "n": None})[1].numpy().any()


def test_vjp_gives_nothing_by_integers():
    _, back = sparkdl.vjp(lambda x, k: x * nd.astype(k, "float64"), nd.asarray(2.0, dtype="float64"), nd.asarray(3))
    assert [None if g is None else g.tolist() for g in back(1.0)] == [3.0, None]


FUNCTIONS = {
    "tanh": lambda x: nd.tanh(x),
    "product": lambda x: x @ nd.matrix_transpose(x),
    "kinks": lambda x: nd.where(x > 0.0, x * x, -x),
    "sum": lambda x: nd.sum(nd.exp(x), axis=1),
    "picked": lambda x: x[1:, ::2],
    "constant": lambda x: nd.ones((2,), dtype="float64"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_jvp_is_the_directional_difference(name):
    f, v = FUNCTIONS[name], rng.normal(size=(5, 3))
    out, tangent = sparkdl.jvp(f, (X,), (nd.asarray(v),))
    np.testing.assert_array_equal(out.numpy(), f(X).numpy())
    np.testing.assert_allclose(tangent.numpy(), slope(f, X.numpy(), v), rtol=1e-6, atol=1e-8)


def test_jvp_of_trees_and_integers():
    f = lambda p: {"y": p["x"] * p["x"], "n": p["n"] + 1}  # noqa: E731
    out, tangent = sparkdl.jvp(f, ({"x": 3.0, "n": nd.asarray(1)},), ({"x": 2.0, "n": None},))
    assert (out["y"].tolist(), out["n"].tolist()) == (9.0, 2)
    assert (tangent["y"].tolist(), tangent["n"].tolist()) == (12.0, 0)


def test_jvp_and_vjp_are_transposed():
    f = lambda x: nd.sin(x) @ W  # noqa: E731
    v, g = nd.asarray(rng.normal(size=(5, 3))), nd.asarray(rng.normal(size=(5, 2)))
    forth = nd.sum(sparkdl.jvp(f, (X,), (v,))[1] * g)
    back = nd.sum(sparkdl.vjp(f, X)[1](g)[0] * v)
    np.testing.assert_allclose(forth.numpy(), back.numpy(), rtol=1e-12)


def test_derivatives_of_derivatives_mix():
    f = lambda x: nd.sin(x) * x  # noqa: E731
    x = nd.asarray(0.7, dtype="float64")
    one = nd.asarray(1.0, dtype="float64")
    second = sparkdl.jvp(sparkdl.grad(f), (x,), (one,))[1]
    again = sparkdl.grad(lambda x: sparkdl.jvp(f, (x,), (one,))[1])(x)
    twice = sparkdl.jvp(lambda x: sparkdl.jvp(f, (x,), (one,))[1], (x,), (one,))[1]
    want = 2 * np.cos(0.7) - 0.7 * np.sin(0.7)
    for found in (second, again, twice):
        np.testing.assert_allclose(found.numpy(), want, rtol=1e-12)


# --- complex ----------------------------------------------------------------------------------------------------------

Z = nd.asarray(np.asarray([0.3 + 0.4j, -1.2 + 0.1j]))
COMPLEX = {
    "square of the length": (lambda z: nd.sum(nd.real(z * nd.conj(z))), lambda z: 2 * np.conj(z)),
    "real part": (lambda z: nd.sum(nd.real(z)), lambda z: np.ones_like(z)),
    "imaginary part": (lambda z: nd.sum(nd.imag(z)), lambda z: np.full_like(z, -1j)),
    "length": (lambda z: nd.sum(nd.abs(z)), lambda z: np.conj(z) / np.abs(z)),
    "holomorphic": (lambda z: nd.sum(nd.real(nd.exp(z))), np.exp),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_gradients_by_complex_numbers(name):
    f, want = COMPLEX[name]
    found = sparkdl.grad(f)(Z).numpy()
    np.testing.assert_allclose(found, want(Z.numpy()), rtol=1e-12)
    for step in (1e-6, 1e-6j):  # d/dx - i d/dy
        v = np.asarray([step, 0])
        moved = (f(nd.asarray(Z.numpy() + v)).numpy() - f(nd.asarray(Z.numpy() - v)).numpy()) / 2e-6
        np.testing.assert_allclose((found * v / 1e-6).sum().real, moved, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", COMPLEX)
def test_a_step_against_the_conjugate_goes_downhill(name):
    f, _ = COMPLEX[name]
    value, g = sparkdl.value_and_grad(f)(Z)
    assert f(Z - 1e-3 * nd.conj(g)).numpy() < value.numpy()


def test_jvp_by_complex_numbers():
    v = nd.asarray(np.asarray([1.0 + 2.0j, 0.5j]))
    np.testing.assert_allclose(sparkdl.jvp(nd.exp, (Z,), (v,))[1].numpy(), (nd.exp(Z) * v).numpy(), rtol=1e-12)
    np.testing.assert_allclose(sparkdl.jvp(nd.conj, (Z,), (v,))[1].numpy(), nd.conj(v).numpy(), rtol=1e-12)


# --- stop_gradient and custom_gradient --------------------------------------------------------------------------------


def test_stop_gradient():
    assert sparkdl.grad(lambda x: x * sparkdl.stop_gradient(x))(3.0).tolist() == 3.0
    assert sparkdl.grad(sparkdl.grad(lambda x: x * x * sparkdl.stop_gradient(x)))(3.0).tolist() == 6.0
    x = nd.asarray([1.0])
    assert sparkdl.stop_gradient({"a": (x, None)})["a"][0] is x
    with pytest.raises(TypeError, match="stop_gradient: x must be an array"):
        sparkdl.stop_gradient("x")


def test_stop_gradient_in_a_graph():
    graph = Graph()
    x = graph.input("x", Spec((), "float64"))
    y = x * sparkdl.stop_gradient(x)
    (found,) = evaluate(graph, {"x": np.asarray(3.0)}, graph_grad.grad(graph, y, [x]))
    assert found == 3.0


@sparkdl.custom_gradient
def rounded(x):
    """Straight through."""
    return nd.round(x), lambda g: g


def test_custom_gradient():
    assert sparkdl.grad(lambda x: rounded(x) ** 2)(2.6).tolist() == 6.0
    assert rounded(nd.asarray(2.6)).tolist() == 3.0
    assert rounded.__doc__ == "Straight through."


def test_custom_gradient_of_higher_order():
    f = sparkdl.grad(lambda x: rounded(x) ** 3)  # 3 y^2
    assert sparkdl.grad(f)(2.6).tolist() == 18.0  # 6 y, as y' is 1
    assert sparkdl.grad(sparkdl.grad(f))(2.6).tolist() == 6.0

    @sparkdl.custom_gradient
    def log1pexp(x):
        e = nd.exp(x)
        return nd.log(1.0 + e), lambda g: g * (1.0 - 1.0 / (1.0 + e))

    g = sparkdl.grad(log1pexp)
    np.testing.assert_allclose(sparkdl.grad(g)(0.5).numpy(), 0.23500371, rtol=1e-5)
    assert sparkdl.grad(log1pexp)(100.0).tolist() == 1.0


def test_custom_gradient_of_several():
    @sparkdl.custom_gradient
    def f(x, y, k):
        return (x * y, x + y), lambda g, h: (g * 100.0, h, None)

    found = sparkdl.grad(lambda x, y: nd.sum(f(x, y, nd.asarray(1))[0]), (0, 1))(2.0, 3.0)
    assert [g.tolist() for g in found] == [100.0, 0.0]


def test_custom_gradient_in_a_graph():
    graph = Graph()
    x = graph.input("x", Spec((), "float64"))
    (found,) = evaluate(graph, {"x": np.asarray(2.6)}, graph_grad.grad(graph, rounded(x) ** 2, [x]))
    assert found == 6.0
    compiled = sparkdl.compile(sparkdl.grad(sparkdl.grad(lambda x: rounded(x) ** 3)))
    assert compiled(nd.asarray(2.6)).tolist() == 18.0


def test_custom_gradient_takes_no_hidden_variables():
    def f(w):
        hidden = sparkdl.custom_gradient(lambda x: (x * w, lambda g: g))
        return hidden(w * 2.0)

    with pytest.raises(TypeError, match="is not among its arguments"):
        sparkdl.grad(f)(1.0)


@pytest.mark.parametrize(
    ("f", "error", "says"),
    [
        (lambda x: x, TypeError, r"the function must return \(y, back\)"),
        (lambda x: (x, 3.0), TypeError, r"the function must return \(y, back\)"),
        (lambda x: ("x", lambda g: g), TypeError, "the function's value must be an array"),
        (lambda x: (x, lambda g: (g, g)), ShapeError, "there must be 1 gradients, one an argument. Got 2"),
        (lambda x: (x, lambda g: nd.ones((2,))), ShapeError, r"argument 0 must be float32\[\].*Got float32\[2\]"),
        (lambda x: (x, lambda g: "g"), TypeError, "a gradient must be an array"),
    ],
)
def test_custom_gradient_is_checked(f, error, says):
    with pytest.raises(error, match=says):
        sparkdl.grad(sparkdl.custom_gradient(f))(1.0)


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: sparkdl.grad(lambda x: x)(X), ShapeError, r"grad: the loss must be a scalar.*Got float64\[5,3\]"),
        (lambda: sparkdl.grad(nd.sum)(nd.asarray([1])), DTypeError, r"grad: argument 0 must be floats. Got int64\[1\]"),
        (lambda: sparkdl.grad(nd.sum)(3), TypeError, "grad: argument 0 must be floats. Got int64"),
        (lambda: sparkdl.grad(nd.sum)(True), TypeError, "grad: argument 0 must be floats. Got bool"),
        (lambda: sparkdl.grad(nd.sum)("x"), TypeError, "grad: argument 0 must be an array.*Got str"),
        (lambda: sparkdl.grad(nd.sum)({"a": [X, "x"]}), TypeError, r"argument 0\['a'\]\[1\] must be an array"),
        (lambda: sparkdl.grad(lambda x: 3.0)(X), TypeError, "grad: the function must return an array. Got float"),
        (lambda: sparkdl.grad(lambda x: None)(X), TypeError, "must return an array. Got NoneType"),
        (lambda: sparkdl.grad(lambda x: nd.argmax(nd.reshape(x, (-1,))))(X), DTypeError, "the loss must be a real"),
        (lambda: sparkdl.grad(nd.sum)(Z), DTypeError, r"the loss must be a real float. Got complex128\[\]"),
        (lambda: sparkdl.grad(nd.sum, 1)(X), TypeError, "argnums must be among the 1 positional arguments. Got 1"),
        (lambda: sparkdl.grad(nd.sum, has_aux=True)(X), TypeError, r"must return \(loss, more\). Got"),
        (lambda: sparkdl.value_and_grad(lambda x: x)(X), ShapeError, "value_and_grad: the loss must be a scalar"),
        (lambda: sparkdl.vjp(nd.sum, X)[1](X), DTypeError, r"must be float64\[\].*Got float64\[5,3\]"),
        (lambda: sparkdl.vjp(nd.sum, X)[1]((X, X)), TypeError, "vjp: a gradient must be an array.*Got tuple"),
        (lambda: sparkdl.vjp(lambda x: (x, x), X)[1](X), ShapeError, r"must be built as \(\*, \*\). Got \*"),
        (lambda: sparkdl.vjp(lambda x: "x", X), TypeError, "the function's result must be an array"),
        (lambda: sparkdl.vjp(nd.sum, "x"), TypeError, "vjp: argument 0 must be an array"),
        (lambda: sparkdl.jvp(nd.sum, (X,), (W,)), ShapeError, r"a tangent must be float64\[5,3\].*Got float64\[3,2\]"),
        (lambda: sparkdl.jvp(nd.sum, (X,), (X, X)), ShapeError, r"jvp: what is given must be built as \(\*,\)"),
    ],
)  # fmt: skip
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()
