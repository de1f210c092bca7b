"""A graph is a list of nodes in the order they were made; a Sym names one output of one. Nothing here holds data,
but for constants."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.spec import Spec, Specs
from sparkdl.nd.array import NDArray as Eager
from sparkdl.nd.op import Op
from sparkdl.nd.operators import Operators

Ref = tuple[int, int]  # node, output


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
    """Nodes in topological order."""

    nodes: list[Node] = field(default_factory=list)
    outputs: dict[str, Ref] = field(default_factory=dict)
    scope: str = ""  # written as the label of new nodes: the layer being traced

    def input(self, label: str, spec: Spec) -> "Sym":
        """A value given at run time."""
        return self.push(Node(None, (), (spec,), label))[0]

    def constant(self, value: Any) -> "Sym":
        """A value that is part of the graph."""
        data = np.array(value, order="C")
        return self.push(Node(None, (), (Spec(data.shape, data.dtype.name),), "const", data))[0]

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


@dataclass(frozen=True, eq=False)
class Sym(Operators):
    """A value that will exist: `graph` and where in it."""

    graph: Graph
    ref: Ref
    rank: ClassVar[int] = 2

    @property
    def spec(self) -> Spec:
        """Shape and dtype."""
        return self.graph.spec(self.ref)

    def run(self, op: Op, ins: tuple[Any, ...]) -> tuple["Sym", ...]:
        """Add `op` to the graph. Arrays and numbers among `ins` become constants."""
        refs = tuple(self._lift(v).ref for v in ins)
        outs = op.specs(tuple(self.graph.spec(r) for r in refs))
        return self.graph.push(Node(op, refs, outs, self.graph.scope))

    def _lift(self, value: Any) -> "Sym":
        if isinstance(value, Sym):
            return value
        if isinstance(value, Eager):
            return self.graph.constant(value.numpy())
        known = isinstance(value, np.ndarray | np.generic)
        return self.graph.constant(value if known else np.asarray(value, self.spec.dtype))

    def __repr__(self) -> str:
        return f"%{self.ref[0]}.{self.ref[1]}:{self.spec}"
