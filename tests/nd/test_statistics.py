"""Quantiles, means, covariances, histograms: numbers against NumPy, edges, errors, gradients."""

import warnings

import numpy as np
import pytest

from sparkdl.base.errors import AxisError, DTypeError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.graph.check import check_grads
from sparkdl.graph.derive import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray
from sparkdl.nd.histograms import bincount, histogram
from sparkdl.nd.nans import nanmax, nanmean, nanmin, nansum
from sparkdl.nd.quantiles import METHODS, median, percentile, quantile
from sparkdl.nd.reductions import sum as sum_
from sparkdl.nd.statistics import average, corrcoef, cov

INTS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "float32", "float64")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4, 5))


def close(got, want, rtol=1e-12):
    assert got.shape == np.shape(want)
    np.testing.assert_allclose(got.numpy(), want, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (2, 0, 1)])
def test_quantiles_as_numpy(method, axis):
    for q in (0, 0.5, 1.0, [0.1, 0.9], [[0.25], [0.3]], []):
        for keep in (False, True):
            want = np.quantile(X, np.asarray(q, np.float64), axis, method=method, keepdims=keep)
            close(quantile(NDArray(X), q, axis, method=method, keepdims=keep), want)
    close(
        percentile(NDArray(X), [0, 37.5, 100], axis, method=method),
        np.percentile(X, [0, 37.5, 100], axis, method=method),
    )
    close(median(NDArray(X), axis, keepdims=True), np.median(X, axis, keepdims=True))


@pytest.mark.parametrize("dtype", INTS)
def test_quantiles_of_integers(dtype):
    info = np.iinfo(dtype)
    x = np.array([info.max, info.min, 3, 7, 1], dtype)
    for method in METHODS:
        made = quantile(NDArray(x), 0.3, method=method)
        wide = x.astype(np.float64) if method in ("linear", "midpoint") else x
        assert made.dtype == ("float64" if method in ("linear", "midpoint") else dtype)
        close(made, np.quantile(wide, 0.3, method=method))
    assert median(NDArray(x)).tolist() == 3.0


@pytest.mark.parametrize("dtype", FLOATS)
def test_quantiles_keep_the_dtype(dtype):
    x = X.astype(dtype)
    made = quantile(NDArray(x), [0.1, 0.7], 1)
    assert made.dtype == dtype
    close(made, np.quantile(x.astype("f8"), [0.1, 0.7], 1), {"float16": 2e-3, "float32": 1e-6}.get(dtype, 1e-12))


def test_quantiles_of_odd_numbers():
    x = NDArray([[1.0, np.nan, 3.0], [1.0, 2.0, np.inf]])
    assert np.isnan(median(x, 1).tolist()[0]) and median(x, 1).tolist()[1] == 2.0
    for q, want in ((0.0, 1.0), (0.5, 2.0), (0.6, np.inf), (0.75, np.inf), (1.0, np.inf)):
        assert quantile(x[1], q).tolist() == want and quantile(-x[1], 1 - q).tolist() == -want
    assert np.isnan(quantile(NDArray([-np.inf, np.inf]), [0.3, 0.5, 0.7]).numpy()).all()
    assert quantile(NDArray(4.0), 0.3).tolist() == 4.0
    assert quantile(NDArray(np.zeros((0, 3))), 0.5, 1).shape == (0,)
    out = NDArray(np.zeros((), "f"))
    assert quantile(x[1], 0.5, out=out) is out and out.tolist() == 2.0


def test_quantiles_where_they_come_from():
    check_grads(lambda x: quantile(x, [0.1, 0.5, 0.77], (0, 2)), [X])
    check_grads(lambda x: median(x, 1) * percentile(x, 30, 1), [X])
    assert grad(lambda x: quantile(x, 0.25))(NDArray([3.0, 0.0, 2.0])).tolist() == [0, 0.5, 0.5]
    graph = Graph()
    x = graph.input("x", Spec((3, 4, 5), "float64"))
    program = compile(graph, {"q": quantile(x, [0.2, 0.4], 1)})
    program.inputs["x"][...] = X
    program.run()
    np.testing.assert_allclose(program.outputs["q"], np.quantile(X, [0.2, 0.4], 1), rtol=1e-12)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (2, 0)])
