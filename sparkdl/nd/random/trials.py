"""How elements are drawn by trials, in NumPy and float64: each has words of its own for each trial.

So no other element's luck moves it: it does not matter which elements are drawn together.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray as Numpy

from sparkdl.base.errors import KernelError
from sparkdl.kernels.ref import _exact
from sparkdl.kernels.ref.random import CHUNK, TRIAL, blocks, paired

Floats = Numpy[np.float64]
TRIES = 1000  # samplers take a trial with probability 0.7 and more


@dataclass(frozen=True)
class Words:
    """The words of some elements: a key's, by their numbers (n,)."""

    key: Numpy[np.uint32]
    numbers: Numpy[np.uint64]

    def of(self, k: Numpy[np.intp]) -> "Words":
        """Those of some of them."""
        return replace(self, numbers=self.numbers[k])

    def pairs(self, trial: int) -> tuple[Numpy[np.uint64], Numpy[np.uint64]]:
        """Two times 64 bits for each element."""
        both = paired(blocks(self.numbers, self.key, trial, TRIAL).reshape(-1))
        return both[0::2], both[1::2]


def unit(bits: Numpy[np.uint64]) -> Floats:
    """Numbers between 0 and 1, never these two: the middles of 2^52 steps."""
    return ((bits >> np.uint64(12)).astype(np.float64) + 0.5) * 0.5**52


def gauss(bits: Numpy[np.uint64]) -> Floats:
    """Standard normal numbers."""
    return _exact.normal(bits, 1.0, 0.0, math.inf)


Sampler = Callable[..., Floats]  # (Words, *parameters (n,)) -> (n,)


def drawn(key: Numpy[np.uint32], shape: tuple[int, ...], start: int, sampler: Sampler, *given: Floats) -> Floats:
    """A sampler's numbers for all elements of a shape, with parameters that broadcast to it."""
    flat = [np.broadcast_to(p, shape).reshape(-1) for p in given]
    made = np.empty(math.prod(shape))
    for at in range(0, made.size, CHUNK):
        part = slice(at, at + CHUNK)
        numbers = np.uint64(start + at) + np.arange(made[part].size, dtype=np.uint64)
        with np.errstate(all="ignore"):  # what overflows on the way is compared as infinity
            made[part] = sampler(Words(key, numbers), *(p[part] for p in flat))
    return made.reshape(shape)


def sorted_out(first: Numpy[np.bool_], yes: Sampler, no: Sampler, words: Words, *given: Floats) -> Floats:
    """By one sampler where `first` holds, by the other elsewhere."""
    made = np.empty(len(first))
    for (k,), sampler in ((np.nonzero(first), yes), (np.nonzero(~first), no)):
        if k.size:
            made[k] = sampler(words.of(k), *(p[k] for p in given))
    return made


def until_taken(attempt: Callable[..., tuple[Floats, Numpy[np.bool_]]], words: Words, *given: Floats) -> Floats:
    """attempt(two times 64 bits, *parameters) -> (numbers, which of them are taken), until all are."""
    made, left = np.empty(len(words.numbers)), np.arange(len(words.numbers))
    for trial in range(TRIES):
        numbers, taken = attempt(*words.of(left).pairs(trial), *(p[left] for p in given))
        made[left[taken]] = numbers[taken]
        left = left[~taken]
        if not left.size:
            return made
    raise KernelError(
        f"{len(left)} elements were not drawn in {TRIES} trials. Got parameters {[p[left] for p in given]}."
    )


def added_up(u: Floats, p: Floats, ratio: Callable[[int, Numpy[np.intp]], Floats]) -> Floats:
    """The count at which probabilities, p at 0 and each `ratio` times the one before, add up to more than u."""
    made, left, u, p = np.zeros(len(u)), np.arange(len(u)), u.copy(), p.copy()
    for count in range(1, 300):
        left = left[(u[left] >= p[left]) & (p[left] > 1e-18)]  # below, the sum no longer grows
        if not left.size:
            break
        u[left] -= p[left]
        p[left] *= ratio(count, left)
        made[left] = count
    return made
