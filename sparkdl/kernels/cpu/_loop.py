"""The native loop: runs a table of calls without Python between them, and without the GIL.

A row is (function, a0, a1, a2, a3), int64 each; the function takes the four arguments and returns 0 when all is well.
A numba row costs some 7 ns, a oneDNN row 0.1 to 0.3 us.
"""

import ctypes
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.errors import KernelError
from sparkdl.kernels.table import Rows


@lru_cache(1)
def loop() -> "NativeLoop":
    """`loop()(address of the table, rows)` returns 0, or 1 + the index of the row that failed."""
    from sparkdl.kernels.cpu._table import run  # loads numba, and compiles

    return NativeLoop(run)


class NativeLoop:
    """The C function, and the compiled code it lives in."""

    def __init__(self, code: Any) -> None:
        self.code, self._call = code, ctypes.CFUNCTYPE(ctypes.c_int64)(code.address)

    def __call__(self, address: int, count: int) -> int:
        return int(self._call(ctypes.c_int64(address), ctypes.c_int64(count)))

    def over(self, table: NDArray[np.int64]) -> Callable[[], int]:
        """A call for that table, which the caller keeps alive.

        Its arguments are made once: to make them from ints takes ctypes longer than to call, 0.32 us against 0.17.
        """
        first = ctypes.byref(ctypes.c_int64.from_address(table.ctypes.data))
        return partial(self._call, first, ctypes.c_int64(len(table)))


def run_rows(rows: Rows) -> None:
    """Run them once."""
    failed = loop()(rows.table.ctypes.data, len(rows.table))
    if failed:
        raise KernelError(f"native call {failed - 1} of {len(rows.table)} failed")


def row(function: int, *args: int) -> NDArray[np.int64]:
    """One row of a table. shape=(1, 5)."""
    padded = (function, *args, 0, 0, 0, 0)[:5]
    return np.array([padded], np.int64)
