"""What one rank does: rows in, trained parameters out. No Spark here.

The ranks train as DL4J's parameter averaging does, without its defects. Each has its own rows and its own minibatches.
Every `averaging_frequency` steps, and at the end of each epoch, all replace their state (parameters, state that is not
trained, optimizer slots) by its mean, weighted by the examples that each has seen since the last one. A rank that has
run out of rows joins with weight 0. So no row is dropped or repeated, whatever the partitions are.
"""

import itertools
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sparkdl.base.errors import ClusterError
from sparkdl.base.rng import Key
from sparkdl.data.batches import Batch, Table
from sparkdl.dist import wire
from sparkdl.dist.clock import Clock
from sparkdl.dist.collective import Gang, Ring
from sparkdl.dist.door import Door
from sparkdl.dist.drain import drain
from sparkdl.dist.faults import PeerFailed, attempt
from sparkdl.dist.job import FitConf, Job, versions
from sparkdl.dist.progress import Reporter
from sparkdl.dist.rendezvous import Peers, check_versions, meet
from sparkdl.nn.metrics import Sums, merged
from sparkdl.nn.network import Network
from sparkdl.nn.params import aligned
from sparkdl.train.trainer import Trainer, check_finite


def train_rank(batches: Iterable[pa.RecordBatch], job: Job, gang: Gang) -> Iterator[pa.RecordBatch]:
    """Train on this rank's rows together with the other ranks. Rank 0 yields the result (see `wire`), others nothing.

    A rank that meets a fault which would come again yields it as an error row. Raises Lost when a peer is lost: no
    rank gives a result unless all of them finished with the same state.
    """
    clock, door, result = Clock(), Door(gang.host), None
    try:
        with clock("load"):
            ready, fault = attempt(prepare, batches, job)
        with clock("rendezvous"):
            peers = meet(gang, door.port, len(ready.table) if ready else 0, versions(), fault is not None)
        if ready and not peers.faulty:
            result, fault = attempt(_together, ready, job, gang, door, peers, clock)
    finally:
        door.close()
    if fault:
        yield from wire.error_rows(fault)
    elif result:
        yield from wire.rows("result", result)


@dataclass(frozen=True)
class Ready:
    """All that a rank has before it meets the others. zero: the sums of loss and metrics of no rows."""

    conf: FitConf
    trainer: Trainer
    table: Table
    zero: dict[str, Sums]


def prepare(batches: Iterable[pa.RecordBatch], job: Job) -> Ready:
    """Drain the rows, check the labels, make the trainer."""
    conf, encoder, vector = job.read()
    network = Network(conf.network)
    network.vector = aligned(vector.size)
    network.vector[...] = vector
    trainer = Trainer(
        network, conf.loss, conf.optimizer, conf.metrics, conf.seed, conf.precision, threads=conf.threads,
        tune=0.0,  # each executor would choose for itself, and a retried gang give other bits
    )  # fmt: skip
    table = drain(batches, encoder)
    if len(table):
        (y,) = trainer.objective.labels(network, table.y).values()
        table = replace(table, y=y)
    return Ready(conf, trainer, table, _no_sums(trainer))


def _no_sums(trainer: Trainer) -> dict[str, Sums]:
    specs, losses = trainer.network.topology.specs(1), trainer.objective.losses
    targets = {name: loss.target(specs[name]) for name, loss in losses.items()}
    ys = {name: np.empty((0, *spec.shape[1:]), spec.dtype) for name, spec in targets.items()}
    preds = {name: np.empty((0, *specs[name].shape[1:]), np.float32) for name in losses}
    return {"loss": np.zeros(2)} | trainer.objective.sums(ys, preds)


