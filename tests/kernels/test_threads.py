"""Threads: how many, what is refused, and kernels divided among them: the same numbers as from one."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from sparkdl.base.errors import ConfError, KernelError
from sparkdl.base.spec import Spec
from sparkdl.kernels import table, threads as counts
from sparkdl.kernels.cpu import _team
from sparkdl.kernels.cpu._onednn_products import in_blocks
from sparkdl.kernels.threads import check_threads, count, using
from sparkdl.nd.array import execute
from sparkdl.nd.ops.attention import Attention, AttentionGrad
from sparkdl.nd.ops.layernorm import GroupNorm, LayerNorm, LayerNormGrad, LayerNormResidual
from sparkdl.nd.ops.matmul import MatMul
from sparkdl.nd.ops.random import Dropout
from sparkdl.nd.ops.reduce import ArgMax, Max, Min, Sum
from sparkdl.nd.ops.sigmoid import SigmoidXent, SigmoidXentBoth, SigmoidXentGrad
from sparkdl.nd.ops.softmax import LogSoftmax, Softmax, SoftmaxXent, SoftmaxXentBoth, SoftmaxXentGrad
from tests.conformance.ops import LIBRARIES, assert_close
from tests.conformance.test_kernels import applications, cases
from tests.kernels.harness import close, needs_onednn, normal, oracle, run, serves

pytestmark = needs_onednn


@pytest.fixture
def small_parts(monkeypatch):
    """Every kernel that can be divided is, however small."""
    table.prepare.cache_clear()
    monkeypatch.setattr(_team, "PART", 1)
    yield
    table.prepare.cache_clear()


@pytest.mark.parametrize("bad", [0, -1, 1.0, True, "2"])
def test_a_senseless_count_is_refused(bad):
    with pytest.raises(ConfError) as caught:
        check_threads(bad)
    assert str(caught.value) == f"threads must be an int >= 1. Got {bad!r}."


def test_the_default_is_one_or_what_the_environment_says(monkeypatch):
    monkeypatch.delenv(counts.VARIABLE, raising=False)
    assert check_threads(None) == 1
    monkeypatch.setenv(counts.VARIABLE, "2")
    assert (check_threads(None), check_threads(1)) == (2, 1)
    monkeypatch.setenv(counts.VARIABLE, "0")
    with pytest.raises(KernelError, match=r"SPARKDL_THREADS must be an int >= 1. Got '0'."):
        check_threads(None)


def test_more_threads_than_cores_are_logged_once(monkeypatch, caplog):
    monkeypatch.setattr(counts, "cores", lambda: 2)
    counts._too_many.cache_clear()
    assert [check_threads(n) for n in (1, 2)] == [1, 2]
    assert not caplog.records
    assert [check_threads(n) for n in (3, 3)] == [3, 3]
    assert [r.message for r in caplog.records] == ["threads=3 on 2 cores: they wait for one another. Give fewer."]


def test_without_a_pool_more_than_one_is_refused():
    code = """
from sparkdl.kernels.threads import check_threads, count, using
print(check_threads(1), count())
with using(2):
    print(count())
check_threads(2)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env={"SPARKDL_ONEDNN": "off", "PATH": ""}, capture_output=True, text=True
    )
    assert done.stdout == "1 1\n1\n"
    assert "KernelError: threads must be 1 where there is no oneDNN with OpenMP. Got 2." in done.stderr


def test_a_block_turns_back_and_is_its_threads_own():
    seen = []
    before = count()
    with pytest.raises(ZeroDivisionError), using(3):
        with using(2):
            other = threading.Thread(target=lambda: seen.append(count()))
            other.start()
            other.join()
            seen.append(count())
        seen.append(count())
        raise ZeroDivisionError
    assert seen == [before, 2, 3]
    assert count() == before


def test_kernels_are_kept_by_their_count():
    specs = (Spec((512, 512)),)
    with using(2):
        one, two = (table.prepare(Softmax(), specs, specs, ("numba",), n) for n in (1, 2))
    assert (one.detail, two.detail) == ("softmax", "softmax /2")


def test_small_work_is_not_divided():
    with using(4):
        assert [_team.shares(10**6, n * _team.PART) for n in (0, 1, 2, 3, 4, 9)] == [1, 1, 2, 3, 4, 4]
        assert _team.shares(100, 10**9, 64) == 2
        assert _team.shares(0, 10**9) == 1


@cases
def test_three_threads_compute_every_op(case, small_parts):
    with using(3):
        for op, ins in applications(case):
            want = execute(op, ins, ("ref",))
            for library in LIBRARIES:
                if serves(op, ins, library):
                    for y, z in zip(run(op, ins, library), want, strict=True):
                        assert_close(y, z, 2 * case.tol, f"{op.name} of {library}")


