"""Products with sparse rows: numba for float32, NumPy for the rest."""

from typing import Any

import numpy as np

from sparkdl.base.spec import Specs
from sparkdl.kernels.cpu._rows import call, floats, numba_kernel, numpy_kernel
from sparkdl.kernels.cpu.gather import touching
from sparkdl.kernels.table import Array, Arrays, Bound, Prepare, Prepared


def _by_element(function: str, matrix: int, output: bool, again: str = "") -> Prepare:
    """A kernel over all elements. matrix: which input has I rows; the output has them where `output`.

    again: its lasting form, which notes the rows it writes.
    """

    def prepare(op: Any, ins: Specs, outs: Specs) -> Prepared:
        indptr, indices = ins[:2]
        inputs, cols = outs[0].shape if output else ins[matrix].shape

        sizes = indptr.size - 1, indices.size, inputs, cols, indptr.dtype == "int64"

        def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
            return call("sparse", function, *i, *o, *sizes)

        def noted(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
            return call("sparse", again, *i, *o, *scratch, *sizes)

        return Prepared(bind, lasting=touching(noted, indices.size, inputs) if again else None)

    return prepare


numba_kernel("csr_matmul", floats)(_by_element("csr_matmul", 3, False))
numba_kernel("csr_matmul_grad", floats)(_by_element("csr_matmul_grad", 3, True, "csr_matmul_grad_again"))
numba_kernel("csr_dots", floats)(_by_element("csr_dots", 3, False))


def elements(indptr: Array, size: int) -> tuple[Array, Array]:
    """The row and the number of every stored element."""
    start, stop = np.clip(indptr[:-1], 0, size), np.clip(indptr[1:], 0, size)
    counts = np.maximum(stop - start, 0)
    rows = np.repeat(np.arange(len(counts)), counts)
    first = np.repeat(start - (np.cumsum(counts) - counts), counts)
    return rows, np.arange(len(rows)) + first


def inside(indices: Array, count: int) -> Array:
    """Which indices are of 0 .. count-1."""
    return np.asarray((indices >= 0) & (indices < count))


@numpy_kernel("csr_matmul")
def csr_matmul(op: Any, ins: Arrays, outs: Arrays) -> None:
    """Rows of w, weighed and added up."""
    (indptr, indices, values, w), y = ins, outs[0]
    rows, at = elements(indptr, len(indices))
    good = inside(indices[at], len(w))
    y[...] = 0
    np.add.at(y, rows[good], values[at[good], None] * w[indices[at[good]]])
    y[rows[~good]] = np.nan


@numpy_kernel("csr_matmul_grad")
def csr_matmul_grad(op: Any, ins: Arrays, outs: Arrays) -> None:
    """Rows of g, weighed and added up by index."""
    (indptr, indices, values, g), y = ins, outs[0]
    rows, at = elements(indptr, len(indices))
    good = inside(indices[at], op.inputs)
    y[...] = 0
    np.add.at(y, indices[at[good]], values[at[good], None] * g[rows[good]])


@numpy_kernel("csr_dots")
def csr_dots(op: Any, ins: Arrays, outs: Arrays) -> None:
    """Row by row products of g and w."""
    (indptr, indices, g, w), y = ins, outs[0]
    rows, at = elements(indptr, len(indices))
    good = inside(indices[at], len(w))
    y[...] = 0
    y[at[good]] = np.einsum("ko,ko->k", g[rows[good]], w[indices[at[good]]])
