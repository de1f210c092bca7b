"""Softmax and cross-entropy: NaN, infinities, large logits, labels that are no class."""

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.graph.check import check_grads
from sparkdl.nd.array import NDArray, execute
from sparkdl.nd.ops.softmax import (
    LogSoftmax,
    Softmax,
    SoftmaxXent,
    SoftmaxXentBoth,
    SoftmaxXentGrad,
    softmax_xent,
    softmax_xent_grad,
)

libraries = pytest.mark.parametrize("library", ["numba", "numpy", "ref"])
INF, NAN = np.inf, np.nan
ODD = np.array(
    [[1, NAN, 2], [-NAN, 0, 0], [INF, 0, 1], [-INF, 0, 0], [-INF, -INF, -INF], [1e30, -1e30, 0], [-0.0, 0.0, 0.0]],
    np.float32,
)
SOFT = np.array(
    [[NAN, NAN, NAN], [NAN, NAN, NAN], [NAN, NAN, NAN], [0, 0.5, 0.5], [NAN, NAN, NAN], [1, 0, 0], [1 / 3] * 3],
    np.float32,
)


@libraries
def test_special_values_flow(library: str) -> None:
    np.testing.assert_allclose(execute(Softmax(), (ODD,), (library,))[0], SOFT, rtol=1e-6)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(execute(LogSoftmax(), (ODD[[3, 4, 6]],), (library,))[0], np.log(SOFT[[3, 4, 6]]))
    labels = np.array([0, 0, 0, 0, 0, 0, 0])
    loss = execute(SoftmaxXent(), (ODD, labels), (library,))[0]
    np.testing.assert_allclose(loss, [NAN, NAN, NAN, INF, NAN, 0, np.log(3)], rtol=1e-6)


@libraries
def test_large_rows_do_not_overflow(library: str) -> None:
    x = np.array([[1000.0, 999.0, -1000.0]], np.float32)
    (y,) = execute(Softmax(), (x,), (library,))
    np.testing.assert_allclose(y, [[1 / (1 + np.exp(-1)), 1 / (1 + np.e), 0]], rtol=1e-6)
    loss, _ = execute(SoftmaxXent(), (x, np.array([2])), (library,))
    np.testing.assert_allclose(loss, [2000.3132], rtol=1e-6)


@libraries
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_labels_that_are_no_class(library: str, dtype: str) -> None:
    labels = np.array([-1, 3, np.iinfo(dtype).max, np.iinfo(dtype).min, 1], dtype)
    z, g = np.zeros((5, 3), np.float32), np.ones(5, np.float32)
    loss, probs = execute(SoftmaxXent(), (z, labels), (library,))
    np.testing.assert_allclose(loss, [NAN, NAN, NAN, NAN, np.log(3)], rtol=1e-6)
    np.testing.assert_allclose(probs, np.full((5, 3), 1 / 3), rtol=1e-6)
    for dz in (
        execute(SoftmaxXentGrad(), (probs, labels, g), (library,))[0],
        execute(SoftmaxXentBoth(), (z, labels, g), (library,))[1],
    ):
        assert not dz[:4].any()
        np.testing.assert_allclose(dz[4], [1 / 3, -2 / 3, 1 / 3], rtol=1e-6)


@libraries
def test_a_row_of_nan_gives_no_gradient_when_its_label_is_no_class(library: str) -> None:
    z = np.full((1, 3), NAN, np.float32)
    _, dz = execute(SoftmaxXentBoth(), (z, np.array([7]), np.ones(1, np.float32)), (library,))
    assert not dz.any()


@libraries
def test_targets_of_zero_ignore_masked_logits(library: str) -> None:
    z, t = np.array([[0, 0, -INF]], np.float32), np.array([[0.5, 0.5, 0]], np.float32)
    loss, dz = execute(SoftmaxXentBoth(), (z, t, np.ones(1, np.float32)), (library,))
    np.testing.assert_allclose(loss, [np.log(2)], rtol=1e-6)
    np.testing.assert_allclose(dz, [[0, 0, 0]], atol=1e-7)


@libraries
def test_a_sure_answer_keeps_its_small_gradient(library: str) -> None:
    z, g = np.array([[0, 20.0]], np.float32), np.full(1, 1e-3, np.float32)
    _, dz = execute(SoftmaxXentBoth(), (z.astype("f"), np.array([0]), g), (library,))
    np.testing.assert_allclose(dz, [[-1e-3, 1e-3]], rtol=1e-6)


def test_targets_that_do_not_sum_to_one(rng: np.random.Generator) -> None:
    z, t = rng.normal(size=(4, 3)), rng.uniform(size=(4, 3)) * 2
    check_grads(lambda z, t: softmax_xent(z, t)[0], [z, t])


@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        (Spec((3,)), Spec((3,), "int64")), (Spec((3, 4)), Spec((4,), "int64")), (Spec((3, 4)), Spec((3, 4), "int64")),
        (Spec((3, 4)), Spec((3,))), (Spec((3, 4)), Spec((3, 5))), (Spec((3, 4)), Spec((3, 4), "float64")),
        (Spec((3, 4)), Spec((3,), "bool")), (Spec((3, 0)), Spec((3,), "int64")),
        (Spec((3, 4), "int32"), Spec((3,), "int64")),
    ],
)  # fmt: skip
def test_specs_that_do_not_fit(logits: Spec, labels: Spec) -> None:
    with pytest.raises(ShapeError, match=r"softmax_xent: (logits|labels) must be"):
        SoftmaxXent().infer(logits, labels)


def test_weights_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"softmax_xent_grad: g must be float32\[2\]. Got float32\[3\]"):
        softmax_xent_grad(NDArray(np.zeros((2, 3), "f")), NDArray(np.zeros(2, "int64")), NDArray(np.zeros(3, "f")))
