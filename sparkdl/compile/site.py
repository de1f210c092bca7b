"""Where a rewrite happens: a node that is about to be written into a new graph, and what a rule may ask and write."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from sparkdl.base.spec import Spec
from sparkdl.compile.rewrite import append
from sparkdl.graph.graph import Graph, Node, Ref
from sparkdl.nd.op import Op
from sparkdl.nd.ops.shape import BroadcastTo

Kind = TypeVar("Kind", bound=Op)


@dataclass(frozen=True)
class Site:
    """`node` of the old graph, with its inputs `ins` in the new one.

    used: how many read each value of the old graph, its outputs included
    seen: the nodes of the new graph by what makes two the same
    """

    graph: Graph
    node: Node
    ins: tuple[Ref, ...]
    used: Mapping[Ref, int]
    seen: dict[object, tuple[Ref, ...]]

    @property
    def op(self) -> Any:
        """The node's op."""
        return self.node.op

    @property
    def out(self) -> Spec:
        """What the rule's value must be."""
        return self.node.outs[0]

    def spec(self, ref: Ref) -> Spec:
        """What is known of a value."""
        return self.graph.spec(ref)

    def made(self, ref: Ref, kind: type[Kind]) -> tuple[Ref, ...] | None:
        """The inputs of the op that makes `ref`, when it is of that kind."""
        node = self.graph.nodes[ref[0]]
        return node.ins if isinstance(node.op, kind) else None

    def op_of(self, ref: Ref) -> Any:
        """The op that makes a value."""
        return self.graph.nodes[ref[0]].op

    def only(self, k: int) -> bool:
        """Whether this node alone reads its input k."""
        return self.used[self.node.ins[k]] == 1

    def constant(self, ref: Ref) -> float | None:
        """The value of a constant that is one real number."""
        data = self.graph.nodes[ref[0]].data
        known = data is not None and data.size == 1 and data.dtype.kind not in "bc"
        return float(data.reshape(())) if known and data is not None else None

    def beside(self, value: float) -> Ref | None:
        """Of two inputs, the one that stands beside a constant of this value, where it has the node's own spec."""
        for at in (1, 0):
            if self.constant(self.ins[at]) == value and self.spec(self.ins[1 - at]) == self.out:
                return self.ins[1 - at]
        return None

    def write(self, op: Op, *ins: Ref) -> Ref:
        """The value of an op, added unless it is there."""
        return self.put(Node(op, ins, op.specs(tuple(map(self.spec, ins))), self.node.label))[0]

    def number(self, value: float, dtype: str) -> Ref:
        """A constant."""
        return self.put(Node(None, (), (Spec((), dtype),), "const", np.asarray(value, dtype)))[0]

    def spread(self, ref: Ref) -> Ref:
        """A value in the node's own shape."""
        return ref if self.spec(ref) == self.out else self.write(BroadcastTo(self.out.shape), ref)

    def put(self, node: Node) -> tuple[Ref, ...]:
        """The values of a node, added unless it is there."""
        key = _key(node)
        if key is None:
            return append(self.graph, node)
        if key not in self.seen:
            self.seen[key] = append(self.graph, node)
        return self.seen[key]


Rule = Callable[[Site], Ref | None]
Table = Mapping[str, tuple[Rule, ...]]  # by the op's name, tried in order


def _key(node: Node) -> object | None:
    """What makes two nodes the same. Inputs are never the same; constants are by their bytes when small."""
    if node.op is not None:
        return node.op, node.ins
    if node.data is None or node.data.nbytes > 64:
        return None
    return node.data.dtype.name, node.data.shape, node.data.tobytes()
