"""Steps for categories: texts, whole numbers and booleans that name a kind."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sparkdl.base.checks import Text
from sparkdl.base.errors import DataError
from sparkdl.base.registry import near
from sparkdl.data.arrow import plain, refuse_nulls
from sparkdl.data.steps.step import Measured, Names, Step, step

MOST = 10_000  # categories a column may have; a one-hot row of more is a waste in any network


@step
class OneHot(Step):
    """A row of zeros with a one at the category's place; the places are the categories in the order of their texts.

    Whole numbers and booleans are taken by their text ("3", "true").

    categories:     {column: its categories}; None until fitted
    handle_unknown: a category that training never saw is an "error", or "ignore": a row of zeros
    """

    fits: ClassVar[str] = "categories"
    of_texts: ClassVar[bool] = True
    columns: Names
    categories: dict[Text, tuple[Text, ...]] | None = None
    handle_unknown: Literal["error", "ignore"] = "error"

    def measure(self, column: Any, name: str) -> Measured:
        found = pc.unique(texts(column, name)).to_pylist()
        return {"categories": sorted(found)[: MOST + 1]}

    def join(self, a: Measured, b: Measured) -> Measured:
        return {"categories": sorted({*a["categories"], *b["categories"]})[: MOST + 1]}

    def fit(self, statistics: Mapping[str, Measured]) -> dict[str, Any]:
        for name, found in statistics.items():
            if len(found["categories"]) > MOST:
                raise DataError(f"column {name!r} must have at most {MOST} categories to be one-hot. It has more.")
        return {"categories": {name: tuple(s["categories"]) for name, s in statistics.items()}}

    def width(self, name: str, width: int) -> int:
        return len(self._known(name))

    def apply(self, column: Any, name: str) -> NDArray[np.float32]:
        known = self._known(name)
        at = places(texts(column, name), known)
        if self.handle_unknown == "error":
            refuse_unknown(texts(column, name), at, known, name)
        made = np.zeros((len(at), len(known)), np.float32)
        rows = np.flatnonzero(at >= 0)
        made[rows, at[rows]] = 1
        return made

    def _known(self, name: str) -> tuple[str, ...]:
        if self.categories is None or name not in self.categories:
            raise DataError(f"OneHot is not fitted for column {name!r}: fit it on a table first.")
        return self.categories[name]


def categorical(kind: Any) -> bool:
    """Whether columns of this Arrow type hold categories."""
    if pa.types.is_dictionary(kind):
        return categorical(kind.value_type)
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view"
    return bool(text or pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def texts(column: Any, name: str) -> Any:
    """The column's categories as an Arrow string array."""
    made = column if pa.types.is_boolean(column.type) else plain(column)
    if not categorical(made.type):
        raise DataError(f"column {name!r} must hold texts, whole numbers or booleans. Got {made.type}. Cast it.")
    refuse_nulls(made, name)
    return made.cast(pa.string())


def places(column: Any, known: tuple[str, ...]) -> NDArray[np.int32]:
    """The place of each text among the known ones, -1 for others. (B,)"""
    found = pc.index_in(column, value_set=pa.array(known, pa.string()))
    return np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), np.int32)


def refuse_unknown(column: Any, at: NDArray[np.int32], known: tuple[str, ...], name: str) -> None:
    """Raise DataError when a text has no place."""
    rows = np.flatnonzero(at < 0)
    if len(rows):
        value = column[int(rows[0])].as_py()
        raise DataError(
            f"column {name!r} must hold one of the {len(known)} values seen in training. Got {value!r} in row "
            f"{int(rows[0])} ({len(rows)} of {len(at)} rows are unknown).{near(value, known)}"
        )
