"""From a graph to a program: the passes in their order. Each is Graph -> Graph until kernels are placed.

`SPARKDL_DEBUG=graph,simplify,fold,fuse,loops,precision,scatters,recompute,schedule,program` prints the graph after
those passes (`graph`: before all) and the program; `verify` checks the graph's invariants after each pass; `no-fuse`
leaves that pass out, and so on for each pass. `no-memory`: temporaries share memory only where a kernel writes in
place. `guard`: no kernel may write outside its outputs and scratch; see `compile/guard.py`.
"""

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from sparkdl.base.errors import ConfError
from sparkdl.base.spec import BFLOAT16
from sparkdl.compile import bodies  # noqa: F401  enters the kernels of ops that hold bodies
from sparkdl.compile.fold import fold
from sparkdl.compile.fuse import fuse
from sparkdl.compile.guard import GUARD, Guards
from sparkdl.compile.loops import fuse_loops
from sparkdl.compile.memory import plan
from sparkdl.compile.place import place
from sparkdl.compile.precision import available, lower
from sparkdl.compile.program import Array, Program
from sparkdl.compile.recompute import recompute
from sparkdl.compile.rewrite import live
from sparkdl.compile.scatters import scatters
from sparkdl.compile.schedule import schedule
from sparkdl.compile.simplify import simplify
from sparkdl.compile.tune import check_tune, tuned
from sparkdl.graph.graph import Graph, Sym
from sparkdl.kernels.table import LIBRARIES
from sparkdl.kernels.threads import check_threads, count, using

TINY = 1_000_000  # elements, some 0.3 ms: below, meeting takes the threads longer than they save (measured on Zen 4)
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
    still: Collection[str] = (),
    libraries: tuple[str, ...] = LIBRARIES["cpu"],
    precision: str = "float32",
    memory_budget: int | None = None,
    threads: int | None = None,
    tune: float | None = None,
) -> Program:
    """Make `outputs` of `graph` computable.

    donate: output name -> input name over whose memory the output is written
    bind:   input name -> an array (C order, 64-byte aligned) that is to be the input's memory
    still:  inputs that seldom change. What depends on them alone is computed when the program is refreshed, and not in
            each run; weights among it are folded and laid out for speed
    precision: "bfloat16" computes products on bfloat16 where the CPU has it; see `compile/precision.py`
    memory_budget: bytes that `Program.peak_bytes` may reach; what the gradient needs is computed again to stay below
    threads: that the program computes with, $SPARKDL_THREADS or 1 by default; see `kernels/threads.py`. A program too
             small to gain from several, below TINY elements, has one: `Program.threads` says how many there are
    tune:    seconds in which kernels may be chosen by measurement, $SPARKDL_TUNE or 0 by default; see `tune.py`
    """
    graph.outputs = {name: sym.ref for name, sym in outputs.items()}
    how = How(donate or {}, bind or {}, still, libraries, precision, memory_budget, check_tune(tune))
    with using(check_threads(threads)):
        return _compiled(graph, how)


@dataclass(frozen=True)
class How:
    """What `compile` was asked for, checked; its arguments say what each is."""

    donate: Mapping[str, str]
    bind: Mapping[str, Array]
    still: Collection[str]
    libraries: tuple[str, ...]
    precision: str
    memory_budget: int | None
    tune: float


def _compiled(graph: Graph, how: How) -> Program:
    _debug("graph", graph)
    for name, run in _passes(how):
        graph = _passed(name, run, graph)
    with using(count() if _elements(graph) >= TINY else 1):
        program = _program(graph, how)
    if "program" in _asked():
        sys.stderr.write(program.explain() + "\n")
    return program


def _program(graph: Graph, how: How) -> Program:
    guards = Guards() if "guard" in _asked() else None
    still = () if guards else how.still
    choices = tuned(graph, how.libraries, still, how.tune) if how.tune else None
    steps = place(graph, how.libraries, still, choices)
    reuse = guards is None and "no-memory" not in _asked()
    return Program(graph, plan(graph, steps, how.donate, reuse, GUARD if guards else 0), how.bind, guards)


def _elements(graph: Graph) -> int:
    """How many elements a program of the graph reads and writes."""
    nodes = [graph.nodes[k] for k in live(graph)]
    run = [node for node in nodes if node.op is not None and not node.op.alias]
    return sum(s.size for node in run for s in (*node.outs, *map(graph.spec, node.ins)))


def _passes(how: How) -> Iterator[tuple[str, Callable[[Graph], Graph]]]:
    """PASSES, in their place those that were asked for, and those that need loops as they will be."""
    for name, run in PASSES:
        yield name, run
        if name == "simplify" and how.still:
            yield "fold", partial(fold, still=how.still)
    if how.precision == BFLOAT16 and available():
        yield "precision", lower
    yield "scatters", scatters
    if how.memory_budget is not None:
        peak = partial(_peak, donate=how.donate, libraries=how.libraries)
        yield "recompute", partial(recompute, budget=how.memory_budget, peak=peak)
    yield "schedule", partial(schedule, donate=how.donate)


def _passed(name: str, run: Callable[[Graph], Graph], graph: Graph) -> Graph:
    """The graph after a pass, unless it is switched off."""
    if f"no-{name}" not in _asked():
        graph = run(graph)
    _debug(name, graph)
    return graph


def _peak(graph: Graph, donate: Mapping[str, str], libraries: tuple[str, ...]) -> int:
    """The bytes that a program of the graph would hold."""
    graph = schedule(graph, donate)
    return plan(graph, place(graph, libraries), donate).nbytes


def _asked() -> list[str]:
    """The words of SPARKDL_DEBUG. Raises ConfError for one that means nothing."""
    passes = [name for name, _ in PASSES] + ["fold", "precision", "scatters", "recompute", "schedule"]
    known = ["graph", *passes, "program", "verify", *(f"no-{name}" for name in passes), "no-memory", "guard"]
    said = [word for word in os.environ.get("SPARKDL_DEBUG", "").split(",") if word]
    for word in said:
        if word not in known:
            raise ConfError(f"SPARKDL_DEBUG must be words of {', '.join(known)}. Got {word!r}.")
    return said


def _debug(stage: str, graph: Graph) -> None:
    asked = _asked()
    if stage in asked:
        from sparkdl.graph.show import show

        sys.stderr.write(f"--- {stage}\n{show(graph)}\n")
    if "verify" in asked:
        from sparkdl.graph.verify import verify

        verify(graph)
