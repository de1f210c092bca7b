"""What elementwise ops share: broadcasting like NumPy, and the three kinds of them.

Programs never call elementwise ops one by one: `compile/loops.py` writes chains of them as one loop.
"""

from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
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


def floating(who: str, x: Spec) -> Spec:
    """`x`. Raises ShapeError unless its dtype is a float."""
    if not x.dtype.startswith("float"):
        raise ShapeError(f"{who}: dtype must be a float. Got {x}; cast it first.")
    return x


def same_dtype(who: str, ins: tuple[Spec, ...]) -> str:
    """The one dtype of `ins`. Raises ShapeError when they differ."""
    if len({s.dtype for s in ins}) != 1:
        raise ShapeError(f"{who}: dtypes must agree. Got {' and '.join(map(str, ins))}; cast one.")
    return ins[0].dtype


class Unary(Op):
    """One float input; `slope(y, x)` is dy/dx."""

    def infer(self, *ins: Spec) -> Spec:
        return floating(self.name, ins[0])

    def slope(self, y: Any, x: Any) -> Any:
        raise TypeError(f"{self.name} has no gradient")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (grads[0] * self.slope(outs[0], ins[0]),)


class Binary(Op):
    """Two inputs of one dtype; `parts(g, y, a, b)` are the gradients before un-broadcasting."""

    def infer(self, *ins: Spec) -> Spec:
        return Spec(broadcast(self.name, ins[0].shape, ins[1].shape), same_dtype(self.name, ins))

    def parts(self, g: Any, y: Any, a: Any, b: Any) -> tuple[Any, Any]:
        raise TypeError(f"{self.name} has no gradient")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        da, db = self.parts(grads[0], outs[0], *ins)
        return unbroadcast(da, ins[0].spec), unbroadcast(db, ins[1].spec)


class Compare(Op):
    """Two inputs of one dtype to bool; no gradient flows."""

    def infer(self, *ins: Spec) -> Spec:
        same_dtype(self.name, ins)
        return Spec(broadcast(self.name, ins[0].shape, ins[1].shape), "bool")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None, None)
