"""How a step of each side is made from a workload: ours, torch's in its forms, and the check that both are the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
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


@dataclass(frozen=True)
class Form:
    """How torch's step is run: channels_last, fused optimizer, torch.compile, precision."""

    last: bool = False
    fused: bool = False
    compiled: bool = False
    precision: str = "float32"

    def cast(self) -> Any:
        """Autocast, where the precision is not its own."""
        return torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bfloat16")


def our_step(work: Workload, network: Network, precision: str = "float32") -> Step:
    """Ours: `Trainer.step`, the bare gradient program, or `predict`. Only the first knows other precisions."""
    x, y = work.data()
    if work.ours_step is not None:
        return work.ours_step(network, x, y)
    if work.mode == "infer":
        return lambda: network.predict(x, batch_size=work.batch)
    named = x if isinstance(x, Mapping) else dict.fromkeys(network.topology.inputs, x)
    if work.mode == "gradient":
        return _gradient(work, network, named, y)
    trainer, batch = trainer_and_batch(work, network, precision)
    return lambda: trainer.step(batch)


def trainer_and_batch(work: Workload, network: Network, precision: str = "float32") -> tuple[Trainer, Batch]:
    """What `Trainer.step` is measured with."""
    x, y = work.data()
    named = x if isinstance(x, Mapping) else dict.fromkeys(network.topology.inputs, x)
    trainer = Trainer(network, work.loss[0], work.optimizer[0], precision=precision)
    return trainer, Batch(dict(named), y, None, np.arange(work.batch))


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


def torch_forms(work: Workload, precision: str = "float32") -> dict[str, Callable[[], Step]]:
    """Makers of torch's step by form: plain or channels_last, its own Adam or the fused one."""
    x, _ = work.data()
    images = [a for a in (x.values() if isinstance(x, Mapping) else [x]) if a.ndim == 4]
    layouts = [PLAIN, LAST] if images else [PLAIN]
    ends = ["", FUSED] if work.mode == "train" and work.theirs_step is None else [""]
    return {
        layout + end: partial(_formed, work, Form(layout == LAST, end == FUSED, False, precision))
        for layout in layouts
        for end in ends
    }


def _formed(work: Workload, form: Form) -> Step:
    return torch_step(work, work.theirs(), form)


def torch_step(work: Workload, module: nn.Module, form: Form = Form()) -> Step:
    """Theirs: zero_grad, forward, backward, optimizer; without the optimizer; or the forward pass."""
    x, y = work.data()
    if work.theirs_step is not None:
        return work.theirs_step(module, x, y)
    given = [work.to_torch(a) for a in (x.values() if isinstance(x, Mapping) else [x])]
    if form.last:
        module = module.to(memory_format=torch.channels_last)
        given = [t.to(memory_format=torch.channels_last) if t.ndim == 4 else t for t in given]
    if work.mode == "infer":
        return _inferred(module.eval(), given, form)
    return _trained(work, module, given, work.to_torch(y), form)


def _inferred(module: nn.Module, given: list[Any], form: Form) -> Step:
    called = torch.compile(module) if form.compiled else module

    def run() -> Any:
        with torch.inference_mode(), form.cast():
            return called(*given)

    return run


def _trained(work: Workload, module: nn.Module, given: list[Any], labels: Any, form: Form) -> Step:
    called = torch.compile(module) if form.compiled else module
    optimizer = work.optimizer[1](module.parameters(), form.fused) if work.mode == "train" else None

    def run() -> float:
        module.zero_grad()
        with form.cast():
            loss = work.loss[1](called(*given), labels)
        loss.backward()
        if optimizer is not None:
            optimizer.step()
        return float(loss.detach())

    return run


def difference(work: Workload, precision: str = "float32") -> float:
    """Greatest difference between the sides from the same weights, as a share of the greatest value.

    Of the losses over some training steps, or of the outputs; torch's side in float32.
    """
    work = replace(work, mode="train") if work.mode == "gradient" else work  # further losses show the gradient
    network, module = work.ours().build(0), work.theirs()
    work.copy(network, module)
    ours, theirs = our_step(work, network, precision), torch_step(work, module)
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


__all__ = ["Form", "Given", "difference", "our_step", "torch_forms", "torch_step", "trainer_and_batch"]
