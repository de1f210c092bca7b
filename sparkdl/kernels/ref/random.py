"""Random ops through `base.rng.philox`, which defines their numbers.

What a counter's last word is for: 0 dropout by example, 1 the stream of words, 2 and 3 keys of other streams, 4 blocks
of four words for one trial at one element.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from sparkdl.base.rng import philox
from sparkdl.kernels.ref import _exact
from sparkdl.kernels.ref.elementwise import widened
from sparkdl.kernels.table import Array, kernel, plain, rowwise

STREAM, FOLD, SPLIT, TRIAL = 1, 2, 3, 4
DIGITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}
CHUNK = 16384  # elements at a time: what is computed on the way stays in the cache


def words(ids: Array, key: Array, count: int) -> Array:
    """`count` random words for each id. (B, count), uint32."""
    blocks = -(-count // 4)
    counter = np.zeros((len(ids), blocks, 4), np.uint32)
    counter[..., 0] = (ids & 0xFFFFFFFF)[:, None]
    counter[..., 1] = ((ids >> 32) & 0xFFFFFFFF)[:, None]
    counter[..., 2] = np.arange(blocks)
    return philox(counter, key).reshape(len(ids), blocks * 4)[:, :count]


def dropout(op: Any, x: Array, ids: Array, key: Array) -> Array:
    """Keep and scale where the word reaches the threshold."""
    count = int(np.prod(x.shape[1:]))
    keep = words(ids, key, count).reshape(x.shape) >= op.threshold
    return np.where(keep, widened(x) * op.scale, 0.0)


kernel("dropout", "ref")(rowwise(dropout))


def blocks(numbers: Array, key: Array, trial: int, purpose: int) -> Array:
    """Four words for each number (n,). (n, 4), uint32."""
    wide = numbers.astype(np.uint64)
    counter = np.empty((len(numbers), 4), np.uint32)
    counter[:, 0], counter[:, 1] = wide & np.uint64(0xFFFFFFFF), wide >> np.uint64(32)
    counter[:, 2], counter[:, 3] = trial, purpose
    return philox(counter, key)


def stream(key: Array, start: int, count: int, trial: int = 0) -> Array:
    """Words start .. start + count - 1 of a key's stream. (count,), uint32."""
    first, behind = start // 4, -(-(start + count) // 4)
    numbers = np.uint64(first) + np.arange(behind - first, dtype=np.uint64)
    return blocks(numbers, key, trial, STREAM).reshape(-1)[start - 4 * first :][:count]


def paired(w: Array) -> Array:
    """Words (2n,) as uint64 (n,), the lower half first."""
    return w[0::2].astype(np.uint64) | w[1::2].astype(np.uint64) << np.uint64(32)


def _drawn(op: Any, key: Array, wide: bool, make: Callable[[Array], Array]) -> Array:
    """One word for each element, or two; `make` turns them into what is drawn."""
    size, each = int(np.prod(op.shape, dtype=np.int64)), 2 if wide else 1
    parts = []
    for at in range(0, max(size, 1), CHUNK):
        w = stream(key, each * (op.start + at), each * min(CHUNK, size - at))
        parts.append(make(paired(w) if wide else w))
    return np.concatenate(parts).reshape(op.shape)


@plain("random_bits")
def random_bits(op: Any, key: Array) -> Array:
    """The words as they are."""
    return _drawn(op, key, op.dtype == "uint64", lambda w: w)


@plain("random_uniform")
def random_uniform(op: Any, key: Array) -> Array:
    """The first digits of a word, as many as the dtype holds between 1/2 and 1."""
    digits, made = DIGITS[op.dtype], "float64" if op.dtype == "float64" else "float32"
    step = np.dtype(made).type(0.5**digits)

    def make(w: Array) -> Array:
        return np.asarray((w >> (8 * w.itemsize - digits)).astype(made) * step)

    return _drawn(op, key, op.dtype == "float64", make)


@plain("random_normal")
def random_normal(op: Any, key: Array) -> Array:
    """By the inverse of the distribution function."""
    given = (op.inside, op.outside, op.bound)
    return _drawn(op, key, op.dtype == "float64", lambda w: _exact.normal(w, *given))


@plain("random_exponential")
def random_exponential(op: Any, key: Array) -> Array:
    """By the logarithm."""
    return _drawn(op, key, op.dtype == "float64", _exact.exponential)


@plain("random_fold")
def random_fold(op: Any, key: Array, data: Array) -> Array:
    """The first two words of a block of its own."""
    numbers = np.ascontiguousarray(data, np.int64).reshape(-1).view(np.uint64)
    return blocks(numbers, key, 0, SPLIT if op.split else FOLD)[:, :2].reshape(*data.shape, 2)


@plain("random_integers")
def random_integers(op: Any, key: Array, low: Array, last: Array) -> Array:
    """low + a number below last - low + 1."""
    below = last.astype(np.uint64) - low.astype(np.uint64)  # wraps, as it is to
    span = np.broadcast_to(below, op.shape).reshape(-1)
    made = np.empty(span.shape, np.uint64)
    for at in range(0, span.size, CHUNK):
        part = slice(at, at + CHUNK)
        made[part] = _bounded(key, op.start + at, span[part])
    total = made.reshape(op.shape) + low.astype(np.uint64)
    return total.view(np.int64) if low.dtype == np.int64 else total


def _bounded(key: Array, start: int, last: Array) -> Array:
    """Numbers 0 .. last (n,), each by trials of its own until one is taken."""
    wide = last >= 2**32
    if not wide.any():
        return _narrow(key, start, np.arange(len(last)), last + np.uint64(1))
    made = np.empty(len(last), np.uint64)
    (few,), (many,) = np.nonzero(~wide), np.nonzero(wide)
    made[few] = _narrow(key, start, few, last[few] + np.uint64(1))
    made[many] = _masked(key, start, many, last[many])
    return made


def _narrow(key: Array, start: int, ids: Array, n: Array) -> Array:
    """Numbers below n <= 2^32: the upper half of word * n, but for the words that would be too many. Lemire 2019."""
    made, left = np.zeros(len(ids), np.uint64), np.arange(len(ids))
    for trial in range(64):  # a word is refused with probability < 1/2: what is left after 64 is not biased measurably
        w = _words_at(key, start, ids[left], trial)
        product = w.astype(np.uint64) * n[left]
        made[left] = product >> np.uint64(32)
        refused = (product & np.uint64(0xFFFFFFFF)) < np.uint64(2**32) % n[left]
        left = left[refused]
        if not left.size:
            break
    return made


def _words_at(key: Array, start: int, ids: Array, trial: int) -> Array:
    """Words start + ids of a trial's stream."""
    if len(ids) and len(ids) == ids[-1] - ids[0] + 1:
        return stream(key, start + int(ids[0]), len(ids), trial)
    at = np.uint64(start) + ids.astype(np.uint64)
    made: Array = blocks(at // np.uint64(4), key, trial, STREAM)[np.arange(len(ids)), at % np.uint64(4)]
    return made


def _masked(key: Array, start: int, ids: Array, last: Array) -> Array:
    """Numbers 0 .. last >= 2^32: as many bits as last has, until they are not above it."""
    made, left = np.zeros(len(ids), np.uint64), np.arange(len(ids))
    mask = last.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        mask |= mask >> np.uint64(shift)
    for trial in range(64):
        w = blocks(np.uint64(start) + ids[left].astype(np.uint64), key, trial, TRIAL)
        made[left] = paired(w[:, :2].reshape(-1)) & mask[left]
        left = left[made[left] > last[left]]
        if not left.size:
            break
    return np.minimum(made, last)
