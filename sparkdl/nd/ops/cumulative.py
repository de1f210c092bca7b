"""Sums and products of all elements up to each, along an axis."""

from typing import Any

import numpy as np

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec, numpy_dtype
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.broadcast import check_kind, same_dtype
from sparkdl.nd.ops.shape import Concat, PadAxis, slice_axis


@op("cumulative_sum")
class CumulativeSum(Op):
    """y[k] = x[0] + ... + x[k] along `axis`.

    reverse: y[k] = x[k] + ... + x[N - 1]
    """

    axis: int
    reverse: bool = False

    def infer(self, *ins: Spec) -> Spec:
        return check_kind(self.name, "numeric", ins[0])

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (apply(CumulativeSum(self.axis, not self.reverse), grads[0]),)


@op("cumulative_prod")
class CumulativeProd(Op):
    """y[k] = x[0] ... x[k] along `axis`.

    dx[k] = y[k - 1] s[k], where s[k] = g[k] + x[k + 1] s[k + 1]: nothing is divided, so zeros do no harm.
    """

    axis: int

    def infer(self, *ins: Spec) -> Spec:
        return check_kind(self.name, "numeric", ins[0])

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (apply(Recurrence(self.axis, True), grads[0], ins[0]) * _before(outs[0], self.axis, 1),)


@op("recurrence")
class Recurrence(Op):
    """y[k] = b[k] + a[k] y[k - 1] along `axis`, y[0] = b[0].

    reverse: y[k] = b[k] + a[k + 1] y[k + 1], the last being b's: each is the other's gradient
    """

    axis: int
    reverse: bool = False

    def infer(self, *ins: Spec) -> Spec:
        b, a = ins
        if a.shape != b.shape:
            raise ShapeError(f"recurrence: b and a must have one shape. Got {b} and {a}.")
        same_dtype(self.name, ins)
        return check_kind(self.name, "floating", b)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (g,), (y,), (_, a) = grads, outs, ins
        db = apply(Recurrence(self.axis, not self.reverse), g, a)
        if self.reverse:
            return db, _before(db, self.axis, 0) * y
        return db, db * _before(y, self.axis, 0)


def _before(x: Any, axis: int, first: int) -> Any:
    """The element before each along `axis`; before the first of all `first`, 0 or 1."""
    n = x.spec.shape[axis]
    if n == 0:
        return x
    rest = slice_axis(x, axis, 0, n - 1)
    if first == 0:
        return apply(PadAxis(axis, 1, n), rest)
    shape = (*x.spec.shape[:axis], 1, *x.spec.shape[axis + 1 :])
    return apply(Concat(axis), np.ones(shape, numpy_dtype(x.spec.dtype)), rest)
