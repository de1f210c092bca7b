"""The CPU engine against torch eager: a training step of each workload, one thread, sides alternated in one process.

    python -m benchmarks.engine [--json FILE] [--seconds S] [WORKLOAD ...]

A step is `Trainer.step(batch)` on our side (feeding, forward, backward, Adam), and zero_grad, forward, backward, Adam
on torch's, on the same batch in memory. Before it is timed, the losses of ten steps from the same weights must agree.
`ratio` is against eager torch in its better layout (channels_last tried for images) with Adam as it comes; `fused` is
against the same with torch's fused Adam.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from benchmarks.clock import alternate, cpu, one_thread

one_thread()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from sparkdl.data.batches import Batch  # noqa: E402
from sparkdl.nn.layers.conv import Conv2D  # noqa: E402
from sparkdl.nn.layers.dense import Dense  # noqa: E402
from sparkdl.nn.layers.pool import MaxPooling2D  # noqa: E402
from sparkdl.nn.layers.reshape import Flatten  # noqa: E402
from sparkdl.nn.losses import SparseCategoricalCrossentropy  # noqa: E402
from sparkdl.nn.network import Network, Sequential  # noqa: E402
from sparkdl.optim.rules import Adam  # noqa: E402
from sparkdl.train.trainer import Trainer  # noqa: E402

RATE, FUSED = 1e-4, " + fused Adam"
AGREE = 2e-3  # difference of the losses over ten Adam steps, as a share of the first


@dataclass(frozen=True)
class Workload:
    """One row: our layers and torch's, on inputs of `shape` (channels last), with the ratio it must reach."""

    name: str
    shape: tuple[int, ...]
    classes: int
    batch: int
    ours: Callable[[], Sequence[Any]]
    theirs: Callable[[], nn.Module]
    bar: float


def mlp(name: str, sizes: Sequence[int], batch: int, bar: float) -> Workload:
    """Dense layers with relu between them."""
    inner = sizes[1:-1]

    def theirs() -> nn.Module:
        parts: list[nn.Module] = []
        for i, o in zip(sizes[:-2], inner, strict=True):
            parts += [nn.Linear(i, o), nn.ReLU()]
        return nn.Sequential(*parts, nn.Linear(sizes[-2], sizes[-1]))

    def ours() -> Sequence[Any]:
        return [*(Dense(n, "relu") for n in inner), Dense(sizes[-1])]

    return Workload(name, (sizes[0],), sizes[-1], batch, ours, theirs, bar)


def lenet() -> Workload:
    """Caffe's LeNet: 20 and 50 filters of 5 x 5, 500 units."""

    def ours() -> Sequence[Any]:
        convolved = [Conv2D(20, 5), MaxPooling2D(), Conv2D(50, 5), MaxPooling2D()]
        return [*convolved, Flatten(), Dense(500, "relu"), Dense(10)]

    def theirs() -> nn.Module:
        convolved = [nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2)]
        return nn.Sequential(*convolved, nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))

    return Workload("lenet", (28, 28, 1), 10, 64, ours, theirs, 1.0)


WORKLOADS = {
    w.name: w
    for w in (
        mlp("mlp_tabular", (40, 64, 32, 2), 64, 0.20),
        mlp("mlp_mid", (784, 512, 256, 10), 128, 0.55),
        mlp("mlp_wide", (784, 2048, 2048, 10), 256, 0.55),
        lenet(),
    )
}


@dataclass(frozen=True)
class Result:
    """A measured row. Times are medians in milliseconds; ratio = ours / torch eager."""

    workload: str
    ratio: float
    ours_ms: float
    torch_ms: float
    isa: str
    precision: str
    batch: int
    cpu: str
    versions: dict[str, str] = field(default_factory=dict)
    ratio_of_best: float = 0.0
    ratio_fused_adam: float = 0.0
    torch_layout: str = ""
    bar: float = 0.0
    loss_difference: float = 0.0


