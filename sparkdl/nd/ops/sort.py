"""Sorting along an axis, and what rests on it. NaN comes last, whichever way is up; equal ones keep their order."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import COMPLEX, Spec
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.along import TakeAlongGrad
from sparkdl.nd.ops.broadcast import same_dtype
from sparkdl.nd.ops.index import ARRAY, GetItem, Span


def ordered(who: str, x: Spec) -> Spec:
    """`x`. Raises DTypeError for complex numbers, of which none is the larger."""
    if x.dtype in COMPLEX:
        raise DTypeError(f"{who}: complex numbers have no order. Got {x}; take nd.real or nd.abs of it.")
    return x


@dataclass(frozen=True)
class InOrder(Op):
    """Something about the lines along `axis`, sorted."""

    axis: int
    descending: bool = False


@op("sort")
class Sort(InOrder):
    """The lines along `axis`, sorted."""

    def infer(self, *ins: Spec) -> Spec:
        return ordered(self.name, ins[0])

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        order = apply(ArgSort(self.axis, self.descending), ins[0])
        return (apply(TakeAlongGrad(self.axis, ins[0].spec.shape[self.axis], True), grads[0], order),)


@op("argsort")
class ArgSort(InOrder):
    """The indices that sort the lines along `axis`; int64."""

    def infer(self, *ins: Spec) -> Spec:
        return Spec(ordered(self.name, ins[0]).shape, "int64")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None,)


@op("nth")
class Nth(Op):
    """What stands at `places`, rising, of the lines along the last axis once sorted: sort(x)[..., places]."""

    places: tuple[int, ...]

    def infer(self, *ins: Spec) -> Spec:
        x = ordered(self.name, ins[0])
        n = x.shape[-1]
        if any(not a < b for a, b in pairwise((-1, *self.places, n))):
            raise ShapeError(f"nth: places must rise within 0 .. {n - 1}, the last axis of {x}. Got {self.places}.")
        return Spec((*x.shape[:-1], len(self.places)), x.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        *lead, n = ins[0].spec.shape
        order = apply(ArgSort(len(lead)), ins[0])
        at = apply(GetItem((*(Span(0, m, 1) for m in lead), ARRAY)), order, np.array(self.places, np.int64))
        return (apply(TakeAlongGrad(len(lead), n, True), grads[0], at),)


@op("top_k")
class TopK(Op):
    """The k largest along `axis`, the largest first, and their indices; of equal ones the first."""

    k: int
    axis: int

    def infer(self, *ins: Spec) -> tuple[Spec, Spec]:
        x = ordered(self.name, ins[0])
        n = x.shape[self.axis]
        if not 0 <= self.k <= n:
            raise ShapeError(f"top_k: k must be within 0 .. {n}, the length of axis {self.axis} of {x}. Got {self.k}.")
        shape = (*x.shape[: self.axis], self.k, *x.shape[self.axis + 1 :])
        return Spec(shape, x.dtype), Spec(shape, "int64")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        if grads[0] is None:
            return (None,)
        return (apply(TakeAlongGrad(self.axis, ins[0].spec.shape[self.axis], True), grads[0], outs[1]),)


@op("searchsorted")
class SearchSorted(Op):
    """Where values belong in a sorted line: before its equals, or behind them.   line: (N,)   values: any   int64

    right: behind
    """

    right: bool = False

    def infer(self, *ins: Spec) -> Spec:
        line, values = ins
        same_dtype(self.name, ins)
        ordered(self.name, line)
        if len(line.shape) != 1:
            raise ShapeError(f"searchsorted: what is searched must have one axis. Got {line}.")
        return Spec(values.shape, "int64")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None, None)
