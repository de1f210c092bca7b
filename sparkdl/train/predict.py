"""predict: a network's outputs for arrays in memory."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.nn.network import Network
from sparkdl.train.forward import run_chunks
from sparkdl.train.rows import Arrays, feature_arrays, same_rows

CHUNK = 256


def predict(network: Network, x: Any, *, batch_size: int = CHUNK, threads: int | None = None) -> Any:
    """The outputs for all rows of `x`: (N, ...) float32, or a dict of them by output where there are several.

    x: an array (N, ...), a dict of them by input, or an Arrow table. `batch_size` rows go through at a time.
    threads: to compute with, $SPARKDL_THREADS or 1 by default
    """
    return bare(network, outputs(network, feature_arrays(network, x), batch_size, threads))


def outputs(network: Network, xs: Arrays, batch_size: int = CHUNK, threads: int | None = None) -> Arrays:
    """The outputs by name for checked inputs."""
    rows = same_rows(xs)
    parts = run_chunks(network, {f"x/{k}": v for k, v in xs.items()}, rows, batch_size, threads=threads)
    return gathered(network, parts, rows)


def gathered(network: Network, parts: Iterable[dict[str, Any]], rows: int) -> Arrays:
    """The outputs by name from those of chunks one after another."""
    made: Arrays = {}
    at = 0
    for chunk in parts:
        given = {name: chunk[f"out/{name}"] for name in network.topology.outputs}
        made = made or {name: np.empty((rows, *a.shape[1:]), a.dtype) for name, a in given.items()}
        for name, array in given.items():
            made[name][at : at + len(array)] = array
        at += len(next(iter(given.values())))
    return made or _nothing(network)


def _nothing(network: Network) -> Arrays:
    """The outputs for no rows. (Shapes of all layers are inferred: some ms for deep networks, not for each call.)"""
    specs = network.topology.specs(1)
    return {name: np.empty((0, *specs[name].shape[1:]), specs[name].dtype) for name in network.topology.outputs}


def bare(network: Network, made: Arrays) -> NDArray[Any] | Arrays:
    """The only output as it is, several as a dict."""
    return made if len(network.topology.outputs) > 1 else made[network.topology.outputs[0]]
