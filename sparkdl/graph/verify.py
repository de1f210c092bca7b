"""What holds of every graph; checked after each pass in tests and under `SPARKDL_DEBUG=verify`."""

from collections import Counter
from collections.abc import Iterator

from sparkdl.base.errors import ShapeError, SparkdlError
from sparkdl.base.spec import Spec
from sparkdl.graph.graph import Graph, Node, Ref


def verify(graph: Graph) -> None:
    """Raises SparkdlError with every broken invariant: a pass, or an op's shape rule, is wrong."""
    found = list(faults(graph))
    if found:
        raise SparkdlError("the graph is broken: " + "; ".join(found) + ".")


def faults(graph: Graph) -> Iterator[str]:
    """Broken invariants: values are made before they are used, specs are what the ops infer, outputs exist, labels of
    inputs are unique."""
    for k, node in enumerate(graph.nodes):
        yield from _references(graph, k, node)
        yield from _specs(graph, k, node)
    for name, ref in graph.outputs.items():
        if not _exists(graph, ref, len(graph.nodes)):
            yield f"output {name!r} refers to {_named(ref)}, which does not exist"
    labels = Counter(n.label for n in graph.nodes if n.op is None and n.data is None)
    yield from (f"{count} inputs have the label {label!r}" for label, count in labels.items() if count > 1)


def _references(graph: Graph, k: int, node: Node) -> Iterator[str]:
    for ref in node.ins:
        if not _exists(graph, ref, k):
            yield f"node %{k} uses {_named(ref)}, which is not made before it"


def _specs(graph: Graph, k: int, node: Node) -> Iterator[str]:
    if node.op is None:
        yield from _leaf(k, node)
    elif all(_exists(graph, ref, k) for ref in node.ins):
        try:
            inferred = node.op.specs(tuple(graph.spec(r) for r in node.ins))
        except ShapeError as error:
            yield f"node %{k} ({node.op.name}) refuses its inputs: {error}"
            return
        if inferred != node.outs:
            yield f"node %{k} ({node.op.name}) records {_listed(node.outs)}, its op infers {_listed(inferred)}"


def _leaf(k: int, node: Node) -> Iterator[str]:
    if node.ins or len(node.outs) != 1:
        yield f"node %{k} is an input or a constant and must have no inputs and one output"
    if node.data is not None and node.outs != (Spec(node.data.shape, node.data.dtype.name),):
        yield f"constant %{k} records {_listed(node.outs)}, its data is {node.data.dtype}{list(node.data.shape)}"


def _exists(graph: Graph, ref: Ref, before: int) -> bool:
    return 0 <= ref[0] < before and 0 <= ref[1] < len(graph.nodes[ref[0]].outs)


def _named(ref: Ref) -> str:
    return f"%{ref[0]}.{ref[1]}"


def _listed(specs: tuple[Spec, ...]) -> str:
    return ", ".join(map(str, specs))