def test_averages_as_numpy(axis):
    axes = range(3) if axis is None else np.atleast_1d(axis)
    full, part = RNG.uniform(size=X.shape), RNG.uniform(size=tuple(X.shape[k] for k in axes))
    for w in (None, full, part):
        for keep in (False, True):
            want = np.average(X, axis, w, returned=True, keepdims=keep)
            given = None if w is None else NDArray(w)
            for got, exact in zip(average(NDArray(X), axis, given, True, keepdims=keep), want, strict=True):
                close(got, exact)
    check_grads(lambda x, w: average(x, axis, w), [X, part])


def test_averages_of_integers():
    assert average(NDArray([1, 2])).dtype == "float64"
    assert average(NDArray([1.0, 2.0]), weights=NDArray([3, 1])).dtype == "float32"
    assert np.isnan(average(NDArray([1.0]), weights=NDArray([0.0])).tolist())


def test_covariances_as_numpy():
    a, b = X[0], X[1, :2]
    f, w = np.array([1, 2, 0, 1, 3]), RNG.uniform(size=5)
    for free in (None, 0, 1, 2):
        for weights in ({}, {"fweights": f}, {"aweights": w}, {"fweights": f, "aweights": w}):
            given = {k: NDArray(v) for k, v in weights.items()}
            close(cov(NDArray(a), NDArray(b), ddof=free, **given), np.cov(a, b, ddof=free, **weights))
    close(cov(NDArray(a), rowvar=False, bias=True), np.cov(a, rowvar=False, bias=True))
    close(cov(NDArray(a[0]), NDArray(a[1])), np.cov(a[0], a[1]))
    close(cov(NDArray(a[0])), np.cov(a[0]))
    close(cov(NDArray(a + 1j * X[1])), np.cov(a + 1j * X[1]))
    close(cov(NDArray(np.array([[1, 2, 4], [3, 1, 1]]))), np.cov([[1, 2, 4], [3, 1, 1]]))
    close(corrcoef(NDArray(a), NDArray(b)), np.corrcoef(a, b))
    close(corrcoef(NDArray(a), rowvar=False), np.corrcoef(a, rowvar=False))
    assert corrcoef(NDArray(a[0])).tolist() == 1.0
    assert np.isnan(cov(NDArray([1.0])).tolist()) and cov(NDArray(a.astype("f"))).dtype == "float32"
    check_grads(lambda x: cov(x), [a])
    check_grads(lambda x: corrcoef(x)[0, 1:], [a])
    check_grads(lambda x, v: cov(x, aweights=v), [a, w])


