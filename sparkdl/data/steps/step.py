"""What an ETL step is: a record of columns and of what was fitted on them.

A step is measured on each Arrow batch, the measurements merge in any order, and the fitted step is a new record. It
must not know where batches come from.
"""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, TypeVar, dataclass_transform

import numpy as np
from annotated_types import MinLen
from numpy.typing import NDArray

from sparkdl.base.checks import Text
from sparkdl.base.record import record
from sparkdl.base.registry import Registry
from sparkdl.data.arrow import matrix, pick
from sparkdl.data.batches import Affine

Array = NDArray[Any]
Measured = dict[str, Any]  # JSON-able: numbers, texts, and lists of them
Names = Annotated[tuple[Text, ...], MinLen(1)]
S = TypeVar("S", bound="Step")


class Step:
    """The base of all steps. A column has one step at most; one without gives its numbers as float32."""

    of_kind: ClassVar[bool] = True
    fits: ClassVar[str] = ""  # the field that is None until fitted; "" where there is nothing to fit
    of_texts: ClassVar[bool] = False  # whether the columns hold categories instead of numbers
    columns: Names

    @property
    def fitted_already(self) -> bool:
        """Whether the step can be applied."""
        return not self.fits or getattr(self, self.fits) is not None

    def statistics(self, batch: Any) -> dict[str, Measured]:
        """What the step needs to know of a batch, by column; nothing where it is fitted."""
        return {} if self.fitted_already else {name: self.measure(pick(batch, name), name) for name in self.columns}

    def merge(self, a: dict[str, Measured], b: dict[str, Measured]) -> dict[str, Measured]:
        """The statistics of two sets of rows together; a column that one set has not seen comes from the other."""
        both = {name: self.join(a[name], b[name]) for name in a if name in b}
        return {**a, **b, **both}

    def fitted(self: S, statistics: Mapping[str, Measured]) -> S:
        """The step with its fields filled from the statistics of all rows."""
        return self if self.fitted_already else dataclasses.replace(self, **self.fit(statistics))  # type: ignore[type-var]

    def measure(self, column: Any, name: str) -> Measured:
        """Statistics of one column of a batch."""
        raise TypeError(f"{type(self).__name__} has nothing to measure")

    def join(self, a: Measured, b: Measured) -> Measured:
        """Statistics of one column from those of two sets of rows."""
        raise TypeError(f"{type(self).__name__} has nothing to measure")

    def fit(self, statistics: Mapping[str, Measured]) -> dict[str, Any]:
        """The values of the fields that are fitted."""
        raise TypeError(f"{type(self).__name__} has nothing to fit")

    def affine(self, name: str) -> Affine | None:
        """The scaling that the step is, where it is one number times x plus another; else None."""
        return None

    def width(self, name: str, width: int) -> int:
        """How many numbers a row gives, when the column itself holds `width`."""
        return width

    def apply(self, column: Any, name: str) -> NDArray[np.float32]:
        """The column's rows as float32 (B, k)."""
        scaled = self.affine(name) or Affine()
        return scaled(matrix(column, name))


STEPS: Registry[type[Step]] = Registry("step")


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def step(cls: type[S]) -> type[S]:
    """Make the class a record and enter it in STEPS."""
    made = record(cls)
    STEPS.add(cls.__name__, made)
    return made
