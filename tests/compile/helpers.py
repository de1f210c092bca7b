"""Running a graph node by node with the reference kernels: what a program must equal."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sparkdl.compile.fuse import fuse
from sparkdl.compile.pipeline import compile
from sparkdl.compile.simplify import simplify
from sparkdl.graph.graph import Graph, Sym
from sparkdl.graph.verify import verify
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


def fused(graph: Graph, outputs: Mapping[str, Sym], given: Mapping[str, Any], atol: float = 1e-5) -> list[str]:
    """Names of the ops after the pass `fuse`; the program gives, at each run, what the graph gave."""
    want = interpret(graph, outputs, given)
    graph.outputs = {name: sym.ref for name, sym in outputs.items()}
    made = fuse(simplify(graph))
    verify(made)
    program = compile(graph, outputs)
    for name, place in program.inputs.items():
        place[...] = given[name]
    for _ in range(2):
        program.run()
        for name, value in want.items():
            np.testing.assert_allclose(program.outputs[name], value, rtol=1e-4, atol=atol, err_msg=name)
    return [node.op.name for node in made.nodes if node.op is not None]
