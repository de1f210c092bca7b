"""Simplify: drop what nobody needs, compute once what is written twice, fold constants, undo steps that do nothing."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.spec import numpy_dtype
from sparkdl.compile.rewrite import append, rebuild
from sparkdl.graph.graph import Graph, Node, Ref
from sparkdl.kernels.ref.elementwise import FUNCTIONS
from sparkdl.nd.ops.arithmetic import Square
from sparkdl.nd.ops.reduce import Sum
from sparkdl.nd.ops.shape import Reshape, Transpose


def simplify(graph: Graph) -> Graph:
    """A smaller graph of the same outputs."""
    seen: dict[object, tuple[Ref, ...]] = {}

    def replace(new: Graph, node: Node, ins: tuple[Ref, ...]) -> tuple[Ref, ...]:
        known = _fold(new, node, ins) or _identity(new, node, ins)
        if known is not None:
            return known
        made = _stronger(new, node, ins) or Node(node.op, ins, node.outs, node.label, node.data)
        key = _key(made)
        if key is None or key not in seen:
            refs = append(new, made)
            if key is None:
                return refs
            seen[key] = refs
        return seen[key]

    return rebuild(graph, replace)


def _key(node: Node) -> object | None:
    """What makes two nodes the same. Inputs are never the same; constants are by their bytes when small."""
    if node.op is not None:
        return node.op, node.ins
    if node.data is None or node.data.nbytes > 64:
        return None
    return node.data.dtype.name, node.data.shape, node.data.tobytes()


def _constant(graph: Graph, ref: Ref) -> float | None:
    """The value of a one-number constant."""
    data = graph.nodes[ref[0]].data
    return None if data is None or data.size != 1 or data.dtype == bool else float(data.reshape(()))


def _fold(new: Graph, node: Node, ins: tuple[Ref, ...]) -> tuple[Ref, ...] | None:
    """An elementwise op, or another shape, of one-number constants is a constant; a repeated one too, if not large."""
    if node.op is None or not ins or node.outs[0].size > (4096 if node.op.name == "broadcast_to" else 1):
        return None
    data = [new.nodes[r[0]].data for r in ins]
    if any(d is None or d.size != 1 for d in data):
        return None
    if node.op.name in ("reshape", "broadcast_to", "transpose"):
        return _const(new, np.broadcast_to(np.reshape(np.asarray(data[0]), ()), node.outs[0].shape))
    if node.op.name not in FUNCTIONS:
        return None
    with np.errstate(all="ignore"):
        value = np.asarray(FUNCTIONS[node.op.name](*data)).astype(numpy_dtype(node.outs[0].dtype))
    return _const(new, value.reshape(node.outs[0].shape))


def _const(new: Graph, value: NDArray[Any]) -> tuple[Ref, ...]:
    return (new.constant(value).ref,)


_NEUTRAL = {"add": (0.0, True), "subtract": (0.0, False), "multiply": (1.0, True), "divide": (1.0, False)}


def _identity(new: Graph, node: Node, ins: tuple[Ref, ...]) -> tuple[Ref, ...] | None:
    """x + 0, x * 1, x / 1, a broadcast or reshape that changes nothing, a transposition that undoes another: x.

    x * 0 stays: it is NaN where x is.
    """
    if node.op is None:
        return None
    if node.op.name in ("broadcast_to", "reshape") and new.spec(ins[0]) == node.outs[0]:
        return ins
    if isinstance(node.op, Transpose) and isinstance(inner := new.nodes[ins[0][0]].op, Transpose):
        return new.nodes[ins[0][0]].ins if all(inner.axes[a] == k for k, a in enumerate(node.op.axes)) else None
    neutral, commutes = _NEUTRAL.get(node.op.name, (None, False))
    for at in (1, 0) if commutes else (1,):
        if neutral is not None and _constant(new, ins[at]) == neutral and new.spec(ins[1 - at]) == node.outs[0]:
            return (ins[1 - at],)
    return None


def _stronger(new: Graph, node: Node, ins: tuple[Ref, ...]) -> Node | None:
    """A cheaper op of the same value: x ** 2 is x * x; c sum(x) is sum(c x); a reshape of a reshape is one."""
    if node.op is None:
        return None
    if node.op.name in ("multiply", "divide") and (scaled := _scaled_sum(new, node, ins)):
        return scaled
    if node.op.name == "power" and _constant(new, ins[1]) == 2.0 and new.spec(ins[0]) == node.outs[0]:
        return Node(Square(), ins[:1], node.outs, node.label)
    inner = new.nodes[ins[0][0]] if ins else node
    if isinstance(node.op, Reshape) and isinstance(inner.op, Reshape):
        return Node(node.op, inner.ins, node.outs, node.label)
    return None


def _scaled_sum(new: Graph, node: Node, ins: tuple[Ref, ...]) -> Node | None:
    """c * sum(x) over everything -> sum(c * x), and so for sum(x) / c: the factor joins the loop that the sum ends."""
    if node.op is None or node.outs[0].shape != ():
        return None
    for at in (0, 1) if node.op.name == "multiply" else (0,):
        inner = new.nodes[ins[at][0]]
        if isinstance(inner.op, Sum) and inner.outs[0] == node.outs[0] and _constant(new, ins[1 - at]) is not None:
            scaled = Node(node.op, (inner.ins[0], ins[1 - at]), (new.spec(inner.ins[0]),), node.label)
            return Node(inner.op, append(new, scaled), node.outs, node.label)
    return None
