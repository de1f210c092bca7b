"""Reductions: NaN, infinities, signed zeros, long sums."""

import numpy as np
import pytest

from sparkdl.nd.array import execute
from sparkdl.nd.ops.reduce import ArgMax, Max, Min, Sum

libraries = pytest.mark.parametrize("library", ["numba", "numpy", "ref"])
INF, NAN = np.inf, np.nan
ODD = np.array(
    [[1, NAN, 3], [-NAN, -INF, 2], [-0.0, 0.0, -1], [INF, 1, INF], [-INF] * 3, [-INF, -1e-45, -2], [3, 3, 3]],
    np.float32,
)


@libraries
def test_extremes_of_odd_rows(library: str) -> None:
    largest = np.float32([NAN, NAN, 0, INF, -INF, -1e-45, 3])
    np.testing.assert_array_equal(execute(Max((1,)), (ODD,), (library,))[0], largest)
    np.testing.assert_array_equal(execute(Min((1,)), (ODD,), (library,))[0], [NAN, NAN, -1, 1, -INF, -INF, 3])
    np.testing.assert_array_equal(execute(ArgMax(1), (ODD,), (library,))[0], [1, 0, 0, 0, 0, 1, 0])


@libraries
def test_nan_is_seen_wherever_it_stands(library: str) -> None:
    for nan in (NAN, -NAN, np.uint32(0xFFFFFFFF).view(np.float32), np.uint32(0x7F800001).view(np.float32)):
        x = np.zeros((67, 67), np.float32)
        np.fill_diagonal(x, nan)
        assert np.isnan(execute(Max((1,)), (x,), (library,))[0]).all()
        assert np.isnan(execute(Min((1,)), (x,), (library,))[0]).all()
        np.testing.assert_array_equal(execute(ArgMax(1), (x,), (library,))[0], np.arange(67))


@libraries
def test_sums_of_odd_values(library: str) -> None:
    np.testing.assert_array_equal(execute(Sum((1,)), (ODD,), (library,))[0][[0, 1, 3, 4, 6]], [NAN, NAN, INF, -INF, 9])
    np.testing.assert_array_equal(execute(Sum((0,)), (ODD[[3, 4]],), (library,))[0], [NAN, -INF, NAN])


@libraries
@pytest.mark.parametrize(("shape", "axes"), [((100_000, 3), (0,)), ((3, 100_000), (1,)), ((300_000,), (0,))])
def test_long_sums_keep_their_digits(library: str, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    rtol = 1e-2 if library == "numpy" and len(shape) > len(axes) else 5e-6  # NumPy adds rows one after another
    x = np.full(shape, 0.1, np.float32)  # rounds to one side all the time
    (y,) = execute(Sum(axes), (x,), (library,))
    np.testing.assert_allclose(y, x.astype(np.float64).sum(axes), rtol=rtol)