LABELS = np.arange(5000) % 37
X, G, V = normal((5000, 37)), normal((5000,)), normal((37,))
BITS = (X > 0.3).astype("f")
ROWS = np.arange(5001) * 2, np.arange(10_000) * 5 % 37, np.ones(10_000, "f")
VECTORS = (V, V + 1)
SAME = [
    (Softmax(), (X,)),
    (LogSoftmax(), (X,)),
    (SoftmaxXent(), (X, LABELS)),
    (SoftmaxXentBoth(), (X, LABELS, G)),
    (SoftmaxXentGrad(), (X, LABELS, G)),
    (SigmoidXent(), (X, BITS)),
    (SigmoidXentBoth(), (X, BITS, G)),
    (SigmoidXentBoth(bias=True), (X, BITS, G, V)),
    (SigmoidXentBoth(bias=True), (X, *ROWS, G, V)),
    (SigmoidXentGrad(), (1 / (1 + np.exp(-X)), BITS, G)),
    (LayerNorm(), (X, *VECTORS)),
    (LayerNormResidual(), (X, 2 * X, *VECTORS)),
    (GroupNorm(2), (normal((500, 10, 38)), *(normal((38,), seed=k) for k in (1, 2)))),
    (Dropout(0.3), (X, np.arange(5000), np.array([1, 2], np.uint32))),
    (Sum((1,)), (X,)),
    (Max((1,)), (X,)),
    (Min((1,)), (X,)),
    (ArgMax(1), (X,)),
]


@pytest.mark.parametrize(("op", "arrays"), SAME, ids=[op.name for op, _ in SAME])
def test_rows_have_the_same_bits_whatever_the_count(op, arrays):
    specs = tuple(Spec(a.shape, a.dtype.name) for a in arrays)
    one = run(op, arrays, "numba")
    for n in (2, 3):
        with using(n):
            made = run(op, arrays, "numba")
            assert table.prepare(op, specs, op.specs(specs), ("numba",), n).detail.endswith(f" /{n}")
        for a, b in zip(one, made, strict=True):
            np.testing.assert_array_equal(a.view(np.uint8), b.view(np.uint8))


SUMS = [
    (Sum((0,)), (X,)),
    (LayerNormGrad(), (normal(X.shape, seed=1), X, V, X.mean(1), 1 / X.std(1))),
    (SigmoidXentBoth(total=True), (X, BITS, G)),
    (SigmoidXentBoth(total=True, bias=True), (X, BITS, G, V)),
    (SigmoidXentBoth(total=True, bias=True), (X, *ROWS, G, V)),
]


@pytest.mark.parametrize(("op", "arrays"), SUMS, ids=[op.name for op, _ in SUMS])
def test_divided_sums_are_near_and_repeat_themselves(op, arrays):
    want = oracle(op, arrays)
    with using(3):
        first, second = (run(op, arrays, "numba") for _ in range(2))
    for got, again, w in zip(first, second, want, strict=True):
        np.testing.assert_array_equal(got, again)
        np.testing.assert_allclose(got, w, rtol=2e-5, atol=2e-5 * np.abs(w).max())


@pytest.mark.parametrize("causal", [False, True])
def test_attention_has_the_same_softmax_in_three_threads(causal):
    q, k, v = (normal((4, 128, 2, 16), seed=n) for n in range(3))
    mask = np.random.default_rng(0).random((4, 128, 128)) < 0.7
    want = oracle(Attention(0.25, causal), (q, k, v, mask))
    with using(3):
        assert _team.shares(4 * 2 * 128, 2 * want[1].size, 16) == 3
        for got, w in zip(run(Attention(0.25, causal), (q, k, v, mask), "onednn"), want, strict=True):
            close(got, w)


def test_short_heads_have_the_same_gradient_whatever_the_count():
    g, q, k, v = (normal((9, 70, 3, 16), seed=n) for n in range(4))
    p = np.random.default_rng(0).dirichlet(np.ones(70), (9, 3, 70)).astype("f")
    one = run(AttentionGrad(0.25), (g, q, k, v, p), "numba")
    for n in (2, 3):
        with using(n):
            specs = tuple(Spec(a.shape) for a in (g, q, k, v, p))
            op = AttentionGrad(0.25)
            assert table.prepare(op, specs, op.specs(specs), ("numba",), n).detail.endswith(f" /{n}")
            for a, b in zip(one, run(op, (g, q, k, v, p), "numba"), strict=True):
                np.testing.assert_array_equal(a, b)


def test_blocks_of_one_thread_are_not_taken_in_two():
    specs = Spec((256, 784)), Spec((784, 2048))
    assert in_blocks(MatMul(), specs)
    with using(2):
        assert not in_blocks(MatMul(), specs)


def test_nan_and_infinity_stay_in_their_rows():
    x = X.copy()
    x[4999, 3], x[0, 0] = np.nan, np.inf
    with using(3):
        (y,) = run(Softmax(), (x,), "numba")
    assert np.isnan(y).any(1).nonzero()[0].tolist() == [0, 4999]
