"""The native loop's code. A function of a module, not of a function: numba would compile that anew in each process."""

from typing import Any

import numpy as np
from numba import carray, cfunc, types

from sparkdl.kernels.cpu._numba import as_pointer, call4


@cfunc(types.int64(types.int64, types.int64), nopython=True, cache=True)
def run(address: Any, count: Any) -> Any:
    """Call row after row of a table (count, 5); 0, or 1 + the index of the row that failed."""
    rows = carray(as_pointer(address), (count, 5), np.int64)
    for i in range(count):
        status = call4(rows[i, 0], rows[i, 1], rows[i, 2], rows[i, 3], rows[i, 4])
        if (status & 0xFFFFFFFF) != 0:
            return i + 1
    return 0
