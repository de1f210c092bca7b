"""What predictions are worth: figures of a labelled table, computed by Spark. Rows count by their weight."""

from typing import Any

from pyspark.sql import Column, DataFrame, functions as F  # noqa: N812

from sparkdl.base.errors import DataError
from sparkdl.data.encode import Encoder
from sparkdl.dist.columns import quoted
from sparkdl.ml.columns import as_arrow

SMALLEST = 1e-7  # a probability below counts as this in the log loss, as in Keras


def measure(predicted: DataFrame, encoder: Encoder) -> dict[str, Any]:
    """Figures of a table that has its label and the columns `prediction` and, for classification, `probability`.

    classification: accuracy, log_loss, confusion_matrix (true class down, predicted class across)
    regression:     rmse, mae, r2
    Both have `rows`. Raises DataError where the table has no label column, no rows, or a class that training never saw.
    """
    label = encoder.columns.label
    if label is None or label not in predicted.columns:
        raise DataError(f"evaluation needs the label column {label!r}. The table has: {', '.join(predicted.columns)}.")
    return _classes(predicted, encoder) if encoder.task == "classification" else _numbers(predicted, encoder)


def _classes(predicted: DataFrame, encoder: Encoder) -> dict[str, Any]:
    probability = as_arrow(predicted.schema, "probability")
    share = F.get(probability, _truth(encoder)).cast("double")
    seen = predicted.select(
        _truth(encoder).alias("truth"),
        F.col("prediction").cast("int").alias("guess"),
        F.size(probability).alias("classes"),
        (-F.log(F.greatest(share, F.lit(SMALLEST)))).alias("loss"),
        _weight(encoder).alias("weight"),
    )
    sums = (F.count("*").alias("rows"), F.sum("weight").alias("weight"), F.sum(F.col("weight") * F.col("loss")))
    cells = [tuple(row) for row in seen.groupBy("truth", "guess", "classes").agg(*sums).collect()]
    _check_truths(cells, encoder)
    return _of_cells(cells)


def _check_truths(cells: list[tuple[Any, ...]], encoder: Encoder) -> None:
    if not cells:
        raise DataError("evaluation needs rows. The table is empty.")
    strange = sum(rows for truth, _, classes, rows, *_ in cells if truth is None or not 0 <= truth < classes)
    if strange:
        known = ", ".join(encoder.classes) if encoder.classes else f"0 to {cells[0][2] - 1}"
        raise DataError(f"the label {encoder.columns.label!r} must be one of {known}. {strange} rows have another.")


def _of_cells(cells: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Figures from (truth, guess, classes, rows, weight, weighted loss) of every pair that occurs.

    >>> _of_cells([(0, 0, 2, 3, 3.0, 0.6), (1, 0, 2, 1, 1.0, 1.4)])
    {'rows': 4, 'accuracy': 0.75, 'log_loss': 0.5, 'confusion_matrix': [[3, 0], [1, 0]]}
    """
    matrix = [[0] * cells[0][2] for _ in range(cells[0][2])]
    for truth, guess, _, rows, *_ in cells:
        matrix[truth][guess] += rows
    total = sum(cell[4] for cell in cells)
    right = sum(weight for truth, guess, _, _, weight, _ in cells if truth == guess)
    return {
        "rows": sum(cell[3] for cell in cells),
        "accuracy": right / total,
        "log_loss": sum(cell[5] for cell in cells) / total,
        "confusion_matrix": matrix,
    }


def _numbers(predicted: DataFrame, encoder: Encoder) -> dict[str, Any]:
    """The mean first, then the spread around it: one pass of sums of squares would cancel. r2 = 1 - errors / spread."""
    y, w = F.col(quoted(str(encoder.columns.label))).cast("double"), _weight(encoder)
    error = y - F.col("prediction")
    mean = predicted.agg((F.sum(w * y) / F.sum(w)).alias("mean")).head()
    if mean is None or mean["mean"] is None:
        raise DataError("evaluation needs rows. The table is empty.")
    spread = F.sum(w * (y - F.lit(mean["mean"])) ** 2)
    found = predicted.agg(F.count("*"), F.sum(w), F.sum(w * error**2), F.sum(w * F.abs(error)), spread).head()
    assert found is not None  # an aggregate without groups has one row
    rows, weight, squares, absolute, total = found
    r2 = 1 - squares / total if total else float(squares == 0)
    return {"rows": rows, "rmse": (squares / weight) ** 0.5, "mae": absolute / weight, "r2": r2}


def _truth(encoder: Encoder) -> Column:
    """The label as the index of its class; null for a text that is no class."""
    label = F.col(quoted(str(encoder.columns.label)))
    if encoder.classes is None:
        return label.cast("int")
    at = F.array_position(F.array(*map(F.lit, encoder.classes)), label.cast("string"))
    return F.when(at > 0, (at - 1).cast("int"))


def _weight(encoder: Encoder) -> Column:
    return F.col(quoted(encoder.columns.weight)).cast("double") if encoder.columns.weight else F.lit(1.0)
