"""Layers that start a network."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sparkdl.base.checks import Count
from sparkdl.nn.layer import Ctx, Layer, layer


@layer
class Input(Layer):
    """What goes into the network: `shape` of one example, without the batch axis. Named "input" by default.

    It stands first in a list of layers; the topology keeps it under `inputs`.
    """

    arity: ClassVar[int | None] = 0

    shape: tuple[Count, ...]

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        return xs[0]
