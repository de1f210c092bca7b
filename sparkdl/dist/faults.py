"""Faults of a rank: those that another attempt may not meet, and those that it would meet again.

The first are raised: Spark starts the whole stage over. The second are told to the peers and sent to the driver as a
row, so that the user sees them at once and as what they are, not after four attempts and as a Java exception.
"""

import traceback
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sparkdl.base.errors import ClusterError, SparkdlError

P = ParamSpec("P")
T = TypeVar("T")


class Lost(ClusterError):
    """A rank went away, is stuck or never came, or Spark lost its rows."""


class PeerFailed(Exception):
    """Another rank said that it cannot go on; it reports why itself."""


MAY_PASS = (Lost, OSError, MemoryError)


def attempt(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T | None, SparkdlError | None]:
    """What `work` gives and None, or None and the fault that it would meet again. Raises those that may pass.

    >>> attempt(int, "7")
    (7, None)
    >>> attempt(int, "x")[1].args[0].splitlines()[0]
    "ValueError: invalid literal for int() with base 10: 'x'"
    """
    try:
        return work(*args, **kwargs), None
    except MAY_PASS:
        raise
    except PeerFailed:
        return None, None
    except SparkdlError as error:
        return None, error
    except Exception as error:
        return None, ClusterError(f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
