"""Reverse mode: graph in, longer graph out."""

from collections.abc import Sequence

import numpy as np

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import numpy_dtype
from sparkdl.graph.graph import Graph, Node, Ref, Sym


def grad(graph: Graph, loss: Sym, wrt: Sequence[Sym]) -> list[Sym]:
    """Gradients of the scalar `loss` with respect to each of `wrt`, as nodes added to `graph`.

    What `loss` does not depend on gets zeros. Raises ShapeError when `loss` is no scalar.
    """
    if loss.spec.shape != ():
        raise ShapeError(f"grad: loss must be a scalar. Got {loss.spec}.")
    known: dict[Ref, Sym] = {loss.ref: graph.constant(np.ones((), loss.spec.dtype))}
    needed = _reaches(graph, {s.ref for s in wrt}, loss.ref[0])
    for k in range(loss.ref[0], -1, -1):
        node = graph.nodes[k]
        if node.op is not None and k in needed:
            _back(graph, k, node, known, needed)
    return [known[s.ref] if s.ref in known else _nothing(graph, s) for s in wrt]


def _nothing(graph: Graph, s: Sym) -> Sym:
    return graph.constant(np.zeros(s.spec.shape, numpy_dtype(s.spec.dtype)))


def _reaches(graph: Graph, targets: set[Ref], last: int) -> set[int]:
    """Nodes whose gradient matters: those that depend on a target, and the targets' own."""
    found = {r[0] for r in targets}
    for k, node in enumerate(graph.nodes[: last + 1]):
        if any(r[0] in found for r in node.ins):
            found.add(k)
    return found


def _back(graph: Graph, k: int, node: Node, known: dict[Ref, Sym], needed: set[int]) -> None:
    grads = tuple(known.get((k, o)) for o in range(len(node.outs)))
    if all(g is None for g in grads) or node.op is None:
        return
    before, graph.scope = graph.scope, f"{node.label}'" if node.label else ""
    outs = tuple(graph.sym((k, o)) for o in range(len(node.outs)))
    parts = node.op.vjp(grads, outs, *map(graph.sym, node.ins))
    for ref, part in zip(node.ins, parts, strict=True):
        if part is not None and ref[0] in needed:
            known[ref] = known[ref] + part if ref in known else part
    graph.scope = before
