"""Compiled functions: equal to what they are made of, traced as often as documented, and clear about side effects."""

import gc
import logging
import threading
import weakref
from subprocess import run
from sys import executable

import numpy as np
import pytest

import sparkdl
from sparkdl import nd
from sparkdl.base.errors import ConfError
from sparkdl.nd.array import NDArray

rng = np.random.default_rng(0)
X = nd.asarray(rng.normal(size=(4, 3)))
W = nd.asarray(rng.normal(size=(3, 2)))


def predict(w, x):
    return nd.softmax(nd.tanh(x @ w["kernel"]) + w["bias"])


PARAMS = {"kernel": W, "bias": nd.asarray(np.asarray([0.1, -0.2]))}


def test_eager_equals_compiled():
    compiled = sparkdl.compile(predict)
    for _ in range(2):
        np.testing.assert_allclose(compiled(PARAMS, X).numpy(), predict(PARAMS, X).numpy(), rtol=1e-12)
    assert (compiled.traces, len(compiled)) == (1, 1)


def test_gradients_inside_and_outside():
    def loss(w, x):
        return nd.mean(predict(w, x)[:, 0] ** 2)

    want = sparkdl.grad(loss)(PARAMS, X)
    for f in (sparkdl.compile(sparkdl.grad(loss)), sparkdl.grad(sparkdl.compile(loss))):
        found = f(PARAMS, X)
        for name, g in want.items():
            np.testing.assert_allclose(found[name].numpy(), g.numpy(), rtol=1e-10, err_msg=name)


def test_second_derivatives():
    f = lambda x: nd.sum(nd.sin(x) ** 3)  # noqa: E731
    second = sparkdl.grad(lambda x: nd.sum(sparkdl.grad(f)(x)))
    np.testing.assert_allclose(sparkdl.compile(second)(X).numpy(), second(X).numpy(), rtol=1e-10)


def test_a_compiled_function_in_another():
    inner = sparkdl.compile(lambda x: x * 2.0)
    outer = sparkdl.compile(lambda x: inner(x) + 1.0)
    assert outer(nd.asarray(3.0)).tolist() == 7.0
    assert (inner.traces, outer.traces) == (0, 1)


def test_a_differentiated_value_from_outside():
    def loss(w):
        return sparkdl.compile(lambda x: x * w)(nd.asarray(3.0))

    assert sparkdl.grad(loss)(nd.asarray(2.0)).tolist() == 3.0


def test_a_step_of_training():
    @sparkdl.compile
    def step(w, x, rate):
        loss, g = sparkdl.value_and_grad(lambda w: nd.sum((x @ w) ** 2))(w)
        return w - rate * g, loss

    w, losses = W, []
    for k in range(5):
        w, loss = step(w, X, nd.asarray(0.01 / (k + 1), dtype="float64"))
        losses.append(float(loss))
    assert losses == sorted(losses, reverse=True)
    assert step.traces == 1


# --- what is traced when ----------------------------------------------------------------------------------------------


def test_retraces():
    f = sparkdl.compile(lambda x, *rest, **named: x + 1.0)
    calls = [
        ((nd.ones((2,)),), {}),
        ((nd.ones((3,)),), {}),
        ((nd.ones((2,), dtype="float64"),), {}),
        ((nd.ones((2,)), 1), {}),
        ((nd.ones((2,)), 2), {}),
        ((nd.ones((2,)), 1.0), {}),
        ((nd.ones((2,)), True), {}),
        ((nd.ones((2,)), 0.0), {}),
        ((nd.ones((2,)), -0.0), {}),
        ((nd.ones((2,)), float("nan")), {}),
        ((nd.ones((2,)), "so"), {}),
        ((nd.ones((2,)), None), {}),
        ((nd.ones((2,)), (nd.ones(()),)), {}),
        ((nd.ones((2,)), [nd.ones(())]), {}),
        ((nd.ones((2,)),), {"more": nd.ones(())}),
    ]
    for _ in range(2):
        for args, kwargs in calls:
            f(*args, **kwargs)
    assert f.traces == len(calls) == len(f)
    f(np.ones(2, np.float32))
    f(nd.ones((4,))[::2])
    assert f.traces == len(calls)  # where it lies does not count


def test_static_arguments():
    @sparkdl.compile(static_argnums=(1, -1), static_argnames="how")
    def f(x, n, more, *, how=None):
        assert more == {1, 2}
        for _ in range(n):
            x = how(x) if how else x * 2.0
        return x

    more = frozenset((1, 2))
    assert f(nd.asarray(1.0), 3, more).tolist() == 8.0
    assert f(nd.asarray(1.0), 2, more, how=nd.negative).tolist() == 1.0
    assert f(nd.asarray(1.0), 2, more, how=nd.negative).tolist() == 1.0
    assert f.traces == 2
    with pytest.raises(TypeError, match=r"static argument 1 must have a hash. Got list"):
        f(nd.asarray(1.0), [], more)


