"""Random numbers have the distributions they say: against closed forms, with fixed seeds."""

import math
from collections.abc import Callable
from itertools import permutations
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from sparkdl.kernels.ref import _exact
from sparkdl.nd import random

N = 100_000
KEY = random.key(2024)
erf = np.vectorize(math.erf, otypes=[float])
Cdf = Callable[[Any], Any]


def normal_cdf(x: Any) -> Any:
    return 0.5 * (1 + erf(np.asarray(x) / math.sqrt(2)))


def erlang_cdf(a: int) -> Cdf:
    """Of gamma numbers with whole a."""
    return lambda x: 1 - np.exp(-x) * sum(x**k / math.factorial(k) for k in range(a))


def beta_cdf(a: int, b: int) -> Cdf:
    """Of beta numbers with whole a and b: so many of a + b - 1 lie below x."""
    n = a + b - 1
    return lambda x: sum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))


CONTINUOUS: dict[str, tuple[Callable[..., Any], Cdf]] = {
    "uniform": (lambda d: random.uniform(KEY, N, d, -2.0, 3.0), lambda x: (x + 2) / 5),
    "normal": (lambda d: random.normal(KEY, N, d, 1.0, 2.0), lambda x: normal_cdf((x - 1) / 2)),
    "truncated_normal": (
        lambda d: random.truncated_normal(KEY, N, d),
        lambda x: (normal_cdf(x) - normal_cdf(-2)) / (normal_cdf(2) - normal_cdf(-2)),
    ),
    "within a half": (
        lambda d: random.truncated_normal(KEY, N, d, bound=0.5),
        lambda x: (normal_cdf(x) - normal_cdf(-0.5)) / (normal_cdf(0.5) - normal_cdf(-0.5)),
    ),
    "lognormal": (lambda d: random.lognormal(KEY, N, d, 0.5, 0.7), lambda x: normal_cdf((np.log(x) - 0.5) / 0.7)),
    "exponential": (lambda d: random.exponential(KEY, N, d, 3.0), lambda x: 1 - np.exp(-x / 3)),
    "gumbel": (lambda d: random.gumbel(KEY, N, d, 1.0, 2.0), lambda x: np.exp(-np.exp(-(x - 1) / 2))),
    "gamma 1": (lambda d: random.gamma(KEY, 1.0, N, d), erlang_cdf(1)),
    "gamma 7": (lambda d: random.gamma(KEY, 7.0, N, d, 2.0), lambda x: erlang_cdf(7)(x / 2)),
    "gamma 40": (lambda d: random.gamma(KEY, 40.0, N, d), erlang_cdf(40)),
    "gamma 1/2": (lambda d: random.gamma(KEY, 0.5, N, d), lambda x: erf(np.sqrt(x))),
    "beta 2 5": (lambda d: random.beta(KEY, 2.0, 5.0, N, d), beta_cdf(2, 5)),
    "beta 1/2": (lambda d: random.beta(KEY, 0.5, 0.5, N, d), lambda x: 2 / np.pi * np.arcsin(np.sqrt(x))),
    "beta 1/10 1": (lambda d: random.beta(KEY, 0.1, 1.0, N, d), lambda x: x**0.1),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CONTINUOUS)
def test_kolmogorov_smirnov(name: str, dtype: str) -> None:
    draw, cdf = CONTINUOUS[name]
    x = draw(dtype)
    assert x.dtype == dtype
    p = cdf(np.sort(x.numpy()).astype(float))
    distance = max((np.arange(1, N + 1) / N - p).max(), (p - np.arange(N) / N).max())
    assert math.sqrt(N) * distance < 1.95  # exceeded by one of a thousand seeds
    assert math.sqrt(N) * distance > 0.25  # and more even than chance is no chance either


def poisson_pmf(mean: float) -> Callable[[int], float]:
    return lambda k: math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))


def binomial_pmf(n: int, p: float) -> Callable[[int], float]:
    def pmf(k: int) -> float:
        ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        return math.exp(ways + k * math.log(p) + (n - k) * math.log1p(-p)) if k <= n else 0.0

    return pmf


