"""Learning rates that change while training. Names, arguments and formulas are Keras 3's where it has them.

A schedule is called with `step`, the number of steps already done (0 in the first), as a float64 scalar, and is written
in ops: inside the compiled step it is part of the optimizer's kernel.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar, cast, dataclass_transform

from sparkdl.base.checks import Count, Flag, NonNegative, Positive, UnitInterval, Whole
from sparkdl.base.errors import ConfError
from sparkdl.base.record import OneOf, record
from sparkdl.base.registry import Registry
from sparkdl.nd.ops.analysis import power
from sparkdl.nd.ops.arithmetic import floor, minimum
from sparkdl.nd.ops.choice import less, less_equal, where
from sparkdl.nd.ops.trig import cos

C = TypeVar("C", bound="type[Schedule]")


class Schedule:
    """The base of all schedules."""

    of_kind: ClassVar[bool] = True

    def __call__(self, step: Any) -> Any:
        """The rate of step `step` (0 is the first). float64 scalar to float64 scalar."""
        raise TypeError(f"{type(self).__name__} must say __call__")


SCHEDULES: Registry[type[Schedule]] = Registry("schedule")


@dataclass(frozen=True)
class _NumberOrSchedule(OneOf):
    """The validator of a learning rate."""

    says = "a number >= 0 or a schedule: a name, a table with 'type', or a record"

    def parse(self, value: object) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            if not 0 <= value < math.inf:
                raise ConfError(f"must be {self.says}. Got {value!r}.")
            return float(value)
        return super().parse(value)


LearningRate = Annotated[float | Schedule, _NumberOrSchedule(SCHEDULES)]


@dataclass_transform(frozen_default=True)
def schedule(cls: C) -> C:
    """Make the class a record and enter it."""
    made = cast(C, record(cls))
    SCHEDULES.add(cls.__name__, made)
    return made


@schedule
class ExponentialDecay(Schedule):
    """initial * decay_rate ** (step / decay_steps); with `staircase` the exponent is rounded down."""

    initial_learning_rate: NonNegative
    decay_steps: Count
    decay_rate: Positive
    staircase: Flag = False

    def __call__(self, step: Any) -> Any:
        done = step / float(self.decay_steps)
        return self.initial_learning_rate * power(self.decay_rate, floor(done) if self.staircase else done)


@schedule
class CosineDecay(Schedule):
    """Half a cosine from the initial rate down to `alpha` times it, in `decay_steps`. Loshchilov & Hutter,
    arXiv:1608.03983, without restarts.

    With `warmup_target`, the rate first goes linearly from the initial one to the target in `warmup_steps`, and the
    cosine starts from the target.
    """

    initial_learning_rate: NonNegative
    decay_steps: Count
    alpha: UnitInterval = 0.0
    warmup_target: NonNegative | None = None
    warmup_steps: Whole = 0

    def __call__(self, step: Any) -> Any:
        if self.warmup_target is None or not self.warmup_steps:
            return self._cosine(step, self.initial_learning_rate if self.warmup_target is None else self.warmup_target)
        share = step / float(self.warmup_steps)
        warming = self.initial_learning_rate + (self.warmup_target - self.initial_learning_rate) * share
        after = self._cosine(step - float(self.warmup_steps), self.warmup_target)
        return where(less(step, float(self.warmup_steps)), warming, after)

    def _cosine(self, step: Any, top: float) -> Any:
        share = minimum(step, float(self.decay_steps)) / float(self.decay_steps)
        return top * ((1.0 - self.alpha) * 0.5 * (1.0 + cos(math.pi * share)) + self.alpha)


@schedule
class PiecewiseConstantDecay(Schedule):
    """Steps: values[0] while step <= boundaries[0], values[1] while step <= boundaries[1], ..., then values[-1]."""

    boundaries: tuple[Whole, ...]
    values: tuple[NonNegative, ...]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.boundaries) + 1:
            got = f"{len(self.boundaries)} and {len(self.values)}"
            raise ConfError(f"PiecewiseConstantDecay: values must be one more than boundaries. Got {got}.")
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ConfError(f"PiecewiseConstantDecay: boundaries must increase. Got {list(self.boundaries)}.")

    def __call__(self, step: Any) -> Any:
        rate = step * 0.0 + self.values[-1]
        for boundary, value in reversed(list(zip(self.boundaries, self.values, strict=False))):
            rate = where(less_equal(step, float(boundary)), value, rate)
        return rate


@schedule
class LinearWarmup(Schedule):
    """A straight line from `warmup_learning_rate` to what `learning_rate` gives at `warmup_steps`, then that rate.

    Keras has it only inside CosineDecay; the name and the formula are those of TensorFlow's Model Garden.
    """

    learning_rate: LearningRate
    warmup_steps: Count
    warmup_learning_rate: NonNegative = 0.0

    def __call__(self, step: Any) -> Any:
        whole = float(self.warmup_steps)
        end = rate_at(self.learning_rate, step * 0.0 + whole)
        warming = self.warmup_learning_rate + (end - self.warmup_learning_rate) * (step / whole)
        return where(less(step, whole), warming, rate_at(self.learning_rate, step))


def rate_at(rate: float | Schedule, step: Any) -> Any:
    """A learning rate at a step: the number as it is, or what the schedule gives."""
    return rate(step) if isinstance(rate, Schedule) else rate
