"""Orders and selections. Keys must be known, as must parameters: TypeError for symbols."""

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray as Numpy

from sparkdl.base.errors import AxisError, DTypeError
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.elementwise import array
from sparkdl.nd.indexing import take
from sparkdl.nd.manipulation import reshape
from sparkdl.nd.random.discrete import randint
from sparkdl.nd.random.draws import bits, exponential, uniform
from sparkdl.nd.random.given import Shape, concrete, key_of, numbers, shape_of


def permutation(key: Any, x: Any, axis: int = 0, *, independent: bool = False) -> Any:
    """Numbers 0 .. x - 1 in random order for an int x; x in random order along an axis for an array or symbol.

    The order is that of random words of 64 bits, of which the lowest give way to the element's number: ties of equal
    words go by it. independent: each line along the axis (of an array) is ordered by itself.

    >>> from sparkdl.nd.random import key
    >>> permutation(key(0), 5)
    NDArray([0, 1, 2, 4, 3], dtype=int64, device=cpu)
    """
    who, words = "permutation", wrap(concrete("permutation", "key", key_of("permutation", key)))
    if isinstance(x, int | np.integer) and not isinstance(x, bool):
        return wrap(_order(words, _length(who, x)))
    value = array(who, x if hasattr(x, "spec") else NDArray(x))
    if not -len(value.shape) <= operator.index(axis) < len(value.shape):
        raise AxisError(f"{who}: axis must be one of x's {len(value.shape)}. Got {axis}.")
    if independent:
        return wrap(_lines(words, concrete(who, "x", value), axis))
    return take(value, wrap(_order(words, value.shape[axis])), axis=axis)


def choice(
    key: Any, a: Any, shape: Shape = (), replace: bool = True, p: Any = None, axis: int = 0, *, start: int = 0
) -> Any:
    """Items of a along an axis, or of 0 .. a - 1 for an int a, picked at random.   result: (*shape, ...) for axis 0

    replace: whether one may come twice   p: their probabilities (N,), all alike by default; those of NumPy must add up
    to 1, these are divided by their sum

    With replacement by `randint`, or where the sum of p exceeds a uniform number. Without, the first of a
    `permutation`; with p those with the least exponential number / p (Efraimidis and Spirakis 2006), in this order: as
    if each was picked among those left. Then `start` must be 0. Raises ValueError when there are fewer than are to be
    picked.
    """
    who, words = "choice", wrap(concrete("choice", "key", key_of("choice", key)))
    lengths, whole = shape_of(who, shape), isinstance(a, int | np.integer) and not isinstance(a, bool)
    value = None if whole else array(who, a if hasattr(a, "spec") else NDArray(a))
    if value is not None and not -len(value.shape) <= operator.index(axis) < len(value.shape):
        raise AxisError(f"{who}: axis must be one of a's {len(value.shape)}. Got {axis}.")
    n = _length(who, a) if value is None else value.shape[axis]
    chances = None if p is None else _chances(who, p, n)
    count = math.prod(lengths)
    if replace:
        picked = _again(who, words, n, count, chances, start)
    else:
        picked = _once(who, words, n, count, chances, start)
    if value is None:
        return wrap(picked.reshape(lengths))
    at = operator.index(axis) % len(value.shape)
    return reshape(take(value, wrap(picked), axis=at), (*value.shape[:at], *lengths, *value.shape[at + 1 :]))


def _length(who: str, n: Any) -> int:
    if n < 0:
        raise ValueError(f"{who}: there must be >= 0 items. Got {n}.")
    return int(n)


def _order(key: NDArray, n: int) -> Numpy[np.int64]:
    """0 .. n - 1 by random words: one sort, of words whose last bits are the numbers."""
    low = np.uint64(2 ** max(n - 1, 1).bit_length() - 1)
    words = bits(key, n, "uint64").numpy() & ~low | np.arange(n, dtype=np.uint64)
    words.sort()
    return np.asarray(words & low, np.int64)


def _lines(key: NDArray, x: Numpy[Any], axis: int) -> Numpy[Any]:
    words = bits(key, x.shape, "uint64").numpy()
    return np.take_along_axis(x, np.argsort(words, axis, kind="stable"), axis)


def _chances(who: str, p: Any, n: int) -> Numpy[np.float64]:
    given = numbers(who, "p", p, lambda x: np.isfinite(x) & (x >= 0), "finite and >= 0")
    if given.shape != (n,):
        raise DTypeError(f"{who}: p must have one number for each of {n} items. Got shape {given.shape}.")
    total = float(given.sum())
    if n and not total > 0:
        raise ValueError(f"{who}: p must have a number > 0. Got all 0.")
    return given / (total or 1.0)


def _again(who: str, key: NDArray, n: int, count: int, p: Any, start: int) -> Numpy[np.int64]:
    if n == 0 and count:
        raise ValueError(f"{who}: there is nothing to pick {count} of.")
    if p is None:
        made: Numpy[np.int64] = randint(key, count, 0, max(n, 1), start=start).numpy()
        return made
    sums, u = np.cumsum(p), uniform(key, count, "float64", start=start).numpy()
    last = int(np.nonzero(p)[0][-1]) if n else 0  # what rounds to 1 is none that never comes
    return np.asarray(np.minimum(np.searchsorted(sums, u, "right"), last), np.int64)


def _once(who: str, key: NDArray, n: int, count: int, p: Any, start: int) -> Numpy[np.int64]:
    if start:
        raise ValueError(f"{who}: without replacement `start` must be 0. Got {start}.")
    there = n if p is None else int(np.count_nonzero(p))
    if count > there:
        raise ValueError(f"{who}: without replacement at most {there} can be picked. Got {count}.")
    if p is None:
        return _order(key, n)[:count]
    with np.errstate(divide="ignore"):
        late = exponential(key, n, "float64").numpy() / p
    return np.argsort(late, kind="stable")[:count].astype(np.int64)
