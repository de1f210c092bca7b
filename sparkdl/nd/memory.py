"""Memory of large results, used again: what the system hands out for 40 MB costs as long as computing with them.

The system zeroes a fresh page when it is first touched: on Zen 4 that is half of the time of exp over 10^7 floats.
Results of 1 MiB and more lie in blocks that come back when their array, and all views of it, are gone. Up to KEPT bytes
wait for the next; the rest goes back to the system.
"""

import math
import mmap
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGE = 1 << 20  # bytes from which a result is worth a block
KEPT = 256 << 20  # bytes that wait at most
_GRAIN = 1 << 20
_FREE: dict[int, list[mmap.mmap]] = {}
_PRIVATE: dict[str, int] = {} if sys.platform == "win32" else {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS}


class _Block(np.ndarray):
    """The bytes of a block. Arrays in it hold on to it; when the last has gone, the memory is free again.

    NumPy lets a view hold on to this and not to what is below, because that is no array.
    """

    def __del__(self) -> None:
        memory = self.base
        if isinstance(memory, mmap.mmap) and waiting() + len(memory) <= KEPT:
            _FREE.setdefault(len(memory), []).append(memory)


def empty(shape: tuple[int, ...], dtype: "np.dtype[Any]") -> NDArray[Any]:
    """An array whose elements are whatever is in memory, as `np.empty` gives it."""
    size = math.prod(shape)
    if size * dtype.itemsize < LARGE:
        return np.empty(shape, dtype)
    length = -(-size * dtype.itemsize // _GRAIN) * _GRAIN
    block = _Block((length,), np.uint8, _memory(length))
    return np.asarray(block)[: size * dtype.itemsize].view(dtype).reshape(shape)


def waiting() -> int:
    """Bytes that wait to be used again."""
    return sum(length * len(blocks) for length, blocks in list(_FREE.items()))


def release() -> None:
    """Give what waits back to the system."""
    _FREE.clear()


def _memory(length: int) -> mmap.mmap:
    try:
        return _FREE[length].pop()
    except (KeyError, IndexError):
        made = mmap.mmap(-1, length, **_PRIVATE)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            made.madvise(mmap.MADV_HUGEPAGE)
        return made
