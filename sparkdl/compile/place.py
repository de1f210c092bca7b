"""Place: choose the kernel of every node."""

from collections.abc import Collection
from dataclasses import dataclass

from sparkdl.compile.rewrite import live
from sparkdl.compile.schedule import still_nodes
from sparkdl.graph.graph import Graph, Node
from sparkdl.kernels import table
from sparkdl.kernels.table import Prepared


@dataclass(frozen=True)
class Step:
    """A node that runs, and how.

    at:      its index in the graph
    still:   its inputs never change between two refreshes of the program, and so it runs in those alone
    packed:  it runs each time, but the first rows of its kernel only read inputs that do not change
    """

    at: int
    node: Node
    prepared: Prepared
    still: bool = False
    packed: bool = False


def place(graph: Graph, libraries: tuple[str, ...], still: Collection[str] = ()) -> list[Step]:
    """A step for each live op that is no mere view, those that depend on the `still` inputs alone first.

    Raises KernelError when an op has no kernel.
    """
    fixed = still_nodes(graph, still) if still else set()
    steps = [_step(graph, k, libraries, fixed) for k in live(graph) if _runs(graph.nodes[k])]
    return sorted(steps, key=lambda step: not step.still)


def _runs(node: Node) -> bool:
    return node.op is not None and not node.op.alias


def _step(graph: Graph, k: int, libraries: tuple[str, ...], fixed: set[int]) -> Step:
    node = graph.nodes[k]
    prepared = table.prepare(node.op, tuple(graph.spec(r) for r in node.ins), node.outs, libraries)
    packed = bool(prepared.still) and all(node.ins[j][0] in fixed for j in prepared.still)
    return Step(k, node, prepared, k in fixed, packed and k not in fixed)
