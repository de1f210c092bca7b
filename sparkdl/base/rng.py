"""Counter-based randomness: a number depends on what it is for, never on when or where it is drawn.

A `Key` is 64 bits folded from a seed and names. The bulk generator is Philox4x32-10 (Salmon et al., "Parallel
random numbers: as easy as 1, 2, 3", SC 2011): ten rounds turn a 128-bit counter and a 64-bit key into 128 random bits.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_LOW = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Key:
    """A place in the tree of random streams.

    >>> Key.of(7).fold("dropout", 3) == Key.of(7).fold("dropout").fold(3)
    True
    """

    bits: int

    @staticmethod
    def of(seed: int) -> "Key":
        """The root of a seed's tree."""
        return Key(0).fold(seed)

    def fold(self, *parts: str | int) -> "Key":
        """The key of a sub-stream, by name or number."""
        bits = self.bits
        for part in parts:
            digest = hashlib.blake2b(f"{bits}/{part!r}".encode(), digest_size=8).digest()
            bits = int.from_bytes(digest, "little")
        return Key(bits)

    def words(self) -> NDArray[np.uint32]:
        """The key as the two words that `philox` takes. shape=(2,)."""
        return np.array([self.bits & 0xFFFFFFFF, self.bits >> 32], np.uint32)

    def generator(self) -> np.random.Generator:
        """A NumPy generator for work on the driver: initial weights, shuffles."""
        return np.random.Generator(np.random.Philox(key=self.bits))


def philox(counter: NDArray[np.uint32], key: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Philox4x32-10. counter: (..., 4), key: (2,). Returns (..., 4) uniform words.

    >>> [hex(int(w)) for w in philox(np.zeros(4, np.uint32), np.zeros(2, np.uint32))]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    c0, c1, c2, c3 = (counter[..., k].astype(np.uint64) for k in range(4))
    k0, k1 = int(key[0]), int(key[1])
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1 = (p1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0), p1 & _LOW
        c2, c3 = (p0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1), p0 & _LOW
        k0, k1 = (k0 + _W0) & 0xFFFFFFFF, (k1 + _W1) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], -1).astype(np.uint32)
