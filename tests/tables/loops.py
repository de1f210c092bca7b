"""Loops, branches, and ops that pass values on, as cases."""

from collections.abc import Iterator
from typing import Any

import sparkdl
from sparkdl import nd
from sparkdl.nd.op import apply
from sparkdl.nd.ops.passing import StopGradient
from tests.tables.case import Arg, Case

NO_GRADIENT = {"while": "how many steps it takes is not known when its gradient is written"}
NOT_DIFFERENTIABLE: set[str] = set()
NEVER_EMPTY: set[str] = set()


def decay(h: Any, xs: Any, w: Any) -> Any:
    """A loop with a carry, rows in and out, and a value of outside."""
    return sparkdl.scan(lambda c, x: (nd.tanh(c * w + x), c * x), h, xs)


def swap(a: Any, b: Any) -> Any:
    """Carries that are one another's next: a program must not write one over the other first."""
    (a, b), ys = sparkdl.scan(lambda c, _: ((c[1], c[0] * c[1]), c[0]), (a, b), length=5)
    return a, b, ys


def counted(h: Any) -> Any:
    """An integer in the carry, from the last to the first."""
    start = (nd.asarray(0), h)
    (n, h), ys = sparkdl.scan(lambda c, _: ((c[0] + 1, nd.sin(c[1])), c[0]), start, length=3, reverse=True)
    return n, h, ys


def twice(h: Any, xs: Any) -> Any:
    """A loop in a loop."""

    def row(c: Any, x: Any) -> Any:
        inner, _ = sparkdl.scan(lambda d, _: (nd.sin(d + x), None), c, length=2)
        return inner, inner * x

    return sparkdl.scan(row, h, xs)


def branch(pred: Any, x: Any, w: Any) -> Any:
    """Either side uses a value of outside."""
    return sparkdl.cond(pred, lambda x: (nd.sin(x), x * w), lambda x: (x * x, nd.exp(w) + x), x)


def halved(x: Any, least: Any) -> Any:
    """As long as the sum of squares is too large."""
    return sparkdl.while_loop(lambda v: nd.sum(v * v) > least, lambda v: v * 0.5, x)


@sparkdl.custom_gradient
def cubed(x: Any, y: Any) -> Any:
    """Two values, and their gradient by hand."""
    return (x * x * x, x * y), lambda g, h: (g * 3.0 * x * x + h * y, h * x)


def _cases() -> Iterator[Case]:
    for s in ((), (1,), (3,), (0, 2), (2, 3)):
        yield Case("scan", decay, (Arg(s, "normal"), Arg((4, *s), "normal"), Arg(s, "normal")))
        yield Case("scan", swap, (Arg(s, "unit"), Arg(s, "unit")), label="swap")
        yield Case("scan", counted, (Arg(s, "normal"),), label="counted")
        yield Case("scan", twice, (Arg(s, "normal"), Arg((3, *s), "normal")), label="nested")
        yield Case("cond", branch, (Arg((), "bools", "bool"), Arg(s, "normal"), Arg(s, "normal")))
        yield Case("while", halved, (Arg(s, "normal"), Arg((), "positive")), ())
        yield Case("stop_gradient", lambda x, y: apply(StopGradient(), x) * y, (Arg(s), Arg(s)), (1,))
        yield Case("custom_gradient", cubed, (Arg(s, "normal"), Arg(s, "normal")))
    yield Case("scan", decay, (Arg((3,), "normal"), Arg((0, 3), "normal"), Arg((3,), "normal")), label="no steps")
    sides = {"yes": lambda p, x, w: branch(nd.logical_not(p), x, w), "no": branch}
    for said, call in sides.items():
        yield Case("cond", call, (Arg((), "below 1", "bool"), Arg((3,), "normal"), Arg((3,), "normal")), label=said)


CASES = tuple(_cases())
