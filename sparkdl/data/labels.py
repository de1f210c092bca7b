"""Labels and weights of rows: from an Arrow column to what losses take."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.errors import DataError
from sparkdl.data.arrow import matrix, numeric
from sparkdl.data.batches import Array, to_float32
from sparkdl.data.steps.category import places, refuse_unknown, texts


def encode_label(column: Any, name: str, task: str, classes: tuple[str, ...] | None, outputs: int | None) -> Array:
    """Class indices (B,) int32 for classification, targets (B, outputs) float32 for regression.

    Raises DataError naming the first row whose label is none of the classes, not whole, or not finite.
    """
    if task == "regression":
        return _targets(column, name, outputs)
    if classes is not None:
        return _named(column, name, classes)
    return _indices(column, name, outputs)


def encode_weight(column: Any, name: str, mean: float) -> NDArray[np.float32]:
    """Weights (B,) float32, divided by `mean`. Raises DataError for what is negative or not finite."""
    weight = _single(column, name, "a weight").astype(np.float64)
    with np.errstate(invalid="ignore"):
        _refuse(~(np.isfinite(weight) & (weight >= 0)), weight, f"column {name!r} (weight) must be finite and >= 0")
    return to_float32(weight / mean)


def _targets(column: Any, name: str, outputs: int | None) -> NDArray[np.float32]:
    y = to_float32(matrix(column, name))
    if outputs is not None and len(y) and y.shape[1] != outputs:
        raise DataError(f"column {name!r} (label) must hold {outputs} numbers a row, as the network. Got {y.shape[1]}.")
    _refuse(~np.isfinite(y).all(axis=1), y, f"column {name!r} (label) must be finite")
    return np.array(y)  # a copy: the view would hold the whole Arrow batch in memory


def _named(column: Any, name: str, classes: tuple[str, ...]) -> NDArray[np.int32]:
    text = texts(column, name)
    at = places(text, classes)
    refuse_unknown(text, at, classes, name)
    return at


def _indices(column: Any, name: str, outputs: int | None) -> NDArray[np.int32]:
    y = _single(column, name, "a class")
    top = np.iinfo(np.int32).max if outputs is None else outputs - 1
    with np.errstate(invalid="ignore"):
        wrong = ~((y >= 0) & (y <= top) & (np.floor(y) == y))
    _refuse(wrong, y, f"column {name!r} (label) must be a whole number from 0 to {top}")
    return y.astype(np.int32)


def _single(column: Any, name: str, what: str) -> Array:
    """The column as (B,) numbers."""
    if not numeric(column.type):
        raise DataError(f"column {name!r} must hold {what} as a number. Got {column.type}.")
    y = matrix(column, name)
    if len(y) and y.shape[1] != 1:
        raise DataError(f"column {name!r} must hold {what}, one number a row. Got arrays of {y.shape[1]}.")
    return y.reshape(-1)


def _refuse(wrong: Any, values: Array, rule: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        first = values[rows[0]].tolist()
        raise DataError(f"{rule}. Got {first} in row {int(rows[0])} ({len(rows)} of {len(values)} rows are wrong).")
