"""How long until the first step: `python -m benchmarks.start [--json FILE] [--times N]`.

A fresh process imports sparkdl, makes the MLP 40-64-32-2, compiles its training step and runs it once. Counted from
the parent's starting it, the interpreter's own start included. cold: with an empty SPARKDL_CACHE, so that numba
compiles every kernel; warm: with the folder that the run before left. Medians; the bars are 8 s and 1.0 s.
Also what a program of 100 empty records costs when it is called from Python: the bar is 5 us.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from benchmarks.clock import cpu, one_thread

one_thread()

BARS = {"cold": 8.0, "warm": 1.0, "empty_100": 5e-6}
CHILD = """
import time
started = time.time()
import numpy as np
from sparkdl.data.batches import Batch
from sparkdl.layers import Dense, Input
from sparkdl.nn.network import Sequential
from sparkdl.train.trainer import Trainer
imported = time.time()
network = Sequential([Input((40,)), Dense(64, "relu"), Dense(32, "relu"), Dense(2, "softmax")])
trainer = Trainer(network, "sparse_categorical_crossentropy", "adam")
trainer.program(64)
compiled = time.time()
trainer.step(Batch({"input": np.ones((64, 40), "f")}, np.zeros(64, "i4"), None, np.arange(64)))
print(started, imported, compiled, time.time())
"""
PHASES = ("interpreter", "import", "compile", "step")


def start(cache: str) -> dict[str, float]:
    """Seconds of each phase of a fresh process, and `total`. It may keep byte code, as it may for users."""
    given = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"SPARKDL_CACHE": cache}
    begun = time.time()
    done = subprocess.run([sys.executable, "-c", CHILD], env=given, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    at = [begun, *map(float, done.stdout.split())]
    phases = {name: b - a for name, a, b in zip(PHASES, at[:-1], at[1:], strict=True)}
    return phases | {"total": sum(phases.values())}


def starts(times: int) -> dict[str, dict[str, float]]:
    """Medians of the phases, cold and warm."""
    cold, warm = [], []
    for k in range(max(times // 3, 1)):
        with tempfile.TemporaryDirectory(prefix="sparkdl-start-") as cache:
            cold.append(start(cache))
            warm += [start(cache) for _ in range(times if k == 0 else 0)]
    seen = {"cold": cold, "warm": warm}
    return {kind: {p: statistics.median(s[p] for s in some) for p in some[0]} for kind, some in seen.items()}


def empty_program(records: int = 100, calls: int = 2000) -> float:
    """Seconds of one call of a native table whose kernels do nothing; the median of 15 series."""
    import numpy as np

    from sparkdl.kernels.cpu._loop import loop, row
    from sparkdl.kernels.cpu._numba import native

    nothing = native(_nothing)
    table = np.concatenate([row(nothing.address)] * records)
    run, address = loop(), table.ctypes.data
    series = []
    for _ in range(15):
        begun = time.perf_counter()
        for _ in range(calls):
            run(address, records)
        series.append((time.perf_counter() - begun) / calls)
    return statistics.median(series)


def _nothing(a: int, b: int, c: int, d: int) -> int:
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; exit 1 when one misses its bar."""
    parser = argparse.ArgumentParser(prog="benchmarks.start", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--times", type=int, default=7, help="processes with a warm cache; a third as many cold")
    given = parser.parse_args(arguments)
    found = starts(given.times)
    totals = {kind: made["total"] for kind, made in found.items()} | {"empty_100": empty_program()}
    for kind, made in found.items():
        print(f"{kind}: {made['total']:.2f} s ({', '.join(f'{p} {made[p]:.2f}' for p in PHASES)}), bar {BARS[kind]} s")
    print(f"100 empty records from Python: {1e6 * totals['empty_100']:.2f} us, bar {1e6 * BARS['empty_100']:.0f} us")
    if given.json:
        with open(given.json, "w", encoding="utf-8") as f:
            json.dump({"cpu": cpu(), "seconds": totals, "phases": found, "bars": BARS}, f, indent=1)
    return int(any(totals[k] > bar for k, bar in BARS.items()))


if __name__ == "__main__":
    sys.exit(main())
