"""The oracle's products, in float64."""

from typing import Any

import numpy as np

from sparkdl.kernels.table import PLAIN, Array, in_single, kernel, rowwise


def wide(x: Array) -> Array:
    """Floats in float64; integers and complex numbers as they are."""
    return x if x.dtype.kind in "biuc" else np.asarray(x, np.float64)


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


def turned(x: Array, transposed: bool) -> Array:
    """Matrices, the last two axes exchanged if they are given so."""
    return np.swapaxes(x, -1, -2) if transposed else x


def own(op: Any, a: Array, b: Array) -> Array:
    """Products of eager arrays, by NumPy's BLAS in their own dtype: nothing is prepared for one call."""
    return np.asarray(turned(a, op.ta) @ turned(b, op.tb))


PLAIN["matmul"] = PLAIN["batch_matmul"] = in_single(own)
kernel("matmul", "ref")(rowwise(matmul))
kernel("linear", "ref")(rowwise(linear))
