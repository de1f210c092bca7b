"""Complex numbers and their parts.

A gradient of a real loss in z = x + iy is d/dx - i d/dy, as in JAX: then gradients of functions of z need no
conjugation, and a step downhill is `z - rate * conj(gradient)`.
"""

from typing import Any, ClassVar

from sparkdl.base.spec import COMPLEX, COMPLEX_OF, REAL_OF, Spec
from sparkdl.nd.op import apply, op
from sparkdl.nd.ops.broadcast import Binary, Unary, check_kind
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.reduce import unbroadcast


@op("conj")
class Conj(Unary):
    """x - iy."""

    takes: ClassVar[str] = "complex floating"

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (conj(grads[0]),)


class Part(Unary):
    """A real part of complex numbers."""

    takes: ClassVar[str] = "complex floating"

    def infer(self, *ins: Spec) -> Spec:
        return Spec(ins[0].shape, REAL_OF[check_kind(self.name, self.takes, ins[0]).dtype])


@op("real")
class Real(Part):
    """x of x + iy."""

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (cast(grads[0], ins[0].spec.dtype),)


@op("imag")
class Imag(Part):
    """y of x + iy."""

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (cast(grads[0], ins[0].spec.dtype) * -1j,)


@op("complex")
class Complex(Binary):
    """a + ib of two reals."""

    takes: ClassVar[str] = "real floating"

    def infer(self, *ins: Spec) -> Spec:
        out = super().infer(*ins)
        return Spec(out.shape, COMPLEX_OF[out.dtype])

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        g = grads[0]
        parts = real(g), real(g * 1j)
        return tuple(unbroadcast(cast(p, x.spec.dtype), x.spec) for p, x in zip(parts, ins, strict=True))


def conj(x: Any) -> Any:
    """x - iy; a real number itself."""
    return apply(Conj(), x) if x.spec.dtype in COMPLEX else x


def real(x: Any) -> Any:
    """x of x + iy; a real number itself."""
    return apply(Real(), x) if x.spec.dtype in COMPLEX else x


def imag(x: Any) -> Any:
    """y of x + iy."""
    return apply(Imag(), x)