def test_python_numbers_mean_what_they_mean_elsewhere():
    f = sparkdl.compile(lambda x, n: x * n if n > 1 else x)
    assert str(f(nd.asarray([1.0], dtype="float16"), 2.5).dtype) == "float16"
    assert str(f(nd.asarray([1], dtype="int8"), 2).dtype) == "int8"


def test_methods():
    class Model:
        scale = 3.0

        @sparkdl.compile(static_argnums=0)
        def __call__(self, x):
            return x * self.scale

    assert Model()(nd.asarray(2.0)).tolist() == 6.0


def test_the_cache_has_bounds(caplog):
    f = sparkdl.compile(lambda x: x + 1.0, cache_size=2)
    with caplog.at_level(logging.WARNING, "sparkdl"):
        for n in (1, 2, 1, 3, 1, 2):  # 2 goes for 3, 3 for 2
            f(nd.ones((n,)))
    assert (f.traces, len(f)) == (4, 2)
    assert [r.message for r in caplog.records if "more than 2 kinds of arguments" in r.message]
    f.clear()
    assert len(f) == 0


def test_programs_that_are_dropped_go():
    f = sparkdl.compile(lambda x: x + 1.0, cache_size=1)
    program = weakref.ref(f.program(nd.ones((3,))))
    f(nd.ones((4,)))
    gc.collect()
    assert program() is None


# --- results and values of outside ------------------------------------------------------------------------------------


def test_results_are_their_own():
    f = sparkdl.compile(lambda x: (x, x * 2.0, W))
    x = nd.asarray([1.0, 2.0])
    same, double, w = f(x)
    f(nd.asarray([5.0, 5.0]))
    assert (same.tolist(), double.tolist()) == ([1.0, 2.0], [2.0, 4.0])
    same += 1.0
    w *= 0.0
    assert x.tolist() == [1.0, 2.0]
    np.testing.assert_array_equal(f(x)[2].numpy(), W.numpy())


def test_arrays_of_outside_are_constants():
    scale = nd.asarray([2.0, 3.0])
    f = sparkdl.compile(lambda x: x * scale)
    assert f(nd.ones((2,))).tolist() == [2.0, 3.0]
    scale[0] = 7.0
    assert f(nd.ones((2,))).tolist() == [2.0, 3.0]
    f.clear()
    assert f(nd.ones((2,))).tolist() == [7.0, 3.0]


def test_results_are_built_as_they_were():
    f = sparkdl.compile(lambda x: {"b": [x, None], "a": (np.float32(3.0), nd.zeros((0, 2)))})
    made = f(X)
    assert made["b"][1] is None
    assert (made["a"][0].tolist(), made["a"][1].shape) == (3.0, (0, 2))
    assert all(isinstance(y, NDArray) for y in (made["b"][0], *made["a"]))


def test_nothing_in_and_nothing_out():
    assert sparkdl.compile(lambda: nd.ones((2,)) * 2.0)().tolist() == [2.0, 2.0]
    assert sparkdl.compile(lambda x: None)(X) is None
    assert sparkdl.compile(lambda: ())() == ()


def test_strided_arrays_and_any_byte_order():
    x = np.arange(12, dtype=">f4").reshape(3, 4)[:, ::2].T
    np.testing.assert_array_equal(sparkdl.compile(lambda x: x + 1.0)(x).numpy(), x + 1)


# --- side effects -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (
            lambda x: x if x > 0.0 else -x,
            "bool: .* has no value while the function is traced.*nd.where or sparkdl.cond",
        ),
        (lambda x: x * float(x), "float: .* has no value while"),
        (lambda x: x * int(x), "int: .* has no value while"),
        (lambda x: [0.0, x][x > 0.0], "index: .* has no value|bool: .* has no value"),
        (lambda x: x * len(range(nd.astype(x, "int64"))), "index: .*sparkdl.scan or sparkdl.while_loop"),
        (lambda x: x * np.asarray(x), "numpy: .*Take functions of sparkdl.nd"),
        (lambda x: x * x.numpy(), "numpy: .*Take functions of sparkdl.nd"),
        (lambda x: x.item(), "item: .*Compute with the array itself"),
        (lambda x: np.sin(x), "operand 'Sym' does not support ufuncs"),
        (lambda x: nd.ones((2,)).__setitem__(0, x), "= on an array has no place in a function that is traced"),
        (lambda x: x.__setitem__(0, 1.0), "no side effects"),
        (lambda x: 3.0, "f must return arrays.*Got its result: float"),
        (lambda x: (x, {"a": "b"}), r"f must return arrays.*Got its result\[1\]\['a'\]: str"),
    ],
)
def test_side_effects(f, says):
    f.__name__ = "f"
    with pytest.raises(TypeError, match=says):
        sparkdl.compile(f)(nd.asarray(1.0))


