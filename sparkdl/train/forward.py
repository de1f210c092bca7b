"""Inference programs of a network, kept while it lives: what predict and evaluate run.

Rows go through in chunks. A chunk that is not full is filled up to the next power of two with zero rows, whose results
are dropped, so that tables of any length need few programs.
"""

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile as compiled
from sparkdl.compile.program import Program
from sparkdl.graph.graph import Graph
from sparkdl.kernels.threads import check_threads
from sparkdl.nn.layer import Ctx
from sparkdl.nn.losses import Loss
from sparkdl.nn.network import Network
from sparkdl.train.programs import Feed, Programs, put
from sparkdl.train.step import bound_parameters, each_loss, inputs, parameters

Arrays = Mapping[str, NDArray[Any]]
LossItems = tuple[tuple[str, Loss], ...]


@dataclass
class _Kept:
    """Programs by losses and threads, bound to one vector; one run at a time."""

    vector: NDArray[np.float32]
    lock: threading.Lock = field(default_factory=threading.Lock)
    programs: dict[tuple[LossItems, int], Programs] = field(default_factory=dict)


_KEPT: "weakref.WeakKeyDictionary[Network, _Kept]" = weakref.WeakKeyDictionary()


def run_chunks(
    network: Network,
    feeds: Arrays,
    rows: int,
    size: int,
    losses: Mapping[str, Loss] | None = None,
    threads: int | None = None,
) -> Iterator[dict[str, Any]]:
    """The program's outputs for `feeds` (rows, ...), chunk by chunk: copies, without the rows that filled up.

    outputs: out/<output> (n, ...); with `losses` also each (n,) and, where there are any, penalty (a scalar).
    """
    kept = _kept(network)
    with kept.lock:
        programs = _programs(network, kept, tuple((losses or {}).items()), check_threads(threads))
        for feed in programs.all():
            feed.program.stale()  # the parameters may have been written to since the last call
        yield from chunks(programs, feeds, rows, size)


def chunks(programs: Programs, feeds: Arrays, rows: int, size: int) -> Iterator[dict[str, Any]]:
    """The outputs of `programs` for `feeds` (rows, ...), at most `size` rows at a time."""
    for start in range(0, rows, size):
        n = min(size, rows - start)
        feed = programs[_bucket(n, size)]
        _fill(feed, feeds, start, n)
        feed.program.run()
        yield {k: v[:n].copy() if v.shape else v.copy() for k, v in feed.program.outputs.items()}


def inference(
    network: Network,
    losses: Mapping[str, Loss],
    batch: int,
    vector: NDArray[np.float32] | None = None,
    threads: int | None = None,
    tune: float | None = None,
) -> Program:
    """The program for `batch` rows: layers as in inference; parameters are `vector`, by default the network's own."""
    graph, layout = Graph(), network.layout
    flat = graph.input("params", Spec((layout.trainable_size,))) if layout.trainable_size else None
    ctx = Ctx()
    preds = network.trace(
        graph, inputs(graph, network, batch, "float32"), parameters(graph, layout, flat, "float32"), ctx
    )
    outputs = {f"out/{name}": value for name, value in preds.items()}
    if losses:
        outputs["each"] = each_loss(graph, losses, preds)
        outputs |= {"penalty": sum(ctx.losses[1:], ctx.losses[0])} if ctx.losses else {}
    bound = bound_parameters(layout, network.vector if vector is None else vector)
    return compiled(graph, outputs, bind=bound, still=tuple(bound), threads=threads, tune=tune)


def _kept(network: Network) -> _Kept:
    """The network's programs; new ones when its vector is another."""
    found = _KEPT.get(network)
    if found is None or found.vector is not network.vector:
        found = _KEPT[network] = _Kept(network.vector)
    return found


def _programs(network: Network, kept: _Kept, losses: LossItems, threads: int) -> Programs:
    if (losses, threads) not in kept.programs:
        kept.programs[losses, threads] = Programs(_maker(weakref.ref(network), dict(losses), threads))
    return kept.programs[losses, threads]


def _maker(network: "weakref.ref[Network]", losses: Mapping[str, Loss], threads: int) -> Callable[[int], Program]:
    """Makes programs without keeping the network alive: the table of programs would never let go of it."""

    def make(batch: int) -> Program:
        found = network()
        assert found is not None  # the caller holds it
        return inference(found, losses, batch, threads=threads)

    return make


def _bucket(n: int, size: int) -> int:
    """The chunk that n rows go into.

    >>> [_bucket(n, 100) for n in (1, 3, 64, 65, 100)]
    [1, 4, 64, 100, 100]
    """
    return min(1 << (n - 1).bit_length(), size)


def _fill(feed: Feed, feeds: Arrays, start: int, n: int) -> None:
    for name, values in feeds.items():
        place = feed.program.inputs.get(name)
        if place is not None:
            put(name, place[:n], values[start : start + n])
            place[n:] = 0
