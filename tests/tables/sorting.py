"""Cases of sorting, running sums, items along an axis and counting. Data only; see tests/tables/ops.py."""

from collections.abc import Callable, Iterator
from typing import Any

from sparkdl.nd import cumulative, histograms, quantiles, searching, sorting
from sparkdl.nd.op import apply
from sparkdl.nd.ops.along import TakeAlongGrad
from sparkdl.nd.ops.cumulative import CumulativeSum, Recurrence
from sparkdl.nd.ops.sort import Nth
from tests.tables.case import Arg, Case, Shape

NOT_DIFFERENTIABLE = {"argmin", "argsort", "searchsorted"}
LINES: tuple[tuple[Shape, int], ...] = (
    ((1,), 0), ((7,), 0), ((3, 4), 0), ((3, 4), 1), ((2, 3, 4), 1), ((3, 1), 1), ((0, 3), 1), ((3, 0), 1),
    ((2, 40), -1),
)  # fmt: skip
WHOLE = (("digits", "int32"), ("digits", "uint64"), ("bools", "bool"), ("digits", "bfloat16"))


def _sorts() -> Iterator[Case]:
    for name in ("sort", "argsort"):
        for s, axis in LINES:
            for down in (False, True):
                call = _with(getattr(sorting, name), axis=axis, descending=down)
                said = f"{axis}{' down' if down else ''}"
                yield Case(name, call, (Arg(s),), None if name == "sort" else (), label=said)
                yield Case(name, call, (Arg(s, "digits"),), (), label=f"{said} ties")
        for fill, dtype in WHOLE:
            call = _with(getattr(sorting, name), descending=True)
            yield Case(name, call, (Arg((3, 9), fill, dtype),), (), label=f"of {dtype}")
    for s, places in (
        ((1,), (0,)),
        ((9,), (0, 4, 8)),
        ((3, 4), (1, 2)),
        ((0, 3), (2,)),
        ((2, 3, 5), (0, 4)),
        ((3,), ()),
    ):
        yield Case("nth", _made(Nth(places)), (Arg(s),), label=f"{places}")
        yield Case("nth", _made(Nth(places)), (Arg(s, "digits"),), (), label=f"{places} ties")
    for s, k, axis in (((1,), 1, 0), ((7,), 3, 0), ((3, 40), 2, 1), ((40, 3), 5, 0), ((0, 3), 2, 1), ((3,), 0, 0)):
        yield Case("top_k", _with(sorting.top_k, k, axis), (Arg(s),), label=f"{k} of {axis}")
        yield Case("top_k", _with(sorting.top_k, k, axis), (Arg(s, "digits"),), (), label=f"{k} of {axis} ties")
    for side in ("left", "right"):
        for n, s in ((1, (3,)), (5, ()), (5, (2, 3)), (0, (3,)), (4, (0,))):
            args = (Arg((n,), "ends 3"), Arg(s, "digits"))
            yield Case("searchsorted", _with(sorting.searchsorted, side=side), args, (), label=side)
    for s, axis in (*LINES[:-3], LINES[-1]):
        for fill in ("apart", "digits"):
            call = _with(searching.argmin, axis=axis)
            yield Case("argmin", call, (Arg(s, fill),), (), label=f"{axis} {fill}")
    yield Case("argmin", _with(searching.argmin, axis=1), (Arg((0, 3)),), (), label="of nothing")


def _alongs() -> Iterator[Case]:
    for s, ids, axis in (
        ((1,), (1,), 0), ((5,), (9,), 0), ((3, 4), (3, 2), 1), ((3, 4), (6, 4), 0), ((2, 3, 4), (2, 5, 4), 1),
        ((3, 4), (3, 0), 1), ((3, 0), (3, 0), 1), ((0, 3), (0, 2), 1), ((3, 1), (1, 4), 0),
    ):  # fmt: skip
        at = Arg(ids, f"below {max(s[axis], 1)}", "int32")
        call = _with(searching.take_along_axis, axis=axis)
        yield Case("take_along", call, (Arg(s), at), label=f"{axis}")
        below = lambda x, k, a=axis: searching.take_along_axis(x, k - x.spec.shape[a], axis=a)  # noqa: E731
        yield Case("take_along", below, (Arg(s), at), label=f"{axis} from the end")
        yield Case("take_along_grad", _made(TakeAlongGrad(axis, s[axis])), (Arg(ids), at), label=f"{axis}")
        once = lambda g, x, a=axis, n=ids[axis]: apply(TakeAlongGrad(a, n, True), g, sorting.argsort(x, axis=a))  # noqa: E731
        yield Case("take_along_grad", once, (Arg(ids, "other"), Arg(ids)), label=f"{axis} once")


def _running() -> Iterator[Case]:
    for s, axis in LINES:
        for first in (False, True):
            for name in ("cumulative_sum", "cumulative_prod"):
                call = _with(getattr(cumulative, name), axis=axis, include_initial=first)
                yield Case(name, call, (Arg(s, "normal"),), label=f"{axis}{' with the first' if first else ''}")
        at = axis % len(s)
        yield Case("cumulative_sum", _made(CumulativeSum(at, True)), (Arg(s),), label=f"{axis} backwards")
        zeros = lambda x, a=axis: cumulative.cumulative_prod(x * (x > 0.0), axis=a)  # noqa: E731
        yield Case("cumulative_prod", zeros, (Arg(s),), label=f"{axis} with zeros")
        for back in (False, True):
            both = (Arg(s, "normal"), Arg(s, "unit"))
            said = f"{axis}{' backwards' if back else ''}"
            yield Case("recurrence", _made(Recurrence(at, back)), both, label=said)
    for name in ("cumulative_sum", "cumulative_prod"):
        call = _with(getattr(cumulative, name), axis=0)
        yield Case(name, call, (Arg((5, 2), "digits", "uint8"),), (), label="of uint8")


def _counts() -> Iterator[Case]:
    for n, length, fill in (
        (1, 1, "below 1"),
        (9, 4, "below 4"),
        (9, 4, "around 4"),
        (0, 3, "below 1"),
        (3, 0, "below 2"),
    ):
        ids = Arg((n,), fill, "int64")
        call = _with(histograms.bincount, length=length)
        yield Case("bincount", call, (ids,), (), label=f"{fill} to {length}")
        summed = lambda k, w, to=length: histograms.bincount(k, w, length=to)  # noqa: E731
        yield Case("bincount", summed, (ids, Arg((n,), "normal")), label=f"{fill} to {length}, weights")
    for s, axis in (((1,), None), ((7,), 0), ((3, 4), (0, 1)), ((2, 3, 4), 1)):
        for method in quantiles.METHODS:
            call = _with(quantiles.quantile, [[0.0, 0.3], [0.55, 1.0]], axis, method=method)
            yield Case("nth", call, (Arg(s),), label=f"for quantiles, {method} {axis}")
    edges = [-0.42, 0.0, 0.21]
    binned = lambda x, w: histograms.histogram(x, edges, weights=w)[0]  # noqa: E731
    yield Case("bincount", binned, (Arg((4, 5)), Arg((4, 5), "normal")), (1,), label="of a histogram")


def _with(fn: Callable[..., Any], *rest: Any, **more: Any) -> Callable[..., Any]:
    return lambda *xs: fn(*xs, *rest, **more)


def _made(record: Any) -> Callable[..., Any]:
    return lambda *xs: apply(record, *xs)


CASES: tuple[Case, ...] = (*_sorts(), *_alongs(), *_running(), *_counts())
