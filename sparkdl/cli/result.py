"""result.json: what a training did, with all that is needed to do it again."""

import platform
import statistics
from collections.abc import Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Any

from sparkdl.nn.network import Network

if TYPE_CHECKING:
    from sparkdl.dist.spark import Fitted

LIBRARIES = {
    "sparkdl": "dl4spark", "numpy": "numpy", "pyarrow": "pyarrow", "pyspark": "pyspark", "numba": "numba",
    "onednn": "onednn-cpu-gomp",
}  # fmt: skip


def training_result(
    fitted: "Fitted", test: Mapping[str, Any], seconds: Mapping[str, float], seed: int, master: str
) -> dict[str, Any]:
    """The table that is written as result.json. fitted: what `dist.spark.fit` gives, test: what `measure` gives.

    metrics:  {"train": those of the last epoch, "test": those of the trained network}
    timings:  seconds by phase; those inside the gang (load, rendezvous, train, average) are rank 0's
    """
    figures = dict(test)
    matrix, rows = figures.pop("confusion_matrix", None), figures.pop("rows", None)
    result = {
        "metrics": {"train": _last(fitted.history), "test": figures},
        "confusion_matrix": matrix,
        "classes": list(fitted.classes) if fitted.classes else None,
        "rows": {"train": fitted.rows, "test": rows},
        "rows_per_second": rows_per_second(fitted.history),
        "workers": fitted.workers,
        "parameters": parameters(fitted.network),
        "history": fitted.history,
        "timings": dict(seconds),
        "seed": seed,
        "spark": {"master": master},
        "versions": versions(),
    }
    return {k: v for k, v in result.items() if v is not None}


def versions() -> dict[str, str]:
    """Of Python and of the libraries that the numbers hang on, where they are installed."""
    return {"python": platform.python_version()} | {
        name: metadata.version(package) for name, package in LIBRARIES.items() if _installed(package)
    }


def rows_per_second(history: list[dict[str, Any]]) -> float:
    """Training rows a second, all workers together: the median epoch, so that compiling in the first does not count."""
    return float(statistics.median([epoch["examples"] / max(epoch["seconds"], 1e-9) for epoch in history] or [0.0]))


def parameters(network: Network) -> int:
    """How many numbers are trained."""
    return sum(spec.size for spec in network.topology.params().values() if spec.trainable)


def _last(history: list[dict[str, Any]]) -> dict[str, Any]:
    return {k: v for k, v in history[-1].items() if k not in ("epoch", "examples", "seconds")} if history else {}


def _installed(package: str) -> bool:
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True
