"""Whole numbers and bools of a key's stream. Keys, shapes, `start` and errors are as in `draws.py`."""

import math
import operator
from typing import Any

import numpy as np

from sparkdl.base.errors import AxisError, DTypeError, ShapeError
from sparkdl.base.spec import KINDS, numpy_dtype
from sparkdl.nd import elementwise as e
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.dtypes import iinfo
from sparkdl.nd.manipulation import moveaxis
from sparkdl.nd.op import apply
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.random import RandomIntegers
from sparkdl.nd.ops.reduce import argmax
from sparkdl.nd.random.draws import bits, gumbel
from sparkdl.nd.random.given import Shape, common_shape, dtype_of, fits, key_of, known, parameter, shape_of, start_of


def bernoulli(key: Any, p: Any = 0.5, shape: Any = None, *, start: int = 0) -> Any:
    """True with probability p, to 32 bits: where word / 2^32 < p.   p: in 0 .. 1; its shape is the default.

    >>> from sparkdl.nd.random import key
    >>> bernoulli(key(0), 0.5, 4)
    NDArray([False,  True,  True,  True], dtype=bool, device=cpu)
    """
    who = "bernoulli"
    chance = parameter(who, "p", p, "float64", lambda x: (x >= 0) & (x <= 1), "within 0 .. 1")
    words = bits(key_of(who, key), common_shape(who, shape, chance), start=start_of(who, start))
    if (given := known(chance)) is not None and given.ndim == 0:
        return _below(words, float(given))
    return e.less(e.multiply(cast(words, "float64"), 0.5**32), chance)


def dropout_mask(key: Any, shape: Shape, rate: float, *, start: int = 0) -> Any:
    """True where an element is kept: False with probability `rate`, 0 <= rate < 1, a number. To be used as

    y = where(mask, x, 0.0) / (1 - rate)
    """
    who = "dropout_mask"
    if not isinstance(rate, int | float) or not 0 <= rate < 1:
        raise ValueError(f"{who}: rate must be a number >= 0 and < 1. Got {rate!r}.")
    words = bits(key_of(who, key), shape_of(who, shape), start=start_of(who, start))
    return e.logical_not(_below(words, float(rate)))


def _below(words: Any, p: float) -> Any:
    """Whether word / 2^32 < p."""
    limit = math.ceil(p * 2**32)
    if limit == 2**32:  # no word itself
        return wrap(np.ones(words.shape, bool))
    return e.less(words, wrap(np.array(limit, np.uint32)))


def categorical(key: Any, logits: Any, axis: int = -1, shape: Any = None, *, start: int = 0) -> Any:
    """Classes, int64, with probability softmax(logits) along `axis`: the largest of logits + gumbel noise.

    logits: floats (..., K, ...); -inf for what shall never come   shape: by default that of logits without `axis`,
    which must broadcast to it   Element i takes the words i K .. i K + K - 1.

    >>> from sparkdl.nd.random import key
    >>> categorical(key(0), NDArray([0.0, 0.0, -np.inf]), shape=5)
    NDArray([1, 0, 1, 0, 1], dtype=int64, device=cpu)
    """
    who, x = "categorical", _logits(logits)
    if not -len(x.shape) <= operator.index(axis) < len(x.shape):
        raise AxisError(f"{who}: axis must be one of logits' {len(x.shape)}. Got {axis} for {x.spec}.")
    x = moveaxis(x, axis, -1)
    classes, rows = x.shape[-1], x.shape[:-1]
    lengths = rows if shape is None else shape_of(who, shape)
    fits(who, (*lengths, classes), x)
    if classes == 0:
        raise ShapeError(f"{who}: there must be a class. Got logits of {x.spec}.")
    noise = gumbel(key, (*lengths, classes), x.spec.dtype, start=start_of(who, start) * classes)
    return argmax(e.add(noise, x), -1)


def _logits(logits: Any) -> Any:
    x = NDArray(logits) if known(logits) is not None and not hasattr(logits, "spec") else logits
    if x.spec.dtype not in KINDS["real floating"] or not x.shape:
        raise DTypeError(f"categorical: logits must be floats with an axis of classes. Got {x.spec}.")
    if (given := known(x)) is not None and given.size and not np.all(given < np.inf):
        raise ValueError("categorical: logits must be below infinity, and no NaN.")
    return x if x.spec.dtype == "float64" else cast(x, "float32")


def randint(key: Any, shape: Shape, minval: Any, maxval: Any, dtype: Any = "int64", *, start: int = 0) -> Any:
    """Whole numbers minval .. maxval - 1, all exactly as likely: products of words, some refused (Lemire 2019).

    minval, maxval: ints, integer arrays or symbols that broadcast to the shape; minval < maxval

    >>> from sparkdl.nd.random import key
    >>> randint(key(0), 5, 0, 10)
    NDArray([6, 0, 3, 0, 7], dtype=int64, device=cpu)
    """
    who, name = "randint", dtype_of("randint", dtype, "integer")
    wide = "uint64" if name == "uint64" else "int64"
    low, high = _bound(who, "minval", minval), _bound(who, "maxval", maxval)
    last = _last(who, low, high, name)
    lengths, bounds = shape_of(who, shape), (_as(low, wide), _as(last, wide))
    fits(who, lengths, *bounds)
    return apply(RandomIntegers(lengths, name, start_of(who, start)), key_of(who, key), *bounds)


def _bound(who: str, name: str, x: Any) -> Any:
    """Ints as exact ones of Python in an array, which 2^63 fits into; symbols as they are."""
    given = np.asarray(x, object) if isinstance(x, int | list | tuple) else known(x)
    dtype = x.spec.dtype if given is None else given.dtype.name
    whole = given is not None and given.dtype == object and all(type(v) is int for v in given.reshape(-1))
    if dtype not in KINDS["integer"] and not whole:
        raise DTypeError(f"{who}: {name} must be ints. Got {dtype}.")
    return x if given is None else given.astype(object)


def _last(who: str, low: Any, high: Any, dtype: str) -> Any:
    """The largest number that may come. Raises ValueError where bounds are known and wrong."""
    if hasattr(high, "spec"):
        return e.subtract(high, 1)
    info, last = iinfo(dtype), high - 1
    if np.any(last > info.max):
        raise ValueError(f"{who}: maxval must be at most {info.max + 1} for {dtype}. Got {np.max(high)}.")
    if hasattr(low, "spec"):
        return last
    if np.any(low < info.min):
        raise ValueError(f"{who}: minval must be at least {info.min} for {dtype}. Got {np.min(low)}.")
    if np.any(np.greater(low, last)):
        raise ValueError(f"{who}: minval must be below maxval. Got {np.max(low)} and {np.min(high)}.")
    return last


def _as(x: Any, dtype: str) -> Any:
    return cast(x, dtype) if hasattr(x, "spec") else wrap(np.asarray(x).astype(numpy_dtype(dtype)))
