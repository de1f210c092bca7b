"""Ops with bfloat16 operands: the inner op's oneDNN kernel, which reads the dtypes from the specs."""

from dataclasses import replace
from typing import Any

from sparkdl.base.errors import KernelError
from sparkdl.base.spec import Specs
from sparkdl.kernels import table
from sparkdl.kernels.table import Prepared, Unsupported, kernel
from sparkdl.kernels.threads import count


@kernel("mixed", "onednn")
def mixed(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """The inner op. Raises Unsupported where oneDNN or the CPU does not multiply bfloat16."""
    try:
        made = table.prepare(op.inner, ins, outs, ("onednn",), count())
    except KernelError:
        raise Unsupported(f"oneDNN has no {op.inner.name} of bfloat16") from None
    return replace(made, detail=f"{op.inner.name} {made.detail}")
