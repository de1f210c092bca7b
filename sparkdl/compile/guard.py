"""Guards: `SPARKDL_DEBUG=guard` proves that no kernel of a program writes where it should not.

In such a program no two values share memory, 64 bytes lie between them and around inputs and constants, and after each
kernel all of its memory must be as before, but for the kernel's own outputs and scratch. These bytes, and all
temporaries when a run starts, hold 0xFF: a NaN as a float. What a kernel reads outside its inputs, or before it was
written, shows in the results. Runs are slow.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.errors import KernelError

Array = NDArray[Any]
GUARD, BYTE = 64, 0xFF  # GUARD is the alignment too


class Guards:
    """The memory of one program, watched while it runs."""

    def __init__(self) -> None:
        self._blocks: list[Array] = []  # bytes of memory, guards included
        self._temporary: list[Array] = []  # those that hold nothing when a run starts

    def block(self, nbytes: int, temporary: bool = False) -> Array:
        """Bytes that start at a multiple of 64, zeroed, between guards."""
        raw = np.full(nbytes + 3 * GUARD, BYTE, np.uint8)
        start = -raw.ctypes.data % GUARD + GUARD
        inside = raw[start : start + nbytes]
        inside[...] = 0
        self.watch(raw)
        self._temporary += [inside] if temporary else []
        return inside

    def watch(self, memory: Array) -> None:
        """Bytes of somebody else's that kernels get to see."""
        self._blocks.append(memory)

    def start(self) -> None:
        """Forget what the last run left."""
        for memory in self._temporary:
            memory[...] = BYTE

    def around(self, call: Callable[[], None], own: Sequence[Array], who: str) -> Callable[[], None]:
        """The call, after which nothing but `own` may have changed. It then raises KernelError naming `who`."""
        spans = [(a.ctypes.data, a.ctypes.data + a.nbytes) for a in own]

        def run() -> None:
            before = [memory.copy() for memory in self._blocks]
            call()
            for memory, old in zip(self._blocks, before, strict=True):
                _unchanged(memory, old, spans, who)

        return run


def _unchanged(memory: Array, old: Array, spans: Sequence[tuple[int, int]], who: str) -> None:
    changed = np.flatnonzero(memory != old) + memory.ctypes.data
    for start, stop in spans:
        changed = changed[(changed < start) | (changed >= stop)]
    if changed.size:
        raise KernelError(f"{who} wrote {changed.size} bytes outside its outputs and scratch.")
