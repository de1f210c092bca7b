"""Loops and branches: the same numbers and gradients on arrays and in programs, and errors that say what to do."""

import numpy as np
import pytest

import sparkdl
from sparkdl import nd
from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray

rng = np.random.default_rng(0)
H, XS, W = (nd.asarray(rng.normal(size=s)) for s in ((3,), (5, 3), (3, 3)))


def both(f, *args):
    """f now and compiled, of which the first is given back."""
    want, got = f(*args), sparkdl.compile(f)(*args)
    for y, z in zip(leaves(want), leaves(got), strict=True):
        assert y.spec == z.spec
        np.testing.assert_allclose(z.numpy(), y.numpy(), rtol=1e-6 if str(y.dtype) == "float32" else 1e-12, atol=1e-12)
    return want


def leaves(tree):
    return [x for x in sparkdl.base.tree.flatten(tree)[0] if isinstance(x, NDArray)]


def rnn(w, h, xs, reverse=False):
    return sparkdl.scan(lambda c, x: (nd.tanh(w @ c + x), c * x), h, xs, reverse=reverse)


# --- scan -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reverse", [False, True])
def test_scan_is_the_loop(reverse):
    last, ys = both(lambda w, h, xs: rnn(w, h, xs, reverse), W, H, XS)
    h, rows = H.numpy(), {}
    for k in reversed(range(5)) if reverse else range(5):
        h, rows[k] = np.tanh(W.numpy() @ h + XS.numpy()[k]), h * XS.numpy()[k]
    np.testing.assert_allclose(last.numpy(), h)
    np.testing.assert_allclose(ys.numpy(), [rows[k] for k in range(5)])


def test_scan_of_trees():
    def step(c, x):
        return {"n": c["n"] + 1, "h": c["h"] * x["a"]}, (c["n"], None, [x["b"]])

    init = {"h": nd.asarray(1.0), "n": nd.asarray(0)}
    xs = {"a": nd.asarray([2.0, 3.0]), "b": nd.asarray([True, False])}
    last, (n, nothing, (b,)) = both(lambda init, xs: sparkdl.scan(step, init, xs), init, xs)
    assert (last["n"].tolist(), last["h"].tolist(), n.tolist(), b.tolist()) == (2, 6.0, [0, 1], [True, False])
    assert nothing is None


def test_scan_by_length():
    assert both(lambda x: sparkdl.scan(lambda c, _: (c * 2.0, None), x, length=4)[0], nd.asarray(1.0)).tolist() == 16.0


def test_scan_of_no_steps():
    last, ys = both(lambda w, h, xs: rnn(w, h, xs), W, H, XS[:0])
    assert ys.shape == (0, 3)
    np.testing.assert_array_equal(last.numpy(), H.numpy())


@pytest.mark.parametrize("f", [
    lambda c: sparkdl.scan(lambda c, _: ((c[1], c[0]), c), (c, c * 2.0), length=3),
    lambda c: sparkdl.scan(lambda c, _: ((c[1], c[1]), c[0]), (c, c * 2.0), length=3),
    lambda c: sparkdl.scan(lambda c, _: ((c[2], c[0], c[1]), None), (c, c + 1.0, c + 2.0), length=4)[0],
    lambda c: sparkdl.scan(lambda c, _: (nd.reshape(nd.reshape(c, (3, 1)), (3,)), c), c, length=3),
    lambda c: sparkdl.scan(lambda c, _: (nd.ones((3,), dtype="float64"), c), c, length=3),
    lambda c: sparkdl.scan(lambda d, _: (c, d), c * 2.0, length=3),
])  # fmt: skip
def test_carries_that_are_passed_on(f):
    both(f, H)


def test_a_scan_in_a_scan_and_a_branch_in_it():
    def outer(c, x):
        inner, _ = sparkdl.scan(lambda d, y: (sparkdl.cond(nd.sum(d) > 0.0, nd.sin, lambda d: d - y, d), None), c, XS)
        return inner * x, inner

    both(lambda h: sparkdl.scan(outer, h, XS), H)
    both(sparkdl.grad(lambda h: nd.sum(sparkdl.scan(outer, h, XS)[1])), H)


