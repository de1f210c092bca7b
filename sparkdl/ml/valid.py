"""Which rows of feature columns can be scored: no null, no NaN, no infinity, also inside arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sparkdl.data.arrow import is_list, lengths, plain

Rows = NDArray[np.bool_]


def valid(columns: Mapping[str, Any]) -> Rows:
    """The rows that are valid in all columns. (B,)"""
    return np.asarray(np.logical_and.reduce([valid_rows(column) for column in columns.values()]))


def valid_rows(column: Any) -> Rows:
    """The valid rows of one Arrow column. (B,)

    >>> valid_rows(pa.array([[1.0, 2.0], None, [float("nan"), 1.0], []])).tolist()
    [True, False, False, True]
    """
    column = plain(column)
    given = _array(pc.is_valid(column))
    if pa.types.is_floating(column.type):
        return given & _array(pc.is_finite(column).fill_null(False))
    if is_list(column.type):
        inside = valid_rows(column.flatten())
        row = np.repeat(np.arange(len(column)), lengths(column))
        given = given & (np.bincount(row[~inside], minlength=len(column)) == 0)
    return given


def _array(column: Any) -> Rows:
    return np.asarray(column.to_numpy(zero_copy_only=False), np.bool_)
