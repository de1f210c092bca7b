"""Running a graph node by node with the reference kernels: what a program must equal."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sparkdl.graph.graph import Graph, Sym
from sparkdl.nd.array import execute


def interpret(graph: Graph, outputs: Mapping[str, Sym], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs, computed in the order of the nodes, each op by its float64 oracle."""
    values: dict[Any, Any] = {}
    for k, node in enumerate(graph.nodes):
        if node.op is None:
            given = node.data if node.data is not None else inputs[node.label]
            values[(k, 0)] = np.asarray(given, node.outs[0].dtype)
        else:
            made = execute(node.op, tuple(values[r] for r in node.ins), ("ref",))
            values.update({(k, o): v for o, v in enumerate(made)})
    return {name: values[sym.ref] for name, sym in outputs.items()}
