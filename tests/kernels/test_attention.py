"""Attention: every library against the oracle where numbers are not finite, masked, or large."""

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.kernels import table
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.attention import Attention, AttentionGrad, attention
from sparkdl.nd.ops.batched import BatchMatMul, batch_matmul
from tests.kernels.harness import ONEDNN, agree, needs_onednn, normal, oracle, run, serves

libraries = pytest.mark.parametrize("library", [ONEDNN, "numpy"])


def given(b=2, t=5, s=7, h=3, d=4, e=6):
    return normal((b, t, h, d), seed=1), normal((b, s, h, d), seed=2), normal((b, s, h, e), seed=3)


@libraries
def test_large_scores_do_not_overflow(library):
    q, k, v = given()
    agree(Attention(1.0), (q * 100, k * 100, v), library, rtol=1e-4)


@libraries
def test_a_query_that_sees_no_key_gives_zero(library):
    mask = np.ones((2, 5, 7), bool)
    mask[1, 2] = False
    y, p = run(Attention(0.5), (*given(), mask), library)
    assert not y[1, 2].any()
    assert not p[1, :, 2].any()
    assert np.isfinite(y).all()


@libraries
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_stay_in_their_query(bad, library):
    q, k, v = given()
    q[1, 2, 0, 0] = bad
    with np.errstate(invalid="ignore"):
        y = run(Attention(0.5), (q, np.abs(k), v), library)[0]
        want = oracle(Attention(0.5), (q, np.abs(k), v))[0]
    np.testing.assert_array_equal(np.isnan(y), np.isnan(want))
    assert np.isnan(y).any(axis=(3)).nonzero()[0].tolist() == [1]


@libraries
def test_causal_queries_do_not_see_what_comes_later(library):
    q, k, v = given(t=6, s=6)
    first = run(Attention(0.5, True), (q, k, v), library)[0]
    k[:, 4:], v[:, 4:] = 9.0, 9.0
    np.testing.assert_array_equal(run(Attention(0.5, True), (q, k, v), library)[0][:, :4], first[:, :4])


@needs_onednn
@pytest.mark.parametrize("shape", [(2, 70, 33, 5, 24, 8), (1, 1, 200, 2, 64, 64), (3, 16, 16, 1, 3, 5)])
def test_shapes(shape):
    q, k, v = given(*shape)
    agree(Attention(0.3), (q, k, v), "onednn")
    b, t, _, h, _, e = shape
    g, p = normal((b, t, h, e), seed=4), oracle(Attention(0.3), (q, k, v))[1].astype("f")
    agree(AttentionGrad(0.3), (g, q, k, v, p), "onednn", shift=4)


@pytest.mark.parametrize(
    "shape", [(2, 70, 33, 5, 24, 8), (1, 1, 200, 2, 32, 32), (2, 13, 7, 3, 8, 16), (1, 300, 9, 1, 16, 24)]
)
def test_gradients_of_short_heads(shape):
    b, t, _, h, _, e = shape
    q, k, v = given(*shape)
    g, p = normal((b, t, h, e), seed=4), oracle(Attention(0.3), (q, k, v))[1].astype("f")
    agree(AttentionGrad(0.3), (g, q, k, v, p), "numba", shift=4)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_flow_through_the_gradient_of_short_heads(bad):
    q, k, v = given(2, 5, 7, 3, 8, 8)
    g, p = normal((2, 5, 3, 8), seed=4), oracle(Attention(0.3), (q, k, v))[1].astype("f")
    g[1, 2, 0, 3] = bad
    with np.errstate(invalid="ignore"):
        want = oracle(AttentionGrad(0.3), (g, q, k, v, p))
    for y, z in zip(run(AttentionGrad(0.3), (g, q, k, v, p), "numba"), want, strict=True):
        np.testing.assert_array_equal(np.isfinite(y), np.isfinite(z))


def test_who_serves_a_gradient():
    for lengths, library in (((8, 24), "numba"), ((64, 64), ONEDNN.values[0]), ((4, 6), ONEDNN.values[0])):
        q, k, v = given(2, 5, 7, 3, *lengths)
        specs = tuple(NDArray(a).spec for a in (normal((2, 5, 3, lengths[1])), q, k, v, normal((2, 3, 5, 7))))
        made = table.prepare(AttentionGrad(), specs, AttentionGrad().specs(specs))
        assert made.library == library or not serves(AttentionGrad(), [np.zeros(s.shape, "f") for s in specs], library)


def test_specs_that_do_not_fit():
    q, k, v = map(NDArray, given())
    with pytest.raises(ShapeError, match="q, k and v must be"):
        attention(q, k, NDArray(normal((2, 6, 3, 4))))
    with pytest.raises(ShapeError, match=r"mask must be bool\[2,5,7\]"):
        attention(q, k, v, NDArray(np.ones((2, 7), bool)))
    with pytest.raises(ShapeError, match="not empty"):
        attention(NDArray(normal((0, 5, 3, 4))), NDArray(normal((0, 7, 3, 4))), NDArray(normal((0, 7, 3, 4))))
    with pytest.raises(ShapeError, match=r"p must be float32\[2,3,5,7\]"):
        AttentionGrad().infer(NDArray(normal((2, 5, 3, 6))).spec, q.spec, k.spec, v.spec, q.spec)
    with pytest.raises(ShapeError, match="the inner lengths must agree, 3 is not 4"):
        batch_matmul(NDArray(normal((2, 5, 3))), NDArray(normal((2, 4, 5))))
    with pytest.raises(ShapeError, match=r"equal in \.\.\. and dtype"):
        BatchMatMul().infer(NDArray(normal((2, 5, 3))).spec, NDArray(normal((3, 3, 5))).spec)
