"""Reductions: numba for float32 over leading or trailing axes, NumPy for the rest."""

import math
from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._groups import alternating
from sparkdl.kernels.cpu._rows import added, calls, divided_call, numba_kernel, numpy_kernel
from sparkdl.kernels.cpu._team import in_parts, shares
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

    parts = shares(outer * cols, ins[0].size)

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return divided_call("reduce", "sum_last", outer * cols, parts, i[0], o[0], outer * cols, last)

    return Prepared(bind, detail=f"sum_last {outer * cols}x{last}{in_parts(parts)}")


def _sum_rows(outer: int, rows: int, cols: int) -> Prepared:
    """Several parts have sums of their own, which are added in order."""
    parts = shares(rows, outer * rows * cols, 8)
    sums = (Spec((parts, outer * cols)), Spec((outer * cols,))) if parts > 1 else ()

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        y = scratch[1] if sums else o[0]
        made = divided_call("reduce", "sum_rows", rows, parts, i[0], y, scratch[0], outer, rows, cols, grain=8)
        return calls(made, added(y, scratch[2], o[0], parts)) if sums else made

    detail = f"sum_rows {outer}x{rows}x{cols}{in_parts(parts)}"
    return Prepared(bind, scratch=(Spec((parts, cols)), *sums), detail=detail)


def _extreme(smallest: bool) -> Prepare:
    def prepare(op: Any, ins: Specs, outs: Specs) -> Prepared:
        outer, rows, cols, last = _lengths(op, ins[0])
        if rows > 1:
            raise Unsupported

        parts = shares(outer * cols, ins[0].size)

        def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
            return divided_call("reduce", "extreme_last", outer * cols, parts, i[0], o[0], outer * cols, last, smallest)

        return Prepared(bind, detail="extreme_last" + in_parts(parts))

    return prepare


numba_kernel("max", _float32)(_extreme(smallest=False))
numba_kernel("min", _float32)(_extreme(smallest=True))


@numba_kernel("argmax", lambda op, ins: _float32(op, ins) and math.prod(ins[0].shape[op.axis + 1 :]) == 1)
def _argmax(op: Any, ins: Specs, outs: Specs) -> Prepared:
    rows, cols = outs[0].size, ins[0].shape[op.axis]
    parts = shares(rows, ins[0].size)

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return divided_call("reduce", "argmax_last", rows, parts, i[0], o[0], rows, cols)

    return Prepared(bind, detail="argmax_last" + in_parts(parts))


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
