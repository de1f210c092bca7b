"""Our weights into torch's modules, layer by layer in the order in which both were made."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from sparkdl.nn.network import Network

Array = np.ndarray[Any, Any]


def in_order(network: Network, module: nn.Module) -> None:
    """The k-th of our layers with parameters into the k-th of torch's modules with parameters.

    A Dense after Flatten sees channels last with us and first with torch: its rows are permuted.
    """
    mine = list(by_layer(network))
    theirs = [m for m in module.modules() if next(m.parameters(recurse=False), None) is not None]
    if len(mine) != len(theirs):
        raise ValueError(f"{len(mine)} of our layers have weights, {len(theirs)} of torch's modules")
    flattened = _flattened(module)
    for weights, part in zip(mine, theirs, strict=True):
        copy_layer(weights, part, flattened.get(part, 0))


def _flattened(module: nn.Module) -> dict[nn.Module, int]:
    """The Linears right behind a Flatten, with the channels of the image that was flattened."""
    found: dict[nn.Module, int] = {}
    channels, last = 0, module
    for part in module.modules():
        if isinstance(part, nn.Linear) and isinstance(last, nn.Flatten):
            found[part] = channels
        channels, last = getattr(part, "out_channels", channels), part
    return found


def by_layer(network: Network) -> Iterator[dict[str, Array]]:
    """Each layer's weights by short name; layers without are left out."""
    views = network.parameters()
    for layer, names in network.topology.params_by_layer.items():
        if names:
            yield {name: views[f"{layer}/{name}"] for name in names}


def copy_layer(weights: dict[str, Array], part: nn.Module, channels: int = 0) -> None:
    """One layer. channels: those of the image that was flattened before a Linear."""
    for kind, copy in COPIES:
        if isinstance(part, kind):
            with torch.no_grad():
                copy(weights, part, channels)
            return
    raise ValueError(f"no rule to copy weights into {type(part).__name__}: add a row to COPIES")


def put(target: Any, value: Array) -> None:
    """Copy an array into a tensor of its shape."""
    if tuple(target.shape) != value.shape:
        raise ValueError(f"weights must be {tuple(target.shape)}. Got {value.shape}.")
    target.copy_(torch.from_numpy(np.array(value, order="C")))


def _linear(weights: dict[str, Array], part: Any, channels: int) -> None:
    kernel = weights["kernel"]  # (I, O)
    if channels and kernel.shape[0] != channels:
        pixels = kernel.shape[0] // channels
        kernel = kernel.reshape(pixels, channels, -1).transpose(1, 0, 2).reshape(kernel.shape)
    put(part.weight, kernel.T)
    _bias(weights, part)


def _conv(weights: dict[str, Array], part: Any, channels: int) -> None:
    kernel = weights["kernel"]  # (H, W, I / groups, O); depthwise (H, W, C, multiplier)
    if part.groups > 1 and kernel.shape[2] == part.in_channels:
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    put(part.weight, kernel.transpose(3, 2, 0, 1))
    _bias(weights, part)


def _norm(weights: dict[str, Array], part: Any, channels: int) -> None:
    put(part.weight, weights["gamma"])
    put(part.bias, weights["beta"])
    if "moving_mean" in weights:
        put(part.running_mean, weights["moving_mean"])
        put(part.running_var, weights["moving_variance"])


def _embedding(weights: dict[str, Array], part: Any, channels: int) -> None:
    put(part.weight, weights["embeddings"])


def _bias(weights: dict[str, Array], part: Any) -> None:
    if part.bias is not None:
        put(part.bias, weights["bias"])


COPIES: tuple[tuple[Any, Callable[[dict[str, Array], Any, int], None]], ...] = (
    (nn.Linear, _linear),
    (nn.Conv2d, _conv),
    ((nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm), _norm),
    ((nn.Embedding, nn.EmbeddingBag), _embedding),
)
