"""Reductions over axes, and the sum that undoes broadcasting."""

from dataclasses import dataclass
from typing import Any

from sparkdl.base.errors import AxisError, DTypeError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op


def axes_of(axis: int | tuple[int, ...] | None, ndim: int, who: str) -> tuple[int, ...]:
    """Sorted non-negative axes. Raises ShapeError when one is outside or given twice."""
    if axis is None:
        return tuple(range(ndim))
    given = (axis,) if isinstance(axis, int) else axis
    if any(not -ndim <= a < ndim for a in given) or len({a % ndim for a in given}) != len(given):
        raise AxisError(f"{who}: axis must be distinct and within {-ndim} .. {ndim - 1}. Got {axis}.")
    return tuple(sorted(a % ndim for a in given))


def reduced(x: Spec, axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    """The shape after reducing `axes`."""
    if keepdims:
        return tuple(1 if k in axes else n for k, n in enumerate(x.shape))
    return tuple(n for k, n in enumerate(x.shape) if k not in axes)


def _nonempty(who: str, x: Spec, axes: tuple[int, ...]) -> None:
    if any(x.shape[a] == 0 for a in axes):
        raise ShapeError(f"{who}: the reduced axes must not be empty. Got {x} over axes {axes}.")


@op("sum")
class Sum(Op):
    """Sum over `axes`."""

    axes: tuple[int, ...]
    keepdims: bool = False

    def infer(self, *ins: Spec) -> Spec:
        return Spec(reduced(ins[0], self.axes, self.keepdims), ins[0].dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (_spread(grads[0], ins[0].spec, self.axes),)


@dataclass(frozen=True)
class Extreme(Op):
    """The most of a kind over `axes`; NaN wins. Equal ones share the gradient evenly."""

    axes: tuple[int, ...]
    keepdims: bool = False

    def infer(self, *ins: Spec) -> Spec:
        _nonempty(self.name, ins[0], self.axes)
        return Spec(reduced(ins[0], self.axes, self.keepdims), ins[0].dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (_to_extremes(grads[0], outs[0], ins[0], self.axes),)


@op("max")
class Max(Extreme):
    """Maximum over `axes`."""


@op("min")
class Min(Extreme):
    """Minimum over `axes`."""


@op("prod")
class Prod(Op):
    """Product over `axes`."""

    axes: tuple[int, ...]
    keepdims: bool = False

    def infer(self, *ins: Spec) -> Spec:
        return Spec(reduced(ins[0], self.axes, self.keepdims), ins[0].dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        from sparkdl.nd.ops.choice import cast, equal, where

        (g,), (y,), (x,) = grads, outs, ins
        zero = equal(x, 0.0)
        one = where(zero, 1.0, x)
        rest = apply(Prod(self.axes, True), one)  # of the others, where just one is 0
        zeros = sum(cast(zero, x.spec.dtype), self.axes, keepdims=True)
        alone = where(equal(zeros, 1.0), rest, 0.0)
        slope = where(zero, alone, _spread(y, x.spec, self.axes) / one)
        return (_spread(g, x.spec, self.axes) * slope,)


@dataclass(frozen=True)
class Judged(Op):
    """A question about all bools over `axes`; no gradient flows."""

    axes: tuple[int, ...]
    keepdims: bool = False

    def infer(self, *ins: Spec) -> Spec:
        if ins[0].dtype != "bool":
            raise DTypeError(f"{self.name}: dtype must be bool. Got {ins[0]}.")
        return Spec(reduced(ins[0], self.axes, self.keepdims), "bool")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None,)


@op("all")
class All(Judged):
    """Whether all are true."""


@op("any")
class AnyOf(Judged):
    """Whether one is true."""


@dataclass(frozen=True)
class ArgExtreme(Op):
    """Index of the first extreme along one axis, of the first NaN where there is one; int64."""

    axis: int

    def infer(self, *ins: Spec) -> Spec:
        _nonempty(self.name, ins[0], (self.axis,))
        return Spec(reduced(ins[0], (self.axis,), False), "int64")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None,)


@op("argmax")
class ArgMax(ArgExtreme):
    """Index of the first maximum along one axis; int64."""


@op("argmin")
class ArgMin(ArgExtreme):
    """Index of the first minimum along one axis; int64."""


def sum(x: Any, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:  # noqa: A001
    """Sum over `axis` (all by default).

    >>> from sparkdl.nd.array import NDArray
    >>> sum(NDArray([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    NDArray([4., 6.], dtype=float32, device=cpu)
    """
    return apply(Sum(axes_of(axis, len(x.spec.shape), "sum"), keepdims), x)


def max(x: Any, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:  # noqa: A001
    """Maximum over `axis` (all by default). Raises ShapeError over an empty axis."""
    return apply(Max(axes_of(axis, len(x.spec.shape), "max"), keepdims), x)


def min(x: Any, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:  # noqa: A001
    """Minimum over `axis` (all by default). Raises ShapeError over an empty axis."""
    return apply(Min(axes_of(axis, len(x.spec.shape), "min"), keepdims), x)


def mean(x: Any, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
    """Arithmetic mean over `axis` (all by default)."""
    axes = axes_of(axis, len(x.spec.shape), "mean")
    _nonempty("mean", x.spec, axes)
    count = 1
    for a in axes:
        count *= x.spec.shape[a]
    return sum(x, axis, keepdims) / float(count)


def argmax(x: Any, axis: int = -1) -> Any:
    """Index of the first maximum along `axis`, int64."""
    return apply(ArgMax(axes_of(axis, len(x.spec.shape), "argmax")[0]), x)


def unbroadcast(g: Any, spec: Spec) -> Any:
    """Sum a gradient over the axes along which an operand of `spec` was broadcast."""
    if g.spec.shape == spec.shape:
        return g
    from sparkdl.nd.ops.shape import reshape

    lead = len(g.spec.shape) - len(spec.shape)
    stretched = tuple(lead + k for k, n in enumerate(spec.shape) if n == 1 and g.spec.shape[lead + k] != 1)
    axes = (*range(lead), *stretched)
    return reshape(sum(g, axes) if axes else g, spec.shape)


def _spread(g: Any, spec: Spec, axes: tuple[int, ...]) -> Any:
    from sparkdl.nd.ops.shape import broadcast_to, reshape

    return broadcast_to(reshape(g, reduced(spec, axes, True)), spec.shape)


def _to_extremes(g: Any, out: Any, x: Any, axes: tuple[int, ...]) -> Any:
    from sparkdl.nd.ops.choice import cast, equal

    hit = cast(equal(x, _spread(out, x.spec, axes)), x.spec.dtype)
    return hit * _spread(g, x.spec, axes) / sum(hit, axes, keepdims=True)
