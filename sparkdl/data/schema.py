"""Which columns of a table go where, and which step each goes through: what the user writes, as records."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import PlainValidator

from sparkdl.base.checks import Text
from sparkdl.base.errors import ConfError
from sparkdl.base.record import OneOf, record
from sparkdl.base.registry import near
from sparkdl.data.steps.category import OneHot
from sparkdl.data.steps.image import Image
from sparkdl.data.steps.numeric import MinMax, Scale, Standardize
from sparkdl.data.steps.step import STEPS, Step

KINDS = (Standardize, MinMax, Scale, OneHot, Image)  # all that a conf may name: importing this module enters them
AnyStep = Annotated[Any, OneOf(STEPS)]
Steps = tuple[AnyStep, ...]


def _features(value: Any) -> Any:
    """A list of column names as a tuple, or a table of such lists. Raises ConfError for anything else."""
    if isinstance(value, Mapping) and value:
        return {str(name): _names(columns) for name, columns in value.items()}
    return _names(value)


def _names(value: Any) -> tuple[str, ...]:
    listed = isinstance(value, list | tuple) and value and all(isinstance(name, str) for name in value)
    if not listed or len(set(value)) < len(value):
        raise ConfError(f"must be a list of column names, each once, or a table: input = [columns]. Got {value!r}.")
    return tuple(value)


Features = Annotated[tuple[str, ...] | dict[str, tuple[str, ...]], PlainValidator(_features)]


@record
class Columns:
    """The roles of a table's columns.

    features: {input name: its columns, in order}, or a list of columns where the network has one input
    label:    what is learnt: a number, a text or a boolean a row; for regression also an array
    weight:   how much each row counts, >= 0; the weights' mean over the training rows is taken as 1

    >>> Columns(["age", "hours"], label="income").used()
    ['age', 'hours', 'income']
    """

    features: Features
    label: Text | None = None
    weight: Text | None = None

    def inputs(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """The columns of each of the network's inputs. Raises ConfError where the two do not match."""
        if not isinstance(self.features, Mapping):
            return {_only(names): self.features}
        for name in self.features:
            if name not in names:
                raise ConfError(f"no input named {name!r}.{near(name, names)} The network has: {', '.join(names)}.")
        for name in names:
            if name not in self.features:
                raise ConfError(f"features must say the columns of the input {name!r}. Got {', '.join(self.features)}.")
        return {name: self.features[name] for name in names}

    def feature_names(self) -> list[str]:
        """Every feature column once, in order."""
        groups = self.features.values() if isinstance(self.features, Mapping) else [self.features]
        return list(dict.fromkeys(name for group in groups for name in group))

    def used(self, labels: bool = True) -> list[str]:
        """Every column that is read; without label and weight for scoring."""
        rest = [name for name in (self.label, self.weight) if labels and name is not None]
        return list(dict.fromkeys([*self.feature_names(), *rest]))


def _only(names: Sequence[str]) -> str:
    if len(names) != 1:
        raise ConfError(f"features must be a table, input = [columns], for the inputs {', '.join(names)}. Got a list.")
    return names[0]


def by_column(steps: Iterable[Step], features: Sequence[str]) -> dict[str, Step]:
    """The step of each column that has one. Raises ConfError for two steps of a column, or of no feature.

    >>> by_column([Scale(["pixles"])], ["pixels"])
    Traceback (most recent call last):
    sparkdl.base.errors.ConfError: Scale: 'pixles' is not a feature. Did you mean 'pixels'? Features: pixels.
    """
    found: dict[str, Step] = {}
    for step in steps:
        for name in step.columns:
            if name not in features:
                known = ", ".join(features)
                kind = type(step).__name__
                raise ConfError(f"{kind}: {name!r} is not a feature.{near(name, features)} Features: {known}.")
            if name in found:
                kinds = f"{type(found[name]).__name__} and {type(step).__name__}"
                raise ConfError(f"column {name!r} must have one step at most. Got {kinds}.")
            found[name] = step
    return found
