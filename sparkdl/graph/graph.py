"""A graph is a list of nodes in the order they were made; a Sym names one output of one. Nothing here holds data,
but for constants."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.spec import Spec, Specs, numpy_dtype
from sparkdl.nd.array import NDArray as Eager
from sparkdl.nd.op import Op
from sparkdl.nd.operators import Operators

Ref = tuple[int, int]  # node, output
RANKS = itertools.count(3)  # of tapes and traces: who was opened later lies inside, and is asked first by `apply`


@dataclass(frozen=True, slots=True)
class Node:
    """One application of an op. `op` is None for an input (`label` is its name) or a constant (`data`)."""

    op: Op | None
    ins: tuple[Ref, ...]
    outs: Specs
    label: str = ""
    data: NDArray[Any] | None = None


@dataclass(eq=False)
class Graph:
    """Nodes in topological order.

    rank:    what `apply` goes by: a trace inside of a tape or of another trace has a higher one
    foreign: makes a symbol of a value that is none of this graph's. By default arrays become constants
    ended:   whether its trace is over: its symbols can no longer be used
    """

    nodes: list[Node] = field(default_factory=list)
    outputs: dict[str, Ref] = field(default_factory=dict)
    scope: str = ""  # written as the label of new nodes: the layer being traced
    rank: int = 2
    foreign: "Callable[[Any], Sym] | None" = None
    ended: bool = False

    def input(self, label: str, spec: Spec) -> "Sym":
        """A value given at run time."""
        return self.push(Node(None, (), (spec,), label))[0]

    def constant(self, value: Any) -> "Sym":
        """A value that is part of the graph."""
        data = np.array(value, order="C")
        return self.push(Node(None, (), (Spec(data.shape, data.dtype.name),), "const", data))[0]

    def take(self, value: Any) -> "Sym":
        """A value as a symbol of this graph. Raises TypeError for a symbol of another one that cannot be had here."""
        if isinstance(value, Sym) and value.graph is self:
            return value
        if self.foreign is not None:
            return self.foreign(value)
        if isinstance(value, Eager):
            return self.constant(value.numpy())
        raise TypeError(f"{value!r} belongs to another trace: give it to the traced function as an argument.")

    def push(self, node: Node) -> tuple["Sym", ...]:
        """Append a node; its outputs as symbols."""
        self.nodes.append(node)
        return tuple(Sym(self, (len(self.nodes) - 1, k)) for k in range(len(node.outs)))

    def spec(self, ref: Ref) -> Spec:
        """What is known of a value."""
        return self.nodes[ref[0]].outs[ref[1]]

    def sym(self, ref: Ref) -> "Sym":
        """The symbol of a value."""
        return Sym(self, ref)

    def inputs(self) -> dict[str, int]:
        """Input nodes by label."""
        return {n.label: k for k, n in enumerate(self.nodes) if n.op is None and n.data is None}


class Traced(Operators):
    """Mixin of what stands for an array in a function that is traced or differentiated."""

    def item(self) -> Any:
        """The number, where it is known. Raises TypeError where it is not."""
        return self._number("item")

    def tolist(self) -> Any:
        """The number, where it is known and the only one."""
        return self._number("tolist")

    def numpy(self) -> Any:
        """Raises TypeError: there is no array to be had."""
        return self._number("numpy")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self._number("numpy")


@dataclass(frozen=True, eq=False)
class Sym(Traced):
    """A value that will exist: `graph` and where in it."""

    graph: Graph
    ref: Ref

    @property
    def rank(self) -> int:
        """Its graph's."""
        return self.graph.rank

    @property
    def spec(self) -> Spec:  # type: ignore[override]
        """Shape and dtype."""
        return self.graph.spec(self.ref)

    def run(self, op: Op, ins: tuple[Any, ...]) -> tuple["Sym", ...]:
        """Add `op` to the graph. Arrays and numbers among `ins` become constants.

        Raises TypeError when the trace that made this symbol is over.
        """
        if self.graph.ended:
            raise TypeError(
                f"{op.name}: {self!r} was made while a function was traced, and cannot be used after that. A traced "
                "function gives its results by returning them."
            )
        refs = tuple(self._lift(v).ref for v in ins)
        outs = op.specs(tuple(self.graph.spec(r) for r in refs))
        return self.graph.push(Node(op, refs, outs, self.graph.scope))

    def _lift(self, value: Any) -> "Sym":
        if hasattr(value, "spec"):
            return self.graph.take(value)
        known = isinstance(value, np.ndarray | np.generic)
        return self.graph.constant(value if known else np.asarray(value, numpy_dtype(self.spec.dtype)))

    def _number(self, kind: str) -> Any:
        raise TypeError(f"{kind}: {self!r} has no value while the function is traced. {_INSTEAD.get(kind, _ANY)}")

    def __repr__(self) -> str:
        return f"%{self.ref[0]}.{self.ref[1]}:{self.spec}"


_INSTEAD = {
    "bool": "Instead of `if` take nd.where or sparkdl.cond, instead of `while` sparkdl.while_loop, and nd.logical_and "
    "for `and`.",
    "index": "Take nd.take for an index, sparkdl.scan or sparkdl.while_loop for `range`, or make the argument static.",
    "numpy": "Take functions of sparkdl.nd instead of NumPy's.",
}
_ANY = "Compute with the array itself, or return it and look at it outside."
