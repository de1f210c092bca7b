"""Two sides, timed in turn in one process, so that what disturbs one disturbs the other."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping

Step = Callable[[], object]


def one_thread() -> None:
    """Set before torch, NumPy or oneDNN load: one thread for all of them."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"


def alternate(sides: Mapping[str, Step], seconds: float = 3.0, least: int = 7) -> dict[str, tuple[float, float]]:
    """(best, median) milliseconds of each side, its calls interleaved with the others'."""
    for step in sides.values():
        for _ in range(3):
            step()
    rounds = max(least, min(2000, int(seconds / max(_seconds(sides), 1e-9))))
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, step in sides.items():
            start = time.perf_counter()
            step()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: (min(t), statistics.median(t)) for name, t in times.items()}


def _seconds(sides: Mapping[str, Step]) -> float:
    start = time.perf_counter()
    for step in sides.values():
        step()
    return time.perf_counter() - start


def cpu() -> str:
    """The processor's name, as a ratio depends on it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            facts = dict(line.split(":", 1) for line in f if ":" in line)
    except OSError:
        return platform.processor() or platform.machine()
    found = {k.strip(): v.strip() for k, v in facts.items()}
    return f"{found.get('model name', '?')} (family {found.get('cpu family', '?')} model {found.get('model', '?')})"
