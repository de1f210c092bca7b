"""A generator with NumPy's methods, for those who do not want to hand keys around."""

import secrets
from typing import Any

import numpy as np

from sparkdl.base.errors import DTypeError
from sparkdl.base.rng import Key
from sparkdl.nd.array import NDArray
from sparkdl.nd.inplace import effect
from sparkdl.nd.random import counts, discrete, draws, gammas, orders
from sparkdl.nd.random.given import key_of
from sparkdl.nd.random.keys import fold_in, key, split


class Generator:
    """Draws one after another: the k-th call takes the key `fold_in(key, k)`. Its state is its key and that count.

    seed: an int, a key (uint32[2] or a Key), or None for one of the system's

    Methods are NumPy's; size None gives an array without axes, and dtype is float32 or int64 by default. A function
    that is compiled would draw once, while it is traced: there it raises TypeError; give such a function a key.

    >>> rng = Generator(7)
    >>> rng.normal(size=2)
    NDArray([ 0.36385757, -0.35561404], dtype=float32, device=cpu)
    >>> again = Generator(7)
    >>> again.state = rng.state
    >>> again.integers(10, size=3).tolist() == rng.integers(10, size=3).tolist()
    True
    """

    def __init__(self, seed: Any = None) -> None:
        if seed is None:
            seed = secrets.randbits(64)
        is_key = isinstance(seed, Key) or np.shape(seed) == (2,)
        self._key: NDArray = key_of("Generator", seed) if is_key else key(seed)
        self._draws = 0

    def __repr__(self) -> str:
        return f"Generator(key={self._key.tolist()}, draws={self._draws})"

    @property
    def state(self) -> dict[str, Any]:
        """{"key": [int, int], "draws": int}. Given to another generator, it goes on where this one is."""
        return {"key": self._key.tolist(), "draws": self._draws}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        try:
            words, count = [int(w) for w in state["key"]], int(state["draws"])
        except (KeyError, TypeError, ValueError) as error:
            raise DTypeError(f'state must be {{"key": [int, int], "draws": int}}. Got {state!r}.') from error
        if len(words) != 2 or count < 0 or any(not 0 <= w < 2**32 for w in words):
            raise ValueError(f"state must have two words of 32 bits and a count >= 0. Got {state!r}.")
        self._key, self._draws = NDArray(np.array(words, np.uint32)), count

    def next_key(self) -> NDArray:
        """The key of the next draw, for functions that take one."""
        effect("a draw of a Generator")
        made: NDArray = fold_in(self._key, self._draws)
        self._draws += 1
        return made

    def spawn(self, n_children: int) -> list["Generator"]:
        """Generators with streams of their own."""
        return [Generator(k) for k in split(self.next_key(), n_children)]

    def random(self, size: Any = None, dtype: Any = "float32") -> NDArray:
        """Floats in [0, 1)."""
        return self.uniform(0.0, 1.0, size, dtype)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None, dtype: Any = "float32") -> NDArray:
        """Floats in [low, high)."""
        return self._made(draws.uniform, _size(size, low, high), dtype, low, high)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None, dtype: Any = "float32") -> NDArray:
        """Normal with mean loc and standard deviation scale."""
        return self._made(draws.normal, _size(size, loc, scale), dtype, loc, scale)

    def standard_normal(self, size: Any = None, dtype: Any = "float32") -> NDArray:
        """Normal with mean 0 and standard deviation 1."""
        return self.normal(0.0, 1.0, size, dtype)

    def truncated_normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None, dtype: Any = "float32") -> NDArray:
        """Normal within two standard deviations, as Keras's."""
        return self._made(draws.truncated_normal, _size(size, loc, scale), dtype, loc, scale)

    def lognormal(self, mean: Any = 0.0, sigma: Any = 1.0, size: Any = None, dtype: Any = "float32") -> NDArray:
        """e to the power of a normal number."""
        return self._made(draws.lognormal, _size(size, mean, sigma), dtype, mean, sigma)

    def exponential(self, scale: Any = 1.0, size: Any = None, dtype: Any = "float32") -> NDArray:
        """Exponential with mean scale."""
        return self._made(draws.exponential, _size(size, scale), dtype, scale)

    def gumbel(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None, dtype: Any = "float32") -> NDArray:
        """Extreme values."""
        return self._made(draws.gumbel, _size(size, loc, scale), dtype, loc, scale)

    def gamma(self, shape: Any, scale: Any = 1.0, size: Any = None, dtype: Any = "float32") -> NDArray:
        """The gamma distribution."""
        return self._made(gammas.gamma, shape, size, dtype, scale)

    def beta(self, a: Any, b: Any, size: Any = None, dtype: Any = "float32") -> NDArray:
        """The beta distribution."""
        return self._made(gammas.beta, a, b, size, dtype)

    def poisson(self, lam: Any = 1.0, size: Any = None) -> NDArray:
        """Counts with mean lam."""
        return self._made(counts.poisson, lam, size)

    def binomial(self, n: Any, p: Any, size: Any = None) -> NDArray:
        """How many of n come, each with probability p."""
        return self._made(counts.binomial, n, p, size)

    def bernoulli(self, p: Any = 0.5, size: Any = None) -> NDArray:
        """True with probability p."""
        return self._made(discrete.bernoulli, p, size)

    def categorical(self, logits: Any, axis: int = -1, size: Any = None) -> NDArray:
        """Classes with probability softmax(logits)."""
        return self._made(discrete.categorical, logits, axis, size)

    def integers(
        self, low: Any, high: Any = None, size: Any = None, dtype: Any = "int64", endpoint: bool = False
    ) -> NDArray:
        """Whole numbers low .. high - 1, or to high with `endpoint`; 0 .. low - 1 where high is None."""
        low, high = (0, low) if high is None else (low, high)
        return self._made(discrete.randint, _size(size, low, high), low, high + 1 if endpoint else high, dtype)

    def choice(self, a: Any, size: Any = None, replace: bool = True, p: Any = None, axis: int = 0) -> NDArray:
        """Items of a, or of 0 .. a - 1."""
        return self._made(orders.choice, a, () if size is None else size, replace, p, axis)

    def permutation(self, x: Any, axis: int = 0) -> NDArray:
        """x in random order along an axis, or 0 .. x - 1."""
        return self._made(orders.permutation, x, axis)

    def permuted(self, x: Any, axis: int = 0) -> NDArray:
        """x with each line along the axis in an order of its own."""
        return self._made(lambda k: orders.permutation(k, x, axis, independent=True))

    def shuffle(self, x: NDArray, axis: int = 0) -> None:
        """Put x in random order along an axis, in place."""
        if not isinstance(x, NDArray):
            raise DTypeError(f"shuffle: x must be an array that can be written to. Got {type(x).__name__}.")
        x[...] = self.permutation(x, axis)

    def bytes(self, length: int) -> bytes:
        """Random bytes."""
        made: bytes = draws.bits(self.next_key(), -(-length // 4)).numpy().astype("<u4").tobytes()
        return made[:length]

    def _made(self, draw: Any, *given: Any) -> NDArray:
        """One draw. The count stays where it was if it fails."""
        effect("a draw of a Generator")
        made: NDArray = draw(fold_in(self._key, self._draws), *given)
        self._draws += 1
        return made


def default_rng(seed: Any = None) -> Generator:
    """A generator of a seed (an int, a key, or None for one of the system's); a generator itself.

    >>> default_rng(7)
    Generator(key=[3871650537, 3764742562], draws=0)
    """
    return seed if isinstance(seed, Generator) else Generator(seed)


def _size(size: Any, *parameters: Any) -> Any:
    """The shape asked for; where it is None that of the parameters together."""
    return np.broadcast_shapes(*map(np.shape, parameters)) if size is None else size
