"""Dropout draws the words of base.rng.philox, bit for bit, in every library."""

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.base.rng import Key, philox
from sparkdl.nd.array import NDArray, execute
from sparkdl.nd.ops.random import Dropout, dropout

libraries = pytest.mark.parametrize("library", ["numba", "numpy", "ref"])
IDS = np.array([0, 1, 2**32 - 1, 2**32, 2**62 + 12345, -1], np.int64)
KEY = Key.of(7).fold("dropout", 3).words()


def word(example: int, j: int) -> int:
    """The word of element j, drawn alone."""
    unsigned = example % 2**64
    counter = np.array([unsigned & 0xFFFFFFFF, unsigned >> 32, j // 4, 0], np.uint32)
    return int(philox(counter, KEY)[j % 4])


@libraries
@pytest.mark.parametrize("rate", [0.25, 0.5, 0.9])
def test_the_words_are_philoxs(library: str, rate: float) -> None:
    x = np.ones((len(IDS), 3, 367), np.float32)  # 1,101 elements: more than one tile, not a multiple of 4
    (y,) = execute(Dropout(rate), (x, IDS, KEY), (library,))
    want = [[word(int(i), j) >= rate * 2**32 for j in range(1101)] for i in IDS]
    np.testing.assert_array_equal(y.reshape(len(IDS), -1) != 0, want)
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)


@libraries
def test_the_threshold_is_exact(library: str) -> None:
    words = np.array([word(int(i), j) for i in IDS for j in range(8)]).reshape(len(IDS), 8)
    for k in (words.min(), np.median(words.ravel()[:-1]), words.max()):
        for rate, kept in ((float(k) / 2**32, words >= k), ((float(k) + 0.5) / 2**32, words > k)):
            (y,) = execute(Dropout(rate), (np.ones(words.shape, np.float32), IDS, KEY), (library,))
            np.testing.assert_array_equal(y != 0, kept)


@libraries
def test_an_example_draws_the_same_in_any_batch(library: str, rng: np.random.Generator) -> None:
    x, ids = rng.normal(size=(9, 130)).astype("f"), np.arange(9)
    (whole,) = execute(Dropout(0.4), (x, ids, KEY), (library,))
    order = rng.permutation(9)[:5]
    (some,) = execute(Dropout(0.4), (x[order], ids[order], KEY), (library,))
    np.testing.assert_array_equal(some, whole[order])


@libraries
def test_rates_at_the_ends(library: str) -> None:
    x = np.ones((2, 1000), np.float32)
    ids = np.arange(2)
    np.testing.assert_array_equal(execute(Dropout(0.0), (x, ids, KEY), (library,))[0], x)
    assert not execute(Dropout(1 - 2**-50), (x, ids, KEY), (library,))[0].any()


@libraries
def test_a_dropped_nan_is_zero(library: str) -> None:
    x = np.full((1, 64), np.nan, np.float32)
    (y,) = execute(Dropout(0.5), (x, np.array([3]), KEY), (library,))
    assert np.isnan(y).any() and (y == 0).any()
    np.testing.assert_array_equal(np.isnan(y[0]), [word(3, j) >= 2**31 for j in range(64)])


def test_the_share_is_the_rate() -> None:
    x = np.ones((100, 1000), np.float32)
    (y,) = execute(Dropout(0.3), (x, np.arange(100), KEY))
    assert abs((y == 0).mean() - 0.3) < 0.005


def test_specs_that_do_not_fit() -> None:
    x, ids, key = NDArray(np.ones((2, 3), "f")), NDArray(np.arange(2)), NDArray(KEY)
    with pytest.raises(ShapeError, match=r"rate must be >= 0 and < 1\. Got 1\.0"):
        dropout(x, ids, key, 1.0)
    with pytest.raises(ShapeError, match=r"ids must be int64\[2\] and key uint32\[2\]"):
        dropout(x, NDArray(np.arange(3)), key, 0.5)
    with pytest.raises(ShapeError, match="x must be floats with a batch axis"):
        dropout(ids, ids, key, 0.5)
