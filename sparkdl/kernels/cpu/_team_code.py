"""numba code of a divided kernel. A task: status, kernel, its args, units, units of a part, parts, `body`'s address,
and those of the pool's functions: parallel, number, size."""

from typing import Any

import numpy as np

from sparkdl.kernels.cpu._numba import call4, ints, native

TASK = 10
_INT = np.int64(0xFFFFFFFF)  # the pool's functions return int32; the upper half is anything


@native
def body(task: Any, b: Any, c: Any, d: Any) -> Any:
    """What each thread of the pool does: where there are fewer threads than parts, it takes several."""
    a = ints(task, TASK)
    number, size = call4(a[8], 0, 0, 0, 0) & _INT, call4(a[9], 0, 0, 0, 0) & _INT
    for part in range(number, a[5], size):
        start = min(part * a[4], a[3])
        if call4(a[1], a[2], start, min(start + a[4], a[3]), part) != 0:
            a[0] = 1
    return 0


@native
def together(task: Any, b: Any, c: Any, d: Any) -> Any:
    """Run a task in the pool; its status."""
    a = ints(task, TASK)
    a[0] = 0
    call4(a[7], a[6], task, a[5], 0)
    return a[0]
