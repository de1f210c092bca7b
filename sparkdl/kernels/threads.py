"""How many threads a kernel computes with. There is one pool for all kernels: that of the OpenMP oneDNN came with.

OpenMP keeps a count for each thread of Python, and that count is the truth here: oneDNN reads it when it makes a
primitive and when it runs one, our own kernels when they are bound. So what is made under a count runs under it.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from sparkdl.base.errors import ConfError, KernelError

if TYPE_CHECKING:
    from sparkdl.kernels.cpu._openmp import OpenMP

VARIABLE = "SPARKDL_THREADS"
log = logging.getLogger("sparkdl")


def default_threads() -> int:
    """$SPARKDL_THREADS, or 1: on Spark a core is a process. Raises KernelError where it is no int >= 1."""
    said = os.environ.get(VARIABLE, "1")
    if not said.isdigit() or int(said) < 1:
        raise KernelError(f"{VARIABLE} must be an int >= 1. Got {said!r}.")
    return int(said)


def check_threads(threads: int | None) -> int:
    """The count to use, by default `default_threads()`.

    Raises ConfError for what is no int >= 1, and KernelError for more than one where there is no OpenMP: a job that
    silently ran with one thread would keep its other cores idle. More than there are cores are logged once.
    """
    if threads is None:
        threads = default_threads()
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        raise ConfError(f"threads must be an int >= 1. Got {threads!r}.")
    if threads > 1 and _pool() is None:
        raise KernelError(f"threads must be 1 where there is no oneDNN with OpenMP. Got {threads}.")
    if threads > 1 and threads > cores():
        _too_many(threads)
    return threads


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def count() -> int:
    """The threads of kernels that this thread of Python makes and runs now."""
    return counter()()


def counter() -> Callable[[], int]:
    """What `count` asks: 0.1 us a call, for those who ask often."""
    pool = _pool()
    return pool.count if pool else _one


def _one() -> int:
    return 1


@contextmanager
def using(threads: int) -> Iterator[None]:
    """Make and run kernels with that many threads, in this thread of Python, until the block ends."""
    pool = _pool()
    if pool is None:
        yield
        return
    before = pool.count()
    pool.set_count(threads)
    try:
        yield
    finally:
        pool.set_count(before)


@lru_cache(1)
def _too_many(threads: int) -> None:
    log.warning("threads=%d on %d cores: they wait for one another. Give fewer.", threads, cores())


def _pool() -> "OpenMP | None":
    from sparkdl.kernels.cpu._openmp import openmp  # loads oneDNN: not before it is asked for

    return openmp()
