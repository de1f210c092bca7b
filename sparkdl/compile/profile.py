"""Profile: what each kernel call of a program takes by itself."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sparkdl.compile.place import Step


@dataclass(frozen=True)
class Timing:
    """A kernel call: layer, op, library and implementation as in `Program.explain()`; microseconds: its median time."""

    layer: str
    op: str
    library: str
    implementation: str
    microseconds: float


def profile(calls: Sequence[tuple[Step, Callable[[], None]]], between: Callable[[], None], runs: int) -> list[Timing]:
    """Make the calls in order, `runs` times, each under the clock; `between` ends a run."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(runs):
        for (_, call), taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
        between()
    return [_timing(step, taken) for (step, _), taken in zip(calls, times, strict=True)]


def _timing(step: Step, taken: list[float]) -> Timing:
    op = step.node.op.name if step.node.op else ""
    made = step.prepared
    return Timing(step.node.label, op, made.library, made.detail, 1e6 * statistics.median(taken))
