"""numba code of softmax and cross-entropy, float32.

Rows are taken in blocks of some 8 KB, and exp runs over a whole block: a row of ten classes alone fills no vector.
Rows first .. last - 1 are done; parts begin where a block does.
All work is on the output, into which the logits are copied first unless they lie there: with one pointer the
compiler needs no check for overlap. A row shifted by its maximum has entries <= 0, so nothing here overflows.
"""

import math
from typing import Any

import numpy as np
from numba import carray

from sparkdl.kernels.cpu._line import copied, total
from sparkdl.kernels.cpu._numba import as_pointer, exp, f4, fast, ints, row_max, vec

BLOCK = 2048  # elements of a block of rows; softmax.py divides by it too
SOFT, WIDE = 2, 1  # what labels are: float32 (rows, cols), int64 (rows,); 0 is int32 (rows,)


@fast
def shifted(y: Any) -> Any:
    top = row_max(y)
    for j in range(y.shape[0]):
        y[j] -= top


@fast
def exponentiated(y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = exp(y[j])


@fast
def scaled(y: Any, k: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] *= k


@fast
def dot(t: Any, y: Any) -> Any:
    """sum(t y), where t = 0 takes no part."""
    s = f4(0.0)
    for j in range(y.shape[0]):
        s += t[j] * y[j] if t[j] != f4(0.0) else f4(0.0)
    return s


@fast
def index(address: Any, i: Any, kind: Any) -> Any:
    """The class index of row i."""
    if kind == WIDE:
        return carray(as_pointer(address), (i + 1,), np.int64)[i]
    return np.int64(carray(as_pointer(address), (i + 1,), np.int32)[i])


@fast
def row_at(address: Any, i: Any, cols: Any) -> Any:
    return vec(address + 4 * i * cols, cols)


@fast
def loss_before(y: Any, labels: Any, i: Any, kind: Any) -> Any:
    """-sum(t y) of a shifted row; NaN when the index is outside."""
    cols = y.shape[0]
    if kind == SOFT:
        return -dot(row_at(labels, i, cols), y)
    k = index(labels, i, kind)
    return -y[k] if 0 <= k < cols else f4(np.nan)


@fast
def weight(labels: Any, i: Any, cols: Any, kind: Any) -> Any:
    """sum(t) of a row."""
    return total(row_at(labels, i, cols)) if kind == SOFT else f4(1.0)


@fast
def towards(y: Any, labels: Any, i: Any, kind: Any, g: Any) -> Any:
    """y <- g (y sum(t) - t); zeros when the index is outside."""
    cols = y.shape[0]
    if kind == SOFT:
        t = row_at(labels, i, cols)
        s = total(t)
        for j in range(cols):
            y[j] = g * (y[j] * s - t[j])
        return
    k = index(labels, i, kind)
    if not 0 <= k < cols:
        for j in range(cols):
            y[j] = f4(0.0)
        return
    at_label = (y[k] - f4(1.0)) * g  # exact near y = 1, where y g - g is not
    scaled(y, g)
    y[k] = at_label


def softmax(args: Any, first: Any, last: Any, part: Any) -> Any:
    """args: x, y, rows, cols."""
    a = ints(args, 4)
    x, y = a[0], a[1]
    cols = a[3]
    step = max(1, BLOCK // max(cols, 1))
    for start in range(first, last, step):
        stop = min(start + step, last)
        for i in range(start, stop):
            if x != y:
                copied(row_at(x, i, cols), row_at(y, i, cols))
            shifted(row_at(y, i, cols))
        exponentiated(vec(y + 4 * start * cols, (stop - start) * cols))
        for i in range(start, stop):
            row = row_at(y, i, cols)
            scaled(row, f4(1.0) / total(row))
    return 0


def log_softmax(args: Any, first: Any, last: Any, part: Any) -> Any:
    """args: x, y, rows, cols."""
    a = ints(args, 4)
    x, y, cols = a[0], a[1], a[3]
    for i in range(first, last):
        row = row_at(y, i, cols)
        if x != y:
            copied(row_at(x, i, cols), row)
        shifted(row)
        s = f4(0.0)
        for j in range(cols):
            s += exp(row[j])
        down = f4(math.log(np.float64(s)))
        for j in range(cols):
            row[j] -= down
    return 0


def softmax_xent(args: Any, first: Any, last: Any, part: Any) -> Any:
    """args: logits, labels, g or 0, loss, y, rows, cols, kind. y is softmax, or with g the gradient of the logits."""
    a = ints(args, 8)
    x, labels, y = a[0], a[1], a[4]
    rows, cols, kind = a[5], a[6], a[7]
    loss = vec(a[3], rows)
    step = max(1, BLOCK // cols)
    for start in range(first, last, step):
        stop = min(start + step, last)
        for i in range(start, stop):
            if x != y:
                copied(row_at(x, i, cols), row_at(y, i, cols))
            shifted(row_at(y, i, cols))
            loss[i] = loss_before(row_at(y, i, cols), labels, i, kind)
        exponentiated(vec(y + 4 * start * cols, (stop - start) * cols))
        for i in range(start, stop):
            row = row_at(y, i, cols)
            s = total(row)
            loss[i] += weight(labels, i, cols, kind) * f4(math.log(np.float64(s)))
            scaled(row, f4(1.0) / s)
            if a[2] != 0:
                towards(row, labels, i, kind, vec(a[2], rows)[i])
    return 0


def softmax_xent_grad(args: Any, first: Any, last: Any, part: Any) -> Any:
    """args: probs, labels, g, y, rows, cols, kind."""
    a = ints(args, 7)
    p, labels, y = a[0], a[1], a[3]
    rows, cols, kind = a[4], a[5], a[6]
    g = vec(a[2], rows)
    for i in range(first, last):
        if p != y:
            copied(row_at(p, i, cols), row_at(y, i, cols))
        towards(row_at(y, i, cols), labels, i, kind, g[i])
    return 0
