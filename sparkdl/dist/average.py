"""The example-weighted mean of a vector over ranks that stand in a ring: `mean = sum(w_r v_r) / sum(w_r)`.

The vector is cut in W parts. In W - 1 hops each part travels once around, every rank adding its own; in W - 1 more the
finished parts travel on (Baidu's ring all-reduce; Patarasuk and Yuan, 2009). Each part is finished on one rank and
copied to the others, so all ranks hold the same bits. The order of the sum depends on W alone.

Sums are float64: a float32 times a count below 2**29 is exact there, so the mean is rounded once, to float32. That is
what lets averaging after each step equal one machine with the joint batch. The first hop carries the bare float32
values, because the receiver knows the sender's weight: with two ranks nothing wider is ever sent.

No sockets here: `swap(out, into)` sends to the next rank while it receives from the one before.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Swap = Callable[[NDArray[Any], NDArray[Any]], None]


class Averager:
    """Averages vectors of one length. It owns the buffers, so that a round allocates nothing.

    length: elements of the vector; rank, size: where this one stands in the ring.
    """

    def __init__(self, length: int, rank: int, size: int) -> None:
        self.rank, self.size = rank, size
        self.bounds = [length * k // size for k in range(size + 1)]
        widest = max(b - a for a, b in zip(self.bounds, self.bounds[1:], strict=False))
        self._raw = np.empty(widest, np.float32)
        self._sum, self._got, self._own = (np.empty(widest, np.float64) for _ in range(3))

    def __call__(self, vector: Floats, weights: Sequence[float], swap: Swap) -> None:
        """Replace `vector` by the mean. weights: of all ranks, by rank; when all are 0 nothing changes."""
        total = float(np.sum(weights))
        if self.size == 1 or total == 0.0:
            return
        parts = [vector[a:b] for a, b in zip(self.bounds, self.bounds[1:], strict=False)]
        self._reduce(parts, weights, swap)
        np.divide(self._sum[: len(parts[self._mine])], total, out=parts[self._mine], casting="same_kind")
        for hop in range(self.size - 1):
            swap(parts[(self._mine - hop) % self.size], parts[(self._mine - hop - 1) % self.size])

    @property
    def _mine(self) -> int:
        """The part that is finished here."""
        return (self.rank + 1) % self.size

    def _reduce(self, parts: list[Floats], weights: Sequence[float], swap: Swap) -> None:
        """Leaves the weighted sum of the part that is ours in `_sum`."""
        for hop in range(self.size - 1):
            part = parts[(self.rank - hop - 1) % self.size]
            n, sent = len(part), len(parts[(self.rank - hop) % self.size])
            if hop == 0:
                swap(parts[self.rank], self._raw[:n])
                np.multiply(self._raw[:n], weights[self.rank - 1], out=self._got[:n], dtype=np.float64)
            else:
                swap(self._sum[:sent], self._got[:n])
            np.multiply(part, weights[self.rank], out=self._own[:n], dtype=np.float64)
            np.add(self._got[:n], self._own[:n], out=self._sum[:n])
