"""Elementwise comparison, choice and change of dtype."""

from typing import Any, ClassVar

import numpy as np

from sparkdl.base.errors import DTypeError
from sparkdl.base.spec import COMPLEX, KINDS, Spec, numpy_dtype
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.broadcast import Compare, Test, broadcast, same_dtype
from sparkdl.nd.ops.reduce import unbroadcast


@op("greater")
class Greater(Compare):
    """a > b."""

    takes: ClassVar[str] = "real numeric"


@op("greater_equal")
class GreaterEqual(Compare):
    """a >= b."""

    takes: ClassVar[str] = "real numeric"


@op("less")
class Less(Compare):
    """a < b."""

    takes: ClassVar[str] = "real numeric"


@op("less_equal")
class LessEqual(Compare):
    """a <= b."""

    takes: ClassVar[str] = "real numeric"


@op("equal")
class Equal(Compare):
    """a == b; NaN equals nothing."""


@op("not_equal")
class NotEqual(Compare):
    """a != b."""


@op("logical_and")
class LogicalAnd(Compare):
    """Both, of bools."""

    takes: ClassVar[str] = "bool"


@op("logical_or")
class LogicalOr(Compare):
    """Either, of bools."""

    takes: ClassVar[str] = "bool"


@op("logical_not")
class LogicalNot(Test):
    """Not, of a bool."""

    takes: ClassVar[str] = "bool"


@op("logical_xor")
class LogicalXor(Compare):
    """Just one, of bools."""

    takes: ClassVar[str] = "bool"


@op("isfinite")
class IsFinite(Test):
    """Whether it is neither infinite nor NaN."""


@op("isinf")
class IsInf(Test):
    """Whether it is infinite."""


@op("isnan")
class IsNan(Test):
    """Whether it is NaN."""


@op("signbit")
class SignBit(Test):
    """Whether it is below 0, or -0."""

    takes: ClassVar[str] = "real floating"


@op("where")
class Where(Op):
    """a where the condition holds, else b."""

    def infer(self, *ins: Spec) -> Spec:
        if ins[0].dtype != "bool":
            raise DTypeError(f"where: the condition must be bool. Got {ins[0]}.")
        return Spec(broadcast(self.name, *(s.shape for s in ins)), same_dtype(self.name, ins[1:]))

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        g, condition = grads[0], ins[0]
        return (
            None,
            unbroadcast(where(condition, g, 0.0), ins[1].spec),
            unbroadcast(where(condition, 0.0, g), ins[2].spec),
        )


@op("cast")
class Cast(Op):
    """Another dtype; floats to ints truncate."""

    dtype: str

    def infer(self, *ins: Spec) -> Spec:
        if ins[0].dtype in COMPLEX and self.dtype not in COMPLEX:
            raise DTypeError(f"cast: {ins[0]} does not fit into {self.dtype}. Take nd.real or nd.abs of it.")
        return Spec(ins[0].shape, self.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        dtype = ins[0].spec.dtype
        if dtype not in KINDS["floating"] or grads[0].spec.dtype not in KINDS["floating"]:
            return (None,)
        if dtype not in COMPLEX:
            from sparkdl.nd.ops.complexes import real

            return (cast(real(grads[0]), dtype),)
        return (cast(grads[0], dtype),)


def greater(a: Any, b: Any) -> Any:
    """a > b."""
    return apply(Greater(), a, b)


def greater_equal(a: Any, b: Any) -> Any:
    """a >= b."""
    return apply(GreaterEqual(), a, b)


def less(a: Any, b: Any) -> Any:
    """a < b."""
    return apply(Less(), a, b)


def less_equal(a: Any, b: Any) -> Any:
    """a <= b."""
    return apply(LessEqual(), a, b)


def equal(a: Any, b: Any) -> Any:
    """a == b."""
    return apply(Equal(), a, b)


def not_equal(a: Any, b: Any) -> Any:
    """a != b."""
    return apply(NotEqual(), a, b)


def logical_and(a: Any, b: Any) -> Any:
    """Both."""
    return apply(LogicalAnd(), a, b)


def logical_or(a: Any, b: Any) -> Any:
    """Either."""
    return apply(LogicalOr(), a, b)


def logical_not(x: Any) -> Any:
    """Not."""
    return apply(LogicalNot(), x)


def isnan(x: Any) -> Any:
    """Whether each is NaN."""
    return not_equal(x, x)


def where(condition: Any, a: Any, b: Any) -> Any:
    """a where `condition` holds, else b. One of a, b must be an array; a number takes its dtype."""
    return apply(Where(), condition, _like(a, b), _like(b, a))


def cast(x: Any, dtype: str) -> Any:
    """x with another dtype."""
    return x if x.spec.dtype == dtype else apply(Cast(dtype), x)


def _like(value: Any, other: Any) -> Any:
    """A plain number as a NumPy scalar of the other operand's dtype: beside a bool it would become one."""
    return value if hasattr(value, "spec") else np.asarray(value, numpy_dtype(other.spec.dtype))
