"""Products with sparse rows (CSR), and their gradients.

Letters: B rows, I inputs, O outputs, N stored elements. Row b holds the elements indptr[b] .. indptr[b+1]-1 of
`indices` (columns) and `values`. N is a capacity, fixed for a program: what lies behind indptr[B] is not read. An index
outside 0 .. I-1 is a fault of the data that a running program cannot raise: its row becomes NaN, and it has no
gradient. Ends of rows are held within 0 .. N.
"""

from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op


@op("csr_matmul")
class CsrMatMul(Op):
    """y[b] = sum over k in row b of values[k] w[indices[k]].   w: (I, O)   y: (B, O)"""

    def infer(self, *ins: Spec) -> Spec:
        indptr, indices, values, w = ins
        check_csr(self.name, indptr, indices, values)
        if len(w.shape) != 2 or w.dtype != values.dtype:
            raise ShapeError(f"{self.name}: w must be a matrix of {values.dtype}. Got {w}.")
        return Spec((indptr.size - 1, w.shape[1]), w.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        indptr, indices, values, w = ins
        dw = csr_matmul_grad(indptr, indices, values, grads[0], w.spec.shape[0])
        return None, None, csr_dots(indptr, indices, grads[0], w), dw


@op("csr_matmul_grad")
class CsrMatMulGrad(Op):
    """dw[i] = sum of values[k] g[b] over the k of rows b with indices[k] = i.   g: (B, O)   dw: (inputs, O)"""

    inputs: int

    def infer(self, *ins: Spec) -> Spec:
        indptr, indices, values, g = ins
        check_csr(self.name, indptr, indices, values)
        _check_rows(self.name, indptr, g, values.dtype)
        return Spec((self.inputs, g.shape[1]), g.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        indptr, indices, values, g = ins
        return None, None, csr_dots(indptr, indices, g, grads[0]), csr_matmul(indptr, indices, values, grads[0])


@op("csr_dots")
class CsrDots(Op):
    """d[k] = <g[b], w[indices[k]]> for the k of row b, 0 for those of no row.   g: (B, O)   w: (I, O)   d: (N,)"""

    def infer(self, *ins: Spec) -> Spec:
        indptr, indices, g, w = ins
        values = Spec(indices.shape, g.dtype)
        check_csr(self.name, indptr, indices, values)
        _check_rows(self.name, indptr, g, w.dtype)
        if len(w.shape) != 2 or w.shape[1] != g.shape[1]:
            raise ShapeError(f"{self.name}: w must be (I, {g.shape[1]}) for g {g}. Got {w}.")
        return values

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        indptr, indices, g, w = ins
        dw = csr_matmul_grad(indptr, indices, grads[0], g, w.spec.shape[0])
        return None, None, csr_matmul(indptr, indices, grads[0], w), dw


def csr_matmul(indptr: Any, indices: Any, values: Any, w: Any) -> Any:
    """Sparse rows (B, I), given by (indptr, indices, values), times w (I, O): (B, O).

    >>> from sparkdl.nd.array import NDArray
    >>> import numpy as np
    >>> rows = NDArray(np.array([0, 2, 3])), NDArray(np.array([0, 2, 1])), NDArray([1.0, 2.0, 3.0])
    >>> csr_matmul(*rows, NDArray([[1.0], [10.0], [100.0]]))
    NDArray([[201.],
             [ 30.]], dtype=float32, device=cpu)
    """
    return apply(CsrMatMul(), indptr, indices, values, w)


def csr_matmul_grad(indptr: Any, indices: Any, values: Any, g: Any, inputs: int) -> Any:
    """Sparse rows transposed times g (B, O): the gradient of `csr_matmul` in w (inputs, O)."""
    return apply(CsrMatMulGrad(inputs), indptr, indices, values, g)


def csr_dots(indptr: Any, indices: Any, g: Any, w: Any) -> Any:
    """g w' where the sparse rows have elements: the gradient of `csr_matmul` in the values (N,)."""
    return apply(CsrDots(), indptr, indices, g, w)


def check_csr(who: str, indptr: Spec, indices: Spec, values: Spec) -> None:
    """Raise ShapeError unless these can be sparse rows."""
    whole = all(s.dtype in ("int32", "int64") and len(s.shape) == 1 for s in (indptr, indices))
    if not whole or indptr.size < 1 or indices.dtype != indptr.dtype:
        raise ShapeError(f"{who}: indptr and indices must be vectors of one int dtype. Got {indptr} and {indices}.")
    if values.shape != indices.shape or not values.dtype.startswith("float"):
        raise ShapeError(f"{who}: values must be floats, one for each of the {indices}. Got {values}.")


def _check_rows(who: str, indptr: Spec, g: Spec, dtype: str) -> None:
    if len(g.shape) != 2 or g.shape[0] != indptr.size - 1 or g.dtype != dtype:
        raise ShapeError(f"{who}: g must be {dtype} ({indptr.size - 1}, O), a row for each sparse one. Got {g}.")
