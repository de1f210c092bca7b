"""The ranks of a fit, and the ring in which they exchange numbers.

A `Gang` is what the scheduler gives: a rank, a size, one slow gather of texts. A `Ring` is made with it: rank r sends
to rank r + 1 and hears from rank r - 1, over TCP, after both proved to know the fit's secret. A rank that loses a
neighbour, or hears nothing for too long, raises Lost, and then so do its neighbours: no rank goes on alone.
"""

import queue
import select
import socket
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sparkdl.dist.average import Averager, Floats
from sparkdl.dist.door import Door, first, visit
from sparkdl.dist.faults import Lost
from sparkdl.dist.handshake import key_of

Doubles = NDArray[np.float64]
TIMEOUT = 60.0  # seconds without a byte from a neighbour
FIRST_TIMEOUT = 300.0  # before the first exchange ranks load and compile


class Gang(Protocol):
    """Where a task stands among the tasks of its stage."""

    @property
    def rank(self) -> int:
        """0 to size - 1."""

    @property
    def size(self) -> int:
        """Number of tasks."""

    @property
    def host(self) -> str:
        """The address under which the other tasks reach this one."""

    def gather(self, text: str) -> list[str]:
        """The texts of all tasks, by rank. Slow: a second or so on Spark."""


class Ring:
    """Exchanges between `size` ranks. Every rank must make the same calls in the same order."""

    def __init__(self, rank: int, size: int, timeout: float = TIMEOUT, patience: float = FIRST_TIMEOUT) -> None:
        self.rank, self.size = rank, size
        self._timeout, self._patience = timeout, max(timeout, patience)
        self._averagers: dict[int, Averager] = {}
        self._next: socket.socket | None = None
        self._previous: socket.socket | None = None

    def join(self, door: Door, addresses: Sequence[tuple[str, int]], secret: bytes, run: str) -> "Ring":
        """Connect to both neighbours. addresses: the doors of all ranks, by rank; run: a name that all agree on."""
        try:
            if self.size > 1:
                self._meet(door, addresses[self._after], key_of(secret, run))
        except BaseException:
            self.close()
            raise
        finally:
            door.close()
        return self

    def average(self, vector: Floats, weight: float) -> None:
        """Replace `vector` (float32) by its mean over the ranks, weighted; the same bits on all of them.

        weight: the examples that this rank's vector stands for; 0 for a rank that had none and takes what it gets.
        """
        self.mean(vector, self.share([weight])[:, 0])

    def mean(self, vector: Floats, weights: Sequence[float] | Doubles) -> None:
        """`average`, where the weights of all ranks are known."""
        if vector.size not in self._averagers:
            self._averagers[vector.size] = Averager(vector.size, self.rank, self.size)
        self._averagers[vector.size](vector, list(map(float, weights)), self.swap)

    def share(self, values: Sequence[float] | Doubles) -> Doubles:
        """A few numbers of each rank, to all. shape=(n,) -> (size, n) float64, the same on all ranks."""
        rows = np.empty((self.size, len(values)), np.float64)
        rows[self.rank] = values
        for hop in range(self.size - 1):
            self.swap(rows[(self.rank - hop) % self.size], rows[(self.rank - hop - 1) % self.size])
        return rows

    def swap(self, out: NDArray[Any], into: NDArray[Any]) -> None:
        """Send `out` to the next rank while `into` is filled by the one before. One-dimensional and contiguous."""
        sends, gets = out.view(np.uint8).data, into.view(np.uint8).data
        while sends or gets:
            sent = self._send(sends) if sends else 0
            got = self._receive(gets) if gets else 0
            sends, gets = sends[sent:], gets[got:]
            if not sent and not got:
                self._wait(bool(sends), bool(gets))
        self._patience = self._timeout

    def close(self) -> None:
        """Hang up. Neighbours that still wait will raise."""
        for sock in (self._next, self._previous):
            if sock is not None:
                sock.close()

    def _meet(self, door: Door, after: tuple[str, int], key: bytes) -> None:
        came: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
        door.admit(key, lambda sock, rank: came.put(sock) if rank == self._before else sock.close())
        self._next = visit(after, key, self.rank, self._timeout)
        self._previous = first(self._timeout, came, f"rank {self._before}")
        for sock in (self._next, self._previous):
            sock.setblocking(False)

    @property
    def _after(self) -> int:
        return (self.rank + 1) % self.size

    @property
    def _before(self) -> int:
        return (self.rank - 1) % self.size

    def _send(self, data: memoryview) -> int:
        assert self._next is not None
        try:
            return self._next.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise Lost(f"rank {self.rank} lost rank {self._after}: {error}") from None

    def _receive(self, into: memoryview) -> int:
        assert self._previous is not None
        try:
            got = self._previous.recv_into(into)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise Lost(f"rank {self.rank} lost rank {self._before}: {error}") from None
        if not got:
            raise Lost(f"rank {self.rank} lost rank {self._before}: it closed the connection")
        return got

    def _wait(self, sending: bool, getting: bool) -> None:
        sources = [sock for sock in (self._previous,) if sock and getting]
        sinks = [sock for sock in (self._next,) if sock and sending]
        readable, writable, _ = select.select(sources, sinks, [], self._patience)
        if not readable and not writable:
            whom = self._before if getting else self._after
            raise Lost(
                f"rank {self.rank} waited {self._patience:g} s for rank {whom}: it is stuck, or a round takes longer "
                "than that. For long rounds raise averaging.timeout or lower averaging.averaging_frequency."
            )
