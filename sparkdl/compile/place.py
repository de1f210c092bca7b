"""Place: choose the kernel of every node."""

from dataclasses import dataclass

from sparkdl.compile.rewrite import live
from sparkdl.graph.graph import Graph, Node
from sparkdl.kernels import table
from sparkdl.kernels.table import Prepared


@dataclass(frozen=True)
class Step:
    """A node that runs, and how. `at` is its index in the graph."""

    at: int
    node: Node
    prepared: Prepared


def place(graph: Graph, libraries: tuple[str, ...]) -> list[Step]:
    """A step for each live op that is no mere view. Raises KernelError when an op has no kernel."""
    return [_step(graph, k, libraries) for k in live(graph) if _runs(graph.nodes[k])]


def _runs(node: Node) -> bool:
    return node.op is not None and not node.op.alias


def _step(graph: Graph, k: int, libraries: tuple[str, ...]) -> Step:
    node = graph.nodes[k]
    return Step(k, node, table.prepare(node.op, tuple(graph.spec(r) for r in node.ins), node.outs, libraries))
