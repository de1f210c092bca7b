"""The OpenMP that oneDNN loaded: how many threads it gives, and where its functions lie.

Our own kernels go through the same pool (`_team.py`). numba's threading layers stay unused: a second pool would fight
with this one for the cores, and numba's kills the children of a process that forks.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from sparkdl.kernels.cpu._onednn import library
from sparkdl.kernels.table import Unsupported

_NAMES = ("GOMP_parallel", "omp_get_thread_num", "omp_get_num_threads")


@dataclass(frozen=True)
class OpenMP:
    """count, set_count: the threads that the calling thread's parallel regions have.

    parallel, number, size: addresses of GOMP_parallel(function, data, threads, flags), and in a region of functions
    that return the thread's number and how many there are
    """

    count: Callable[[], int]
    set_count: Callable[[int], None]
    parallel: int
    number: int
    size: int


@lru_cache(1)
def openmp() -> OpenMP | None:
    """oneDNN's OpenMP; None without oneDNN, or where it brings another kind of threads."""
    try:
        functions = library().functions
    except Unsupported:
        return None
    if not all(hasattr(functions, name) for name in (*_NAMES, "omp_get_max_threads", "omp_set_num_threads")):
        return None
    addresses = (_address(getattr(functions, name)) for name in _NAMES)
    return OpenMP(functions.omp_get_max_threads, functions.omp_set_num_threads, *addresses)


def _address(function: object) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0  # type: ignore[arg-type]
