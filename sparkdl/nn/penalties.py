"""Penalties on parameters, that join the loss. Keras 3's regularizers: names, arguments, defaults."""

from typing import Annotated, Any, ClassVar, TypeVar, dataclass_transform

from sparkdl.base.checks import NonNegative
from sparkdl.base.record import OneOf, record
from sparkdl.base.registry import Registry
from sparkdl.nd.ops.arithmetic import absolute, square
from sparkdl.nd.ops.reduce import sum

P = TypeVar("P", bound="Penalty")


@record
class Penalty:
    """The base of all penalties."""

    of_kind: ClassVar[bool] = True

    def __call__(self, w: Any) -> Any:
        """The penalty of a parameter, a scalar."""
        raise TypeError(f"{type(self).__name__} must say __call__")


PENALTIES: Registry[type[Penalty]] = Registry("penalty")
PenaltyField = Annotated[Any, OneOf(PENALTIES)]


@dataclass_transform(frozen_default=True)
def penalty(cls: type[P]) -> type[P]:
    """Make the class a record and enter it under its name."""
    made = record(cls)
    PENALTIES.add(cls.__name__, made)
    return made


@penalty
class L1(Penalty):
    """l1 * sum(|w|)."""

    l1: NonNegative = 0.01

    def __call__(self, w: Any) -> Any:
        return sum(absolute(w)) * self.l1


@penalty
class L2(Penalty):
    """l2 * sum(w^2). There is no factor 1/2, as in Keras: the gradient is 2 l2 w."""

    l2: NonNegative = 0.01

    def __call__(self, w: Any) -> Any:
        return sum(square(w)) * self.l2


@penalty
class L1L2(Penalty):
    """l1 * sum(|w|) + l2 * sum(w^2). Both are 0 by default, also under the name "l1_l2", as in Keras."""

    l1: NonNegative = 0.0
    l2: NonNegative = 0.0

    def __call__(self, w: Any) -> Any:
        return L1(self.l1)(w) + L2(self.l2)(w)
