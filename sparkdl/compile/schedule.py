"""Schedule: the order of nodes, so that what is overwritten has been read by all who need it."""

from collections.abc import Collection, Mapping

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


def still_nodes(graph: Graph, inputs: Collection[str]) -> set[int]:
    """Nodes that depend on these inputs and on constants alone."""
    found: set[int] = set()
    for k, node in enumerate(graph.nodes):
        given = node.op is None and (node.data is not None or node.label in inputs)
        if given or (node.op is not None and bool(node.ins) and all(r[0] in found for r in node.ins)):
            found.add(k)
    return found


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
