"""Distances: formulas in NumPy, gradients, edges, errors."""

import numpy as np
import pytest

from sparkdl import nd
from sparkdl.base.errors import AxisError, DTypeError, ShapeError
from sparkdl.graph.check import check_grads
from sparkdl.graph.derive import grad
from sparkdl.nd import distances
from sparkdl.nd.array import NDArray
from sparkdl.nd.distances import (
    cdist,
    cosine_distance,
    cosine_similarity,
    euclidean_distance,
    hamming_distance,
    jaccard_distance,
    manhattan_distance,
)

RNG = np.random.default_rng(0)


def cosine(a, b):
    return (a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1))


FORMULAS = {
    cosine_similarity: cosine,
    cosine_distance: lambda a, b: 1 - cosine(a, b),
    euclidean_distance: lambda a, b: np.sqrt(((a - b) ** 2).sum(-1)),
    manhattan_distance: lambda a, b: np.abs(a - b).sum(-1),
    hamming_distance: lambda a, b: (a != b).sum(-1).astype(a.dtype),
    jaccard_distance: lambda a, b: 1 - np.minimum(a, b).sum(-1) / np.maximum(a, b).sum(-1),
}
METRICS = {
    "cosine": FORMULAS[cosine_distance],
    "euclidean": FORMULAS[euclidean_distance],
    "manhattan": FORMULAS[manhattan_distance],
    "hamming": lambda a, b: (a != b).mean(-1),
    "jaccard": FORMULAS[jaccard_distance],
}
SMOOTH = [f for f in FORMULAS if f is not hamming_distance]
SHAPES = (((4,), (4,)), ((3, 4), (4,)), ((3, 4), (3, 4)), ((2, 1, 4), (3, 4)), ((0, 4), (4,)), ((3, 1), (3, 1)))


def positive(shape):
    return RNG.uniform(0.1, 2.0, shape).round(1)


@pytest.mark.parametrize("f", FORMULAS)
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_formulas(f, shapes, dtype):
    a, b = (positive(s).astype(dtype) for s in shapes)
    got = f(NDArray(a), NDArray(b))
    want = FORMULAS[f](a, b)
    assert (got.shape, got.dtype) == (want.shape, dtype)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-5, atol=2e-7)


@pytest.mark.parametrize("f", FORMULAS)
def test_other_axes(f):
    a, b = positive((4, 3)), positive((4, 3))
    np.testing.assert_array_equal(f(NDArray(a), NDArray(b), axis=0).numpy(), f(NDArray(a.T), NDArray(b.T)).numpy())


@pytest.mark.parametrize("f", SMOOTH)
@pytest.mark.parametrize("shapes", SHAPES[:4])
def test_gradients(f, shapes):
    check_grads(
        f, [np.linspace(0.2, 1.9, np.prod(s)).reshape(s)[..., ::k] for s, k in zip(shapes, (1, -1), strict=True)]
    )


@pytest.mark.parametrize("f", [euclidean_distance, manhattan_distance])
def test_the_gradient_between_equal_vectors_is_0(f):
    x = nd.asarray([[1.0, 2.0], [0.0, 0.0]])
    for loss in (lambda x: nd.sum(f(x, x.T.T + 0.0)), lambda x: nd.sum(f(x, nd.asarray([[1.0, 2.0], [0.0, 0.0]])))):
        np.testing.assert_array_equal(grad(loss)(x).numpy(), np.zeros((2, 2)))
    np.testing.assert_array_equal(grad(lambda x: nd.sum(cdist(x, x)))(x).numpy().round(5)[0] != 0, [True, True])
    assert np.isfinite(grad(lambda x: nd.sum(cdist(x, x)))(x).numpy()).all()


def test_vectors_of_zeros():
    zero, one = nd.zeros(3), nd.ones(3)
    assert cosine_similarity(zero, one).item() == 0.0
    assert cosine_distance(zero, zero).item() == 1.0
    assert jaccard_distance(zero, zero).item() == 0.0
    for f in SMOOTH:
        for x in (zero, one):
            assert np.isfinite(grad(lambda a, x=x, f=f: f(a, x))(zero).numpy()).all()
    assert grad(lambda a: cosine_similarity(a, one))(zero).tolist() == [0, 0, 0]


@pytest.mark.parametrize("f", FORMULAS)
def test_vectors_of_nothing(f):
    assert f(nd.zeros((2, 0)), nd.zeros((2, 0))).tolist() == ([1, 1] if f is cosine_distance else [0, 0])


