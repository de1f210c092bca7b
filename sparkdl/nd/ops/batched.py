"""Products of many pairs of matrices at once. Letters: ... leading axes, M rows, K inner length, N columns."""

from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op


@op("batch_matmul")
class BatchMatMul(Op):
    """(..., M, K) x (..., K, N) -> (..., M, N), the same leading axes on both sides.

    `ta` or `tb` says that the matrices of the operand are given transposed.
    """

    ta: bool = False
    tb: bool = False

    def infer(self, *ins: Spec) -> Spec:
        a, b = ins
        said = f"Got {a}{' transposed' if self.ta else ''} and {b}{' transposed' if self.tb else ''}."
        if len(a.shape) < 3 or a.shape[:-2] != b.shape[:-2] or a.dtype != b.dtype:
            raise ShapeError(f"{self.name}: both must be (..., rows, columns), equal in ... and dtype. {said}")
        (m, k), (l, n) = a.shape[-2:][:: -1 if self.ta else 1], b.shape[-2:][:: -1 if self.tb else 1]
        if k != l:
            raise ShapeError(f"{self.name}: the inner lengths must agree, {k} is not {l}. {said}")
        return Spec((*a.shape[:-2], m, n), a.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (g,), (a, b) = grads, ins
        da = batch_matmul(b, g, self.tb, True) if self.ta else batch_matmul(g, b, False, not self.tb)
        db = batch_matmul(g, a, True, self.ta) if self.tb else batch_matmul(a, g, not self.ta, False)
        return da, db


def batch_matmul(a: Any, b: Any, ta: bool = False, tb: bool = False) -> Any:
    """The products of matrices (..., M, K) with matrices (..., K, N), each optionally transposed first.

    >>> from sparkdl.nd.array import NDArray
    >>> batch_matmul(NDArray([[[1.0, 2.0]]]), NDArray([[[3.0, 4.0]]]), tb=True)
    NDArray([[[11.]]], dtype=float32, device=cpu)
    """
    return apply(BatchMatMul(ta, tb), a, b)