@pytest.mark.parametrize("axis", [None, 0, (0, 2)])
def test_without_nan_as_numpy(axis):
    x = X.copy()
    x[x > 0.8] = np.nan
    x[:, 1, :] = np.nan
    x[0, 1, 0] = 0.3
    for ours, numpys in ((nansum, np.nansum), (nanmean, np.nanmean), (nanmax, np.nanmax), (nanmin, np.nanmin)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a line of NaN
            want = numpys(x, axis)
        close(ours(NDArray(x), axis), want)
        close(ours(NDArray(X), axis, keepdims=True), numpys(X, axis, keepdims=True))


def test_without_nan_in_other_dtypes():
    x = NDArray(np.array([[1, 5], [2, 3]], np.int8))
    assert nansum(x).dtype == "int64" and nanmax(x, 0).dtype == "int8" and nanmean(x).dtype == "float64"
    assert nansum(NDArray([np.nan + 1j, 2.0])).tolist() == 2.0
    assert np.isnan(nanmax(NDArray([np.nan])).tolist()) and nansum(NDArray([np.nan])).tolist() == 0
    assert nanmin(NDArray([np.nan, np.inf])).tolist() == np.inf
    for fn, want in ((nansum, [1, 0, 1]), (nanmean, [0.5, 0, 0.5]), (nanmax, [0, 0, 1]), (nanmin, [1, 0, 0])):
        assert grad(fn)(NDArray([1.0, np.nan, 2.0])).tolist() == want
    with pytest.raises(ShapeError, match="must not be empty"):
        nanmax(NDArray(np.zeros((0,))))


EDGES = ([-1.0, 0.0, 0.5, 2.0], [-1.0, 0.0, 0.0, 1.0, 1.0], np.array([-2, 0, 1]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bins", [1, 7, *EDGES], ids=str)
def test_histograms_as_numpy(dtype, bins):
    x, w = X.astype(dtype), RNG.uniform(size=X.shape)
    x[0, 0, :3] = [0.0, 1.0, np.nan]
    spans = [None] if np.ndim(bins) else [(-1, 1.5), (0.25, 0.25)]
    for span in spans:
        for density in (False, True):
            for weights in (None, w):
                given = None if weights is None else NDArray(weights)
                counts, edges = histogram(NDArray(x), bins, span, density, given)
                with np.errstate(all="ignore"):  # bins without width
                    want, at = np.histogram(x, bins, span, density, weights)
                close(edges, at, 1e-6 if dtype == "float32" else 1e-12)
                close(counts, want, 1e-5 if dtype == "float32" else 1e-12)
                assert weights is not None or density or counts.dtype == "int64"


def test_histograms_of_all_there_is():
    for x in (
        X,
        np.array([3, 9, 4]),
        np.array([2.5]),
        np.zeros(0),
        np.arange(256).astype(np.uint8),
        np.array([2**60, 3]),
    ):
        for got, want in zip(histogram(NDArray(x), 4), np.histogram(x, 4), strict=True):
            close(got, want)
    assert histogram(NDArray(np.array([1, 2, 2], np.int8)), [0, 2, 3])[0].tolist() == [1, 2]
    ends = NDArray(np.array([0.1, 0.7, 0.3], np.float32))
    assert sum_(histogram(ends, 3)[0]).tolist() == 3


def test_histograms_in_programs_and_gradients():
    graph = Graph()
    x = graph.input("x", Spec((3, 4, 5), "float64"))
    counts, edges = histogram(x, 6)
    program = compile(graph, {"n": counts, "e": edges})
    for given in (X, np.full_like(X, 2.0)):
        program.inputs["x"][...] = given
        program.run()
        want = np.histogram(given, 6)
        np.testing.assert_array_equal(program.outputs["n"], want[0])
        np.testing.assert_allclose(program.outputs["e"], want[1], rtol=1e-12)
    check_grads(lambda w: histogram(NDArray(X), [-1.0, 0.0, 2.0], weights=w)[0], [X])
    check_grads(lambda x: histogram(x, 3)[1], [X])


@pytest.mark.parametrize("dtype", INTS)
def test_bincount_as_numpy(dtype):
    ids, w = RNG.integers(0, 6, 20).astype(dtype), RNG.normal(size=20)
    for least in (0, 3, 9):
        close(bincount(NDArray(ids), minlength=least), np.bincount(ids.astype(np.int64), minlength=least))
        close(bincount(NDArray(ids), NDArray(w), least), np.bincount(ids.astype(np.int64), w, least))
    assert bincount(NDArray(ids)).dtype == "int64"
    assert bincount(NDArray(ids), NDArray(w.astype("f"))).dtype == "float32"
    assert bincount(NDArray(ids), NDArray(ids)).dtype == "float64"
    assert bincount(NDArray(ids), length=300).shape == (300,) and bincount(NDArray(ids), length=0).shape == (0,)
    check_grads(lambda v: bincount(NDArray(ids), v, length=300), [w])
    check_grads(lambda v: bincount(NDArray(ids), v, length=4) ** 2.0, [w])


def test_bincount_of_little():
    assert bincount(NDArray(np.zeros(0, np.int64))).tolist() == []
    assert bincount(NDArray(np.array([-1, 0, 9])), length=3).tolist() == [1, 0, 0]
    x = Graph().input("x", Spec((5,), "int64"))
    assert bincount(x, length=4).spec == Spec((4,), "int64")
    with pytest.raises(TypeError, match=r"bincount: the shape of the result hangs on the values.*Give length="):
        bincount(x)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda x: quantile(x, 1.5), ValueError, r"quantile: q must be within 0 .. 1. Got 1.5"),
        (lambda x: percentile(x, [50, np.nan]), ValueError, r"percentile: q must be within 0 .. 100"),
        (lambda x: quantile(x, Graph().input("q", Spec(()))), TypeError, r"q must be known"),
        (lambda x: quantile(x, 0.5, method="cubic"), ValueError, r"method must be one of linear, lower"),
        (lambda x: quantile(x, 0.5, 2), AxisError, r"quantile: axis must be within -2 .. 1. Got 2"),
        (lambda x: median(x, (0, 0)), AxisError, r"median: axes must be distinct"),
        (lambda x: median(x[:0]), ShapeError, r"median: the axes must not be empty"),
        (lambda x: median(NDArray([1j])), DTypeError, r"median: dtype must be a real numeric. Got complex64"),
        (lambda x: quantile(NDArray([True]), 0.5), DTypeError, r"quantile: dtype must be a real numeric. Got bool"),
        (lambda x: average(x, 0, NDArray([1.0, 2.0, 3.0])), ShapeError, r"weights must have the shape of x, or of its"),
        (lambda x: average([1.0]), DTypeError, r"average: x must be an array"),
        (lambda x: cov(NDArray(np.zeros((1, 2, 3)))), ShapeError, r"cov: x and y must have one or two axes"),
        (lambda x: cov(x, fweights=NDArray([1, 2])), ShapeError, r"cov: weights must have the shape \(3,\)"),
        (lambda x: cov(x, x[:, :2]), ShapeError, r"concat"),
        (lambda x: histogram(x, 0), ValueError, r"bins must be an int >= 1, or edges. Got 0"),
        (lambda x: histogram(x, "auto"), ValueError, r"bins must be an int >= 1, or edges. Got 'auto'"),
        (lambda x: histogram(x, [2.0, 1.0]), ValueError, r"edges must rise"),
        (lambda x: histogram(x, [2.0]), ShapeError, r"two edges or more"),
        (lambda x: histogram(x, 2, (1.0, 0.0)), ValueError, r"range must be finite and rise. Got 1.0 .. 0.0"),
        (lambda x: histogram(x * np.float32("nan")), ValueError, r"range must be finite and rise"),
        (lambda x: histogram(x, weights=x[0]), ShapeError, r"weights must have the shape of x"),
        (lambda x: histogram(NDArray([1j])), DTypeError, r"histogram: dtype must be a real numeric"),
        (lambda x: bincount(x), DTypeError, r"bincount: indices must be integers"),
        (lambda x: bincount(NDArray([[1]])), ShapeError, r"bincount: x must have one axis"),
        (lambda x: bincount(NDArray([-1])), ValueError, r"bincount: x must be >= 0. Got -1"),
        (lambda x: bincount(NDArray([1]), minlength=-1), ValueError, r"minlength must be an int >= 0. Got -1"),
        (lambda x: bincount(NDArray([1]), length=1.5), ValueError, r"length must be an int >= 0. Got 1.5"),
        (lambda x: bincount(NDArray([1]), x[0]), ShapeError, r"bincount: all must have one axis of one length"),
        (lambda x: bincount(NDArray([1]), NDArray([1j])), DTypeError, r"bincount: dtype must be a real floating"),
    ],
)
def test_errors(call, error, said):
    with pytest.raises(error, match=said):
        call(NDArray(np.arange(6, dtype=np.float32).reshape(2, 3)))
