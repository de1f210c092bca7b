"""A kernel divided among the threads of the pool.

A kernel that can be divided is `k(args, start, stop, part)` and works on the units (rows, elements) start .. stop - 1.
Which units a part has depends on the number of parts alone, never on which thread takes it: the same count of threads
gives the same bits. A kernel that sums over its units writes part k's sum to the k-th place of a scratch buffer.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparkdl.kernels.cpu._openmp import openmp
from sparkdl.kernels.threads import count

PART = 32768  # elements read or written by a part, at least: a region costs 1.3 us, 25 to 50 where threads must wake
GRAIN = 256  # elements, two stretches: parts begin where a vector loop over all would, and on a cache line of their own
Row = tuple[tuple[int, ...], tuple[Any, ...]]  # (function, up to four arguments), and what must stay alive


def shares(units: int, work: int, grain: int = 1) -> int:
    """Into how many parts to divide so many units, taken `grain` at a time, that read and write `work` elements."""
    return max(1, min(count(), work // PART, -(-units // max(grain, 1))))


def divided(code: Any, args: int, units: int, parts: int, grain: int = 1, keep: Sequence[Any] = ()) -> Row:
    """The row that runs a kernel over all units, in so many parts."""
    pool = openmp()
    if parts == 1 or pool is None:
        return (code.address, args, 0, units, 0), (code, *keep)
    each = -(-units // (parts * grain)) * grain
    from sparkdl.kernels.cpu._team_code import body, together  # compiles: not before it is wanted

    task = (0, code.address, args, units, each, parts, body.address, pool.parallel, pool.number, pool.size)
    given = np.array(task, np.int64)
    return (together.address, given.ctypes.data), (code, given, *keep)


def shared(code: Any, units: int, parts: int, values: Sequence[Any], grain: int = 1) -> Row:
    """The same with the kernel's args made of these arrays, ints and floats."""
    from sparkdl.kernels.cpu._numba import arguments  # loads numba: not before a kernel is bound

    args = arguments(*values)
    return divided(code, args.ctypes.data, units, parts, grain, (args, values))


def in_parts(parts: int) -> str:
    """What `Prepared.detail` says of it."""
    return f" /{parts}" if parts > 1 else ""
