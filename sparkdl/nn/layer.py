"""What a layer is: a frozen record of its configuration that says which parameters it needs and what it computes.

A layer holds no arrays and no wiring. `params` and `apply` see shapes with the batch axis first (B, ...); the same
`apply` runs on arrays and on symbols. This module must not know networks, losses or optimizers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar, dataclass_transform

from sparkdl.base.checks import Flag, Text
from sparkdl.base.errors import ConfError
from sparkdl.base.record import record
from sparkdl.base.registry import Registry
from sparkdl.base.rng import Key
from sparkdl.base.spec import Spec
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.arithmetic import add
from sparkdl.nn.params import ParamSpec

L = TypeVar("L", bound="Layer")


@dataclass(frozen=True)
class Ctx:
    """What a layer may ask of the run it is part of.

    training:  a Python bool, never a symbol: training and inference are two graphs
    ids:       the examples' global numbers, (B,) int64; what dropout draws depends on them
    key:       the step's random key, (2,) uint32
    updates:   new values of state that is not trained, by full name ("batch_normalization/moving_mean")
    losses:    scalars that join the loss: penalties
    scope:     name of the layer that is being applied
    """

    training: bool = False
    ids: Any = None
    key: Any = None
    updates: dict[str, Any] = field(default_factory=dict)
    losses: list[Any] = field(default_factory=list)
    scope: str = ""

    def of(self, scope: str) -> "Ctx":
        """The same run, seen from the layer `scope`: updates and losses are shared."""
        return replace(self, scope=scope)

    def update(self, param: str, value: Any) -> None:
        """The layer's state `param` shall be `value` after this step."""
        self.updates[f"{self.scope}/{param}"] = value

    def key_for(self, salt: str) -> Any:
        """The step's key for one random stream, (2,) uint32: no two salts share a stream.

        Raises ConfError in a run without key or ids.
        """
        if self.key is None or self.ids is None:
            raise ConfError(f"{self.scope}: random layers need a run with `key` and `ids`. Got a Ctx without.")
        return add(self.key, NDArray(Key.of(0).fold("stream", salt).words()))


@record
class Layer:
    """The base of all layers. `name` names it in the network, where it is unique; made up when None.

    A layer that is not `trainable` keeps its parameters as they are.
    """

    of_kind: ClassVar[bool] = True
    arity: ClassVar[int | None] = 1  # how many inputs; None: one or more

    name: Text | None = field(default=None, kw_only=True)
    trainable: Flag = field(default=True, kw_only=True)

    def params(self, *xs: Spec) -> dict[str, ParamSpec]:
        """The parameters for inputs of these specs, by Keras's name; trained ones first."""
        return {}

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        """The output for inputs `xs` (B, ...) and parameters `p`."""
        raise TypeError(f"{type(self).__name__} must say apply")


LAYERS: Registry[type[Layer]] = Registry("layer")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def layer(cls: type[L]) -> type[L]:
    """Make the class a record and enter it under its name."""
    made = record(cls)
    LAYERS.add(cls.__name__, made)
    return made
