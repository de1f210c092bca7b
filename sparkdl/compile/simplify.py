"""Simplify: drop what nobody needs, compute once what is written twice, fold constants, and rewrite by tables.

`algebra.py` holds cheaper forms of the same numbers, `shapes.py` those of moved elements, `stable.py` forms that
neither overflow nor cancel, `slopes.py` those of their gradients. Gradients are in the graph already: a rule replaces
a value, and who else reads what made it still finds it.
"""

from collections import Counter
from functools import partial

import numpy as np

from sparkdl.base.spec import numpy_dtype
from sparkdl.compile import algebra, shapes, slopes, stable
from sparkdl.compile.rewrite import rebuild
from sparkdl.compile.site import Rule, Site, Table
from sparkdl.graph.graph import Graph, Node, Ref
from sparkdl.kernels.ref.elementwise import FUNCTIONS
from sparkdl.nd.ops.passing import Passing

TABLES: tuple[Table, ...] = (stable.RULES, slopes.RULES, algebra.RULES, shapes.RULES)
ROUNDS = 8  # a rewrite may make way for another; more than three were never seen


def simplify(graph: Graph) -> Graph:
    """A smaller graph of the same outputs."""
    for _ in range(ROUNDS):
        before, graph = graph, _round(graph)
        if _written(graph) == _written(before):
            break
    return graph


def _written(graph: Graph) -> list[object]:
    return [(node.op, node.ins) for node in graph.nodes]


def _round(graph: Graph) -> Graph:
    """Each node once, in order: folded, rewritten, or found where an equal one was written."""
    used = Counter(r for node in graph.nodes for r in node.ins) + Counter(graph.outputs.values())
    return rebuild(graph, partial(_replaced, used, {}))


def _replaced(
    used: Counter[Ref], seen: dict[object, tuple[Ref, ...]], new: Graph, node: Node, ins: tuple[Ref, ...]
) -> tuple[Ref, ...]:
    if isinstance(node.op, Passing):
        return ins[: len(node.outs)]
    site = Site(new, node, ins, used, seen)
    for rule in _rules(node):
        made = rule(site)
        if made is not None:
            assert new.spec(made) == site.out, (rule, new.spec(made), site.out)
            return (made,)
    return site.put(Node(node.op, ins, node.outs, node.label, node.data))


def _rules(node: Node) -> tuple[Rule, ...]:
    name = node.op.name if node.op is not None else ""
    return (_fold, *(rule for table in TABLES for rule in table.get(name, ()))) if name else ()


def _fold(site: Site) -> Ref | None:
    """An elementwise op, or another shape, of one-number constants is a constant; a repeated one too, if not large."""
    name, data = site.op.name, [site.graph.nodes[r[0]].data for r in site.ins]
    if not data or site.out.size > (4096 if name == "broadcast_to" else 1):
        return None
    if any(d is None or d.size != 1 for d in data):
        return None
    if name in ("reshape", "broadcast_to", "transpose"):
        return site.graph.constant(np.broadcast_to(np.reshape(np.asarray(data[0]), ()), site.out.shape)).ref
    if name not in FUNCTIONS:
        return None
    with np.errstate(all="ignore"):
        value = np.asarray(FUNCTIONS[name](*data)).astype(numpy_dtype(site.out.dtype))
    return site.graph.constant(value.reshape(site.out.shape)).ref
