"""sparkdl.nd: arrays and their functions. Names are looked up where they are defined, when first used."""

from importlib import import_module
from typing import Any

_HOMES = {
    "sparkdl.nd.array": "NDArray",
    "sparkdl.nd.create": "asarray from_numpy zeros ones full arange",
    "sparkdl.nd.ops.arithmetic": (
        "add subtract multiply divide maximum minimum clip negative absolute sign floor square sqrt rsqrt"
    ),
    "sparkdl.nd.ops.choice": (
        "greater greater_equal less less_equal equal not_equal logical_and logical_or logical_not isnan where cast"
    ),
    "sparkdl.nd.ops.analysis": "power exp expm1 log log1p sin cos tanh sigmoid erf relu elu gelu softplus",
    "sparkdl.nd.ops.reduce": "sum max min mean argmax",
    "sparkdl.nd.ops.shape": "reshape transpose broadcast_to concat slice_axis",
    "sparkdl.nd.ops.matmul": "matmul",
    "sparkdl.nd.ops.conv": "conv1d conv2d conv3d",
    "sparkdl.nd.ops.pool": "max_pool2d avg_pool2d max_pool3d avg_pool3d",
    "sparkdl.nd.ops.norm": "batch_norm",
    "sparkdl.nd.ops.layernorm": "layer_norm group_norm",
    "sparkdl.nd.ops.batched": "batch_matmul",
    "sparkdl.nd.ops.attention": "attention",
    "sparkdl.nd.ops.sparse": "csr_matmul",
    "sparkdl.nd.ops.sigmoid": "sigmoid_xent",
    "sparkdl.nd.ops.softmax": "softmax log_softmax softmax_xent",
    "sparkdl.nd.ops.gather": "take one_hot",
    "sparkdl.nd.ops.rnn": "lstm gru simple_rnn",
    "sparkdl.nd.ops.random": "dropout",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"sparkdl.nd has no {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
