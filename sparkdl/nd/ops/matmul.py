"""Products of matrices. Letters: M rows, K inner length, N columns."""

from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op

ACTIVATIONS = ("linear", "relu")  # what kernels fuse behind a product or a convolution


def check_activation(who: str, act: str) -> None:
    """Raises ShapeError unless kernels fuse `act`."""
    if act not in ACTIVATIONS:
        raise ShapeError(f"{who}: act must be one of {', '.join(ACTIVATIONS)}. Got {act!r}.")


def _product(who: str, a: Spec, b: Spec, ta: bool, tb: bool) -> Spec:
    said = f"Got {a}{' transposed' if ta else ''} and {b}{' transposed' if tb else ''}."
    if len(a.shape) != 2 or len(b.shape) != 2 or a.dtype != b.dtype:
        raise ShapeError(f"{who}: both must be matrices of one dtype. {said}")
    (m, k), (l, n) = a.shape[:: -1 if ta else 1], b.shape[:: -1 if tb else 1]
    if k != l:
        raise ShapeError(f"{who}: the inner lengths must agree, {k} is not {l}. {said}")
    return Spec((m, n), a.dtype)


@op("matmul")
class MatMul(Op):
    """(M, K) x (K, N) -> (M, N), where `ta` or `tb` says that the operand is given transposed."""

    ta: bool = False
    tb: bool = False

    def infer(self, *ins: Spec) -> Spec:
        return _product(self.name, ins[0], ins[1], self.ta, self.tb)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (g,), (a, b) = grads, ins
        db = matmul(g, a, True, self.ta) if self.tb else matmul(a, g, not self.ta, False)
        da = matmul(b, g, self.tb, True) if self.ta else matmul(g, b, False, not self.tb)  # last: `a` may go
        return da, db


@op("linear")
class Linear(Op):
    """act(x w + b): (M, K), (K, N), (N,) -> (M, N). Has no gradient: the fuse pass makes it after differentiation."""

    act: str = "linear"

    def infer(self, *ins: Spec) -> Spec:
        check_activation(self.name, self.act)
        out, b = _product(self.name, ins[0], ins[1], False, False), ins[2]
        if b != Spec(out.shape[1:], out.dtype):
            raise ShapeError(f"linear: b must be {Spec(out.shape[1:], out.dtype)} for {ins[0]} and {ins[1]}. Got {b}.")
        return out


def matmul(a: Any, b: Any, ta: bool = False, tb: bool = False) -> Any:
    """The product of two matrices, each optionally transposed first.

    >>> from sparkdl.nd.array import NDArray
    >>> matmul(NDArray([[1.0, 2.0]]), NDArray([[3.0, 4.0]]), tb=True)
    NDArray([[11.]], dtype=float32, device=cpu)
    """
    return apply(MatMul(ta, tb), a, b)


def linear(x: Any, w: Any, b: Any, act: str = "linear") -> Any:
    """act(x w + b) in one kernel; act is "linear" or "relu".

    >>> from sparkdl.nd.array import NDArray
    >>> linear(NDArray([[1.0]]), NDArray([[2.0, -2.0]]), NDArray([1.0, 1.0]), "relu")
    NDArray([[3., 0.]], dtype=float32, device=cpu)
    """
    return apply(Linear(act), x, w, b)
