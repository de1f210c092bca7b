"""What an optimizer is: a record with a rule. It must not know tensors: it sees one flat vector.

Names, arguments, defaults and the order of things are Keras 3's: clip the gradient, decay the weights
(p -= lr weight_decay p, decoupled, Loshchilov & Hutter arXiv:1711.05101), then the rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

from sparkdl.base.checks import NonNegative, Positive
from sparkdl.base.errors import ConfError
from sparkdl.base.record import record
from sparkdl.base.registry import Registry
from sparkdl.nd.ops.choice import cast as cast_to
from sparkdl.optim.clip import clip_by_global_norm, clip_by_norm, clip_by_value
from sparkdl.optim.schedules import LearningRate, rate_at

C = TypeVar("C", bound="type[Optimizer]")
Slots = Mapping[str, Any]
Updated = tuple[Any, dict[str, Any]]


@record
class Optimizer:
    """The base of all optimizers. All but `learning_rate` of these are given by name.

    weight_decay:     share of the rate by which every parameter, biases too, shrinks in each step
    clipnorm:         largest Euclidean norm of each tensor's gradient
    clipvalue:        largest absolute value of each gradient element
    global_clipnorm:  largest Euclidean norm of the whole gradient.       One of the three at most.
    """

    learning_rate: LearningRate = 0.001
    weight_decay: NonNegative | None = field(default=None, kw_only=True)
    clipnorm: Positive | None = field(default=None, kw_only=True)
    clipvalue: Positive | None = field(default=None, kw_only=True)
    global_clipnorm: Positive | None = field(default=None, kw_only=True)

    of_kind: ClassVar[bool] = True

    def __post_init__(self) -> None:
        given = [k for k in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(self, k) is not None]
        if len(given) > 1:
            raise ConfError(f"{type(self).__name__}: give one of clipnorm, clipvalue, global_clipnorm. Got {given}.")

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the vectors kept beside the parameters, each as long as they and zero at first."""
        return ()

    def rule(self, p: Any, g: Any, slots: Slots, lr: Any, t: Any) -> Updated:
        """The new parameters and slots. lr: number or float64 scalar, t: float64 scalar."""
        raise TypeError(f"{type(self).__name__} must say rule")

    def clip_each(self, parts: Sequence[Any]) -> list[Any]:
        """The gradients tensor by tensor, clipped by `clipnorm`: what must be done before they are packed."""
        return list(parts) if self.clipnorm is None else clip_by_norm(parts, self.clipnorm)

    def rate(self, t: Any) -> Any:
        """The learning rate of step t = 1, 2, ...: a number when it is constant, else a float64 scalar."""
        return rate_at(self.learning_rate, t - 1.0)

    def update(self, p: Any, g: Any, slots: Slots, t: Any) -> Updated:
        """One step. p, g and each slot: (N,) of one dtype; t: float64 scalar, 1 in the first step."""
        lr = self.rate(t)
        if self.weight_decay:
            p = p - p * scalar(self.weight_decay * lr, p)
        return self.rule(p, self._clipped(g), slots, lr, t)

    def _clipped(self, g: Any) -> Any:
        if self.clipvalue is not None:
            return clip_by_value(g, self.clipvalue)
        return g if self.global_clipnorm is None else clip_by_global_norm(g, self.global_clipnorm)


OPTIMIZERS: Registry[type[Optimizer]] = Registry("optimizer")


@dataclass_transform(frozen_default=True)
def optimizer(cls: C) -> C:
    """Make the class a record and enter it."""
    made = cast(C, record(cls))
    OPTIMIZERS.add(cls.__name__, made)
    return made


def scalar(value: Any, like: Any) -> Any:
    """A float64 scalar in the dtype of `like`; a plain number as it is. Rates are computed in float64, once a step."""
    return value if isinstance(value, float) else cast_to(value, like.spec.dtype)
