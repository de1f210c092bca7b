"""From a graph to a program: the passes in their order. Each is Graph -> Graph until kernels are placed.

`SPARKDL_DEBUG=graph,simplify,fuse,loops,schedule,program` prints the graph after those passes (`graph`: before all) and
the program; `verify` checks the graph's invariants after each pass.
"""

import os
import sys
from collections.abc import Callable, Mapping

from sparkdl.compile.fuse import fuse
from sparkdl.compile.loops import fuse_loops
from sparkdl.compile.memory import plan
from sparkdl.compile.place import place
from sparkdl.compile.program import Array, Program
from sparkdl.compile.schedule import schedule
from sparkdl.compile.simplify import simplify
from sparkdl.graph.graph import Graph, Sym
from sparkdl.kernels.table import LIBRARIES

PASSES: tuple[tuple[str, Callable[[Graph], Graph]], ...] = (
    ("simplify", simplify),
    ("fuse", fuse),
    ("loops", fuse_loops),
)


def compile(  # noqa: A001
    graph: Graph,
    outputs: Mapping[str, Sym],
    *,
    donate: Mapping[str, str] | None = None,
    bind: Mapping[str, Array] | None = None,
    libraries: tuple[str, ...] = LIBRARIES["cpu"],
) -> Program:
    """Make `outputs` of `graph` computable.

    donate: output name -> input name over whose memory the output is written
    bind:   input name -> an array (C order, 64-byte aligned) that is to be the input's memory
    """
    given = donate or {}
    graph.outputs = {name: sym.ref for name, sym in outputs.items()}
    _debug("graph", graph)
    for name, run in PASSES:
        graph = run(graph)
        _debug(name, graph)
    graph = schedule(graph, given)
    _debug("schedule", graph)
    steps = place(graph, libraries)
    program = Program(graph, steps, plan(graph, steps, given), bind or {})
    if "program" in _asked():
        sys.stderr.write(program.explain() + "\n")
    return program


def _asked() -> list[str]:
    return os.environ.get("SPARKDL_DEBUG", "").split(",")


def _debug(stage: str, graph: Graph) -> None:
    asked = _asked()
    if stage in asked:
        from sparkdl.graph.show import show

        sys.stderr.write(f"--- {stage}\n{show(graph)}\n")
    if "verify" in asked:
        from sparkdl.graph.verify import verify

        verify(graph)
