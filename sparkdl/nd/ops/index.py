"""Indexing as NumPy does it: items of an array by ints, slices, new axes and arrays of ints.

A key is a tuple of an entry for each axis, and one for each new axis: an int >= 0; `Span`; None, a new axis; ARRAY, an
array of ints that comes as an input of the op, in order. GAP is an ellipsis that stands for no axis: it parts arrays.
"""

import math
from dataclasses import dataclass
from typing import Any

from sparkdl.base.errors import DTypeError
from sparkdl.base.spec import KINDS, Spec
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.broadcast import broadcast

ARRAY, GAP = "array", "..."


@dataclass(frozen=True)
class Span:
    """Items `start`, start + step, ..., `count` of them."""

    start: int
    count: int
    step: int


Key = tuple[int | Span | str | None, ...]


def indexed(key: Key, arrays: tuple[Spec, ...]) -> tuple[int, ...]:
    """The shape of what a key finds. Axes of arrays come where the first stands, in front if others part them."""
    found: list[int] = []
    at: list[int] = []
    for entry in key:
        if entry == ARRAY:
            at.append(len(found))
        elif isinstance(entry, Span):
            found.append(entry.count)
        elif entry is None:
            found.append(1)
    if not arrays:
        return tuple(found)
    where = at[0] if _together(key) else 0
    return (*found[:where], *broadcast("indexing", *(a.shape for a in arrays)), *found[where:])


def _together(key: Key) -> bool:
    """Whether the arrays, and ints among them, follow one another."""
    picks = [k for k, entry in enumerate(key) if entry == ARRAY or isinstance(entry, int)]
    return picks == list(range(picks[0], picks[-1] + 1))


def check_arrays(who: str, arrays: tuple[Spec, ...]) -> None:
    """Raise DTypeError unless all are ints."""
    for spec in arrays:
        if spec.dtype not in KINDS["integer"]:
            raise DTypeError(f"{who}: indices must be integers. Got {spec}.")


@op("getitem")
class GetItem(Op):
    """y = x[key].   x: (...)   then an array of ints for each ARRAY of the key"""

    key: Key

    def infer(self, *ins: Spec) -> Spec:
        check_arrays(self.name, ins[1:])
        return Spec(indexed(self.key, ins[1:]), ins[0].dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        dx = apply(GetItemGrad(self.key, ins[0].spec.shape), grads[0], *ins[1:])
        return (dx, *(None for _ in ins[1:]))


@op("getitem_grad")
class GetItemGrad(Op):
    """Zeros of `shape` with g added at the key: what is picked twice gets both."""

    key: Key
    shape: tuple[int, ...]

    def infer(self, *ins: Spec) -> Spec:
        check_arrays(self.name, ins[1:])
        return Spec(self.shape, ins[0].dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (apply(GetItem(self.key), grads[0], *ins[1:]), *(None for _ in ins[1:]))


@op("setitem")
class SetItem(Op):
    """x with v at the key.   x: (...)   v: the shape of x[key]   then the arrays of the key, no item picked twice"""

    key: Key

    def infer(self, *ins: Spec) -> Spec:
        check_arrays(self.name, ins[2:])
        return ins[0]

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        g, v, arrays = grads[0], ins[1], ins[2:]
        dv = apply(GetItem(self.key), g, *arrays)
        return (apply(SetItem(self.key), g, v * 0.0, *arrays), dv, *(None for _ in arrays))


def span(index: slice, n: int) -> Span:
    """A slice of an axis of n items."""
    start, stop, step = index.indices(n)
    count = math.ceil((stop - start) / step)
    return Span(start, count, step) if count > 0 else Span(0, 0, 1)
