"""The training step as a graph: forward, loss, gradient, optimizer, all in one program.

State is one flat float32 vector: [trained parameters | state that is not trained | slot 1 | slot 2 ...]. Every block
starts on 64 bytes, and each is bound to the program as an input whose new value is written over it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.errors import ConfError
from sparkdl.base.spec import Spec
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph, Sym
from sparkdl.nd.ops.reduce import sum as sum_of
from sparkdl.nd.ops.shape import pack, view
from sparkdl.nn.layer import Ctx
from sparkdl.nn.losses import Loss
from sparkdl.nn.network import Network
from sparkdl.nn.params import Layout
from sparkdl.optim.optimizer import Optimizer

Losses = Mapping[str, Loss]


@dataclass(frozen=True)
class Traced:
    """A graph with what is wanted of it. donate: output -> the input it is written over."""

    graph: Graph
    outputs: dict[str, Sym]
    donate: dict[str, str]


def training_step(
    network: Network,
    losses: Losses,
    optimizer: Optimizer,
    batch: int,
    *,
    predictions: bool = False,
    dtype: str = "float32",
) -> Traced:
    """The graph of one step for `batch` examples.

    inputs:   x/<input>, y/<output>, weight (B,), ids (B,), key (2,), t (scalar: 1 in the first step), and the state:
              params, state/<layer/param>, slot/<name>
    outputs:  loss (the weighted mean over B, penalties included), the new state, and with `predictions` out/<output>
    """
    graph, layout = Graph(), network.layout
    if not layout.trainable_size:
        raise ConfError("fit: the network has no parameter to train.")
    flat = graph.input("params", Spec((layout.trainable_size,), dtype))
    p = parameters(graph, layout, flat, dtype)
    ctx = Ctx(True, graph.input("ids", Spec((batch,), "int64")), graph.input("key", Spec((2,), "uint32")))
    preds = network.trace(graph, inputs(graph, network, batch, dtype), p, ctx)
    loss = _total(graph, losses, preds, ctx.losses)
    g = _gradient(graph, layout, optimizer, loss, p)
    state = _updated(graph, optimizer, flat, g) | {f"state/{k}": v for k, v in ctx.updates.items()}
    shown = {f"out/{k}": v for k, v in preds.items()} if predictions else {}
    return Traced(graph, {"loss": loss} | state | shown, {name: name for name in state})


def state_size(layout: Layout, optimizer: Optimizer) -> int:
    """Floats of the whole state."""
    return layout.size + len(optimizer.slots) * layout.trainable_size


def bound_state(layout: Layout, optimizer: Optimizer, state: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """The state's blocks by the name of the input they are; views of `state` (state_size,)."""
    starts = [layout.size + k * layout.trainable_size for k in range(len(optimizer.slots))]
    slots = {f"slot/{k}": state[at : at + layout.trainable_size] for k, at in zip(optimizer.slots, starts, strict=True)}
    return bound_parameters(layout, state[: layout.size]) | slots


def bound_parameters(layout: Layout, vector: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """The parameters' blocks by the name of the input they are; views of `vector` (layout.size,)."""
    views = layout.views(vector)
    trained = {"params": vector[: layout.trainable_size]} if layout.trainable_size else {}
    return trained | {f"state/{s.name}": views[s.name] for s in layout if not s.trainable}


def inputs(graph: Graph, network: Network, batch: int, dtype: str) -> dict[str, Sym]:
    """The network's inputs as inputs of the graph, by name."""
    shapes = network.topology.inputs
    return {name: graph.input(f"x/{name}", Spec((batch, *shape), dtype)) for name, shape in shapes.items()}


def parameters(graph: Graph, layout: Layout, flat: Sym | None, dtype: str) -> dict[str, Sym]:
    """All parameters by full name: views of the trained block `flat`, and an input for each that is not trained."""
    return {
        s.name: view(flat, s.offset, s.shape) if s.trainable else graph.input(f"state/{s.name}", Spec(s.shape, dtype))
        for s in layout
    }


def targets(graph: Graph, losses: Losses, preds: Mapping[str, Sym]) -> dict[str, Sym]:
    """The labels as inputs of the graph, by output."""
    return {name: graph.input(f"y/{name}", loss.target(preds[name].spec)) for name, loss in losses.items()}


def each_loss(graph: Graph, losses: Losses, preds: Mapping[str, Sym]) -> Any:
    """The loss of each example, all outputs together. (B,)"""
    before, graph.scope = graph.scope, "loss"
    ys = targets(graph, losses, preds)
    per = [loss(ys[name], preds[name]) for name, loss in losses.items()]
    graph.scope = before
    return _sum(per)


def _total(graph: Graph, losses: Losses, preds: Mapping[str, Sym], penalties: Sequence[Any]) -> Sym:
    """sum_i weight_i loss_i / B + penalties: Keras's sum_over_batch_size. A scalar."""
    per = each_loss(graph, losses, preds)
    before, graph.scope = graph.scope, "loss"
    weight = graph.input("weight", per.spec)
    total: Sym = _sum([sum_of(per * weight) * (1.0 / per.spec.size), *penalties])
    graph.scope = before
    return total


def _gradient(graph: Graph, layout: Layout, optimizer: Optimizer, loss: Sym, p: Mapping[str, Sym]) -> Any:
    """The flat gradient (trainable_size,); zero in the gaps."""
    trained = [s for s in layout if s.trainable]
    parts = optimizer.clip_each(grad(graph, loss, [p[s.name] for s in trained]))
    return pack(parts, [s.offset for s in trained], layout.trainable_size)


def _updated(graph: Graph, optimizer: Optimizer, flat: Sym, g: Any) -> dict[str, Sym]:
    """The new trained parameters and slots, by input."""
    slots = {name: graph.input(f"slot/{name}", flat.spec) for name in optimizer.slots}
    t = graph.input("t", Spec((), "float64"))
    before, graph.scope = graph.scope, "optimizer"
    new, new_slots = optimizer.update(flat, g, slots, t)
    graph.scope = before
    return {"params": new} | {f"slot/{name}": v for name, v in new_slots.items()}


def _sum(parts: Sequence[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
