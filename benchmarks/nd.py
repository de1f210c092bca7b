"""Eager arrays against NumPy: what a small call costs, and what large arrays take. One thread, sides alternated.

python -m benchmarks.nd [--json FILE] [--seconds S] [row ...]
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.clock import alternate, one_thread

one_thread()

import numpy as np  # noqa: E402

from sparkdl import nd  # noqa: E402

Call = Callable[[], Any]
LARGE = 10_000_000
REPEATED = 1000  # calls of a small row in one timing


@dataclass(frozen=True)
class Row:
    """`ours` and `theirs` on the same arrays; `bar` is the most that ours may take of NumPy's time."""

    name: str
    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    bar: float
    shapes: tuple[tuple[int, ...], ...] = ((LARGE,),)
    small: bool = False


def _softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


PAIR, TABLE = ((LARGE,), (LARGE,)), ((LARGE // 100, 100),)
ROWS = (
    Row("a + b, 16 floats", lambda a, b: a + b, lambda a, b: a + b, 5.0, ((16,), (16,)), small=True),
    Row("add", nd.add, np.add, 1.1, PAIR),
    Row("multiply", nd.multiply, np.multiply, 1.1, PAIR),
    Row("divide", nd.divide, np.divide, 1.1, PAIR),
    Row("maximum", nd.maximum, np.maximum, 1.1, PAIR),
    Row("sqrt", nd.sqrt, np.sqrt, 1.1),
    Row("abs", nd.abs, np.abs, 1.1),
    Row("where", lambda a, b: nd.where(a > b, a, b), lambda a, b: np.where(a > b, a, b), 1.1, PAIR),
    Row("exp", nd.exp, np.exp, 1.0),
    Row("log", lambda a: nd.log(a), np.log, 1.0),
    Row("tanh", nd.tanh, np.tanh, 1.0),
    Row("softmax", nd.softmax, _softmax, 1.0, TABLE),
    Row("sum", nd.sum, np.sum, 1.0),
    Row("sum over rows", lambda a: nd.sum(a, axis=0), lambda a: np.sum(a, axis=0), 1.0, TABLE),
    Row("mean", nd.mean, np.mean, 1.1),
    Row("max", nd.max, np.max, 1.1),
    Row("argmax", nd.argmax, np.argmax, 1.1),
    Row("transpose and copy", lambda a: nd.copy(a.T), lambda a: a.T.copy(), 1.1, TABLE),
    Row("concat", lambda a, b: nd.concat([a, b]), lambda a, b: np.concatenate([a, b]), 1.1, PAIR),
    Row("cumsum", nd.cumulative_sum, np.cumsum, 1.1),
    Row("sort", nd.sort, lambda a: np.sort(a, stable=True), 1.1, ((LARGE // 10,),)),
    Row("matmul", nd.matmul, np.matmul, 1.1, ((1000, 1000), (1000, 1000))),
)


@dataclass(frozen=True)
class Result:
    """Medians in microseconds, and ours over NumPy's."""

    row: str
    ratio: float
    bar: float
    ours_us: float
    numpy_us: float


def measure(row: Row, seconds: float) -> Result:
    """One row; floats between 0.1 and 1, so that every function is defined."""
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0.1, 1.0, shape).astype(np.float32) for shape in row.shapes]
    mine = [nd.asarray(a) for a in arrays]
    times = alternate({"ours": _call(row, row.ours, mine), "numpy": _call(row, row.theirs, arrays)}, seconds)
    calls = REPEATED if row.small else 1
    ours, theirs = (1e3 * times[side][1] / calls for side in ("ours", "numpy"))
    return Result(row.name, ours / theirs, row.bar, ours, theirs)


def _call(row: Row, fn: Callable[..., Any], arrays: list[Any]) -> Call:
    def many() -> None:
        for _ in range(REPEATED):
            fn(*arrays)

    return many if row.small else lambda: fn(*arrays)


def line(result: Result) -> str:
    """A row as it is printed."""
    kept = "ok" if result.ratio <= result.bar else "MISSED"
    times = f"{result.ours_us:12.2f} us {result.numpy_us:12.2f} us"
    return f"{result.row:20s} ratio {result.ratio:5.2f}  bar {result.bar:.2f} {kept:6s} {times}"


def main(argv: list[str] | None = None) -> int:
    """Measure the rows asked for, all by default; 1 when one misses its bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", default=[])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--json")
    asked = parser.parse_args(argv)
    results = []
    unknown = set(asked.rows) - {row.name for row in ROWS}
    if unknown:
        parser.error(f"no row {min(unknown)!r}; known: {', '.join(row.name for row in ROWS)}")
    for row in (r for r in ROWS if not asked.rows or r.name in asked.rows):
        results.append(measure(row, asked.seconds))
        print(line(results[-1]), flush=True)
    if asked.json:
        with open(asked.json, "w", encoding="utf-8") as f:
            json.dump([asdict(r) for r in results], f, indent=1)
    return int(any(r.ratio > r.bar for r in results))


if __name__ == "__main__":
    sys.exit(main())
