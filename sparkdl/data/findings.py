"""The faults of a table's rows, worded from its survey, with counts and column names."""

from collections.abc import Mapping, Sequence
from typing import Any

from sparkdl.data.encode import Task
from sparkdl.data.schema import Columns
from sparkdl.data.steps.category import MOST
from sparkdl.data.survey import Facts, Survey, readable


def findings(
    found: Survey,
    columns: Columns,
    task: Task = "classification",
    outputs: int | None = None,
    classes: Sequence[str] | None = None,
) -> list[str]:
    """Every fault of a table's rows, in words; empty where there are none. `outputs`: classes, or numbers a label."""
    if not found.rows:
        return ["the table is empty: training needs one row at least. Look at the path and the filters of the query."]
    told = [fault for name, facts in found.columns.items() for fault in _of_facts(name, facts, found.rows)]
    if columns.label is not None and readable(facts := found.columns[columns.label]):
        judge = _of_targets if task == "regression" else _of_classes
        told += judge(f"label column {columns.label!r}", facts, outputs, classes)
    if columns.weight is not None and readable(facts := found.columns[columns.weight]):
        told += _of_weight(f"weight column {columns.weight!r}", facts)
    return told


_RULES: tuple[tuple[str, str], ...] = (
    ("nulls", "has nulls in {n} of {rows} rows. Fill or drop them in the query."),
    ("inner", "has {n} nulls inside its arrays. Fill them in the query."),
    ("infinite", "has NaN, infinite numbers or numbers beyond float32 in {n} of {rows} rows. Replace or drop them."),
)


def _of_facts(name: str, facts: Facts, rows: int) -> list[str]:
    """The faults that any column may have."""
    told = [f"column {name!r} {text.format(n=facts[key], rows=rows)}" for key, text in _RULES if facts.get(key)]
    if facts.get("shortest") != facts.get("longest"):
        span = f"{facts['shortest']} to {facts['longest']}"
        told.append(f"column {name!r} must hold arrays of one length. Got lengths from {span}.")
    return told + ([facts["fault"]] if "fault" in facts else [])


def _of_targets(name: str, facts: Facts, outputs: int | None, classes: Sequence[str] | None) -> list[str]:
    width = facts["longest"]
    if outputs is not None and width != outputs:
        return [f"{name} must hold {outputs} numbers a row, as the network gives. Got {width}."]
    return []


def _of_classes(name: str, facts: Facts, outputs: int | None, classes: Sequence[str] | None) -> list[str]:
    seen = facts.get("classes", {})
    if facts.get("longest", 1) != 1:
        return [f"{name} must hold one class a row. Got arrays of {facts['longest']}."]
    if len(seen) > MOST:
        return [f"{name} has more than {MOST} different values: is the task regression?"]
    if "low" not in facts or classes is not None:
        return _of_names(name, seen, outputs, classes)
    return _of_indices(name, facts, outputs)


def _of_names(name: str, seen: Mapping[str, int], outputs: int | None, classes: Sequence[str] | None) -> list[str]:
    if classes is not None:
        odd = [text for text in seen if text not in classes]
        return [f"{name} must hold one of the classes {some(classes)}. Got {some(odd)}."] if odd else []
    if outputs is not None and len(seen) != outputs:
        return [
            f"{name} has {len(seen)} classes ({some(seen)}), the network {outputs}. Give its last layer {len(seen)}."
        ]
    return []


def _of_indices(name: str, facts: Facts, outputs: int | None) -> list[str]:
    if facts["fractional"]:
        return [f"{name} must hold whole class numbers. Got {facts['fractional']} others: is the task regression?"]
    top = "" if outputs is None else f" to {outputs - 1}, the network's last class"
    if facts["low"] < 0 or (outputs is not None and facts["high"] >= outputs):
        span = f"{facts['low']:.0f} to {facts['high']:.0f}"
        return [f"{name} must hold classes from 0{top}. Got {span}. Renumber them, or make them texts."]
    return []


def _of_weight(name: str, facts: Facts) -> list[str]:
    if facts["longest"] != 1:
        return [f"{name} must hold one number a row. Got arrays of {facts['longest']}."]
    if facts["low"] < 0:
        return [f"{name} must be >= 0. The least is {facts['low']:g}."]
    return [] if facts["total"] > 0 else [f"{name} must have a weight above 0. All are 0: nothing would be learnt."]


def some(values: Any) -> str:
    """The first ten values, and how many more."""
    shown = ", ".join(map(str, list(values)[:10]))
    return shown if len(values) <= 10 else f"{shown} and {len(values) - 10} more"
