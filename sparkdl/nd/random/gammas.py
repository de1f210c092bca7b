"""The gamma and beta distributions, by trials in float64.

Their key and parameters must be known: symbols raise TypeError. Keys, `shape`, `start` and errors are as in
`draws.py`; shape=None takes that of the parameters together.
"""

from typing import Any

import numpy as np

from sparkdl.base.spec import numpy_dtype
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.random.given import common_shape, concrete, dtype_of, key_of, numbers, start_of
from sparkdl.nd.random.keys import fold_in
from sparkdl.nd.random.trials import Floats, Words, drawn, gauss, unit, until_taken

_APART = 0xFFFFFFFF  # the number of a trial that never comes: words for the second factor


def gamma(key: Any, a: Any, shape: Any = None, dtype: Any = "float32", scale: Any = 1.0, *, start: int = 0) -> NDArray:
    """The gamma distribution of shape a > 0, times scale >= 0: density x^(a-1) e^-x / Gamma(a).

    Marsaglia and Tsang, "A simple method for generating gamma variables" (2000): of a normal z and a uniform u,
    d v is taken where log u < z^2 / 2 + d - d v + d log v, with d = a - 1/3 and v = (1 + z / (3 sqrt d))^3. Below
    a = 1, that of a + 1 times u^(1/a), which for small a may be 0.

    >>> from sparkdl.nd.random import key
    >>> gamma(key(0), 3.0, 2)
    NDArray([4.686175, 1.670553], dtype=float32, device=cpu)
    """
    who, name = "gamma", dtype_of("gamma", dtype)
    a = numbers(who, "a", a, _positive, "finite and > 0")
    factor = numbers(who, "scale", scale, lambda x: np.isfinite(x) & (x >= 0), "finite and >= 0")
    lengths, words = common_shape(who, shape, a, factor), concrete(who, "key", key_of(who, key))
    logs = drawn(words, lengths, start_of(who, start), _log_gamma, a)
    return wrap(np.asarray(np.exp(logs) * factor, numpy_dtype(name)))


def beta(key: Any, a: Any, b: Any, shape: Any = None, dtype: Any = "float32", *, start: int = 0) -> NDArray:
    """The beta distribution of a, b > 0: density x^(a-1) (1-x)^(b-1) / B(a, b) in 0 .. 1.

    x / (x + y) of gamma numbers x of a and y of b, each of a key folded from this one, by their logarithms: small a and
    b do not underflow.
    """
    who, name, first = "beta", dtype_of("beta", dtype), start_of("beta", start)
    parts = [numbers(who, n, x, _positive, "finite and > 0") for n, x in (("a", a), ("b", b))]
    lengths, given = common_shape(who, shape, *parts), wrap(concrete(who, "key", key_of(who, key)))
    x, y = (drawn(fold_in(given, k).numpy(), lengths, first, _log_gamma, p) for k, p in enumerate(parts))
    return wrap(np.asarray(np.exp(x - np.logaddexp(x, y)), numpy_dtype(name)))


def _positive(x: Any) -> Any:
    return np.isfinite(x) & (x > 0)


def _log_gamma(words: Words, a: Floats) -> Floats:
    """Logarithms of gamma numbers."""
    made = until_taken(_trial, words, np.where(a < 1, a + 1, a))
    (k,) = np.nonzero(a < 1)
    if k.size:
        made[k] += np.log(unit(words.of(k).pairs(_APART)[0])) / a[k]
    return made


def _trial(x: Any, y: Any, a: Floats) -> tuple[Floats, Any]:
    """The logarithm of d v, and whether it is taken."""
    z, u, d = gauss(x), unit(y), a - 1.0 / 3.0
    v = (1.0 + z / (3.0 * np.sqrt(d))) ** 3
    return np.log(d * v), (v > 0) & (np.log(u) < 0.5 * z * z + d - d * v + d * np.log(v))
