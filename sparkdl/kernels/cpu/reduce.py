"""Reductions: numba for float32 over leading or trailing axes, NumPy for the rest."""

import math
from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._groups import alternating
from sparkdl.kernels.cpu._rows import call, numba_kernel, numpy_kernel
from sparkdl.kernels.table import Arrays, Bound, Prepare, Prepared, Unsupported


def _float32(op: Any, ins: Specs) -> bool:
    return ins[0].dtype == "float32"


@numba_kernel("sum", _float32)
def _sum(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """Over one run of axes, wherever it lies: as matrices (rows, cols) summed over rows, or rows summed whole."""
    outer, rows, cols, last = _lengths(op, ins[0])
    if last == 1 and cols > 1:
        return _sum_rows(outer, rows, cols)
    if rows > 1:
        raise Unsupported

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return call("reduce", "sum_last", i[0], o[0], outer * cols, last)

    return Prepared(bind, detail=f"sum_last {outer * cols}x{last}")


def _sum_rows(outer: int, rows: int, cols: int) -> Prepared:
    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return call("reduce", "sum_rows", i[0], o[0], *scratch, outer, rows, cols)

    return Prepared(bind, scratch=(Spec((cols,)),), detail=f"sum_rows {outer}x{rows}x{cols}")


def _extreme(smallest: bool) -> Prepare:
    def prepare(op: Any, ins: Specs, outs: Specs) -> Prepared:
        outer, rows, cols, last = _lengths(op, ins[0])
        if rows > 1:
            raise Unsupported

        def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
            return call("reduce", "extreme_last", i[0], o[0], outer * cols, last, smallest)

        return Prepared(bind)

    return prepare


numba_kernel("max", _float32)(_extreme(smallest=False))
numba_kernel("min", _float32)(_extreme(smallest=True))


@numba_kernel("argmax", lambda op, ins: _float32(op, ins) and math.prod(ins[0].shape[op.axis + 1 :]) == 1)
def _argmax(op: Any, ins: Specs, outs: Specs) -> Prepared:
    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return call("reduce", "argmax_last", i[0], o[0], outs[0].size, ins[0].shape[op.axis])

    return Prepared(bind)


@numpy_kernel("sum")
def sum(op: Any, ins: Arrays, outs: Arrays) -> None:  # noqa: A001
    """Sum in the array's own dtype."""
    np.sum(ins[0], op.axes, outs[0].dtype, outs[0], keepdims=op.keepdims)


@numpy_kernel("max")
def max(op: Any, ins: Arrays, outs: Arrays) -> None:  # noqa: A001
    """Maximum."""
    np.max(ins[0], op.axes, outs[0], keepdims=op.keepdims)


@numpy_kernel("min")
def min(op: Any, ins: Arrays, outs: Arrays) -> None:  # noqa: A001
    """Minimum."""
    np.min(ins[0], op.axes, outs[0], keepdims=op.keepdims)


@numpy_kernel("argmax")
def argmax(op: Any, ins: Arrays, outs: Arrays) -> None:
    """Index of the first maximum."""
    np.argmax(ins[0], op.axis, outs[0])


def _lengths(op: Any, x: Spec) -> tuple[int, int, int, int]:
    """(kept, reduced, kept, reduced). Raises Unsupported when the reduced axes alternate more often."""
    found = alternating(x.shape, tuple(k in op.axes for k in range(len(x.shape))))
    if found is None:
        raise Unsupported
    return found
