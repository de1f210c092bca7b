"""Ops on the bits of integers and on bools; how floats lie beside one another."""

from typing import Any, ClassVar

from sparkdl.nd.op import op
from sparkdl.nd.ops.broadcast import Binary, Flat, Integral


@op("bitwise_and")
class BitwiseAnd(Integral):
    """Bits that both have."""


@op("bitwise_or")
class BitwiseOr(Integral):
    """Bits that one has."""


@op("bitwise_xor")
class BitwiseXor(Integral):
    """Bits that just one has."""


@op("bitwise_left_shift")
class BitwiseLeftShift(Integral):
    """a 2^b, the bits above lost."""

    takes: ClassVar[str] = "integer"


@op("bitwise_right_shift")
class BitwiseRightShift(Integral):
    """floor(a / 2^b)."""

    takes: ClassVar[str] = "integer"


@op("bitwise_invert")
class BitwiseInvert(Flat):
    """All bits turned."""

    takes: ClassVar[str] = "integer or bool"


@op("nextafter")
class NextAfter(Binary):
    """The float next to a on the way to b. It moves with a."""

    takes: ClassVar[str] = "real floating"

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        from sparkdl.nd.ops.reduce import unbroadcast

        return (unbroadcast(grads[0], ins[0].spec), None)


@op("copysign")
class CopySign(Binary):
    """|a| with the sign of b."""

    takes: ClassVar[str] = "real floating"

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        from sparkdl.nd.ops.arithmetic import sign
        from sparkdl.nd.ops.reduce import unbroadcast

        return (unbroadcast(grads[0] * sign(outs[0]) * sign(ins[0]), ins[0].spec), None)
