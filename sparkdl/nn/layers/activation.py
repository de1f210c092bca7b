"""Activations as layers of their own."""

from collections.abc import Mapping
from typing import Any

from sparkdl.nn.activations import ActivationName, activate
from sparkdl.nn.layer import Ctx, Layer, layer


@layer
class Activation(Layer):
    """The activation of that name, elementwise; softmax over the last axis. The shape stays."""

    activation: ActivationName

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        return activate(self.activation, xs[0])
