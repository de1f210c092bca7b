"""The tape: what is recorded, in which order tapes are asked, and who may write to memory that it needs."""

import gc
import threading

import numpy as np
import pytest

from sparkdl import nd
from sparkdl.graph import tape
from sparkdl.graph.derive import grad, stop_gradient, value_and_grad, vjp
from sparkdl.graph.tape import OverwriteError, Var
from sparkdl.nd.array import NDArray


def x3() -> NDArray:
    return nd.asarray([1.0, 2.0, 3.0])


def test_numbers_are_there_while_the_function_runs():
    def f(x):
        assert float(x[0]) == 1.0
        assert int(x[1]) == 2
        assert bool(x[2] > 2.5)
        assert x[1].item() == 2.0
        assert (x.shape, x.ndim, x.size, str(x.dtype), len(x)) == ((3,), 1, 3, "float32", 3)
        assert repr(x[0]) == "Var(NDArray(1., dtype=float32, device=cpu))"
        return nd.sum(x)

    assert grad(f)(x3()).tolist() == [1.0, 1.0, 1.0]


def test_control_flow_goes_by_values():
    def f(x):
        y = x
        while y < 100.0:
            y = y * x
        return y if x > 0.0 else -y

    assert float(grad(f)(nd.asarray(3.0))) == 5 * 3.0**4  # 3 ** 5 = 243
    assert float(grad(f)(nd.asarray(11.0))) == 22.0


def test_variable_lengths():
    def total(xs):
        state = nd.asarray(0.0)
        for x in xs:
            state = nd.tanh(state + x)
        return state

    for n in (1, 2, 5):
        found = grad(total)(nd.asarray(np.full(n, 0.1)))
        assert found.shape == (n,)
        assert bool(nd.all(found > 0))


def test_integers_and_bools_stay_plain():
    def f(x):
        assert not isinstance(nd.argmax(x), Var)
        assert not isinstance(x > 1.0, Var)
        return x[int(nd.argmax(x))]

    assert grad(f)(x3()).tolist() == [0.0, 0.0, 1.0]


def test_what_is_used_more_than_once_is_summed():
    assert float(grad(lambda x: x * x + x)(nd.asarray(3.0))) == 7.0


def test_perturbations_are_not_confused():
    inner = lambda x: grad(lambda y: x + y)(nd.asarray(1.0))  # noqa: E731
    assert float(grad(lambda x: x * inner(x))(nd.asarray(1.0))) == 1.0
    nested = grad(lambda x: grad(lambda y: x * y * y)(x * 2.0))  # d/dx 2 x (2 x)
    assert float(nested(nd.asarray(3.0))) == 24.0


def test_derivatives_of_any_order():
    x = nd.asarray(0.3, dtype="float64")
    f, want = nd.sin, [np.sin, np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v)]
    for slope in want:
        np.testing.assert_allclose(f(x).numpy(), slope(0.3), rtol=1e-12)
        f = grad(f)


@pytest.mark.parametrize("what", [np.asarray, lambda x: x.numpy(), lambda x: x.tolist(), memoryview])
def test_a_value_cannot_leave(what):
    with pytest.raises(TypeError, match=r"its gradient would be lost|bytes-like object is required"):
        grad(lambda x: nd.sum(x) * np.sum(what(x)))(x3())


def test_it_can_leave_when_the_gradient_is_stopped():
    assert grad(lambda x: nd.sum(x) * float(stop_gradient(x).numpy().sum()))(x3()).tolist() == [6.0, 6.0, 6.0]


def test_a_value_that_got_away_says_so():
    kept = []
    grad(lambda x: kept.append(x) or nd.sum(x))(x3())
    with pytest.raises(TypeError, match="add: a value of a function that was differentiated cannot be used after"):
        kept[0] + 1.0


def test_an_array_cannot_take_a_value():
    buffer = nd.zeros((3,))
    with pytest.raises(TypeError, match="cannot be written into an array"):
        grad(lambda x: buffer.__setitem__(0, x[0]) or nd.sum(x))(x3())


def test_a_value_cannot_be_written_to():
    with pytest.raises(TypeError, match="no side effects"):
        grad(lambda x: x.__setitem__(0, 1.0) or nd.sum(x))(x3())


# --- memory -----------------------------------------------------------------------------------------------------------


def test_what_is_needed_must_not_be_overwritten():
    scale = x3()

    def f(x):
        y = x * scale
        scale[0] = 5.0
        return nd.sum(y)

    with pytest.raises(OverwriteError, match=r"float32\[3\] cannot be written to here"):
        grad(f)(x3())
    assert scale.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("view", [lambda a: a[1:], lambda a: a[::-1], lambda a: nd.reshape(a, (3, 1)), lambda a: a])
def test_nor_through_a_view(view):
    x = x3()

    def f(v):
        y = v * v
        other = view(x)
        other += 1.0
        return nd.sum(y)

    with pytest.raises(ValueError, match="cannot be written to here"):
        grad(f)(x)


def test_what_is_not_needed_may_be():
    log = nd.zeros((3,))

    def f(x):
        y = nd.sum(x * x)
        log[1] = float(y)
        return y

    grad(f)(x3())
    assert log.tolist() == [0.0, 14.0, 0.0]


def test_afterwards_all_may_be():
    x, scale = x3(), x3()
    loss, slope = value_and_grad(lambda x: nd.sum(x * scale))(x)
    x -= slope
    scale[0] = 7.0
    loss += 1.0
    assert x.tolist() == [0.0, 0.0, 0.0]


def test_a_pullback_lives_as_long_as_what_it_needs():
    x = x3()
    _, back = vjp(lambda x: x * x, x)
    assert back(x3())[0].tolist() == [2.0, 8.0, 18.0]
    x += 1.0  # allowed: the function has ended
    with pytest.raises(OverwriteError, match="written to since the function ran"):
        back(x3())


def test_tapes_go():
    gc.collect()
    before = len(tape._OPEN)
    for _ in range(5):
        grad(lambda x: nd.sum(x * x))(x3())
        with pytest.raises(ZeroDivisionError):
            grad(lambda x: 1 / 0)(x3())
    gc.collect()
    assert len(tape._OPEN) == before


def test_threads_have_tapes_of_their_own():
    found = {}

    def work(k):
        x = nd.asarray(np.full(50, 0.1 * k))
        for _ in range(50):
            found[k] = grad(lambda x: nd.sum(nd.sin(x) * grad(lambda y: nd.sum(x * y * y))(x)))(x).numpy()

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in range(6):
        v = np.full(50, 0.1 * k)
        np.testing.assert_allclose(found[k], np.cos(v) * 2 * v * v + np.sin(v) * 4 * v, rtol=1e-5, atol=1e-6)
