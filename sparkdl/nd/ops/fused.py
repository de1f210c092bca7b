"""The op that the fuse pass makes of a chain of elementwise ops."""

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.codegen.expr import Expr, Scatter
from sparkdl.nd.op import Op, op


@op("fused")
class Fused(Op):
    """An elementwise chain with its reductions, run as one loop. Made after differentiation: it has no gradient.

    scatters: where one input, the same for all, is known to be zero. What tells it are inputs behind those of `expr`.
    """

    expr: Expr
    scatters: tuple[Scatter, ...] = ()

    def infer(self, *ins: Spec) -> Specs:
        return tuple(root.spec for root in self.expr.roots)
