"""numba code of products with sparse rows, float32. No row's end and no index is used as an address unchecked."""

from typing import Any

import numpy as np

from sparkdl.kernels.cpu._gather import cleared, filled, index
from sparkdl.kernels.cpu._numba import f4, fast, ints, vec
from sparkdl.kernels.cpu._shape import zero_bytes


@fast
def bounds(indptr: Any, b: Any, size: Any, wide: Any) -> Any:
    """First element of row b, and the one after its last, within 0 .. size."""
    return max(index(indptr, b, wide), 0), min(index(indptr, b + 1, wide), size)


@fast
def plus(x: Any, k: Any, y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] += k * x[j]


@fast
def plus4(x0: Any, x1: Any, x2: Any, x3: Any, k0: Any, k1: Any, k2: Any, k3: Any, y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] += (k0 * x0[j] + k1 * x1[j]) + (k2 * x2[j] + k3 * x3[j])


@fast
def dot(x: Any, y: Any) -> Any:
    s = f4(0.0)
    for j in range(y.shape[0]):
        s += x[j] * y[j]
    return s


@fast
def inside4(indices: Any, k: Any, rows: Any, wide: Any) -> Any:
    a, b = index(indices, k, wide), index(indices, k + 1, wide)
    c, d = index(indices, k + 2, wide), index(indices, k + 3, wide)
    return min(min(a, b), min(c, d)) >= 0 and max(max(a, b), max(c, d)) < rows


def csr_matmul(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: indptr, indices, values, w, y, rows, elements, rows of w, cols, wide."""
    a = ints(args, 10)
    size, inputs, cols, wide = a[6], a[7], a[8], a[9]
    values, w = vec(a[2], size), a[3]
    for i in range(a[5]):
        y = vec(a[4] + 4 * i * cols, cols)
        filled(y, f4(0.0))
        k, stop = bounds(a[0], i, size, wide)
        while k < stop:
            if k + 4 <= stop and inside4(a[1], k, inputs, wide):  # four rows in a pass over y
                plus4(
                    vec(w + 4 * cols * index(a[1], k, wide), cols), vec(w + 4 * cols * index(a[1], k + 1, wide), cols),
                    vec(w + 4 * cols * index(a[1], k + 2, wide), cols),
                    vec(w + 4 * cols * index(a[1], k + 3, wide), cols),
                    values[k], values[k + 1], values[k + 2], values[k + 3], y,
                )  # fmt: skip
                k += 4
                continue
            j = index(a[1], k, wide)
            if 0 <= j < inputs:
                plus(vec(w + 4 * cols * j, cols), values[k], y)
            else:
                filled(y, f4(np.nan))
            k += 1
    return 0


def csr_matmul_grad(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: indptr, indices, values, g, y, rows, elements, rows of y, cols, wide."""
    a = ints(args, 10)
    size, inputs, cols, wide = a[6], a[7], a[8], a[9]
    values = vec(a[2], size)
    zero_bytes(a[4], 4 * inputs * cols)
    for i in range(a[5]):
        g = vec(a[3] + 4 * i * cols, cols)
        start, stop = bounds(a[0], i, size, wide)
        for k in range(start, stop):
            j = index(a[1], k, wide)
            if 0 <= j < inputs:
                plus(g, values[k], vec(a[4] + 4 * cols * j, cols))
    return 0


def csr_matmul_grad_again(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: as `csr_matmul_grad`, after y the rows written last, which are zeroed instead of all.

    Rows whose ends overlap may visit more elements than there are: then all of y counts as written.
    """
    a = ints(args, 11)
    size, inputs, cols, wide, n = a[7], a[8], a[9], a[10], 0
    values, last = vec(a[2], size), ints(a[5], size + 1)
    cleared(a[4], last, inputs, cols)
    for i in range(a[6]):
        g = vec(a[3] + 4 * i * cols, cols)
        start, stop = bounds(a[0], i, size, wide)
        for k in range(start, stop):
            j = index(a[1], k, wide)
            if 0 <= j < inputs:
                plus(g, values[k], vec(a[4] + 4 * cols * j, cols))
                n += 1
                last[min(n, size)] = j
    last[0] = n if n <= size else -1
    return 0


def csr_dots(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: indptr, indices, g, w, y, rows, elements, rows of w, cols, wide."""
    a = ints(args, 10)
    size, inputs, cols, wide = a[6], a[7], a[8], a[9]
    y = vec(a[4], size)
    filled(y, f4(0.0))
    for i in range(a[5]):
        g = vec(a[2] + 4 * i * cols, cols)
        start, stop = bounds(a[0], i, size, wide)
        for k in range(start, stop):
            j = index(a[1], k, wide)
            if 0 <= j < inputs:
                y[k] = dot(g, vec(a[3] + 4 * cols * j, cols))
    return 0
