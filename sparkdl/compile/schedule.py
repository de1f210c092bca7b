"""Schedule: the order of nodes, so that what is overwritten has been read by all who need it."""

from collections.abc import Mapping

from sparkdl.compile.rewrite import live, topological, users
from sparkdl.graph.graph import Graph


def schedule(graph: Graph, donate: Mapping[str, str]) -> Graph:
    """The nodes as they stood, but a node whose output is written over an input comes after its other readers."""
    inputs = graph.inputs()
    late: dict[int, set[int]] = {}
    for output, target in donate.items():
        writer = graph.outputs[output][0]
        late.setdefault(writer, set()).update(readers(graph, inputs[target]) - {writer})
    return topological(graph, set(live(graph)), late)


def readers(graph: Graph, k: int) -> set[int]:
    """Nodes that read a node's memory, also through views of it."""
    used = users(graph)
    found: set[int] = set()
    todo = [k]
    while todo:
        for u in used.get((todo.pop(), 0), ()):
            node = graph.nodes[u]
            if node.op is not None and node.op.alias:
                todo.append(u)
            else:
                found.add(u)
    return found
