"""Tune: which kernel serves each large product and convolution, by measurement instead of by the tables.

Each op, with its shapes, is timed once with every implementation that serves, the largest first, until the seconds that
were granted are over; what is left goes by the tables. What was found is kept on disk, by machine, instruction set,
library version and thread count. An implementation must be faster than the tables' by a margin that noise seldom makes.

It is off unless asked for: a measured choice may differ from machine to machine, and with it the last bits of a result,
which the same seed is promised to give whatever is retried. Ops of less than SMALL operations are never measured.
"""

import math
import os
import statistics
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.errors import ConfError, KernelError
from sparkdl.base.spec import Spec, Specs, numpy_dtype
from sparkdl.compile.rewrite import live
from sparkdl.compile.schedule import still_nodes
from sparkdl.graph.graph import Graph
from sparkdl.kernels import table
from sparkdl.kernels.measured import Measured
from sparkdl.kernels.run import run_bound
from sparkdl.kernels.table import Arrays, Prepared, Rows
from sparkdl.kernels.threads import count

VARIABLE = "SPARKDL_TUNE"
SMALL = 2e7  # operations, some 0.2 ms: what is smaller is not worth the measuring
MARGIN = 0.95  # of the tables' time, that another choice must stay below
ROUNDS, HOPELESS = 5, 1.5  # timings of each; what takes so many times the best is given up
COLD = 1 << 22  # bytes written between two timings, so that none finds its data in the nearest cache


@dataclass(frozen=True)
class Task:
    """An op as it stands in a graph. still: whether its weights seldom change, so that packing them costs nothing."""

    op: Any
    ins: Specs
    outs: Specs
    still: bool

    @property
    def text(self) -> str:
        """What it is called on disk."""
        return f"{self.op} {' '.join(map(str, (*self.ins, *self.outs)))}{' still' if self.still else ''}"


def check_tune(seconds: float | None) -> float:
    """Seconds to measure for, $SPARKDL_TUNE or 0 by default. Raises ConfError for what is no number >= 0."""
    if seconds is None:
        said = os.environ.get(VARIABLE, "0")
        seconds = float(said) if said.replace(".", "", 1).isdigit() else math.nan
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:
        raise ConfError(f"tune (or ${VARIABLE}) must be a number of seconds >= 0. Got {seconds!r}.")
    return float(seconds)


def tuned(graph: Graph, libraries: tuple[str, ...], still: Collection[str], seconds: float) -> Mapping[int, str]:
    """The choices for nodes of the graph, to hand to `place`; nodes that are left to the tables are not in it."""
    tasks = _tasks(graph, still)
    known, deadline = Measured(), time.monotonic() + seconds
    for task in sorted(set(tasks.values()), key=_work, reverse=True):
        if task.text not in known and (best := _best(task, libraries, deadline)) is not None:
            known[task.text] = best
    known.save()
    found = {k: known.get(task.text, "") for k, task in tasks.items()}
    return {k: choice for k, choice in found.items() if choice and _serves(tasks[k], libraries, choice)}


def _tasks(graph: Graph, still: Collection[str]) -> dict[int, Task]:
    """The ops worth measuring, by node."""
    fixed = still_nodes(graph, still) if still else set()
    found: dict[int, Task] = {}
    for k in live(graph):
        node = graph.nodes[k]
        if node.op is not None and node.op.name in WORK:
            ins = tuple(map(graph.spec, node.ins))
            found[k] = Task(node.op, ins, node.outs, node.ins[1][0] in fixed)
    return {k: task for k, task in found.items() if _work(task) >= SMALL}


def _product(task: Task) -> float:
    """(M, K) (K, N): the sizes multiplied are the square of M K N."""
    return 2.0 * float(np.sqrt(float(task.ins[0].size) * task.ins[1].size * task.outs[0].size))


def _windows(y: Spec, w: Spec) -> float:
    return 2.0 * y.size * w.size / w.shape[-1]


