"""How a step of each side is made from a workload: ours, torch's in its forms, and the check that both are the same."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.workloads import Array, Given, Step, Workload
from sparkdl.compile.pipeline import compile as compiled
from sparkdl.data.batches import Batch
from sparkdl.nn.network import Network
from sparkdl.optim.rules import SGD
from sparkdl.train.programs import Feed, put
from sparkdl.train.step import bound_state, training_step
from sparkdl.train.trainer import Trainer

PLAIN, LAST, FUSED = "plain", "channels_last", " + fused"


def our_step(work: Workload, network: Network) -> Step:
    """Ours: `Trainer.step`, the bare gradient program, or `predict`."""
    x, y = work.data()
    if work.ours_step is not None:
        return work.ours_step(network, x, y)
    if work.mode == "infer":
        return lambda: network.predict(x, batch_size=work.batch)
    named = x if isinstance(x, Mapping) else dict.fromkeys(network.topology.inputs, x)
    if work.mode == "gradient":
        return _gradient(work, network, named, y)
    trainer, batch = trainer_and_batch(work, network)
    return lambda: trainer.step(batch)


def trainer_and_batch(work: Workload, network: Network) -> tuple[Trainer, Batch]:
    """What `Trainer.step` is measured with."""
    x, y = work.data()
    named = x if isinstance(x, Mapping) else dict.fromkeys(network.topology.inputs, x)
    return Trainer(network, work.loss[0], work.optimizer[0]), Batch(dict(named), y, None, np.arange(work.batch))


def _gradient(work: Workload, network: Network, x: Mapping[str, Array], y: Any) -> Step:
    """Feeding, forward and backward; the flat gradient is computed and left where it lies."""
    output = network.topology.outputs[0]
    traced = training_step(network, {output: work.loss[0]}, SGD(1.0), work.batch)
    step = traced.graph.nodes[traced.outputs["params"].ref[0]]
    packed = next(r for r in _before(traced.graph, step.ins) if traced.graph.nodes[r[0]].op.name == "pack")
    outputs = {k: v for k, v in traced.outputs.items() if k != "params"} | {"g": traced.graph.sym(packed)}
    donate = {k: v for k, v in traced.donate.items() if k != "params"}
    state = bound_state(network.layout, SGD(1.0), network.vector)
    feed = Feed(compiled(traced.graph, outputs, donate=donate, bind=state))
    feed.weigh(None)

    def run() -> float:
        for name, place in feed.xs.items():
            put(name, place, x[name])
        put("y", feed.ys[output], y)
        feed.program.run()
        return float(feed.program.outputs["loss"])

    return run


def _before(graph: Any, refs: Any) -> list[Any]:
    """All values that lead to some, nearest first; inputs and constants left out."""
    found: list[Any] = []
    todo = list(refs)
    while todo:
        ref = todo.pop(0)
        if graph.nodes[ref[0]].op is not None and ref not in found:
            found.append(ref)
            todo += graph.nodes[ref[0]].ins
    return found


def torch_forms(work: Workload) -> dict[str, Callable[[], Step]]:
    """Makers of torch's step by form: plain or channels_last, its own Adam or the fused one."""
    x, _ = work.data()
    images = [a for a in (x.values() if isinstance(x, Mapping) else [x]) if a.ndim == 4]
    layouts = [PLAIN, LAST] if images else [PLAIN]
    ends = ["", FUSED] if work.mode == "train" and work.theirs_step is None else [""]
    return {
        layout + end: lambda layout=layout, end=end: torch_step(work, work.theirs(), layout == LAST, end == FUSED)
        for layout in layouts
        for end in ends
    }


def torch_step(
    work: Workload, module: nn.Module, last: bool = False, fused: bool = False, compile: bool = False  # noqa: A002
) -> Step:
    """Theirs: zero_grad, forward, backward, optimizer; without the optimizer; or the forward pass."""
    x, y = work.data()
    if work.theirs_step is not None:
        return work.theirs_step(module, x, y)
    given = [work.to_torch(a) for a in (x.values() if isinstance(x, Mapping) else [x])]
    if last:
        module = module.to(memory_format=torch.channels_last)
        given = [t.to(memory_format=torch.channels_last) if t.ndim == 4 else t for t in given]
    if work.mode == "infer":
        return _inferred(module.eval(), given, compile)
    called = torch.compile(module) if compile else module
    return _trained(work, module, called, given, work.to_torch(y), fused)


def _inferred(module: nn.Module, given: list[Any], compile: bool) -> Step:  # noqa: A002
    called = torch.compile(module) if compile else module

    def run() -> Any:
        with torch.inference_mode():
            return called(*given)

    return run


def _trained(work: Workload, module: nn.Module, called: Any, given: list[Any], labels: Any, fused: bool) -> Step:
    optimizer = work.optimizer[1](module.parameters(), fused) if work.mode == "train" else None

    def run() -> float:
        module.zero_grad()
        loss = work.loss[1](called(*given), labels)
        loss.backward()
        if optimizer is not None:
            optimizer.step()
        return float(loss.detach())

    return run


def difference(work: Workload) -> float:
    """Greatest difference between the sides from the same weights, as a share of the greatest value.

    Of the losses over some training steps, or of the outputs.
    """
    work = replace(work, mode="train") if work.mode == "gradient" else work  # further losses show the gradient
    network, module = work.ours().build(0), work.theirs()
    work.copy(network, module)
    ours, theirs = our_step(work, network), torch_step(work, module)
    steps = 1 if work.mode != "train" else work.steps
    pairs = [(_numbers(ours()), _numbers(theirs())) for _ in range(steps)]
    a, b = (np.concatenate([np.ravel(p[k]) for p in pairs]) for k in (0, 1))
    if a.shape != b.shape:
        raise SystemExit(f"{work.name}: {a.size} numbers came out of ours, {b.size} of torch's")
    return float(np.max(np.abs(a - b)) / np.max(np.abs(b)))


def _numbers(made: Any) -> Array:
    """A loss, or outputs; torch's images as ours, channels last."""
    if isinstance(made, torch.Tensor):
        made = made.detach().numpy()
        return made.transpose(0, 2, 3, 1) if made.ndim == 4 else made
    return np.asarray(next(iter(made.values())) if isinstance(made, Mapping) else made)


__all__ = ["Given", "difference", "our_step", "torch_forms", "torch_step"]