def measure(work: Workload, seconds: float) -> Result:
    """Check that both sides compute the same, then time them."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((work.batch, *work.shape)).astype(np.float32)
    y = rng.integers(0, work.classes, work.batch).astype(np.int32)
    difference = _difference(work, x, y)
    if not difference < AGREE:
        raise SystemExit(f"{work.name}: the losses differ by {difference:.1e}: nothing to compare")
    sides = {"ours": _ours(work, x, y)[1], **_torch_forms(work, x, y)}
    times = alternate(sides, seconds)
    plain = min((k for k in times if k != "ours" and not k.endswith(FUSED)), key=lambda k: times[k][1])
    best, median = (times["ours"][k] / times[plain][k] for k in (0, 1))
    fused = times["ours"][1] / min(times[k][1] for k in times if k.endswith(FUSED))
    said = {p: version(p) for p in ("torch", "numpy", "numba", "onednn-cpu-gomp")}
    isa = torch.backends.cpu.get_cpu_capability()
    return Result(
        work.name, median, times["ours"][1], times[plain][1], isa, "float32", work.batch, cpu(), said,
        best, fused, plain, work.bar, difference,
    )  # fmt: skip


def _ours(work: Workload, x: Any, y: Any) -> tuple[Network, Callable[[], float]]:
    network = Sequential(list(work.ours()), input_shape=work.shape)
    network.build(0)
    trainer = Trainer(network, SparseCategoricalCrossentropy(from_logits=True), Adam(RATE))
    batch = Batch(dict.fromkeys(network.topology.inputs, x), y, None, np.arange(work.batch))
    return network, lambda: trainer.step(batch)


def _torch_forms(work: Workload, x: Any, y: Any) -> dict[str, Callable[[], float]]:
    image = len(work.shape) == 3
    layouts = {"plain": False, "channels_last": True} if image else {"plain": False}
    forms = {name + end: (last, end == FUSED) for name, last in layouts.items() for end in ("", FUSED)}
    return {name: _theirs(work.theirs(), x, y, last, fused) for name, (last, fused) in forms.items()}


def _theirs(net: nn.Module, x: Any, y: Any, channels_last: bool, fused: bool) -> Callable[[], float]:
    given = torch.from_numpy(x if x.ndim == 2 else np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    if channels_last:
        net, given = net.to(memory_format=torch.channels_last), given.to(memory_format=torch.channels_last)
    labels = torch.from_numpy(y.astype(np.int64))
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, eps=1e-7, fused=fused)

    def step() -> float:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(given), labels)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def _difference(work: Workload, x: Any, y: Any) -> float:
    """Greatest difference of the losses of ten steps from the same weights, as a share of the first loss."""
    network, ours = _ours(work, x, y)
    net = work.theirs()
    _copy(network, net)
    theirs = _theirs(net, x, y, False, False)
    losses = np.array([(ours(), theirs()) for _ in range(10)])
    return float(np.max(np.abs(losses[:, 0] - losses[:, 1])) / losses[0, 1])


def _copy(network: Network, net: nn.Module) -> None:
    """Our weights into torch's layers; Dense after Flatten sees channels last with us and first with torch."""
    given = iter(network.parameters().items())
    convolved = 0
    with torch.no_grad():
        for part in net.modules():
            if not isinstance(part, nn.Linear | nn.Conv2d):
                continue
            (_, kernel), (_, bias) = next(given), next(given)
            if isinstance(part, nn.Conv2d):
                convolved = kernel.shape[3]
                part.weight.copy_(torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()))
            else:
                part.weight.copy_(torch.from_numpy(_channels_first(kernel, convolved).T.copy()))
                convolved = 0
            part.bias.copy_(torch.from_numpy(bias.copy()))


def _channels_first(kernel: Any, channels: int) -> Any:
    if not channels:
        return kernel
    pixels = kernel.shape[0] // channels
    return kernel.reshape(pixels, channels, -1).transpose(1, 0, 2).reshape(kernel.shape)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; exit 1 when a row misses its bar."""
    parser = argparse.ArgumentParser(prog="benchmarks.engine", description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)}; all by default")
    parser.add_argument("--json", help="write the rows to this file")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each workload")
    given = parser.parse_args(arguments)
    unknown = [w for w in given.workloads if w not in WORKLOADS]
    if unknown:
        parser.error(f"no workload {unknown[0]!r}; known: {', '.join(WORKLOADS)}")
    torch.set_num_threads(1)
    print(f"{cpu()}, torch {torch.__version__}, one thread; medians, ratio below 1: we are faster")
    results = []
    for name in given.workloads or WORKLOADS:
        results.append(measure(WORKLOADS[name], given.seconds))
        print(_line(results[-1]), flush=True)
    if given.json:
        with open(given.json, "w", encoding="utf-8") as f:
            json.dump([asdict(r) for r in results], f, indent=1)
    return int(any(r.ratio > r.bar for r in results))


def _line(r: Result) -> str:
    verdict = "ok" if r.ratio <= r.bar else "MISSED"
    return (
        f"{r.workload:<12} ours {r.ours_ms:8.3f} ms  torch {r.torch_ms:8.3f} ms ({r.torch_layout})  "
        f"ratio {r.ratio:.2f} (best {r.ratio_of_best:.2f}, fused Adam {r.ratio_fused_adam:.2f})  "
        f"bar {r.bar:.2f} {verdict}  loss diff {r.loss_difference:.0e}"
    )


if __name__ == "__main__":
    sys.exit(main())
