"""An expression run op by op with NumPy: the oracle of generated code, and the way without numba."""

from typing import Any

import numpy as np

from sparkdl.kernels.codegen.expr import Expr, Root
from sparkdl.kernels.ref.elementwise import FUNCTIONS, widened
from sparkdl.kernels.table import Array


def interpret(expr: Expr, ins: tuple[Array, ...], wide: bool) -> tuple[Array, ...]:
    """The roots. `wide`: compute floats in float64."""
    values: list[Any] = [
        _placed(widened(x) if wide else x, where, expr) for x, where in zip(ins, expr.places, strict=True)
    ]
    with np.errstate(all="ignore"):
        for instr in expr.instrs:
            kind = "float64" if wide and instr.dtype.startswith("float") else instr.dtype
            if instr.op == "const":
                values.append(np.asarray(instr.const, kind))
            else:
                values.append(np.asarray(FUNCTIONS[instr.op](*(values[a] for a in instr.args)), kind))
        return tuple(_left(root, values[root.value], expr) for root in expr.roots)


def _placed(x: Array, where: str, expr: Expr) -> Array:
    shape = {"full": (expr.rows, expr.cols), "row": (1, expr.cols), "col": (expr.rows, 1), "scalar": ()}[where]
    return x.reshape(shape)


def _left(root: Root, value: Array, expr: Expr) -> Array:
    if root.reduce:
        value = np.broadcast_to(value, (expr.rows, expr.cols))
        value = value.sum(0) if root.reduce == "rows" else value.sum()
    elif root.spec.size != 1:
        value = np.broadcast_to(value, (expr.rows, expr.cols))
    return np.asarray(value).reshape(root.spec.shape)
