"""Writing into arrays: operators, items, what is refused; memory that is used again."""

import gc
import operator
import os
import threading

import numpy as np
import pytest

from sparkdl import nd
from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.nd import memory


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow"])
def test_operators_write_in_place(name):
    fn, a, b = getattr(operator, name), np.array([5.0, 7.0], "f"), np.array([2.0, 3.0], "f")
    x, y = nd.asarray(a, copy=True), nd.asarray(b)
    view = x[1:]
    for mine, its in ((y, b), (2, 2)):
        assert fn(x, mine) is x
        fn(a, its)
        assert x.tolist() == a.tolist() and view.tolist() == a[1:].tolist()


@pytest.mark.parametrize("name", ["iand", "ior", "ixor", "ilshift", "irshift"])
def test_bits_in_place(name):
    x, a = nd.asarray([5, 6]), np.array([5, 6])
    assert getattr(operator, name)(x, 3) is x
    assert x.tolist() == getattr(operator, name)(a, 3).tolist()


def test_a_product_in_place():
    x = nd.asarray([[1.0, 2.0], [3.0, 4.0]])
    x @= nd.asarray([[0.0, 1.0], [1.0, 0.0]])
    assert x.tolist() == [[2.0, 1.0], [4.0, 3.0]]


def test_what_overlaps_is_read_before_it_is_written():
    for shift in (slice(1, None), slice(None, -1)):
        other = slice(None, -1) if shift.start else slice(1, None)
        a = np.arange(1000.0, dtype="f")
        x = nd.asarray(a, copy=True)
        x[shift] += x[other]
        want = a.copy()
        want[shift] = a[shift] + a[other]
        assert x.tolist() == want.tolist()
        x[::-1][...] = x
        assert x.tolist() == want[::-1].tolist()


def test_shape_and_dtype_stay():
    x = nd.zeros((2, 3), "int32")
    for value, error in ((1.5, DTypeError), (nd.zeros(3), DTypeError), (nd.zeros((4, 2, 3), "int32"), ShapeError)):
        with pytest.raises(error):
            x += value
    with pytest.raises(DTypeError, match=r"\[...\] =: an array of int32 cannot take a float without loss"):
        x[0] = 0.5
    with pytest.raises(ShapeError, match=r"an array of shape \(2, 3\) cannot take \(2,\)"):
        x[0] = [1, 2]
    with pytest.raises(TypeError):
        x[0] = "a"
    assert x.tolist() == [[0] * 3] * 2


def test_read_only_views():
    x = nd.broadcast_to(nd.zeros(3), (2, 3))
    with pytest.raises(ValueError, match=r"read-only view. Copy it first: `x.copy"):
        x += 1.0
    y = x.copy()
    y += 1.0
    assert y.tolist() == [[1.0] * 3] * 2 and x.tolist() == [[0.0] * 3] * 2


def test_order_and_strides():
    x = nd.zeros((2, 3))
    assert x.strides == (12, 4) and x.copy("F").strides == (4, 8) and nd.asarray(x, order="F").strides == (4, 8)
    assert x.nbytes == 24 and x.data.nbytes == 24 and x.T.T.strides == x.strides


def large():
    return nd.ones((1 << 19,), "float32")


def test_memory_of_large_results_comes_back():
    memory.release()
    x = large()
    y = x + x
    address = y.numpy().ctypes.data
    del y
    gc.collect()
    assert memory.waiting() == 2 << 20
    z = nd.exp(x)
    assert z.numpy().ctypes.data == address and memory.waiting() == 0
    np.testing.assert_array_equal(z.numpy(), np.exp(np.ones(1 << 19, "f")))


def test_memory_waits_for_the_last_view():
    memory.release()
    x = large()
    y = x + x
    view, other = y[5:7], np.asarray(y.T)
    del y
    gc.collect()
    assert memory.waiting() == 0 and view.tolist() == [2.0, 2.0]
    del view, other
    gc.collect()
    assert memory.waiting() == 2 << 20


def test_memory_that_waits_is_bounded(monkeypatch):
    memory.release()
    monkeypatch.setattr(memory, "KEPT", 5 << 20)
    kept = [large() + 1.0 for _ in range(5)]
    kept.clear()
    gc.collect()
    assert memory.waiting() == 4 << 20


def test_threads_never_share_a_block():
    x, faults = large(), []

    def work(k):
        for _ in range(20):
            y = x * float(k)
            z = y + 1.0
            if not (z.numpy() == k + 1).all():
                faults.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert faults == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_memory_of_its_own():
    x = large()
    y = x + x
    child = os.fork()
    if child == 0:
        y[0] = 7.0
        os._exit(int(y[0]))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert y[0] == 2.0