@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_of_scan(reverse):
    def loss(w, h, xs):
        last, ys = rnn(w, h, xs, reverse)
        return nd.sum(last * last) + nd.sum(ys**3)

    found = both(sparkdl.grad(loss, (0, 1, 2)), W, H, XS)
    assert [g.shape for g in found] == [(3, 3), (3,), (5, 3)]


def test_second_derivatives_of_scan():
    def loss(w):
        last, ys = rnn(w, H, XS)
        return nd.sum(last * ys)

    def product(w, v):
        return sparkdl.grad(lambda w: nd.sum(sparkdl.grad(loss)(w) * v))(w)

    both(product, W, nd.asarray(rng.normal(size=(3, 3))))
    both(lambda w, v: sparkdl.jvp(loss, (w,), (v,)), W, nd.asarray(rng.normal(size=(3, 3))))


def test_gradients_of_integers_and_unused_outputs():
    def loss(h):
        _, (_, rows) = sparkdl.scan(lambda c, _: ((c[0] + 1, nd.sin(c[1])), c), (nd.asarray(0), h), length=3)
        return nd.sum(rows)

    both(sparkdl.grad(loss), H)


def test_a_loop_of_a_program_is_one_op():
    program = sparkdl.compile(lambda w, h, xs: rnn(w, h, xs)).program(W, H, XS)
    assert program.rows == 1
    assert "scan" in program.explain()


def test_a_gradient_keeps_the_carries_at_once():
    f = sparkdl.compile(sparkdl.grad(lambda w: nd.sum(rnn(w, H, XS)[0])))
    assert f.program(W).explain().count("scan") == 2  # forth and back, not forth again


def test_what_does_not_change_is_computed_outside():
    f = sparkdl.compile(lambda w, h, xs: sparkdl.scan(lambda c, x: (nd.exp(w) @ c + x, None), h, xs))
    assert f.program(W, H, XS).rows == 2


# --- cond -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [True, False])
def test_cond(which):
    def f(p, x):
        return sparkdl.cond(p, lambda x: (nd.sin(x), x * 2.0), lambda x: (x, nd.sum(W) + x), x)

    both(f, nd.asarray(which), H)
    both(sparkdl.grad(lambda x, p: nd.sum(f(p, x)[0] * f(p, x)[1])), H, nd.asarray(which))
    both(sparkdl.grad(lambda x: nd.sum(sparkdl.grad(lambda x: nd.sum(f(x[0] > 0.0, x)[0]))(x))), H if which else -H)


def test_cond_runs_one_side():
    said = []
    sparkdl.cond(True, lambda: said.append("yes"), lambda: said.append("no"))
    assert said == ["yes"]


def test_cond_on_a_known_value_is_decided_when_it_is_traced():
    f = sparkdl.compile(lambda x: sparkdl.cond(nd.asarray(True), lambda: x + 1.0, lambda: "nothing"))
    assert f(nd.asarray(1.0)).tolist() == 2.0


def test_gradients_by_values_of_outside():
    def loss(w, v, x):
        return nd.sum(sparkdl.cond(nd.sum(x) > 0.0, lambda: w * x, lambda: v * x * x))

    for x in (H, -H):
        both(sparkdl.grad(loss, (0, 1)), H, H * 2.0, x)


# --- while_loop -------------------------------------------------------------------------------------------------------


def test_while_loop():
    def f(x, least):
        return sparkdl.while_loop(lambda v: nd.sum(v[0]) > least, lambda v: (v[0] * 0.5, v[1] + 1), (x, nd.asarray(0)))

    assert both(f, nd.asarray([8.0, 8.0]), nd.asarray(1.5))[1].tolist() == 4
    assert both(f, nd.asarray([8.0, 8.0]), nd.asarray(100.0))[1].tolist() == 0


def test_while_loop_on_arrays_has_a_gradient():
    f = lambda x: sparkdl.while_loop(lambda v: v < 100.0, lambda v: v * v, x)  # noqa: E731
    assert sparkdl.grad(f)(nd.asarray(3.0)).tolist() == 8 * 3.0**7


def test_while_loop_in_a_program_has_none():
    f = lambda x: sparkdl.while_loop(lambda v: v < 100.0, lambda v: v * v, x)  # noqa: E731
    with pytest.raises(TypeError, match=r"while has no gradient: how many steps.*Take sparkdl.scan"):
        sparkdl.compile(sparkdl.grad(f))(nd.asarray(3.0))


