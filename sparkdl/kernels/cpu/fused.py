"""Fused chains: as one compiled loop by numba, or op by op with NumPy where numba is absent."""

from importlib.util import find_spec
from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.codegen.expr import Expr, Scatter
from sparkdl.kernels.codegen.idle import STRETCH
from sparkdl.kernels.codegen.interpret import interpret
from sparkdl.kernels.codegen.numba_source import COMPILED, Alias, numbers
from sparkdl.kernels.table import Array, Arrays, Bound, Prepared, Rows, Unsupported, kernel, rowwise


@kernel("fused", "numba")
def fused(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """One loop over the whole chain. An output may take the memory of any full input of its dtype."""
    expr: Expr = op.expr
    if find_spec("numba") is None or any(i.op not in COMPILED for i in expr.instrs):
        raise Unsupported

    scatters: tuple[Scatter, ...] = op.scatters
    scattered = scatters[0].value if scatters else -1

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        from sparkdl.kernels.codegen.build import compiled
        from sparkdl.kernels.cpu._loop import row
        from sparkdl.kernels.cpu._numba import arguments

        code = compiled(expr, _alias(expr, i, o, scattered), scattered)
        table = np.array([_entry(s, i[s.ids]) for s in scatters], np.int64)
        more = (*scratch, table, len(table)) if scatters else ()
        constants = (expr.instrs[k].const for k in numbers(expr))
        args = arguments(expr.rows, expr.cols, *i[: len(expr.ins)], *o, *constants, *more)
        return Rows(row(code.address, args.ctypes.data), (code, args, i, o, more))

    detail = "+".join(i.op for i in expr.instrs if i.op != "const") or "cast"
    stretches = -(-expr.rows * expr.cols // STRETCH)
    lent = (Spec((stretches,), "uint8"), Spec((STRETCH,))) if scatters else ()
    return Prepared(bind, lent, inplace=inplace(expr, scattered), detail=detail)


def _entry(scatter: Scatter, ids: Array) -> tuple[int, ...]:
    """A scatter as the kernel reads it."""
    return int(ids.ctypes.data), ids.size, ids.dtype == "int64", scatter.start, scatter.rows, scatter.cols


def inplace(expr: Expr, scattered: int = -1) -> Alias:
    """Pairs (output, input) that may share memory: both full, or both one number, of one dtype.

    No output lies on the scattered input, for which zeros stand that must stay.
    """
    return tuple(
        (k, j)
        for k, root in enumerate(expr.roots)
        for j, spec in enumerate(expr.ins)
        if j != scattered and not root.reduce and spec.dtype == root.spec.dtype and spec.size == root.spec.size
        if expr.places[j] == ("scalar" if expr.is_scalar(root.value) else "full")
    )


def _alias(expr: Expr, ins: Arrays, outs: Arrays, scattered: int) -> Alias:
    """Which outputs do lie on an input."""
    return tuple(
        (k, j)
        for k, j in inplace(expr, scattered)
        if expr.places[j] == "full" and np.asarray(ins[j]).ctypes.data == outs[k].ctypes.data
    )


def _interpreted(op: Any, *ins: Array) -> tuple[Array, ...]:
    return interpret(op.expr, ins[: len(op.expr.ins)], wide=False)


kernel("fused", "numpy")(rowwise(_interpreted))