def test_large_and_small_vectors_have_a_direction():
    for size in (1e30, 1e-30):
        x = nd.asarray([3.0, 4.0]) * size
        assert cosine_similarity(x, nd.asarray([3.0, 4.0])).item() == pytest.approx(1.0)
        assert np.isfinite(grad(lambda x: cosine_similarity(x, nd.asarray([4.0, 3.0])))(x).numpy()).all()


def test_nan_makes_nan():
    x, y = nd.asarray([float("nan"), 1.0]), nd.asarray([1.0, 2.0])
    for f in SMOOTH:
        assert np.isnan(f(x, y).item())
    assert hamming_distance(x, x).item() == 1.0


def test_counts_and_fractions():
    a, b = nd.asarray([1, 2, 3, 4]), nd.asarray([1, 0, 3, 0])
    assert hamming_distance(a, b).item() == 2.0
    assert hamming_distance(a, b, fraction=True).item() == 0.5
    big = nd.asarray([(1 << 53) + 1])
    assert hamming_distance(big, big - 1).item() == 1.0
    assert hamming_distance(nd.asarray([True, False]), nd.asarray([True, True])).item() == 1.0


def test_sets():
    a, b = nd.asarray([True, True, False, False]), nd.asarray([True, False, True, False])
    assert jaccard_distance(a, b).item() == pytest.approx(2 / 3)
    assert cdist(a[None], b[None], "jaccard").item() == pytest.approx(2 / 3)


def test_dtypes():
    for dtype, want in (("int8", "float32"), ("bool", "float32"), ("float16", "float16"), ("bfloat16", "bfloat16")):
        x = nd.ones((2, 3), dtype)
        for f in FORMULAS:
            assert f(x, x).dtype == want
        for metric in METRICS:
            assert cdist(x, x, metric).dtype == want
    assert euclidean_distance(nd.ones(2), nd.zeros(2, "float64")).dtype == "float64"
    assert manhattan_distance(nd.asarray([100], dtype="int8"), nd.asarray([-100], dtype="int8")).item() == 200.0


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "shapes", [((3, 4), (5, 4)), ((2, 3, 4), (5, 4)), ((1, 4), (1, 4)), ((0, 4), (5, 4)), ((3, 4), (0, 4))]
)
def test_cdist(metric, shapes):
    a, b = (positive(s) for s in shapes)
    got = cdist(NDArray(a), NDArray(b), metric).numpy()
    want = METRICS[metric](a[..., :, None, :], b[..., None, :, :])
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("metric", METRICS)
def test_cdist_in_blocks(metric, monkeypatch):
    a, b = NDArray(positive((7, 3))), NDArray(positive((4, 3)))
    whole = cdist(a, b, metric)
    for block in (1, 25, 36):
        monkeypatch.setattr(distances, "_BLOCK", block)
        np.testing.assert_array_equal(cdist(a, b, metric).numpy(), whole.numpy())


@pytest.mark.parametrize("metric", [m for m in METRICS if m != "hamming"])
def test_gradients_of_cdist(metric):
    check_grads(
        lambda x, y: cdist(x, y, metric),
        [np.linspace(0.2, 1.9, 6).reshape(2, 3), np.geomspace(0.3, 2, 9).reshape(3, 3)],
    )


def test_near_points_keep_their_digits():
    x = nd.asarray([[10000.0]], dtype="float32")
    assert cdist(x, x + 1e-2).item() == pytest.approx(np.float32(10000.01) - np.float32(10000), rel=1e-6)


def test_errors():
    x = nd.ones((2, 3))
    for f in FORMULAS:
        with pytest.raises(ShapeError, match="agree in length"):
            f(x, nd.ones((2, 4)))
        with pytest.raises(ShapeError, match="broadcast"):
            f(x, nd.ones((3, 3)))
        with pytest.raises(AxisError):
            f(x, x, axis=2)
        with pytest.raises(AxisError):
            f(nd.asarray(1.0), nd.asarray(1.0))
        with pytest.raises(DTypeError):
            f(x, "abc")
        if f is not hamming_distance:
            with pytest.raises(DTypeError):
                f(x, nd.ones(3, "complex64"))
    with pytest.raises(ValueError, match="metric must be one of euclidean"):
        cdist(x, x, "euclid")
    with pytest.raises(ShapeError, match="rows"):
        cdist(x, nd.ones(3))
    with pytest.raises(ShapeError, match="agree in length"):
        cdist(x, nd.ones((2, 4)))
