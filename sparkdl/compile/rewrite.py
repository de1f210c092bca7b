"""What passes share: walking a graph into a new one, users of values, and the order of nodes."""

import heapq
from collections.abc import Callable, Mapping, Sequence

from sparkdl.graph.graph import Graph, Node, Ref

Replace = Callable[[Graph, Node, tuple[Ref, ...]], tuple[Ref, ...] | None]


def live(graph: Graph) -> list[int]:
    """Nodes that the outputs depend on, in order; inputs always."""
    need = {ref[0] for ref in graph.outputs.values()}
    for k in range(len(graph.nodes) - 1, -1, -1):
        if k in need:
            need.update(ref[0] for ref in graph.nodes[k].ins)
    inputs = {k for k, node in enumerate(graph.nodes) if node.op is None and node.data is None}
    return sorted(need | inputs)


def rebuild(graph: Graph, replace: Replace, order: Sequence[int] | None = None) -> Graph:
    """Copy the live nodes into a new graph. `replace(new, node, ins)` may give other refs for a node's outputs."""
    new = Graph()
    known: dict[Ref, Ref] = {}
    for k in order if order is not None else live(graph):
        node = graph.nodes[k]
        ins = tuple(known[r] for r in node.ins)
        refs = replace(new, node, ins)
        if refs is None:
            refs = append(new, Node(node.op, ins, node.outs, node.label, node.data))
        known.update({(k, o): ref for o, ref in enumerate(refs)})
    new.outputs = {name: known[ref] for name, ref in graph.outputs.items()}
    return new


def append(graph: Graph, node: Node) -> tuple[Ref, ...]:
    """Add a node; the refs of its outputs."""
    return tuple(sym.ref for sym in graph.push(node))


def users(graph: Graph) -> dict[Ref, list[int]]:
    """Nodes that read each value."""
    found: dict[Ref, list[int]] = {}
    for k, node in enumerate(graph.nodes):
        for ref in node.ins:
            found.setdefault(ref, []).append(k)
    return found


def topological(graph: Graph, among: set[int], extra: Mapping[int, set[int]] | None = None) -> Graph:
    """The live nodes among those given, as early as they may stand and else in their old order.

    `extra` adds nodes that others must wait for; it is dropped when it cannot be kept.
    """
    alive = _alive(graph, among)
    order = _order(graph, alive, extra or {})
    if len(order) < len(alive):
        order = _order(graph, alive, {})
    return rebuild(graph, lambda new, node, ins: None, order)


def _alive(graph: Graph, among: set[int]) -> set[int]:
    found = {k for k in among if graph.nodes[k].op is None and graph.nodes[k].data is None}
    todo = [ref[0] for ref in graph.outputs.values()]
    while todo:
        k = todo.pop()
        if k not in found or graph.nodes[k].ins:
            todo += [r[0] for r in graph.nodes[k].ins if k not in found]
            found.add(k)
    return found


def _order(graph: Graph, alive: set[int], extra: Mapping[int, set[int]]) -> list[int]:
    waits = {k: {r[0] for r in graph.nodes[k].ins} | (extra.get(k, set()) & alive) for k in alive}
    followers: dict[int, list[int]] = {}
    for k, before in waits.items():
        for b in before:
            followers.setdefault(b, []).append(k)
    ready = sorted(k for k in alive if not waits[k])
    order: list[int] = []
    while ready:
        k = heapq.heappop(ready)
        order.append(k)
        for f in followers.get(k, ()):
            waits[f].discard(k)
            if not waits[f]:
                heapq.heappush(ready, f)
    return order