WEIGHTS = np.array([0.1, 0.0, 0.25, 0.6, 0.05])
DISCRETE: dict[str, tuple[Any, Callable[[int], float]]] = {
    **{
        f"poisson {m}": (lambda m=m: random.poisson(KEY, m, N), poisson_pmf(m))
        for m in (0.2, 4.0, 9.9, 10.0, 25.0, 900.0)
    },
    **{
        f"binomial {n} {p}": (lambda n=n, p=p: random.binomial(KEY, n, p, N), binomial_pmf(n, p))
        for n, p in ((1, 0.3), (20, 0.3), (20, 0.5), (20, 0.9), (100, 0.2), (400, 0.7), (10**6, 2e-6), (10**6, 1e-4))
    },
    "bernoulli": (lambda: random.bernoulli(KEY, 0.3, N), lambda k: (0.7, 0.3)[k]),
    "bernoulli of an array": (lambda: random.bernoulli(KEY, np.full(N, 0.3)), lambda k: (0.7, 0.3)[k]),
    "dropout_mask": (lambda: random.dropout_mask(KEY, N, 0.1), lambda k: (0.1, 0.9)[k]),
    "randint": (lambda: random.randint(KEY, N, 0, 7), lambda k: 1 / 7),
    "randint wide": (lambda: random.randint(KEY, N, 0, 5 * 2**61, "uint64").numpy() // 2**61, lambda k: 0.2),
    "categorical": (lambda: random.categorical(KEY, np.log(WEIGHTS + 1e-300), shape=N), lambda k: WEIGHTS[k]),
    "choice": (lambda: random.choice(KEY, 6, N), lambda k: 1 / 6),
    "choice by p": (lambda: random.choice(KEY, 5, N, p=WEIGHTS), lambda k: WEIGHTS[k]),
}  # fmt: skip


@pytest.mark.parametrize("name", DISCRETE)
def test_chi_square(name: str) -> None:
    draw, pmf = DISCRETE[name]
    made = np.asarray(draw()).astype(np.int64)
    counts = np.bincount(made)
    chi_square(counts, np.array([N * pmf(k) for k in range(len(counts))]))


def chi_square(counts: Any, expected: Any) -> None:
    """Counts against what is expected; rare ones, and those that never came, in one cell."""
    assert not counts[expected == 0].any()
    rare = expected < 10
    counts = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], counts.sum() - expected[~rare].sum())
    counts, expected = (counts[:-1], expected[:-1]) if expected[-1] < 5 else (counts, expected)
    df = len(counts) - 1
    total = (((counts - expected) ** 2) / expected).sum()
    # Wilson and Hilferty 1931: (total / df)^(1/3) is nearly normal
    z = ((total / df) ** (1 / 3) - (1 - 2 / (9 * df))) / math.sqrt(2 / (9 * df))
    assert abs(z) < 4


@pytest.mark.parametrize("seed", range(3))
def test_all_orders_are_as_likely(seed: int) -> None:
    keys = random.split(random.key(seed), 6000).numpy()
    orders = {order: k for k, order in enumerate(permutations(range(4)))}
    found = [orders[tuple(random.permutation(k, 4).tolist())] for k in keys]
    chi_square(np.bincount(found, minlength=24), np.full(24, 250.0))
    lines = random.permutation(keys[0], np.tile(np.arange(4), (6000, 1)), 1, independent=True).tolist()
    chi_square(np.bincount([orders[tuple(line)] for line in lines], minlength=24), np.full(24, 250.0))


def test_choices_without_replacement() -> None:
    """Ordered pairs: the second with the chances of those left."""
    keys = random.split(KEY, 8000).numpy()
    pairs = [tuple(random.choice(k, 5, 2, False, WEIGHTS).tolist()) for k in keys]
    cells = [(a, b) for a in range(5) for b in range(5)]
    counts = np.array([pairs.count(cell) for cell in cells])
    expected = [WEIGHTS[a] * WEIGHTS[b] / (1 - WEIGHTS[a]) if a != b else 0.0 for a, b in cells]
    chi_square(counts, len(keys) * np.array(expected))


@pytest.mark.parametrize("mean", [1e3, 1e6, 1e12, 1e18])
def test_large_counts(mean: float) -> None:
    """Standardised they are normal: here Stirling's series alone decides."""
    many = random.poisson(KEY, mean, N).numpy().astype(float)
    some = random.binomial(KEY, min(int(2 * mean), 2**53), 0.5, N).numpy().astype(float)
    n = min(int(2 * mean), 2**53)
    for z in ((many - mean) / math.sqrt(mean), (some - n / 2) / math.sqrt(n / 4)):
        assert abs(z.mean()) < 5 / math.sqrt(N) and abs(z.var() - 1) < 5 * math.sqrt(2 / N)
        assert abs((z**3).mean()) < 5 * math.sqrt(15 / N) + 1 / math.sqrt(mean)


def test_counts_at_the_ends() -> None:
    assert not random.poisson(KEY, 0.0, 100).numpy().any()
    assert not random.binomial(KEY, [0, 5], [0.5, 0.0], (100, 2)).numpy().any()
    assert (random.binomial(KEY, [5, 10**9], 1.0, (100, 2)).numpy() == [5, 10**9]).all()
    assert random.bernoulli(KEY, 1.0, 100).numpy().all() and not random.bernoulli(KEY, 0.0, 100).numpy().any()
    assert random.bernoulli(KEY, [0.0, 1.0], (100, 2)).tolist() == [[False, True]] * 100
    assert random.dropout_mask(KEY, 100, 0.0).numpy().all()
    assert set(random.categorical(KEY, np.array([-np.inf, 0.0, -np.inf]), shape=100).tolist()) == {1}


