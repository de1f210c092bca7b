"""Fused chains: as one compiled loop by numba, or op by op with NumPy where numba is absent."""

from importlib.util import find_spec
from typing import Any

import numpy as np

from sparkdl.base.spec import Specs
from sparkdl.kernels.codegen.expr import Expr
from sparkdl.kernels.codegen.interpret import interpret
from sparkdl.kernels.codegen.numba_source import COMPILED, Alias, numbers
from sparkdl.kernels.table import Array, Arrays, Bound, Prepared, Rows, Unsupported, kernel, rowwise


@kernel("fused", "numba")
def fused(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """One loop over the whole chain. An output may take the memory of any full input of its dtype."""
    expr: Expr = op.expr
    if find_spec("numba") is None or any(i.op not in COMPILED for i in expr.instrs):
        raise Unsupported

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        from sparkdl.kernels.codegen.build import compiled
        from sparkdl.kernels.cpu._loop import row
        from sparkdl.kernels.cpu._numba import arguments

        code = compiled(expr, _alias(expr, i, o))
        args = arguments(expr.rows, expr.cols, *i, *o, *(expr.instrs[k].const for k in numbers(expr)))
        return Rows(row(code.address, args.ctypes.data), (code, args, i, o))

    detail = "+".join(i.op for i in expr.instrs if i.op != "const") or "cast"
    return Prepared(bind, inplace=inplace(expr), detail=detail)


def inplace(expr: Expr) -> Alias:
    """Pairs (output, input) that may share memory: both full, or both one number, of one dtype."""
    return tuple(
        (k, j)
        for k, root in enumerate(expr.roots)
        for j, spec in enumerate(expr.ins)
        if not root.reduce and spec.dtype == root.spec.dtype and spec.size == root.spec.size
        if expr.places[j] == ("scalar" if expr.is_scalar(root.value) else "full")
    )


def _alias(expr: Expr, ins: Arrays, outs: Arrays) -> Alias:
    """Which outputs do lie on an input."""
    return tuple(
        (k, j)
        for k, j in inplace(expr)
        if expr.places[j] == "full" and np.asarray(ins[j]).ctypes.data == outs[k].ctypes.data
    )


def _interpreted(op: Any, *ins: Array) -> tuple[Array, ...]:
    return interpret(op.expr, ins, wide=False)


kernel("fused", "numpy")(rowwise(_interpreted))