def test_symbols_that_got_away():
    kept = []
    f = sparkdl.compile(lambda x: kept.append(x * 2.0) or x)
    f(nd.asarray(1.0))
    with pytest.raises(TypeError, match=r"add: .* was made while a function was traced, and cannot be used after that"):
        kept[0] + 1.0
    for g in (lambda x: x + kept[0], lambda x: kept[0]):
        with pytest.raises(TypeError, match="belongs to another trace"):
            sparkdl.compile(g)(nd.asarray(1.0))


def test_a_trace_that_fails_leaves_nothing():
    f = sparkdl.compile(lambda x: x if x > 0.0 else -x)
    for _ in range(2):
        with pytest.raises(TypeError, match="has no value"):
            f(nd.asarray(1.0))
    assert len(f) == 0
    assert sparkdl.compile(lambda x: x + 1.0)(nd.asarray(1.0)).tolist() == 2.0


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: sparkdl.compile(3), TypeError, "compile: a function must be given. Got int"),
        (lambda: sparkdl.compile(lambda x: x, cache_size=0), ConfError, "cache_size must be an int >= 1. Got 0"),
        (lambda: sparkdl.compile(lambda x: x, threads=0), ConfError, "threads must be an int >= 1"),
        (lambda: sparkdl.compile(lambda x: x, precision="half"), ConfError, "precision must be"),
        (
            lambda: sparkdl.compile(predict)(PARAMS, {1, 2}),
            TypeError,
            "argument 1 of predict must be an array.*Got set",
        ),
        (lambda: sparkdl.compile(predict)({"a": object()}, X), TypeError, r"argument 0\['a'\] of predict.*static_argn"),
        (lambda: sparkdl.compile(predict)(PARAMS, x=b""), TypeError, "argument 'x' of predict must be an array"),
        (lambda: sparkdl.compile(predict)(PARAMS, np.asarray(["a"])), TypeError, "dtype must be one of"),
    ],
)
def test_errors(call, error, says):
    with pytest.raises(error, match=says):
        call()


# --- threads and names ------------------------------------------------------------------------------------------------


def test_many_threads():
    f = sparkdl.compile(lambda x: nd.sin(x) * 2.0 + x)
    wrong, start = [], threading.Barrier(8)

    def work(k):
        x = np.full((50 + k % 3,), 0.1 * k)
        want = np.sin(x) * 2 + x
        start.wait()
        right = [np.allclose(f(nd.asarray(x)).numpy(), want) for _ in range(200)]
        wrong.extend([k] * right.count(False))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    assert f.traces == 3


@pytest.mark.parametrize(
    "first",
    ["", "import sparkdl.compile.pipeline", "from sparkdl.compile.jit import compile", "import sparkdl.train.trainer"],
)
def test_the_package_can_be_called_whoever_imported_it(first):
    code = f"{first}\nimport sparkdl\nfrom sparkdl import nd\n@sparkdl.compile\ndef f(x): return x + 1.0\n"
    code += "print(f(nd.asarray(1.0)).tolist(), sparkdl.compile(cache_size=3)(f)(nd.asarray(2.0)).tolist())"
    done = run([executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("2.0 3.0\n", "")


def test_it_looks_like_what_it_is_made_of():
    f = sparkdl.compile(predict)
    assert (f.__name__, f.__wrapped__) == ("predict", predict)
    assert "fused" in f.program(PARAMS, X).explain()


def test_side_effects_are_refused_while_tracing():
    count, rng = nd.zeros(2), nd.random.default_rng(0)
    made = nd.zeros(2)

    def counting(x):
        count[...] = count + 1.0
        return x

    def drawing(x):
        return x + rng.normal(size=2)

    def writing_out(x):
        return nd.add(made, made, out=made)

    for f, said in ((counting, "= on an array"), (drawing, "a draw of a Generator"), (writing_out, "= on an array")):
        with pytest.raises(TypeError, match=f"{said} has no place in a function that is traced"):
            sparkdl.compile(f)(nd.zeros(2))
    assert count.tolist() == [0, 0] and rng.state["draws"] == 0
    count += 1.0
    assert rng.normal(size=2).shape == (2,) and count.tolist() == [1, 1]
