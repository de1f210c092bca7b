"""A predictor: a network made ready for many small calls, as behind a service."""

import threading
from typing import Any

from sparkdl.compile.tune import check_tune
from sparkdl.kernels.threads import check_threads
from sparkdl.nn.network import Network
from sparkdl.nn.params import aligned
from sparkdl.train.forward import chunks, inference
from sparkdl.train.predict import CHUNK, bare, gathered
from sparkdl.train.programs import Programs
from sparkdl.train.rows import feature_arrays, same_rows


class Predictor:
    """`predictor(x)` is `network.predict(x)` with the parameters as they were when it was made.

    Their normalisations are folded and their weights laid out once, where `predict` must do so in each call: they may
    have changed. It holds a copy of the parameters, so that training on does not disturb it. Callers take turns.

    threads: to compute with, $SPARKDL_THREADS or 1 by default
    tune:    seconds in which each program's kernels may be chosen by measurement, $SPARKDL_TUNE or 0 by default
    """

    def __init__(
        self, network: Network, batch_size: int = CHUNK, threads: int | None = None, tune: float | None = None
    ) -> None:
        vector = aligned(network.layout.size)
        vector[...] = network.vector
        self._network, self._size, self._lock = network, batch_size, threading.Lock()
        how = check_threads(threads), check_tune(tune)
        self._programs = Programs(lambda batch: inference(network, {}, batch, vector, *how))

    def __call__(self, x: Any) -> Any:
        """The outputs for all rows of `x`, as `predict` gives them."""
        xs = feature_arrays(self._network, x)
        rows = same_rows(xs)
        with self._lock:
            parts = chunks(self._programs, {f"x/{k}": v for k, v in xs.items()}, rows, self._size)
            return bare(self._network, gathered(self._network, parts, rows))
