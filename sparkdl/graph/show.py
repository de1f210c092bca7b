"""Graphs as text, for `SPARKDL_DEBUG` and for eyes; and as dot, for Graphviz."""

import dataclasses

from sparkdl.base.spec import Specs
from sparkdl.graph.graph import Graph, Node, Ref


def show(graph: Graph) -> str:
    """A line for each node: its outputs, op with attributes, inputs, and the layer it was traced for.

    >>> from sparkdl.base.spec import Spec
    >>> from sparkdl.nd.ops.reduce import sum
    >>> g = Graph(); g.outputs["loss"] = sum(g.input("x", Spec((2, 3))) + 1.0).ref
    >>> print(show(g))
    %0 = input 'x'                float32[2,3]
    %1 = constant 1.0             float32[]
    %2 = add(%0, %1)              float32[2,3]
    %3 = sum(%2) axes=(0, 1)      float32[]
    outputs: loss = %3
    """
    left = [f"%{k} = {_made(graph, node)}" for k, node in enumerate(graph.nodes)]
    width = min(max(map(len, left), default=0) + 6, 70)
    lines = [_line(text, width, node) for text, node in zip(left, graph.nodes, strict=True)]
    if graph.outputs:
        lines.append("outputs: " + ", ".join(f"{name} = {_value(graph, ref)}" for name, ref in graph.outputs.items()))
    return "\n".join(lines)


def dot(graph: Graph) -> str:
    """The graph in the language of Graphviz: `dot -Tsvg`."""
    lines = ["digraph {", "  node [shape=box, fontname=monospace]"]
    for k, node in enumerate(graph.nodes):
        name = node.op.name if node.op else node.label
        lines.append(f"  n{k} [label={_quoted(f'%{k} {name}', _specs(node.outs), _layer(node))}]")
        lines += [f"  n{ref[0]} -> n{k}" for ref in node.ins]
    for k, (name, ref) in enumerate(graph.outputs.items()):
        lines += [f"  out{k} [label={_quoted(name)}, shape=oval]", f"  n{ref[0]} -> out{k}"]
    return "\n".join([*lines, "}"])


def _line(text: str, width: int, node: Node) -> str:
    layer = f"   # {_layer(node)}" if _layer(node) else ""
    return f"{text:<{width}}{_specs(node.outs)}{layer}"


def _layer(node: Node) -> str:
    return node.label if node.op else ""


def _made(graph: Graph, node: Node) -> str:
    if node.op is None and node.data is None:
        return f"input {node.label!r}"
    if node.op is None:
        return f"constant {node.data}" if node.data is not None and node.data.size == 1 else "constant ..."
    fields = ((f.name, getattr(node.op, f.name)) for f in dataclasses.fields(node.op))
    attributes = "".join(f" {name}={_short(value)}" for name, value in fields if value not in (False, ()))
    return f"{node.op.name}({', '.join(_value(graph, r) for r in node.ins)}){attributes}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _value(graph: Graph, ref: Ref) -> str:
    return f"%{ref[0]}.{ref[1]}" if len(graph.nodes[ref[0]].outs) > 1 else f"%{ref[0]}"


def _specs(specs: Specs) -> str:
    return ", ".join(map(str, specs))


def _quoted(*lines: str) -> str:
    text = "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines if line)
    return f'"{text}"'
