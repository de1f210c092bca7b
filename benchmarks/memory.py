"""Peak memory of a training step against torch eager's: `python -m benchmarks.memory [--json FILE] [WORKLOAD ...]`.

Each side runs in a process of its own, and two measures are taken. The batch as the caller holds it is not counted.

resident:  how far the process's resident memory rises (VmHWM, reset through /proc/self/clear_refs) from before the
           network is made to the end of three steps: state, slots, gradients, activations, scratch memory of all
           libraries, holes in the heap. The same was done once before and given back (malloc_trim), so that loaded and
           compiled code is not counted. `ratio` is of this, and the bar is 0.8.
bytes:     what a step needs by each side's own books. Ours: the state, the program's inputs, its arena and packed
           gradients, all known before it runs. torch's: parameters, buffers and slots, and on top the highest sum of
           what its allocator hands out in a step (torch.profiler with profile_memory; gradients are None before each,
           as zero_grad leaves them). It misses what libraries take past torch's allocator and what the heap wastes.
"""

import argparse
import ctypes
import gc
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.clock import cpu, one_thread

one_thread()

import torch  # noqa: E402

from benchmarks.sides import torch_step, trainer_and_batch  # noqa: E402
from benchmarks.workloads import Workload, load  # noqa: E402

BAR, DEFAULT = 0.8, ("resnet20", "transformer")
Made = tuple[Callable[[], Any], Callable[[], int]]  # a step, and what to ask for its bytes after some


def ours(work: Workload) -> Made:
    """Our step and its planned bytes."""
    trainer, batch = trainer_and_batch(work, work.ours().build(0))

    def planned() -> int:
        program = trainer.program(work.batch)
        start, stop = trainer.state.ctypes.data, trainer.state.ctypes.data + trainer.state.nbytes
        own = (a.nbytes for a in program.inputs.values() if not start <= a.ctypes.data < stop)
        return int(trainer.state.nbytes + sum(own) + program.peak_bytes)

    return lambda: trainer.step(batch), planned


def theirs(work: Workload) -> Made:
    """torch's step and the most that its allocator had handed out in one."""
    module = work.theirs()
    step = torch_step(work, module)

    def highest() -> int:
        module.zero_grad()
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
            step()
        tensors = [*module.parameters(), *module.buffers()]
        slots = 2 * sum(p.nbytes for p in module.parameters())  # Adam's
        return sum(t.nbytes for t in tensors) + slots + _rise(profile)

    return step, highest


def _rise(profile: Any) -> int:
    """The highest sum of the allocator's events, in their order."""
    events = [e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return most


SIDES = {"ours": ours, "torch": theirs}


def measure(side: str, work: Workload) -> dict[str, int]:
    """Both measures of one side, in this process."""
    work.data()
    count = _three(side, work)()
    given_back()
    with open("/proc/self/clear_refs", "w", encoding="ascii") as f:
        f.write("5")  # the peak starts anew
    before = _status("VmRSS")
    _three(side, work)
    return {"resident": _status("VmHWM") - before, "bytes": count}


def _three(side: str, work: Workload) -> Callable[[], int]:
    step, count = SIDES[side](work)
    for _ in range(3):
        step()
    return count


def given_back() -> None:
    """Free memory goes back to the system, where the C library can do that."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _status(name: str) -> int:
    """Bytes that /proc/self/status tells."""
    with open("/proc/self/status", encoding="ascii") as f:
        lines = dict(line.split(":", 1) for line in f)
    return 1024 * int(lines[name].split()[0])


def compare(name: str) -> dict[str, Any]:
    """The row of a workload."""
    found = {side: _child(side, name) for side in SIDES}
    mine, other = found["ours"], found["torch"]
    row = {f"{k}_{side}": v for side, made in found.items() for k, v in made.items()}
    shares = {k: mine[k] / max(other[k], 1) for k in ("resident", "bytes")}
    ratios = {"ratio": shares["resident"], "ratio_bytes": shares["bytes"]}
    return {"workload": name, **ratios, **row, "cpu": cpu(), "versions": {"torch": torch.__version__}}


def _child(side: str, name: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", "--side", side, name], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{name}, {side}: {done.stderr.strip()}")
    made: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return made


def line(row: dict[str, Any]) -> str:
    """A row of the table, in MB."""
    mb = {k: v / 1e6 for k, v in row.items() if k.startswith(("bytes", "resident"))}
    return (
        f"{row['workload']:<19} ours {mb['resident_ours']:8.1f} MB  torch {mb['resident_torch']:8.1f} MB  "
        f"ratio {row['ratio']:.2f}  bar {BAR:.2f} {'ok' if row['ratio'] <= BAR else 'MISSED'}  "
        f"(by the books: {mb['bytes_ours']:.1f} and {mb['bytes_torch']:.1f} MB, {row['ratio_bytes']:.2f})"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; exit 1 when a row misses the bar."""
    parser = argparse.ArgumentParser(prog="benchmarks.memory", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", default=DEFAULT)
    parser.add_argument("--json", help="write the rows to this file")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.side:
        torch.set_num_threads(1)
        print(json.dumps(measure(given.side, load()[given.workloads[0]])))
        return 0
    rows = [compare(name) for name in given.workloads]
    print("\n".join(map(line, rows)))
    if given.json:
        with open(given.json, "w", encoding="utf-8") as f:
            json.dump(rows, f, indent=1)
    return int(any(r["ratio"] > BAR for r in rows))


if __name__ == "__main__":
    sys.exit(main())
