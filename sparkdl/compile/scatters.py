"""Scatters: the optimizer's loop need not read the gradient of a table where no row was looked up.

A gradient of 100,000 rows of which 512 were touched is zeros that every step would stream through the CPU. Loops that
read such a part of a packed gradient get the indices too, and read the rows that these number.
"""

from dataclasses import replace

from sparkdl.compile.rewrite import append, rebuild
from sparkdl.graph.graph import Graph, Node, Ref
from sparkdl.kernels.codegen.expr import Expr, Scatter
from sparkdl.kernels.codegen.idle import LONG
from sparkdl.nd.ops.fused import Fused
from sparkdl.nd.ops.gather import TakeGrad
from sparkdl.nd.ops.shape import Pack, Reshape
from sparkdl.nd.ops.sparse import CsrMatMulGrad

Found = tuple[Ref, int, int, int]  # the indices; where the part starts; its rows and columns


def scatters(graph: Graph) -> Graph:
    """The graph, in which long loops know where a packed gradient is zero."""

    def changed(new: Graph, node: Node, ins: tuple[Ref, ...]) -> tuple[Ref, ...] | None:
        if not isinstance(node.op, Fused) or not _long(node.op.expr):
            return None
        for value, where in enumerate(node.op.expr.places):
            pack = new.nodes[ins[value][0]]
            if where == "full" and isinstance(pack.op, Pack) and (found := _parts(new, pack)):
                return append(new, _told(node, ins, value, found))
        return None

    return rebuild(graph, changed)


def _long(expr: Expr) -> bool:
    """Whether it is a loop over one flat float32 vector, long enough to go by stretches."""
    full = {s.dtype for s, where in zip(expr.ins, expr.places, strict=True) if where == "full"}
    flat = set(expr.places) <= {"full", "scalar"} and all(r.reduce != "rows" for r in expr.roots)
    return flat and full == {"float32"} and expr.rows * expr.cols >= LONG


def _parts(graph: Graph, pack: Node) -> list[Found]:
    """Parts of a pack that are tables with few rows in them."""
    assert isinstance(pack.op, Pack)
    found = []
    for part, start in zip(pack.ins, pack.op.offsets, strict=True):
        while isinstance(graph.nodes[part[0]].op, Reshape):
            part = graph.nodes[part[0]].ins[0]
        node = graph.nodes[part[0]]
        if isinstance(node.op, TakeGrad | CsrMatMulGrad):
            ids, rows = node.ins[1], node.outs[0].shape[0]
            if 2 * graph.spec(ids).size <= rows and graph.spec(ids).dtype in ("int32", "int64"):
                found.append((ids, start, rows, node.outs[0].size // rows))
    return found


def _told(node: Node, ins: tuple[Ref, ...], value: int, found: list[Found]) -> Node:
    """The loop with the indices behind its inputs."""
    assert isinstance(node.op, Fused)
    given = tuple(dict.fromkeys(ids for ids, *_ in found))
    made = tuple(Scatter(value, len(ins) + given.index(ids), *where) for ids, *where in found)
    return replace(node, op=replace(node.op, scatters=made), ins=(*ins, *given))
