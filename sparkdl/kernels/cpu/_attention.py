"""numba code of attention's softmax, float32, in place over the scores (B,H,T,S).

A key that a query does not see has the score -inf, and p = 0; a query that sees none has p = 0 throughout. With
`causal`, what comes after the query is not even looked at.
"""

from typing import Any

import numpy as np
from numba import carray

from sparkdl.kernels.cpu._numba import as_pointer, double_of, exp, f4, fast, ints, row_max, vec


@fast
def scaled(y: Any, k: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] *= k


@fast
def hidden(y: Any, mask: Any) -> Any:
    """-inf where the mask is 0."""
    for j in range(y.shape[0]):
        y[j] = y[j] if mask[j] != np.uint8(0) else f4(-np.inf)


@fast
def filled(y: Any, value: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = value


@fast
def shifted(y: Any) -> Any:
    """y -= its maximum, unless that is -inf."""
    top = row_max(y)
    top = top if top != f4(-np.inf) else f4(0.0)
    for j in range(y.shape[0]):
        y[j] -= top


@fast
def exponentiated(y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = exp(y[j])


@fast
def shared(y: Any) -> Any:
    """y over its sum, where there is any."""
    s = f4(0.0)
    for j in range(y.shape[0]):
        s += y[j]
    k = f4(1.0) / s if s != f4(0.0) else f4(0.0)
    for j in range(y.shape[0]):
        y[j] *= k


def softmax(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: scores (B,H,T,S), mask bytes (B,T,S) or 0, B, H, T, S, causal, scale. Rows in blocks of some 8 KB."""
    a = ints(args, 8)
    heads, times, keys, scale = a[3], a[4], a[5], f4(double_of(a[7]))
    rows, step = a[2] * heads * times, max(1, 2048 // keys)
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        block = vec(a[0] + 4 * start * keys, (stop - start) * keys)
        scaled(block, scale)
        for i in range(start, stop):
            row, t = a[0] + 4 * i * keys, i % times
            if a[6] != 0 and t + 1 < keys:
                filled(vec(row + 4 * (t + 1), keys - t - 1), f4(-np.inf))
            if a[1] != 0:
                at = a[1] + ((i // (heads * times)) * times + t) * keys
                hidden(vec(row, keys), carray(as_pointer(at), (keys,), np.uint8))
            shifted(vec(row, keys))
        exponentiated(block)
        for i in range(start, stop):
            shared(vec(a[0] + 4 * i * keys, keys))
    return 0


@fast
def dot(x: Any, y: Any) -> Any:
    s = f4(0.0)
    for j in range(y.shape[0]):
        s += x[j] * y[j]
    return s


@fast
def through(y: Any, p: Any, s: Any, scale: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = scale * p[j] * (y[j] - s)


def softmax_grad(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: dp, over which ds is written, p, rows, cols, scale."""
    a = ints(args, 5)
    cols, scale = a[3], f4(double_of(a[4]))
    for i in range(a[2]):
        y, p = vec(a[0] + 4 * i * cols, cols), vec(a[1] + 4 * i * cols, cols)
        through(y, p, dot(y, p), scale)
    return 0
