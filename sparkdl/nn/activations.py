"""Activations by Keras's names: functions of one value, as a table."""

from collections.abc import Callable
from typing import Any, Literal

from sparkdl.nd.ops.analysis import elu, gelu, relu, sigmoid, tanh
from sparkdl.nd.ops.arithmetic import clip
from sparkdl.nd.ops.softmax import softmax

ActivationName = Literal["linear", "relu", "sigmoid", "tanh", "softmax", "elu", "gelu", "relu6"]


def linear(x: Any) -> Any:
    """`x` as it is."""
    return x


# softmax runs over the last axis; elu has alpha 1; gelu is the exact one, x times the normal distribution function;
# relu6 is relu up to 6
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "linear": linear,
    "relu": relu,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "softmax": softmax,
    "elu": elu,
    "gelu": gelu,
    "relu6": lambda x: clip(x, 0.0, 6.0),
}


def activate(name: ActivationName | None, x: Any) -> Any:
    """`x` after the activation of that name; None is linear."""
    return ACTIVATIONS[name or "linear"](x)
