"""The oracle's products with sparse rows, one element after another, in float64."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sparkdl.kernels.ref.matmul import wide
from sparkdl.kernels.table import Array, kernel, rowwise


def elements(indptr: Array, size: int) -> Iterator[tuple[int, int]]:
    """(row, element) for all stored elements; ends of rows are held within 0 .. size."""
    for b in range(len(indptr) - 1):
        for k in range(max(int(indptr[b]), 0), min(int(indptr[b + 1]), size)):
            yield b, k


def csr_matmul(op: Any, indptr: Array, indices: Array, values: Array, w: Array) -> Array:
    """(B, O)"""
    y = np.zeros((len(indptr) - 1, w.shape[1]))
    for b, k in elements(indptr, len(indices)):
        y[b] += wide(values)[k] * wide(w)[indices[k]] if 0 <= indices[k] < len(w) else np.nan
    return y


def csr_matmul_grad(op: Any, indptr: Array, indices: Array, values: Array, g: Array) -> Array:
    """(inputs, O)"""
    dw = np.zeros((op.inputs, g.shape[1]))
    for b, k in elements(indptr, len(indices)):
        if 0 <= indices[k] < op.inputs:
            dw[indices[k]] += wide(values)[k] * wide(g)[b]
    return dw


def csr_dots(op: Any, indptr: Array, indices: Array, g: Array, w: Array) -> Array:
    """(N,)"""
    d = np.zeros(len(indices))
    for b, k in elements(indptr, len(indices)):
        if 0 <= indices[k] < len(w):
            d[k] = wide(g)[b] @ wide(w)[indices[k]]
    return d


for _fn in (csr_matmul, csr_matmul_grad, csr_dots):
    kernel(_fn.__name__, "ref")(rowwise(_fn))
