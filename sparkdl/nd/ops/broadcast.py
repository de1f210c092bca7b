"""What elementwise ops share: broadcasting like NumPy, and the three kinds of them.

Programs never call elementwise ops one by one: `compile/loops.py` writes chains of them as one loop.
"""

from typing import Any, ClassVar

from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import KINDS, Spec
from sparkdl.nd.op import Op
from sparkdl.nd.ops.reduce import unbroadcast


def broadcast(who: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape. Raises ShapeError naming all of them.

    >>> broadcast("add", (3, 1), (4,))
    (3, 4)
    """
    ndim = max(map(len, shapes))
    padded = [(1,) * (ndim - len(s)) + s for s in shapes]
    out = tuple(next((n for n in column if n != 1), 1) for column in zip(*padded, strict=True))
    if any(n not in (1, m) for s in padded for n, m in zip(s, out, strict=True)):
        raise ShapeError(f"{who}: shapes must broadcast. Got {' and '.join(map(str, shapes))}.")
    return out


def check_kind(who: str, kind: str, x: Spec) -> Spec:
    """`x`. Raises DTypeError unless its dtype is of that kind, a key of KINDS."""
    if x.dtype not in KINDS[kind]:
        raise DTypeError(f"{who}: dtype must be {_article(kind)}. Got {x}; cast it first.")
    return x


def floating(who: str, x: Spec) -> Spec:
    """`x`. Raises DTypeError unless its dtype is a float of NumPy's."""
    return check_kind(who, "real floating", x)


def same_dtype(who: str, ins: tuple[Spec, ...]) -> str:
    """The one dtype of `ins`. Raises DTypeError when they differ."""
    if len({s.dtype for s in ins}) != 1:
        raise DTypeError(f"{who}: dtypes must agree. Got {' and '.join(map(str, ins))}; cast one.")
    return ins[0].dtype


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'ai' else 'a'} {kind}"


class Unary(Op):
    """One input of the kind `takes`; `slope(y, x)` is dy/dx."""

    takes: ClassVar[str] = "floating"

    def infer(self, *ins: Spec) -> Spec:
        return check_kind(self.name, self.takes, ins[0])

    def slope(self, y: Any, x: Any) -> Any:
        raise TypeError(f"{self.name} has no gradient")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (grads[0] * self.slope(outs[0], ins[0]),)


class Flat(Unary):
    """A function that is constant almost everywhere: no gradient flows."""

    takes: ClassVar[str] = "real numeric"

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None,)


class Test(Flat):
    """A question asked of each element."""

    takes: ClassVar[str] = "numeric"

    def infer(self, *ins: Spec) -> Spec:
        return Spec(check_kind(self.name, self.takes, ins[0]).shape, "bool")


class Binary(Op):
    """Two inputs of one dtype of the kind `takes`; `parts(g, y, a, b)` are the gradients before un-broadcasting."""

    takes: ClassVar[str] = "numeric"

    def infer(self, *ins: Spec) -> Spec:
        dtype = same_dtype(self.name, ins)
        check_kind(self.name, self.takes, ins[0])
        return Spec(broadcast(self.name, ins[0].shape, ins[1].shape), dtype)

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        raise TypeError(f"{self.name} has no gradient")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        da, db = self.parts(grads[0], outs[0], *ins)
        return unbroadcast(da, ins[0].spec), unbroadcast(db, ins[1].spec)


class Integral(Binary):
    """Two inputs of one integer dtype, or bools; no gradient flows."""

    takes: ClassVar[str] = "integer or bool"

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None, None)


class Compare(Op):
    """Two inputs of one dtype to bool; no gradient flows."""

    takes: ClassVar[str] = "any"

    def infer(self, *ins: Spec) -> Spec:
        same_dtype(self.name, ins)
        check_kind(self.name, self.takes, ins[0])
        return Spec(broadcast(self.name, ins[0].shape, ins[1].shape), "bool")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None, None)
