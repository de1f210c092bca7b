"""Tracing: a function runs once on symbols, and what it does to them is its graph.

A `Body` is a traced function inside of an op: of a loop, or a branch. Values of outside that the function uses become
further inputs of the body, found while it is traced; what depends on them alone is computed outside, once.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sparkdl.base.spec import Specs
from sparkdl.graph.graph import RANKS, Graph, Ref, Sym
from sparkdl.nd import inplace
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.op import apply


class _Here(threading.local):
    depth = 0


_HERE = _Here()


def is_tracing() -> bool:
    """Whether this thread is running a function on symbols."""
    return _HERE.depth > 0


def _refuse(what: str) -> None:
    if is_tracing():
        raise TypeError(
            f"{what} has no place in a function that is traced: it would happen once, not in each call. Make a new "
            "array instead (`x = x + y`, `nd.put(x, key, y)`), give it a key for random numbers, or do it outside."
        )


@contextmanager
def tracing(graph: Graph) -> Iterator[None]:
    """What runs inside is traced into `graph`, whose symbols can be used no more afterwards."""
    if _refuse not in inplace.EFFECTS:
        inplace.EFFECTS.append(_refuse)
    _HERE.depth += 1
    try:
        yield
    finally:
        _HERE.depth -= 1
        graph.ended, graph.foreign = True, None


@dataclass(frozen=True, eq=False)
class Body:
    """A traced function of several values to several; inputs are named by their number. Called, it is run again."""

    graph: Graph
    ins: Specs
    outs: tuple[Ref, ...]

    @property
    def specs(self) -> Specs:
        """Specs of the outputs."""
        return tuple(map(self.graph.spec, self.outs))

    def __call__(self, *values: Any) -> list[Any]:
        """The outputs for these inputs, arrays or what stands for them: each op is applied again."""
        known: dict[Ref, Any] = {}
        for k, node in enumerate(self.graph.nodes):
            if node.op is not None:
                made = apply(node.op, *(known[r] for r in node.ins))
                known.update({(k, o): y for o, y in enumerate(made if isinstance(made, tuple) else (made,))})
            else:
                known[k, 0] = values[int(node.label)] if node.data is None else wrap(node.data)
        return [known[r] for r in self.outs]

    def __repr__(self) -> str:
        return f"<{sum(node.op is not None for node in self.graph.nodes)} ops>"


def body_of(f: Callable[..., Sequence[Any]], specs: Specs) -> tuple[Body, list[Any]]:
    """`f`, a function of values to a list of them, as a body for inputs of these specs; and the values of outside that
    are to be given after them."""
    outside: list[Any] = []
    known: dict[int, Sym] = {}

    def foreign(value: Any) -> Sym:
        if isinstance(value, NDArray) and value.spec.size == 1:
            return graph.constant(value.numpy())  # which can be computed with when the body is compiled
        if id(value) not in known:
            known[id(value)] = graph.input(str(len(specs) + len(outside)), value.spec)
            outside.append(value)
        return known[id(value)]

    graph = Graph(rank=next(RANKS), foreign=foreign)
    given = [graph.input(str(k), spec) for k, spec in enumerate(specs)]
    with tracing(graph):
        outs = tuple(graph.take(y).ref for y in f(*given))
    graph.outputs = {str(k): ref for k, ref in enumerate(outs)}
    return Body(graph, (*specs, *(v.spec for v in outside)), outs), outside