def _together(ready: Ready, job: Job, gang: Gang, door: Door, peers: Peers, clock: Clock) -> bytes | None:
    """Join the ring and train. The packed result on rank 0, None on others."""
    ring = Ring(gang.rank, gang.size, ready.conf.averaging.timeout)
    try:
        check_versions(peers, dict(job.versions))
        with clock("rendezvous"):
            ring.join(door, peers.addresses, job.secret, peers.run)
        table = replace(ready.table, first_id=peers.first_id(ring.rank))
        return _train(replace(ready, table=table), job, ring, peers, clock)
    finally:
        ring.close()


def _train(ready: Ready, job: Job, ring: Ring, peers: Peers, clock: Clock) -> bytes | None:
    conf, history = ready.conf, []
    rounds = -(-peers.steps(conf.batch_size) // conf.averaging.averaging_frequency)
    reporter = Reporter(job.board if ring.rank == 0 else None, job.secret)
    try:
        for epoch in range(conf.epochs):
            history.append(_epoch(ready, ring, epoch, rounds, clock))
            reporter.tell(history[-1] | {"epochs": conf.epochs})
    finally:
        reporter.close()
    _agree(ring, ready.trainer.state)
    report = {"history": history, "rows": peers.rows, "seconds": clock.seconds, "iterations": ready.trainer.iterations}
    return wire.pack(ready.trainer.state, report) if ring.rank == 0 else None


def _epoch(ready: Ready, ring: Ring, epoch: int, rounds: int, clock: Clock) -> dict[str, Any]:
    """One pass over all rows. Returns the epoch's row of the history, the same on all ranks but for the seconds."""
    conf, trainer, start = ready.conf, ready.trainer, time.perf_counter()
    key = Key.of(conf.seed).fold("rank", ring.rank) if ring.size > 1 else Key.of(conf.seed)
    batches = ready.table.minibatches(conf.batch_size, key, epoch, conf.shuffle)
    for _ in range(rounds):
        with clock("train"):
            examples, fault = attempt(_steps, trainer, itertools.islice(batches, conf.averaging.averaging_frequency))
        with clock("average"):
            average(ring, trainer, examples or 0, fault)
    sums = total(ring, merged([ready.zero, trainer.take_sums()]))
    values = trainer.objective.results(sums)
    check_finite(values["loss"], epoch + 1, trainer.iterations)
    return {"epoch": epoch + 1, **values, "examples": int(sums["loss"][1]), "seconds": time.perf_counter() - start}


def _steps(trainer: Trainer, batches: Iterable[Batch]) -> int:
    """A step for each batch. Returns how many examples they had."""
    examples = 0
    for batch in batches:
        trainer.step(batch)
        examples += len(batch)
    return examples


def average(ring: Ring, trainer: Trainer, examples: int, fault: Exception | None = None) -> None:
    """Replace the state of all ranks by its mean, weighted by `examples`, and count steps as the rank that did most.

    The step count is common because Adam's bias correction and schedules depend on it. Raises `fault` where there is
    one, and PeerFailed on all other ranks.
    """
    shared = ring.share([examples, trainer.iterations, fault is not None])
    if fault:
        raise fault
    if shared[:, 2].any():
        raise PeerFailed
    ring.mean(trainer.averaged, shared[:, 0])
    trainer.iterations = int(shared[:, 1].max())


def total(ring: Ring, sums: dict[str, Sums]) -> dict[str, Sums]:
    """Sums over all ranks, the same bits on all. Every rank gives the same names and shapes."""
    flat = ring.share(np.concatenate([v.ravel() for v in sums.values()])).sum(0)
    parts = np.split(flat, np.cumsum([v.size for v in sums.values()])[:-1])
    return {name: part.reshape(v.shape) for (name, v), part in zip(sums.items(), parts, strict=True)}


def _agree(ring: Ring, state: NDArray[np.float32]) -> None:
    """The last exchange: nobody gives a result before all have come this far with the same bits."""
    found = ring.share([zlib.crc32(state.view(np.uint8).data)])
    if (found != found[0]).any():
        raise ClusterError(f"the ranks ended with different parameters, checksums {found[:, 0].astype(int).tolist()}")
