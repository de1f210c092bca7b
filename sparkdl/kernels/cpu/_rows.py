"""What the kernel files of this folder share: how a numba function becomes a row, and how NumPy writes into outputs.

numba code stands in modules `_<family>.py`, as plain functions `fn(args, b, c, d)`. The family's own file names them by
text, so that importing it loads no numba; each function is compiled when the first kernel that uses it is bound.
"""

import importlib
from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from sparkdl.base.spec import Specs
from sparkdl.kernels.cpu._team import shared
from sparkdl.kernels.table import Array, Arrays, Bound, Prepare, Prepared, Rows, Unsupported, When, always, kernel


def numba_kernel(op: str, when: When = always, first: bool = False) -> Callable[[Prepare], Prepare]:
    """`@kernel(op, "numba")` for a machine that may lack numba."""

    def enter(prepare: Prepare) -> Prepare:
        def guarded(op: Any, ins: Specs, outs: Specs) -> Prepared:
            if not _present():
                raise Unsupported
            return prepare(op, ins, outs)

        kernel(op, "numba", when, first)(guarded)
        return prepare

    return enter


def numpy_kernel(op: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Enter `fn(op, ins, outs)`, which writes its results into `outs`, for any specs."""

    def enter(fn: Callable[..., None]) -> Callable[..., None]:
        def prepare(op: Any, ins: Specs, outs: Specs) -> Prepared:
            def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
                def run() -> None:
                    with np.errstate(all="ignore"):  # IEEE results are what is asked for, not warnings
                        fn(op, i, o)

                return run

            return Prepared(bind, strided=True)

        kernel(op, "numpy")(prepare)
        return fn

    return enter


def call(family: str, function: str, *values: Any) -> Rows:
    """One row that calls a function of `_<family>.py` with these arrays, ints and floats."""
    from sparkdl.kernels.cpu._loop import row
    from sparkdl.kernels.cpu._numba import arguments

    code, args = compiled(family, function), arguments(*values)
    return Rows(row(code.address, args.ctypes.data), (code, args, values))


def divided_call(family: str, function: str, units: int, parts: int, *values: Any, grain: int = 1) -> Rows:
    """The same for a kernel that can be divided: over all its units, in so many parts (see `_team.py`)."""
    from sparkdl.kernels.cpu._loop import row

    made, keep = shared(compiled(family, function), units, parts, values, grain)
    return Rows(row(*made), keep)


def added(sums: Array, tile: Array, y: Array, parts: int) -> Rows:
    """y = the sums of all parts (parts, y.size), in their order. tile: scratch of at least y.size."""
    return divided_call("reduce", "sum_rows", parts, 1, sums, y, tile, 1, parts, y.size)


def calls(*parts: Rows) -> Rows:
    """Rows one after another."""
    tables = [p.table for p in parts]
    return Rows(np.concatenate(tables) if tables else np.zeros((0, 5), np.int64), parts)


@lru_cache(None)
def compiled(family: str, function: str) -> Any:
    """The compiled function of `_<family>.py`; its `.address` goes into a row."""
    from sparkdl.kernels.cpu._numba import native

    return native(getattr(importlib.import_module(f"sparkdl.kernels.cpu._{family}"), function))


def floats(op: Any, ins: Specs) -> bool:
    """Whether all floats among the inputs are float32, and indices int32 or int64: what numba kernels take."""
    return all(s.dtype in ("float32", "int32", "int64", "uint32") for s in ins)


@lru_cache(1)
def _present() -> bool:
    return find_spec("numba") is not None
