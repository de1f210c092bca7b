"""Sparse rows: nothing outside is ever read or written. Binary cross-entropy: extreme logits."""

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.sigmoid import SigmoidXent, SigmoidXentBoth, sigmoid_xent
from sparkdl.nd.ops.sparse import CsrDots, CsrMatMul, CsrMatMulGrad, csr_matmul
from tests.kernels.harness import agree, close, normal, oracle, run

libraries = pytest.mark.parametrize("library", ["numba", "numpy"])
FAR = np.iinfo(np.int64).max


@libraries
def test_ends_of_rows_are_held_inside(library):
    indptr = np.array([-5, 2, 1, 4, FAR, np.iinfo(np.int64).min], np.int64)
    indices, values = np.array([0, 1, 2, 0, 1], np.int64), normal((5,))
    for op, rest in ((CsrMatMul(), normal((3, 4))), (CsrMatMulGrad(3), normal((5, 4)))):
        agree(op, (indptr, indices, values, rest), library)
    agree(CsrDots(), (indptr, indices, normal((5, 4)), normal((3, 4))), library)


@libraries
def test_indices_outside(library):
    indptr, values = np.array([0, 2, 4, 6], np.int64), np.ones(6, "f")
    indices = np.array([0, 1, FAR, 0, -1, 2], np.int64)
    y = run(CsrMatMul(), (indptr, indices, values, normal((3, 4))), library)[0]
    assert np.isnan(y).all(1).tolist() == [False, True, True]
    dw = run(CsrMatMulGrad(3), (indptr, indices, values, np.ones((3, 4), "f")), library)[0]
    assert dw[:, 0].tolist() == [2.0, 1.0, 1.0]
    loss, dz = run(SigmoidXentBoth(), (np.zeros((3, 3), "f"), indptr, indices, values, np.ones(3, "f")), library)
    assert np.isnan(loss).tolist() == [False, True, True]
    assert np.isfinite(dz).all()


@libraries
def test_equal_indices_add_up(library):
    csr = np.array([0, 3], np.int64), np.array([1, 1, 1], np.int64), np.array([1, 2, 4], "f")
    y = run(CsrMatMul(), (*csr, np.eye(2, dtype="f")), library)[0]
    assert y.tolist() == [[0.0, 7.0]]
    dz = run(SigmoidXentBoth(), (np.zeros((1, 2), "f"), *csr, np.ones(1, "f")), library)[1]
    np.testing.assert_allclose(dz, [[0.25, 0.25 - 3.5]])


@libraries
def test_extreme_logits(library):
    z = np.array([[1e4, -1e4, 0.0], [88.9, -88.9, 200.0], [1e-30, -1e-8, 30.0]], "f")
    t = np.array([[1, 0, 0.5], [0, 1, 1], [1, 0, 0]], "f")
    agree(SigmoidXent(), (z, t), library)
    agree(SigmoidXentBoth(True), (z, t, np.ones(3, "f")), library)


@libraries
def test_tiny_losses_are_not_lost(library):
    """1 + 1e-9 is 1 in float32."""
    z = np.full((1, 3000), -20.0, "f")
    got, want = run(SigmoidXent(), (z, np.zeros_like(z)), library)[0], np.log1p(np.exp(-20.0))
    np.testing.assert_allclose(got, want, rtol=1e-4)


@libraries
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_flow(bad, library):
    z, t = normal((3, 1000)), np.zeros((3, 1000), "f")
    z[1, 700] = bad
    op, arrays = SigmoidXentBoth(), (z, t, np.ones(3, "f"))
    with np.errstate(invalid="ignore", over="ignore"):
        for got, want in zip(run(op, arrays, library), oracle(op, arrays), strict=True):
            close(got, want)


def test_specs_that_do_not_fit():
    f, ids = NDArray(normal((3,))), NDArray(np.arange(3))
    with pytest.raises(ShapeError, match="indptr and indices must be vectors of one int dtype"):
        csr_matmul(ids, NDArray(np.arange(3, dtype=np.int32)), f, NDArray(normal((3, 2))))
    with pytest.raises(ShapeError, match="values must be floats, one for each"):
        csr_matmul(ids, ids, NDArray(normal((2,))), NDArray(normal((3, 2))))
    with pytest.raises(ShapeError, match="w must be a matrix"):
        csr_matmul(ids, ids, f, f)
    with pytest.raises(ShapeError, match="a row for each sparse one"):
        CsrMatMulGrad(4).infer(ids.spec, ids.spec, f.spec, NDArray(normal((3, 2))).spec)
    with pytest.raises(ShapeError, match="targets must be float32"):
        sigmoid_xent(NDArray(normal((2, 3))), NDArray(normal((2, 4))))
    with pytest.raises(ShapeError, match="sparse targets must be 3 rows"):
        sigmoid_xent(NDArray(normal((3, 3))), ids, ids, f)
