"""What a pass over a table measures: facts of each column and the statistics of the steps.

Batches are measured one at a time, surveys merge in any order, and a survey is JSON: so each Spark task measures its
rows and the driver merges. Nothing is judged here; that is `data/check.py`'s business.
"""

import json
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import pyarrow.compute as pc

from sparkdl.base.errors import DataError
from sparkdl.data.arrow import is_list, lengths, matrix, numeric, pick, plain
from sparkdl.data.batches import Array
from sparkdl.data.schema import Columns
from sparkdl.data.steps.category import MOST, texts
from sparkdl.data.steps.step import Measured, Step

Facts = dict[str, Any]


@dataclass(frozen=True)
class Survey:
    """The measurements of some rows. `columns`: {name: facts}; `steps`: the statistics of each step, in order.

    Facts of a column: type; nulls; inner (nulls inside arrays); shortest, longest (row lengths); infinite (rows with
    NaN or infinite numbers); fault (why its numbers cannot be read); of labels and weights also low, high, total,
    fractional (numbers that are not whole) and classes ({text: rows}).
    """

    rows: int = 0
    columns: Mapping[str, Facts] = field(default_factory=dict)
    steps: tuple[dict[str, Measured], ...] = ()

    def to_json(self) -> str:
        """One line of text, exact to the last bit."""
        return json.dumps({"rows": self.rows, "columns": self.columns, "steps": self.steps}, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "Survey":
        """The survey that `to_json` wrote."""
        table = json.loads(text)
        return Survey(table["rows"], table["columns"], tuple(table["steps"]))


def survey(
    batches: Iterable[Any], columns: Columns, steps: Sequence[Step] = (), task: str = "classification"
) -> Survey:
    """Measure RecordBatches (or Tables). No batches give a survey of no rows.

    >>> import pyarrow as pa
    >>> found = survey([pa.table({"x": [1.0, None], "y": [0, 1]})], Columns(["x"], label="y"))
    >>> found.rows, found.columns["x"]["nulls"], found.columns["y"]["classes"]
    (2, 1, {'0': 1, '1': 1})
    """
    parts = (_measure(batch, columns, steps, task) for batch in batches)
    return merge_all(parts, steps)


def merge_all(parts: Iterable[Survey], steps: Sequence[Step] = ()) -> Survey:
    """The survey of all parts' rows together."""
    return reduce(lambda a, b: merge(a, b, steps), parts, Survey(steps=tuple({} for _ in steps)))


def merge(a: Survey, b: Survey, steps: Sequence[Step] = ()) -> Survey:
    """The survey of both sets of rows."""
    both = {name: _join(a.columns[name], b.columns[name]) for name in a.columns if name in b.columns}
    merged = (step.merge(x, y) for step, x, y in zip(steps, a.steps, b.steps, strict=True))
    return Survey(a.rows + b.rows, {**a.columns, **b.columns, **both}, tuple(merged))


def _measure(batch: Any, columns: Columns, steps: Sequence[Step], task: str) -> Survey:
    categories = {name for step in steps if step.of_texts for name in step.columns}
    facts = {name: _feature(pick(batch, name), name, name in categories) for name in columns.feature_names()}
    if columns.label is not None:
        facts[columns.label] = _label(pick(batch, columns.label), columns.label, task)
    if columns.weight is not None:
        facts[columns.weight] = _amount(pick(batch, columns.weight), columns.weight)
    sound = {name: pick(batch, name) for name, found in facts.items() if readable(found)}
    return Survey(batch.num_rows, facts, tuple(_statistics(step, sound) for step in steps))


def _statistics(step: Step, sound: Mapping[str, Any]) -> dict[str, Measured]:
    """A step's statistics of the columns without faults; where there are faults the table is refused anyway."""
    return {} if step.fitted_already else {n: step.measure(sound[n], n) for n in step.columns if n in sound}


def readable(facts: Facts) -> bool:
    """Whether all values of a column could be measured: no nulls, no odd numbers, rows of one length."""
    bad = facts["nulls"] or facts.get("inner") or facts.get("infinite") or facts.get("fault")
    return not bad and facts.get("shortest") == facts.get("longest")


def _feature(column: Any, name: str, category: bool) -> Facts:
    return _bare(column) if category else _numbers(column, name)[0]


def _label(column: Any, name: str, task: str) -> Facts:
    if task == "classification" and not numeric(column.type):
        return _bare(column) | {"classes": _counts(texts(column.drop_null(), name))}
    return _amount(column, name, count=task == "classification")


def _bare(column: Any) -> Facts:
    """What is measured of any column."""
    return {"type": str(column.type), "nulls": column.null_count}


def _numbers(column: Any, name: str) -> tuple[Facts, Array | None]:
    """Facts of a column of numbers or arrays, and its rows (B, k) where they can be read; nulls are left out."""
    made = plain(column).drop_null()
    each = lengths(made)
    facts = _bare(column) | {"inner": _inner_nulls(made)}
    facts |= {"shortest": int(each.min()), "longest": int(each.max())} if len(each) else {}
    if facts["inner"] or facts.get("shortest") != facts.get("longest"):
        return facts, None
    try:
        x = matrix(made, name)
    except DataError as error:
        return facts | {"fault": str(error)}, None
    return facts | {"infinite": _infinite_rows(x)}, x


def _inner_nulls(column: Any) -> int:
    """Nulls inside arrays, nested ones too."""
    if not is_list(column.type):
        return int(column.null_count)
    return int(column.null_count) + _inner_nulls(column.flatten())


def _infinite_rows(x: Array) -> int:
    """How many rows of x (B, k) hold NaN, infinite numbers, or numbers beyond float32."""
    if x.dtype.kind != "f" or not x.size:
        return 0
    with np.errstate(all="ignore"):
        total = x.sum(dtype=np.float32)  # NaN and infinities survive a sum: one cheap pass where all is well
        return 0 if np.isfinite(total) else int((~np.isfinite(x.astype(np.float32)).all(1)).sum())


def _amount(column: Any, name: str, count: bool = False) -> Facts:
    """Facts of labels and weights: also their range, their sum, and how often each whole number occurs."""
    facts, x = _numbers(column, name)
    if x is None or not x.size or facts["infinite"]:
        return facts
    y = x.astype(np.float64)
    facts |= {"low": float(y.min()), "high": float(y.max()), "total": float(y.sum())}
    facts |= {"fractional": int((np.floor(y) != y).sum())}
    return facts | ({"classes": _whole_counts(y)} if count else {})


def _counts(text: Any) -> dict[str, int]:
    """How often each text occurs."""
    found = pc.value_counts(text)
    pairs = zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True)
    return dict(sorted(pairs)[: MOST + 1])


def _whole_counts(y: Array) -> dict[str, int]:
    values, counts = np.unique(y[np.floor(y) == y], return_counts=True)
    pairs = zip(values[: MOST + 1].tolist(), counts.tolist(), strict=False)
    return {str(int(value)): count for value, count in pairs}


def _join(a: Facts, b: Facts) -> Facts:
    """The facts of one column in two sets of rows."""
    return {key: _RULES[key](a[key], b[key]) if key in a and key in b else {**a, **b}[key] for key in {**a, **b}}


def _add_counts(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in sorted({*a, *b})[: MOST + 1]}


def _first(a: Any, b: Any) -> Any:
    return a


_RULES: dict[str, Callable[[Any, Any], Any]] = {
    "type": _first, "fault": _first, "nulls": operator.add, "inner": operator.add, "infinite": operator.add,
    "shortest": min, "longest": max, "low": min, "high": max, "total": operator.add, "fractional": operator.add,
    "classes": _add_counts,
}  # fmt: skip
