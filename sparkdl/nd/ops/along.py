"""Items picked along an axis by an index for each, and the sum that undoes it."""

from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.index import check_arrays


@op("take_along")
class TakeAlong(Op):
    """y[.., k, ..] = x[.., ids[.., k, ..], ..].   x: (..., N, ...)   ids: ints (..., K, ...)   y: as ids

    The other axes have the same lengths in both. Negative indices count from the end.
    """

    axis: int

    def infer(self, *ins: Spec) -> Spec:
        x, ids = ins
        _check(self.name, self.axis, x, ids)
        return Spec(ids.shape, x.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return apply(TakeAlongGrad(self.axis, ins[0].spec.shape[self.axis]), grads[0], ins[1]), None


@op("take_along_grad")
class TakeAlongGrad(Op):
    """Zeros, `size` of them along `axis`, with g added at the indices.   g, ids: (..., K, ...)   y: (..., size, ...)

    once: no index comes twice in a line, as with orders
    """

    axis: int
    size: int
    once: bool = False

    def infer(self, *ins: Spec) -> Spec:
        g, ids = ins
        check_arrays(self.name, (ids,))
        if g.shape != ids.shape:
            raise ShapeError(f"{self.name}: g and indices must have one shape. Got {g} and {ids}.")
        return Spec((*g.shape[: self.axis], self.size, *g.shape[self.axis + 1 :]), g.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return apply(TakeAlong(self.axis), grads[0], ins[1]), None


def _check(who: str, axis: int, x: Spec, ids: Spec) -> None:
    check_arrays(who, (ids,))
    rest = {(*s.shape[:axis], *s.shape[axis + 1 :]) for s in (x, ids)}
    if len(x.shape) != len(ids.shape) or len(rest) != 1:
        raise ShapeError(f"{who}: x and indices must have the same axes but for axis {axis}. Got {x} and {ids}.")
