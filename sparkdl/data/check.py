"""What is wrong with a table, in words: of its schema before any work, and of its rows after one survey.

All faults are told at once. A table without faults gives the fitted encoder.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sparkdl.base.errors import DataError
from sparkdl.base.registry import near
from sparkdl.data.arrow import numeric, wrong_type
from sparkdl.data.encode import Encoder, Task, check_width
from sparkdl.data.findings import findings, some
from sparkdl.data.schema import Columns, by_column
from sparkdl.data.steps.category import categorical
from sparkdl.data.steps.step import Step
from sparkdl.data.survey import Survey

log = logging.getLogger("sparkdl.data")


def require(schema: Any, columns: Columns, steps: Sequence[Step] = (), task: Task = "classification") -> None:
    """Raise DataError unless an Arrow schema has every column, of a type that serves. Reads no rows.

    >>> import pyarrow as pa
    >>> require(pa.schema([("age", pa.string())]), Columns(["age"]))
    Traceback (most recent call last):
    sparkdl.base.errors.DataError: column 'age' must hold numbers, ... Got string. Encode it with OneHot, or cast it.
    """
    step_of = by_column(steps, columns.feature_names())
    faults = [_of_column(schema, name, _category_due(step_of.get(name))) for name in columns.feature_names()]
    if columns.label is not None:
        faults.append(_of_column(schema, columns.label, task == "classification" and None))
    if columns.weight is not None:
        faults.append(_of_column(schema, columns.weight, False))
    refuse(faults)


def refuse(faults: Sequence[str | None]) -> None:
    """Raise DataError with all faults, if there are any."""
    told = [fault for fault in faults if fault]
    if told:
        raise DataError(told[0] if len(told) == 1 else "\n".join([f"{len(told)} faults:", *(f"- {f}" for f in told)]))


def _category_due(step: Step | None) -> bool:
    return step is not None and step.of_texts


def _of_column(schema: Any, name: str, category: bool | None) -> str | None:
    """The fault of a column that must hold categories (True), numbers (False) or either (None)."""
    if name not in schema.names:
        return f"no column named {name!r}.{near(name, schema.names)} The table has: {', '.join(schema.names)}."
    kind = schema.field(name).type
    if (category is not False and categorical(kind)) or (category is not True and numeric(kind)):
        return None
    if category:
        return f"column {name!r} must hold texts, whole numbers or booleans. Got {kind}. Cast it."
    return wrong_type(name, kind)


def fit(
    found: Survey,
    columns: Columns,
    steps: Sequence[Step],
    shapes: Mapping[str, tuple[int, ...]],
    task: Task = "classification",
    outputs: int | None = None,
    classes: Sequence[str] | None = None,
) -> Encoder:
    """The encoder fitted on a table's survey. Raises DataError with every fault that the rows have.

    shapes:  {input: shape of one row} of the network
    outputs: the network's numbers a row; one number of classification (a sigmoid) means two classes
    classes: names of the classes where not all occur; by default those found, sorted
    """
    due = 2 if task == "classification" and outputs == 1 else outputs
    refuse(findings(found, columns, task, due, classes))
    fitted = tuple(step.fitted(own) for step, own in zip(steps, found.steps, strict=True))
    encoder = Encoder(
        columns, fitted, dict(shapes), task, class_names(found, columns, classes), due, _weight_mean(found, columns)
    )
    refuse(_widths(found, encoder))
    for warning in warnings(found, columns, task, due, encoder.classes):
        log.warning(warning)
    return encoder


def _widths(found: Survey, encoder: Encoder) -> list[str]:
    """The faults of inputs that their columns do not fill, or of images of a wrong size."""
    return [fault for name in encoder.shapes if (fault := _of_input(found, encoder, name))]


def _of_input(found: Survey, encoder: Encoder, name: str) -> str | None:
    wide = {c: found.columns[c].get("longest", 1) for c in encoder.inputs[name]}
    try:
        widths = {c: encoder.step_of[c].width(c, k) if c in encoder.step_of else k for c, k in wide.items()}
        check_width(name, encoder.shapes[name], widths)
    except DataError as error:
        return str(error)
    return None


def class_names(found: Survey, columns: Columns, classes: Sequence[str] | None = None) -> tuple[str, ...] | None:
    """The names of the classes where the labels are texts (or where the user listed them), else None."""
    if classes is not None:
        return tuple(classes)
    facts = found.columns.get(columns.label or "", {})
    return tuple(sorted(facts["classes"])) if "classes" in facts and "longest" not in facts else None


def _weight_mean(found: Survey, columns: Columns) -> float:
    return 1.0 if columns.weight is None else float(found.columns[columns.weight]["total"]) / found.rows


def warnings(
    found: Survey, columns: Columns, task: Task, outputs: int | None, classes: Sequence[str] | None
) -> list[str]:
    """What may be meant but rarely is. A class that no row has keeps its output, which only learns to stay low."""
    if columns.label is None or task != "classification" or outputs is None:
        return []
    seen = found.columns[columns.label].get("classes", {})
    due = classes if classes is not None else [str(k) for k in range(outputs)]
    missing = [text for text in due if text not in seen]
    label = f"label column {columns.label!r}"
    return (
        [f"{label}: no row has the class {some(missing)}; training goes on, its output stays low."] if missing else []
    )