def test_small_and_large_parameters_of_gamma_and_beta() -> None:
    assert np.isfinite(random.gamma(KEY, [1e-8, 1e8], (1000, 2), "float64").numpy()).all()
    x = random.beta(KEY, 1e-3, 1e-3, 10_000, "float64").numpy()
    assert np.isfinite(x).all() and abs((x > 0.5).mean() - 0.5) < 0.025
    wide = random.gamma(KEY, 1e8, 10_000, "float64").numpy()
    assert abs((wide - 1e8).mean()) < 5 * 100 and abs(wide.std() / 1e4 - 1) < 0.04


@pytest.mark.parametrize(("dtype", "low", "high"), [
    ("float32", 1.0, 2.0), ("float32", -1.0, 2.0**-24), ("float16", 0.0, 1.0), ("float16", 100.0, 101.0),
    ("bfloat16", 0.0, 1.0), ("bfloat16", 1.0, 3.0), ("float64", 1.0, 1.0 + 2.0**-50), ("float32", 5.0, 6.0),
])  # fmt: skip
def test_uniform_stays_below_its_end(dtype: str, low: float, high: float) -> None:
    x = random.uniform(KEY, 1 << 18, dtype, low, high).numpy().astype(float)
    assert low <= x.min() and x.max() < high
    assert abs((x.mean() - low) / (high - low) - 0.5) < 0.2


def test_quantiles_are_exact() -> None:
    """The normal distribution's inverse, against Python's; the exponential's against log1p, near both ends too."""
    rng = np.random.default_rng(0)
    for words, bits, eps in ((np.uint32, 32, 4e-7), (np.uint64, 64, 3e-15)):
        ends = [*(2**bits - 1 - 2**k for k in range(1, bits - 1)), *(2**k for k in range(bits)), 0, 2**bits - 1]
        w = np.concatenate([rng.integers(0, 2**bits, 5000, words), np.array(ends, words)])
        m = [int(v) >> 1 for v in w]
        below = [(2 ** (bits - 1) - 1 - v + 0.5) / 2.0**bits for v in m]  # from the end that is nearer: exact
        sign = np.where(w & 1, -1.0, 1.0)
        z = sign * [-NormalDist().inv_cdf(p) for p in below]
        np.testing.assert_allclose(_exact.normal(w, 1.0, 0.0, math.inf), z, rtol=eps, atol=eps)
        e = [
            -math.log1p(-(v + 0.5) * 2.0 / 2.0**bits) if 2 * p > 0.5 else -math.log(2 * p)
            for v, p in zip(m, below, strict=True)
        ]
        np.testing.assert_allclose(_exact.exponential(w), e, rtol=eps)


def test_shapes_of_draws() -> None:
    logits = np.zeros((2, 3, 4), np.float32)
    assert random.categorical(KEY, logits).shape == (2, 3)
    assert random.categorical(KEY, logits, 1).shape == (2, 4)
    assert random.categorical(KEY, logits, shape=(5, 2, 3)).shape == (5, 2, 3)
    assert random.gamma(KEY, np.ones((2, 1)), scale=np.ones(3)).shape == (2, 3)
    assert random.normal(KEY, (0, 3)).shape == (0, 3) and random.poisson(KEY, 3.0, (0,)).shape == (0,)
    assert random.choice(KEY, np.zeros((2, 5)), (3, 4), axis=1).shape == (2, 3, 4)
    assert random.choice(KEY, np.zeros((2, 5)), 3, False, axis=-1).shape == (2, 3)
    assert random.choice(KEY, 0, 0).shape == (0,) and random.permutation(KEY, 0).shape == (0,)
    assert random.permutation(KEY, np.zeros((2, 5)), 1).shape == (2, 5)
    assert sorted(random.permutation(KEY, 1000).tolist()) == list(range(1000))


def test_dtypes_of_draws() -> None:
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        for draw in (random.uniform, random.normal, random.truncated_normal, random.lognormal, random.exponential):
            assert draw(KEY, 3, dtype).dtype == dtype
        assert random.gamma(KEY, 2.0, 3, dtype).dtype == dtype
    for dtype in ("int8", "uint8", "int32", "uint64"):
        assert random.randint(KEY, 3, 0, 5, dtype).dtype == random.poisson(KEY, 2.0, 3, dtype).dtype == dtype
    assert {random.randint(KEY, 2000, -128, 128, "int8").numpy().min()} == {-128}
