"""Discrete Fourier transforms along one axis. A norm says which direction is divided by the length: "forward",
"backward", or both by its square root, "ortho". The matrix of a transform is symmetric, so its gradient is itself."""

from typing import Any

import numpy as np

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import COMPLEX_OF, REAL_OF, Spec
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.broadcast import check_kind
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.complexes import conj
from sparkdl.nd.ops.matrices import weighted

OPPOSITE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def _length(who: str, x: Spec, axis: int) -> int:
    if x.shape[axis] == 0:
        raise ShapeError(f"{who}: axis {axis} must hold one element or more. Got {x}.")
    return x.shape[axis]


def _resized(x: Spec, axis: int, n: int, dtype: str) -> Spec:
    return Spec((*x.shape[:axis], n, *x.shape[axis + 1 :]), dtype)


@op("fft")
class Fft(Op):
    """y_k = sum of x_j exp(-2 pi i j k / n) over j, exp(+...) where `inverse`."""

    axis: int
    inverse: bool = False
    norm: str = "backward"

    def infer(self, *ins: Spec) -> Spec:
        _length(self.name, ins[0], self.axis)
        return check_kind(self.name, "complex floating", ins[0])

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (apply(self, grads[0]),)


@op("rfft")
class Rfft(Op):
    """The first n // 2 + 1 of n terms of a real signal's transform; the others are their conjugates."""

    axis: int
    norm: str = "backward"

    def infer(self, *ins: Spec) -> Spec:
        x = check_kind(self.name, "real floating", ins[0])
        return _resized(x, self.axis, _length(self.name, x, self.axis) // 2 + 1, COMPLEX_OF[x.dtype])

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        n, ndim = ins[0].spec.shape[self.axis], len(ins[0].spec.shape)
        half = weighted(conj(grads[0]), 1 / _times(n, self.axis, ndim))
        return (cast(apply(Irfft(self.axis, n, OPPOSITE[self.norm]), half), ins[0].spec.dtype),)


@op("irfft")
class Irfft(Op):
    """The real signal of `n` elements whose transform starts with the n // 2 + 1 given terms."""

    axis: int
    n: int
    norm: str = "backward"

    def infer(self, *ins: Spec) -> Spec:
        x = check_kind(self.name, "complex floating", ins[0])
        if self.n < 1 or x.shape[self.axis] != self.n // 2 + 1:
            raise ShapeError(f"{self.name}: n must be >= 1, and axis {self.axis} n // 2 + 1. Got n={self.n} and {x}.")
        return _resized(x, self.axis, self.n, REAL_OF[x.dtype])

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        half = conj(apply(Rfft(self.axis, OPPOSITE[self.norm]), grads[0]))
        return (weighted(half, _times(self.n, self.axis, len(ins[0].spec.shape))),)


def _times(n: int, axis: int, ndim: int) -> Any:
    """How often each of the n // 2 + 1 terms stands among n: twice, but for the constant and the fastest."""
    times = np.full(n // 2 + 1, 2.0)
    times[0] = 1.0
    if n % 2 == 0:
        times[-1] = 1.0
    return times.reshape((-1,) + (1,) * (ndim - axis - 1))
