"""Fused chains, op by op in float64."""

from typing import Any

from sparkdl.kernels.codegen.interpret import interpret
from sparkdl.kernels.table import Array, kernel, rowwise


def _run(op: Any, *ins: Array) -> tuple[Array, ...]:
    return interpret(op.expr, ins[: len(op.expr.ins)], wide=True)


kernel("fused", "ref")(rowwise(_run))
