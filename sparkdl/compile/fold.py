"""Fold: a factor or an offset of each channel behind a product goes into its weights.

For programs whose parameters seldom change: what is written here on them is computed when the program is refreshed. So
batch normalisation behind a convolution costs nothing at inference. A fold is one row of `FOLDS` and its function here.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sparkdl.base.spec import Spec
from sparkdl.compile.fuse import Edit, begun, written
from sparkdl.compile.schedule import still_nodes
from sparkdl.graph.graph import Graph, Node, Ref
from sparkdl.nd.op import Op
from sparkdl.nd.ops.arithmetic import Add, Multiply
from sparkdl.nd.ops.conv import Conv2d
from sparkdl.nd.ops.matmul import MatMul
from sparkdl.nd.ops.shape import BroadcastTo


@dataclass
class Fold(Edit):
    """An edit that knows which nodes are still."""

    fixed: set[int]

    def still(self, ref: Ref) -> bool:
        """Whether a value depends on still inputs alone."""
        return self.ref(ref)[0] in self.fixed

    def channels(self, ref: Ref, spec: Spec) -> Ref | None:
        """The still vector of one number a channel, (C,), that a value is or repeats to `spec` (..., C)."""
        node = self.nodes[self.ref(ref)[0]]
        ref = node.ins[0] if isinstance(node.op, BroadcastTo) else ref
        return self.ref(ref) if self.still(ref) and self.spec(ref) == Spec(spec.shape[-1:], spec.dtype) else None

    def offset(self, sum: Node) -> tuple[Ref, Ref] | None:
        """A sum's value and its still vector of one number a channel, when it has these two."""
        for value, vector in (sum.ins, sum.ins[::-1]):
            found = self.channels(vector, sum.outs[0])
            if found is not None and not self.still(value):
                return value, found
        return None

    def add(self, op: Op, *ins: Ref, label: str = "") -> Ref:
        """A new still node; its only output."""
        ins = tuple(map(self.ref, ins))
        self.nodes.append(Node(op, ins, op.specs(tuple(map(self.spec, ins))), label))
        self.fixed.add(len(self.nodes) - 1)
        return len(self.nodes) - 1, 0


def fold(graph: Graph, still: Collection[str]) -> Graph:
    """The graph with what FOLDS say, given the names of the inputs that seldom change."""
    edit = Fold(*begun(graph), still_nodes(graph, still))
    for rule in FOLDS:
        for k in range(len(graph.nodes)):
            rule(edit, k)
    return written(edit)


def scaled(edit: Fold, k: int) -> None:
    """f (x w) -> x (f w), and f (x w + b) -> x (f w) + f b."""
    node = edit.nodes[k]
    for value, factor in (node.ins, node.ins[::-1]) if isinstance(node.op, Multiply) else ():
        f = edit.channels(factor, node.outs[0])
        made = None if f is None else _product(edit, value, f) or _sum(edit, value, f)
        if made is not None and made.outs == node.outs:
            edit.nodes[k] = replace(made, label=node.label)
            return


def _product(edit: Fold, value: Ref, f: Ref) -> Node | None:
    """The product that makes `value`, with weights times f."""
    inner = edit.only(value, MatMul) or edit.only(value, Conv2d)
    if inner is None or inner.op is None or getattr(inner.op, "tb", False) or not edit.still(inner.ins[1]):
        return None
    return replace(inner, ins=(inner.ins[0], edit.add(Multiply(), inner.ins[1], f, label=inner.label)))


def _sum(edit: Fold, value: Ref, f: Ref) -> Node | None:
    """The same for a product with a bias."""
    outer = edit.only(value, Add)
    if outer is None or (parts := edit.offset(outer)) is None:
        return None
    product, b = parts
    inner = _product(edit, product, f)
    if inner is None:
        return None
    edit.nodes[edit.ref(product)[0]] = inner
    return replace(outer, ins=(product, edit.add(Multiply(), b, f, label=outer.label)))


def shifted(edit: Fold, k: int) -> None:
    """(y + b) + c -> y + (b + c) for two offsets of each channel."""
    node = edit.nodes[k]
    outer = edit.offset(node) if isinstance(node.op, Add) else None
    inner = edit.only(outer[0], Add) if outer is not None else None
    below = edit.offset(inner) if inner is not None and inner.outs == node.outs else None
    if outer is not None and below is not None:
        edit.nodes[k] = replace(node, ins=(below[0], edit.add(Add(), below[1], outer[1], label=node.label)))


FOLDS = (scaled, shifted)
