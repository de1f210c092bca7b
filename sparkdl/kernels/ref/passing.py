"""Ops that pass values on."""

from typing import Any

from sparkdl.kernels.table import Array, plain


@plain("stop_gradient", moves=True)
def stop_gradient(op: Any, x: Array) -> Array:
    """x."""
    return x


@plain("custom_gradient", moves=True)
def custom_gradient(op: Any, *ins: Array) -> tuple[Array, ...]:
    """The first inputs."""
    return ins[: op.count]
