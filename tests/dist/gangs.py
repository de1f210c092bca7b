"""Ranks without Spark: threads that meet in a ring, with a gather that needs no cluster."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa

from sparkdl.dist import wire
from sparkdl.dist.collective import Ring
from sparkdl.dist.door import Door
from sparkdl.dist.job import Job
from sparkdl.dist.worker import train_rank

SECRET = b"s" * 32


@dataclass
class Meeting:
    """Where the threads of one gang gather."""

    size: int
    said: dict[int, str] = field(default_factory=dict)

    def __post_init__(self):
        self.barrier = threading.Barrier(self.size)


@dataclass
class ThreadGang:
    rank: int
    meeting: Meeting
    host: str = "127.0.0.1"

    @property
    def size(self):
        return self.meeting.size

    def gather(self, text: str) -> list[str]:
        self.meeting.said[self.rank] = text
        self.meeting.barrier.wait(60)
        return [self.meeting.said[r] for r in range(self.size)]


def ranks(size: int, work: Callable) -> list:
    """`work(gang)` in a thread a rank; their results, or the first error."""
    meeting = Meeting(size)
    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(lambda r: work(ThreadGang(r, meeting)), range(size)))


def rings(size: int, work: Callable, timeout: float = 10.0, secrets: tuple[bytes, ...] = ()) -> list:
    """`work(ring)` in a thread a rank, the ring joined."""

    def one(gang: ThreadGang):
        door = Door(gang.host)
        ports = [int(p) for p in gang.gather(str(door.port))]
        secret = secrets[gang.rank] if secrets else SECRET
        ring = Ring(gang.rank, size, timeout, timeout).join(door, [("127.0.0.1", p) for p in ports], secret, "run")
        try:
            return work(ring)
        finally:
            ring.close()

    return ranks(size, one)


def fitted(parts: list, conf, encoder, vector) -> tuple:
    """What `train_rank` makes of tables, one a rank: (state, report)."""
    job = Job.of(conf, encoder, vector, SECRET)
    made = ranks(len(parts), lambda gang: list(train_rank(parts[gang.rank].to_batches(), job, gang)))
    return wire.unpack(wire.payload(pa.Table.from_batches([b for rows in made for b in rows], wire.SCHEMA)))
