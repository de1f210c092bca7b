"""The Poisson and binomial distributions, by trials in float64.

Their key and parameters must be known: symbols raise TypeError. Keys, `shape`, `start` and errors are as in
`draws.py`; shape=None takes that of the parameters together. Small means are drawn by inversion: probabilities are
added up until they exceed a uniform number. Larger ones by transformed rejection: Hormann, "The transformed rejection
method for generating Poisson random variables" (1993; PTRS) and "The generation of binomial random variates" (1993;
BTRS). Both compare with probabilities written by Stirling's series around k, which stay exact where log k! has lost
its digits.
"""

import math
from typing import Any

import numpy as np

from sparkdl.base.spec import numpy_dtype
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.dtypes import iinfo
from sparkdl.nd.random.given import common_shape, concrete, dtype_of, key_of, numbers, start_of
from sparkdl.nd.random.trials import Floats, Words, added_up, drawn, sorted_out, unit, until_taken

_MEAN = 10.0  # from which on there is rejection
_MOST = 2.0**63 - 10 * 2.0**31.5  # of a Poisson mean, that counts fit into int64
_REST = np.array(
    [math.lgamma(k + 1) - (k + 0.5) * math.log(k + 1) + k + 1 - 0.5 * math.log(2 * math.pi) for k in range(10)]
)


def poisson(key: Any, lam: Any, shape: Any = None, dtype: Any = "int64", *, start: int = 0) -> NDArray:
    """Counts of the Poisson distribution of mean lam >= 0.

    Raises OverflowError where a count does not fit into the dtype.

    >>> from sparkdl.nd.random import key
    >>> poisson(key(0), 4.0, 3)
    NDArray([5, 4, 6], dtype=int64, device=cpu)
    """
    who, name = "poisson", dtype_of("poisson", dtype, "integer")
    mean = numbers(who, "lam", lam, lambda x: (x >= 0) & (x <= _MOST), f">= 0 and at most {_MOST:.6g}")
    lengths, words = common_shape(who, shape, mean), concrete(who, "key", key_of(who, key))
    return _counts(who, drawn(words, lengths, start_of(who, start), _poisson, mean), name)


def binomial(key: Any, n: Any, p: Any, shape: Any = None, dtype: Any = "int64", *, start: int = 0) -> NDArray:
    """How many of n come, each with probability p.   n: whole, 0 .. 2^53   p: 0 .. 1

    Raises OverflowError where a count does not fit into the dtype.
    """
    who, name = "binomial", dtype_of("binomial", dtype, "integer")
    whole = numbers(who, "n", n, lambda x: (x >= 0) & (x <= 2**53) & (x == np.floor(x)), "whole and within 0 .. 2^53")
    chance = numbers(who, "p", p, lambda x: (x >= 0) & (x <= 1), "within 0 .. 1")
    lengths, words = common_shape(who, shape, whole, chance), concrete(who, "key", key_of(who, key))
    return _counts(who, drawn(words, lengths, start_of(who, start), _binomial, whole, chance), name)


def _counts(who: str, made: Floats, dtype: str) -> NDArray:
    if made.size and made.max() > iinfo(dtype).max:
        raise OverflowError(f"{who}: {made.max():.0f} does not fit into {dtype}.")
    return wrap(np.asarray(made, numpy_dtype(dtype)))


def _poisson(words: Words, mean: Floats) -> Floats:
    return sorted_out(mean < _MEAN, _few, _many, words, mean)


def _few(words: Words, mean: Floats) -> Floats:
    return added_up(unit(words.pairs(0)[0]), np.exp(-mean), lambda k, at: mean[at] / k)


def _many(words: Words, mean: Floats) -> Floats:
    return until_taken(_ptrs, words, mean)


def _ptrs(x: Any, y: Any, mean: Floats) -> tuple[Floats, Any]:
    """A count, and whether it is taken."""
    u, v = unit(x) - 0.5, unit(y)
    b = 0.931 + 2.53 * np.sqrt(mean)
    a = -0.059 + 0.02483 * b
    us = 0.5 - np.abs(u)
    k = np.floor((2 * a / us + b) * u + mean + 0.43)
    quick = (us >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2))
    seen = np.log(v * (1.1239 + 1.1328 / (b - 3.4)) / (a / (us * us) + b))
    n = k + 1
    chance = k * np.log1p((mean - n) / n) + (n - mean) - 0.5 * np.log(2 * np.pi * n) - _rest(k)
    return k, (k >= 0) & (quick | (((us >= 0.013) | (v <= us)) & (seen <= chance)))


def _rest(k: Floats) -> Floats:
    """log k! - (k + 1/2) log(k + 1) + k + 1 - log(2 pi) / 2."""
    n = k + 1
    series = (1 / 12 - (1 / 360 - 1 / 1260 / (n * n)) / (n * n)) / n
    return np.where(k < 10, _REST[np.clip(k, 0, 9).astype(np.intp)], series)


def _binomial(words: Words, n: Floats, p: Floats) -> Floats:
    rarer = np.minimum(p, 1 - p)
    made = sorted_out(n * rarer < _MEAN, _few_of, _many_of, words, n, rarer)
    return np.where(p > 0.5, n - made, made)


def _few_of(words: Words, n: Floats, p: Floats) -> Floats:
    odds = p / (1 - p)
    made = added_up(unit(words.pairs(0)[0]), np.exp(n * np.log1p(-p)), lambda k, at: (n[at] + 1 - k) / k * odds[at])
    return np.minimum(made, n)


def _many_of(words: Words, n: Floats, p: Floats) -> Floats:
    return until_taken(_btrs, words, n, p)


def _btrs(x: Any, y: Any, n: Floats, p: Floats) -> tuple[Floats, Any]:
    """A count, and whether it is taken."""
    u, v = unit(x) - 0.5, unit(y)
    spread = np.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    us = 0.5 - np.abs(u)
    k = np.floor((2 * a / us + b) * u + n * p + 0.5)
    quick = (us >= 0.07) & (v <= 0.92 - 4.2 / b)
    seen = np.log(v * (2.83 + 5.1 / b) * spread / (a / (us * us) + b))
    return k, (k >= 0) & (k <= n) & (quick | (seen <= _likelier(k, n, p)))


def _likelier(k: Floats, n: Floats, p: Floats) -> Floats:
    """log of P(k) / P(m) of the most likely count m."""
    m, odds = np.floor((n + 1) * p), p / (1 - p)
    rest = _rest(m) + _rest(n - m) - _rest(k) - _rest(n - k)
    return (
        (m + 0.5) * np.log((m + 1) / (odds * (n - m + 1)))
        + (n + 1) * np.log1p((k - m) / (n - k + 1))
        + (k + 0.5) * np.log(odds * (n - k + 1) / (k + 1))
        + rest
    )
