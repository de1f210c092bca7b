"""Winograd's convolutions against the float64 oracle: all windows, edges, chunks, and what is left to other kernels."""

from fractions import Fraction

import numpy as np
import pytest

from sparkdl.kernels import table
from sparkdl.kernels.cpu import _tiles
from sparkdl.kernels.cpu._toom import SIZE, filtering
from sparkdl.nd.array import execute
from tests.kernels.harness import agree, close, needs_onednn, oracle, run, serves
from tests.kernels.test_conv import NONE, ONES, OPS, call

pytestmark = needs_onednn

SAME, FULL = ((1, 1), (1, 1)), ((4, 4), (4, 4))
# x (B,H,W,C), w (K,K,C,O), strides, padding, dilation, groups
CASES = {
    "no padding": ((2, 10, 14, 16), (3, 3, 16, 16), ONES, NONE, ONES, 1),
    "same padding": ((3, 8, 8, 16), (3, 3, 16, 32), ONES, SAME, ONES, 1),
    "edges within tiles": ((2, 7, 5, 32), (3, 3, 32, 16), ONES, SAME, ONES, 1),
    "uneven padding": ((1, 6, 9, 16), (3, 3, 16, 16), ONES, ((0, 2), (1, 0)), ONES, 1),
    "padding as wide as the window": ((1, 5, 5, 16), (3, 3, 16, 16), ONES, ((3, 4), (3, 3)), ONES, 1),
    "channels that fill no vector": ((2, 6, 6, 20), (3, 3, 20, 37), ONES, SAME, ONES, 1),
    "window of five": ((2, 12, 11, 20), (5, 5, 20, 50), ONES, NONE, ONES, 1),
    "window of five, same padding": ((2, 7, 7, 16), (5, 5, 16, 17), ONES, ((2, 2), (2, 2)), ONES, 1),
    "window of five, full padding": ((1, 4, 5, 16), (5, 5, 16, 16), ONES, FULL, ONES, 1),
    "one pixel": ((1, 1, 1, 16), (3, 3, 16, 16), ONES, SAME, ONES, 1),
}
LEFT = {
    "few channels": ((2, 8, 8, 15), (3, 3, 15, 16), ONES, SAME, ONES, 1),
    "strided": ((2, 8, 8, 16), (3, 3, 16, 16), (2, 2), SAME, ONES, 1),
    "dilated": ((2, 8, 8, 16), (3, 3, 16, 16), ONES, SAME, (2, 1), 1),
    "groups": ((2, 8, 8, 32), (3, 3, 16, 32), ONES, SAME, ONES, 2),
    "another window": ((2, 8, 8, 16), (3, 5, 16, 16), ONES, NONE, ONES, 1),
    "empty": ((0, 8, 8, 16), (3, 3, 16, 16), ONES, SAME, ONES, 1),
}
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
kinds = pytest.mark.parametrize("kind", OPS)


@pytest.fixture(autouse=True)
def wherever_it_can(monkeypatch):
    """These shapes are small: tiles would not pay."""
    monkeypatch.setattr(_tiles, "worth", lambda pixels, window, tiles, c, o: min(c, o) >= 16)
    table.prepare.cache_clear()
    yield
    table.prepare.cache_clear()


@kinds
@cases
def test_it_is_the_oracles(case, kind):
    agree(*call(kind, case), "winograd")


@kinds
@cases
def test_many_chunks(case, kind, monkeypatch):
    monkeypatch.setattr(_tiles, "CHUNK", 1)
    monkeypatch.setattr(_tiles, "LEAST", 3)
    agree(*call(kind, case), "winograd")


@kinds
def test_memory_that_starts_anywhere(kind):
    agree(*call(kind, CASES["window of five"]), "winograd", shift=4)


@kinds
@pytest.mark.parametrize("case", LEFT.values(), ids=LEFT)
def test_what_it_leaves_to_others(case, kind):
    assert not serves(*call(kind, case), "winograd")


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_other_dtypes_are_left_to_others(dtype):
    assert not serves(*call("conv", CASES["same padding"], dtype), "winograd")


def test_it_can_be_left_out(monkeypatch):
    monkeypatch.setenv("SPARKDL_WINOGRAD", "off")
    assert not serves(*call("conv", CASES["same padding"]), "winograd")


def test_what_the_variable_cannot_mean(monkeypatch):
    monkeypatch.setenv("SPARKDL_WINOGRAD", "0")
    with pytest.raises(table.KernelError, match=r"SPARKDL_WINOGRAD must be 'on' or 'off'\. Got '0'\."):
        run(*call("conv", CASES["same padding"]), "winograd")


@kinds
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_not_hidden(kind, value):
    """Each cell that is not finite in the sum is none here either; others may be spoilt, but of the same tiles only."""
    op, arrays = call(kind, CASES["same padding"])
    clean = run(op, arrays, "winograd")[0].copy()
    arrays[0][0, 1, 1, 0] = value
    got, want = run(op, arrays, "winograd")[0], execute(op, arrays, ("ref",))[0]
    spoilt = ~np.isfinite(got)
    assert spoilt.any() and (spoilt >= np.isnan(want)).all()
    if kind != "conv_bias":  # whose relu makes 0 of -inf
        assert (spoilt >= ~np.isfinite(want)).all()
    if kind != "conv_grad_kernel":
        np.testing.assert_array_equal(got[1:], clean[1:])


def test_rounding_stays_small():
    """256 channels of numbers of size 1: the root mean square of the error is below 4e-6 of that of the values."""
    op, arrays = call("conv", ((2, 16, 16, 256), (3, 3, 256, 32), ONES, SAME, ONES, 1))
    got, want = run(op, arrays, "winograd")[0], oracle(op, arrays)[0]
    close(got, want)
    assert np.sqrt(np.mean((got - want) ** 2)) < 4e-6 * np.sqrt(np.mean(want**2))


@pytest.mark.parametrize("window", [2, 3, 4, 5])
def test_the_matrices_filter_exactly(window):
    """F(m, r) in fractions is the sum that defines it."""
    f, m = filtering(window), SIZE + 1 - window
    d, g = [Fraction(k * k - 3, 7) for k in range(SIZE)], [Fraction(2 - k, 3) for k in range(window)]
    products = [_dot(a, g) * _dot(b, d) for a, b in zip(f.taps, f.data, strict=True)]
    assert [_dot(row, products) for row in f.back] == [_dot(d[i : i + window], g) for i in range(m)]


def _dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