WORK: dict[str, Callable[[Task], float]] = {
    "matmul": _product,
    "linear": _product,
    **dict.fromkeys(("conv2d", "conv2d_bias", "conv3d", "conv3d_bias"), lambda t: _windows(t.outs[0], t.ins[1])),
    **dict.fromkeys(("conv2d_grad_input", "conv3d_grad_input"), lambda t: _windows(t.ins[0], t.ins[1])),
    **dict.fromkeys(("conv2d_grad_kernel", "conv3d_grad_kernel"), lambda t: _windows(t.ins[1], t.outs[0])),
}


def _work(task: Task) -> float:
    """Operations."""
    return WORK[task.op.name](task)


def _serves(task: Task, libraries: tuple[str, ...], choice: str) -> bool:
    """Whether what the disk says can still be had."""
    if choice.partition(":")[0] not in libraries:
        return False
    try:
        table.prepare(task.op, task.ins, task.outs, libraries, count(), choice)
    except KernelError:
        return False
    return True


def _best(task: Task, libraries: tuple[str, ...], deadline: float) -> str | None:
    """The fastest choice; "" for the tables', None where time is up before all were timed."""
    if time.monotonic() >= deadline:
        return None
    default = table.prepare(task.op, task.ins, task.outs, libraries, count())
    others = table.choices(task.op, task.ins, task.outs, libraries, count())
    others = {c: p for c, p in others.items() if (p.library, p.detail) != (default.library, default.detail)}
    draw = np.random.default_rng(0)
    ins, outs = (tuple(_filled(draw, s) for s in specs) for specs in (task.ins, task.outs))
    times = _times({c: _call(task, p, ins, outs) for c, p in ({"": default} | others).items()}, deadline)
    if times is None:
        return None
    best = min(times, key=times.__getitem__)
    return best if times[best] < MARGIN * times[""] else ""


def _call(task: Task, prepared: Prepared, ins: Arrays, outs: Arrays) -> Callable[[], None]:
    """One run of it over these arrays, with scratch memory of its own."""
    draw = np.random.default_rng(0)
    scratch = tuple(_filled(draw, s) for s in prepared.scratch)
    bound = prepared.bind(ins, outs, scratch)
    if task.still and isinstance(bound, Rows) and bound.ahead:
        run_bound(bound)
        bound = Rows(bound.table[bound.ahead :], (bound,))
    return lambda: run_bound(bound)


def _filled(draw: np.random.Generator, spec: Spec) -> NDArray[Any]:
    raw = np.zeros(spec.nbytes + 64, np.uint8)
    start = -raw.ctypes.data % 64
    array = raw[start : start + spec.nbytes].view(numpy_dtype(spec.dtype)).reshape(spec.shape)
    if spec.dtype != "uint8":
        array[...] = draw.standard_normal(spec.shape, np.float32)
    return array


def _times(calls: Mapping[str, Callable[[], None]], deadline: float) -> dict[str, float] | None:
    """The median of each, the calls in turn; None where time is up before each was timed twice.

    The first round counts for nothing but for who is hopeless: it finds pages and code that are not there yet.
    """
    cold = np.zeros(COLD, np.uint8)
    taken: dict[str, list[float]] = {choice: [] for choice in calls}
    for round_ in range(ROUNDS + 1):
        least = min((t[-1] for t in taken.values() if t), default=math.inf)
        for choice, call in calls.items():
            if round_ > 1 and taken[choice][-1] > HOPELESS * least:
                continue
            if time.monotonic() >= deadline:
                return _medians(taken) if round_ > 1 else None
            cold += 1
            start = time.perf_counter()
            call()
            taken[choice].append(time.perf_counter() - start)
    return _medians(taken)


def _medians(taken: Mapping[str, list[float]]) -> dict[str, float]:
    return {choice: statistics.median(t[1:]) for choice, t in taken.items()}
