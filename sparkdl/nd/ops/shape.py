"""Ops that move or rename elements: reshape, transpose, broadcast, concat, slice; view and pack of a flat vector."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op


@op("reshape")
class Reshape(Op):
    """The same elements in C order under another shape; no copy in programs."""

    shape: tuple[int, ...]
    alias: ClassVar[bool] = True

    def infer(self, *ins: Spec) -> Spec:
        if math.prod(self.shape) != ins[0].size:
            raise ShapeError(
                f"reshape: {ins[0]} has {ins[0].size} elements, {self.shape} holds {math.prod(self.shape)}."
            )
        return Spec(self.shape, ins[0].dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (reshape(grads[0], ins[0].spec.shape),)


@op("transpose")
class Transpose(Op):
    """Axes in another order: output axis k is input axis `axes[k]`."""

    axes: tuple[int, ...]

    def infer(self, *ins: Spec) -> Spec:
        if sorted(self.axes) != list(range(len(ins[0].shape))):
            raise ShapeError(f"transpose: axes must be an order of 0 .. {len(ins[0].shape) - 1}. Got {self.axes}.")
        return Spec(tuple(ins[0].shape[a] for a in self.axes), ins[0].dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        back = tuple(self.axes.index(k) for k in range(len(self.axes)))
        return (transpose(grads[0], back),)


@op("broadcast_to")
class BroadcastTo(Op):
    """Repeat along axes of length 1 and new leading axes, as NumPy does."""

    shape: tuple[int, ...]

    def infer(self, *ins: Spec) -> Spec:
        lead = len(self.shape) - len(ins[0].shape)
        pairs = zip(ins[0].shape, self.shape[max(lead, 0) :], strict=False)
        if lead < 0 or any(n not in (1, m) for n, m in pairs):
            raise ShapeError(f"broadcast_to: {ins[0].shape} does not broadcast to {self.shape}.")
        return Spec(self.shape, ins[0].dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        from sparkdl.nd.ops.reduce import unbroadcast

        return (unbroadcast(grads[0], ins[0].spec),)


@op("concat")
class Concat(Op):
    """Arrays one after another along `axis`."""

    axis: int

    def infer(self, *ins: Spec) -> Spec:
        rest = {(s.shape[: self.axis], s.shape[self.axis + 1 :], s.dtype) for s in ins}
        if len(rest) != 1:
            raise ShapeError(f"concat: all must agree but on axis {self.axis}. Got {', '.join(map(str, ins))}.")
        total = sum(s.shape[self.axis] for s in ins)
        return Spec((*ins[0].shape[: self.axis], total, *ins[0].shape[self.axis + 1 :]), ins[0].dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        parts, at = [], 0
        for x in ins:
            n = x.spec.shape[self.axis]
            parts.append(slice_axis(grads[0], self.axis, at, at + n))
            at += n
        return tuple(parts)


@op("slice_axis")
class SliceAxis(Op):
    """x[..., start:stop, ...] along `axis`."""

    axis: int
    start: int
    stop: int

    def infer(self, *ins: Spec) -> Spec:
        n = ins[0].shape[self.axis]
        if not 0 <= self.start <= self.stop <= n:
            raise ShapeError(
                f"slice_axis: {self.start}:{self.stop} must lie within 0:{n} of axis {self.axis} of {ins[0]}."
            )
        shape = (*ins[0].shape[: self.axis], self.stop - self.start, *ins[0].shape[self.axis + 1 :])
        return Spec(shape, ins[0].dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (apply(PadAxis(self.axis, self.start, ins[0].spec.shape[self.axis]), grads[0]),)


@op("pad_axis")
class PadAxis(Op):
    """Zeros around x along `axis`: x starts at `start` of a total length `size`. The gradient of a slice."""

    axis: int
    start: int
    size: int

    def infer(self, *ins: Spec) -> Spec:
        return Spec((*ins[0].shape[: self.axis], self.size, *ins[0].shape[self.axis + 1 :]), ins[0].dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        stop = self.start + ins[0].spec.shape[self.axis]
        return (slice_axis(grads[0], self.axis, self.start, stop),)


@op("view")
class View(Op):
    """A tensor inside a flat vector, from element `offset` on; no copy in programs."""

    offset: int
    shape: tuple[int, ...]
    alias: ClassVar[bool] = True

    def infer(self, *ins: Spec) -> Spec:
        if len(ins[0].shape) != 1 or self.offset + math.prod(self.shape) > ins[0].size:
            raise ShapeError(f"view: {self.shape} at {self.offset} must lie within a flat vector. Got {ins[0]}.")
        return Spec(self.shape, ins[0].dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (pack((grads[0],), (self.offset,), ins[0].spec.size),)


@op("pack")
class Pack(Op):
    """Tensors laid into a flat vector of zeros, each from its offset on: the opposite of `view`.

    In programs the tensors are computed in place, so that packing costs nothing.
    """

    offsets: tuple[int, ...]
    size: int

    def infer(self, *ins: Spec) -> Spec:
        ends = [o + s.size for o, s in zip(self.offsets, ins, strict=True)]
        if any(e > n for e, n in zip(ends, (*self.offsets[1:], self.size), strict=True)):
            raise ShapeError(f"pack: parts must follow one another within {self.size} elements. Got ends {ends}.")
        return Spec((self.size,), ins[0].dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return tuple(view(grads[0], o, x.spec.shape) for o, x in zip(self.offsets, ins, strict=True))


def reshape(x: Any, shape: Sequence[int]) -> Any:
    """`x` under another shape; one length may be -1.

    >>> from sparkdl.nd.array import NDArray
    >>> reshape(NDArray([[1.0, 2.0], [3.0, 4.0]]), (-1,)).shape
    (4,)
    """
    known = math.prod(n for n in shape if n != -1)
    full = tuple(x.spec.size // max(known, 1) if n == -1 else n for n in shape)
    return x if full == x.spec.shape else apply(Reshape(full), x)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """`x` with its axes in another order; reversed by default."""
    return apply(Transpose(tuple(axes if axes is not None else reversed(range(len(x.spec.shape))))), x)


def broadcast_to(x: Any, shape: Sequence[int]) -> Any:
    """`x` repeated to `shape`."""
    return x if x.spec.shape == tuple(shape) else apply(BroadcastTo(tuple(shape)), x)


def concat(xs: Sequence[Any], axis: int = -1) -> Any:
    """Arrays one after another along `axis`."""
    return apply(Concat(axis % len(xs[0].spec.shape)), *xs)


def slice_axis(x: Any, axis: int, start: int, stop: int) -> Any:
    """x[start:stop] along `axis`."""
    return apply(SliceAxis(axis % len(x.spec.shape), start, stop), x)


def view(flat: Any, offset: int, shape: tuple[int, ...]) -> Any:
    """A tensor inside a flat vector."""
    return apply(View(offset, shape), flat)


def pack(parts: Sequence[Any], offsets: Sequence[int], size: int) -> Any:
    """Tensors laid into a flat vector of zeros."""
    return apply(Pack(tuple(offsets), size), *parts)
