"""What numba kernels do along a line of float32: the loops they share."""

from typing import Any

from sparkdl.kernels.cpu._numba import f4, fast


@fast
def copied(x: Any, y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = x[j]


@fast
def added(x: Any, y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] += x[j]


@fast
def zeroed(y: Any) -> Any:
    for j in range(y.shape[0]):
        y[j] = f4(0.0)


@fast
def total(y: Any) -> Any:
    s = f4(0.0)
    for j in range(y.shape[0]):
        s += y[j]
    return s
