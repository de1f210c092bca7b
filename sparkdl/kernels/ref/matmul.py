"""The oracle's products, in float64."""

from typing import Any

import numpy as np

from sparkdl.kernels.table import Array, kernel, rowwise


def wide(x: Array) -> Array:
    """x in float64."""
    return np.asarray(x, np.float64)


def activated(z: Array, act: str) -> Array:
    """z, or its positive part; NaN stays."""
    return np.maximum(z, 0.0) if act == "relu" else z


def matmul(op: Any, a: Array, b: Array) -> Array:
    """(M, K) x (K, N) -> (M, N)."""
    left, right = wide(a), wide(b)
    return (left.T if op.ta else left) @ (right.T if op.tb else right)


def linear(op: Any, x: Array, w: Array, b: Array) -> Array:
    """act(x w + b)."""
    return activated(wide(x) @ wide(w) + wide(b), op.act)


kernel("matmul", "ref")(rowwise(matmul))
kernel("linear", "ref")(rowwise(linear))
