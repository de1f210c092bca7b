"""The CPU engine against torch, workload by workload: one thread, sides alternated in one process.

    python -m benchmarks.engine [--isa avx2] [--precision bfloat16] [--compile] [--json FILE] [--seconds S] [ROW ...]

A training step is `Trainer.step(batch)` on our side (feeding, forward, backward, optimizer), and zero_grad, forward,
backward, optimizer on torch's, on the same batch in memory; an inference is `Network.predict` and the module under
inference_mode. Before it is timed, the losses of some steps (the outputs) from the same weights must agree.
`ratio` is ours against torch's best eager form: plain or channels_last, its own Adam or the fused one, medians.
With `--precision bfloat16` torch runs under autocast, and the bar is on `ratio_own`: ours against our own float32.
`--isa avx2` forces both sides to AVX2: an estimate for CPUs where torch's products run at full width.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from typing import Any

from benchmarks.clock import alternate, cpu, one_thread
from benchmarks.isa import ensure

one_thread()

import torch  # noqa: E402

from benchmarks.sides import Form, difference, our_step, torch_forms, torch_step  # noqa: E402
from benchmarks.workloads import Step, Workload, load  # noqa: E402

OWN = "own float32"
AGREE_BF16 = 5e-2  # against torch in float32
CLOSE = 1.2  # forms of torch within this factor of its best are timed in full


@dataclass(frozen=True)
class Result:
    """A measured row. Times are medians in milliseconds; ratio = ours / torch's best eager form."""

    workload: str
    ratio: float
    ours_ms: float
    torch_ms: float
    isa: str
    precision: str
    batch: int
    cpu: str
    versions: dict[str, str] = field(default_factory=dict)
    mode: str = "train"
    torch_form: str = ""
    ratio_best: float = 0.0  # of the best times
    ratio_plain: float = 0.0  # against torch as it comes
    ratio_compiled: float | None = None
    ratio_own: float | None = None
    bar: float = 0.0
    difference: float = 0.0
    reason: str = ""

    @property
    def kept(self) -> bool:
        """Whether the row reaches its bar."""
        return (self.ratio if self.ratio_own is None else self.ratio_own) <= self.bar


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    isa: str = "native"
    precision: str = "float32"
    compile: bool = False
    seconds: float = 5.0


def measure(work: Workload, asked: Asked = Asked()) -> Result:
    """Check that both sides compute the same, then time them."""
    torch.manual_seed(0)
    differ, agree = difference(work, asked.precision), work.agree if asked.precision == "float32" else AGREE_BF16
    if not differ < agree:
        raise SystemExit(f"{work.name}: the sides differ by {differ:.1e} > {agree:.0e}: nothing to compare")
    times = alternate(_ours(work, asked.precision) | _finalists(work, asked), asked.seconds)
    form = min((k for k in times if k not in ("ours", OWN, "compiled")), key=lambda k: times[k][1])
    best, median = (times["ours"][k] / times[form][k] for k in (0, 1))
    against = {k: times["ours"][1] / times[k][1] for k in times}
    made = Result(
        work.name, median, times["ours"][1], times[form][1], isa_name(), asked.precision, work.batch, cpu(),
        versions(), work.mode, form, best, against["plain"], against.get("compiled"), against.get(OWN),
        work.bf16_bar or 1.0 if asked.precision == "bfloat16" else work.bars[asked.isa == "avx2"], differ,
    )  # fmt: skip
    return made if made.kept else replace(made, reason=work.reason)


def _ours(work: Workload, precision: str) -> dict[str, Step]:
    sides = {"ours": our_step(work, work.ours().build(0), precision)}
    return sides if precision == "float32" else sides | {OWN: our_step(work, work.ours().build(0))}


def _finalists(work: Workload, asked: Asked) -> dict[str, Step]:
    """torch as it comes, and those of its forms that may be its best; compiled, if asked for."""
    forms = {name: make() for name, make in torch_forms(work, asked.precision).items()}
    if len(forms) > 1:
        seen = alternate(forms, 1.0, least=2)
        least = min(t[0] for t in seen.values())
        forms = {k: v for k, v in forms.items() if k == "plain" or seen[k][0] < CLOSE * least}
    compiled = _compiled(work, asked) if asked.compile and work.theirs_step is None else None
    return forms | ({"compiled": compiled} if compiled else {})


def _compiled(work: Workload, asked: Asked) -> Step | None:
    """torch.compile's step, where it works: it needs a C++ compiler, and not every network goes through it."""
    step = torch_step(work, work.theirs(), Form(compiled=True, precision=asked.precision))
    try:
        step()
    except Exception as error:  # whatever it raises, the row goes on without this column
        print(f"{work.name}: torch.compile does not work here: {str(error).splitlines()[0]}", file=sys.stderr)
        return None
    return step


def isa_name() -> str:
    """The instruction set torch uses; oneDNN's is forced alike."""
    return str(torch.backends.cpu.get_cpu_capability())


def versions() -> dict[str, str]:
    """Of what is compared, and of what ours stands on."""
    return {p: version(p) for p in ("torch", "numpy", "numba", "onednn-cpu-gomp")}


def line(r: Result) -> str:
    """A row of the table."""
    verdict = "ok" if r.kept else "MISSED"
    more = f", compiled {r.ratio_compiled:.2f}" if r.ratio_compiled else ""
    more += f", {OWN} {r.ratio_own:.2f}" if r.ratio_own else ""
    return (
        f"{r.workload:<19} ours {r.ours_ms:9.3f} ms  torch {r.torch_ms:9.3f} ms ({r.torch_form})  ratio {r.ratio:.2f} "
        f"(best {r.ratio_best:.2f}, plain {r.ratio_plain:.2f}{more})  bar {r.bar:.2f} {verdict}  "
        f"difference {r.difference:.0e}{f'  [{r.reason}]' if r.reason else ''}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; exit 1 when a row misses its bar."""
    known = load()
    given = _arguments(arguments, known)
    if given.isa != "native":
        ensure(given.isa, "benchmarks.engine")
    torch.set_num_threads(1)
    print(f"{cpu()}, {isa_name()}, torch {torch.__version__}, one thread; medians, ratio below 1: we are faster")
    asked = Asked(given.isa, given.precision, given.compile, given.seconds)
    results = []
    for name in given.workloads or _suited(known, given.precision):
        results.append(measure(known[name], asked))
        print(line(results[-1]), flush=True)
    if given.json:
        with open(given.json, "w", encoding="utf-8") as f:
            json.dump([asdict(r) for r in results], f, indent=1)
    return int(not all(r.kept for r in results))


def _suited(known: dict[str, Workload], precision: str) -> list[str]:
    """All rows, or those that have a bar for bfloat16."""
    return [name for name, work in known.items() if precision == "float32" or work.bf16_bar]


def _arguments(arguments: Sequence[str] | None, known: dict[str, Workload]) -> Any:
    parser = argparse.ArgumentParser(prog="benchmarks.engine", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(known)}; all by default")
    parser.add_argument("--isa", choices=("native", "avx2"), default="native", help="avx2: force both sides to it")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--compile", action="store_true", help="time torch.compile too")
    parser.add_argument("--json", help="write the rows to this file")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each workload")
    given = parser.parse_args(arguments)
    unknown = [w for w in given.workloads if w not in known]
    if unknown:
        parser.error(f"no workload {unknown[0]!r}; known: {', '.join(known)}")
    return given


if __name__ == "__main__":
    sys.exit(main())