def test_a_loop_that_is_known_but_for_what_it_uses():
    both(lambda x: sparkdl.while_loop(lambda v: v < x, lambda v: v * 2.0, nd.asarray(1.0)), nd.asarray(100.0))
    both(lambda x: sparkdl.scan(lambda c, _: (c + x, None), nd.asarray(1.0), length=3)[0], nd.asarray(100.0))
    both(lambda x: x + sparkdl.scan(lambda c, _: (c + 1.0, c), nd.asarray(1.0), length=3)[0], nd.asarray(100.0))


# --- errors -----------------------------------------------------------------------------------------------------------

ONE = nd.asarray(1.0)
ERRORS = [
    (lambda x: sparkdl.scan(lambda c, x: c, x, XS), TypeError, r"scan: the function must return \(carry, y\)"),
    (lambda x: sparkdl.scan(lambda c, x: (c, "y"), x, XS), TypeError, "scan: y must be an array.*Got str"),
    (lambda x: sparkdl.scan(lambda c, x: ((c, c), c), x, XS), ShapeError, r"must be built as \*. Got \(\*, \*\)"),
    (lambda x: sparkdl.scan(lambda c, x: (c + x, c), x, XS), ShapeError,
     r"the carry must stay float32\[\], as it began. Got float64\[3\] after a step"),
    (lambda x: sparkdl.scan(lambda c, x: (c, c), x, (XS, H)), ShapeError, r"of steps. Got float64\[5,3\], f"),
    (lambda x: sparkdl.scan(lambda c, x: (c, c), x, XS, length=4), ShapeError, r"Got float64\[5,3\] and length=4"),
    (lambda x: sparkdl.scan(lambda c, x: (c, c), x), ShapeError, "xs, or length, must give.*Got neither"),
    (lambda x: sparkdl.scan(lambda c, x: (c, c), x, ONE), ShapeError, "xs must have a first axis"),
    (lambda x: sparkdl.cond(x, nd.sin, nd.cos, x), DTypeError, r"cond: pred must be a bool. Got float32\[\]"),
    (lambda x: sparkdl.cond(XS > 0.0, nd.sin, nd.cos, x), ShapeError, r"one bool without axes. Got bool\[5,3\]"),
    (lambda x: sparkdl.while_loop(lambda v: v, nd.sin, x), DTypeError, r"cond_fn's value must be a bool. Got float32"),
    (lambda x: sparkdl.while_loop(lambda v: v < 3.0, lambda v: (v, v), x), ShapeError, "while_loop: the carry after a"),
    (lambda x: sparkdl.while_loop(lambda v: v < 3.0, lambda v: v > 0.0, x), ShapeError, r"Got bool\[\] after a step"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "says"), ERRORS)
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call(ONE)
    with pytest.raises(error, match=says):
        sparkdl.compile(call)(ONE)


def test_branches_must_agree():
    for other, says in (
        (lambda x: (x, x), r"must be built as \*. Got"),
        (lambda x: x > 0.0, r"Got float32\[\] and bool"),
    ):
        with pytest.raises(ShapeError, match=says):
            sparkdl.compile(lambda x, other=other: sparkdl.cond(x > 0.0, nd.sin, other, x))(ONE)


def test_ops_are_checked():
    graph = Graph()
    a, p = graph.input("a", Spec((3,), "float64")), graph.input("p", Spec((), "bool"))
    sparkdl.scan(lambda c, _: (c, None), a, length=2)
    sparkdl.cond(p, nd.sin, nd.cos, a)
    sparkdl.while_loop(lambda v: nd.sum(v) > 0.0, nd.sin, a)
    scan, cond, loop = (n.op for n in graph.nodes if n.op is not None)
    wrong = Spec((4,), "float64")
    for op, ins in ((scan, (wrong,)), (cond, (Spec((), "bool"), wrong)), (loop, (wrong,))):
        with pytest.raises(ShapeError, match=r"the body was traced for float64\[3\]. Got float64\[4\]"):
            op.infer(*ins)
    with pytest.raises(ShapeError, match=r"must be bool\[\]"):
        cond.infer(wrong, wrong)
