"""An expression run op by op with NumPy: the oracle of generated code, and the way without numba."""

from typing import Any

import numpy as np

from sparkdl.base.spec import BFLOAT16, numpy_dtype
from sparkdl.kernels.codegen.expr import Expr, Root
from sparkdl.kernels.ref.elementwise import FUNCTIONS, widened
from sparkdl.kernels.table import Array


def interpret(expr: Expr, ins: tuple[Array, ...], wide: bool) -> tuple[Array, ...]:
    """The roots. `wide`: compute floats in float64."""
    values: list[Any] = [
        _placed(widened(x) if wide else _register(x), where, expr) for x, where in zip(ins, expr.places, strict=True)
    ]
    with np.errstate(all="ignore"):
        for instr in expr.instrs:
            made = instr.const if instr.op == "const" else FUNCTIONS[instr.op](*(values[a] for a in instr.args))
            values.append(_kept(made, instr.dtype, wide))
        return tuple(_left(root, values[root.value], expr) for root in expr.roots)


def _kept(made: Any, dtype: str, wide: bool) -> Array:
    """What an instruction made, in its dtype; a bfloat16 is rounded, but held in a wider type."""
    if dtype == BFLOAT16:
        return np.asarray(made).astype(numpy_dtype(dtype)).astype(np.float64 if wide else np.float32)
    return np.asarray(made, "float64" if wide and dtype.startswith("float") else dtype)


def _register(x: Array) -> Array:
    return x.astype(np.float32) if x.dtype.name == BFLOAT16 else x


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
