"""A kernel as a few numpy calls, each tied to its arrays."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparkdl.kernels.table import Bound

Calls = Sequence[Callable[[], Any]]


def in_order(calls: Calls) -> Bound:
    """Make them one after another, in silence: IEEE results are what is asked for, not warnings."""

    def run() -> None:
        with np.errstate(all="ignore"):
            for call in calls:
                call()

    return run
