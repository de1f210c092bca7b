"""Starting over from the driver, for the failures that Spark itself does not retry."""

import logging
from collections.abc import Callable
from typing import TypeVar

from sparkdl.base.errors import ClusterError, SparkdlError
from sparkdl.dist.faults import Lost

T = TypeVar("T")
log = logging.getLogger(__name__)

# What Spark says when it gives up on a gang although another may do well: an executor went away with the last stage,
# or has not been replaced yet.
SIGNS = ("ExecutorLostFailure", "Could not recover from a failed barrier ResultStage", "SPARK-24819")


def until_done(once: Callable[[], T], refits: int) -> T:
    """What `once()` gives, tried again up to `refits` times after failures that may pass.

    Our own errors come as they are and at once, what Spark would meet again as a ClusterError.
    """
    try:
        return once()
    except Exception as error:
        if isinstance(error, SparkdlError) and not isinstance(error, Lost):
            raise
        if not refits or not _may_pass(error):
            raise ClusterError(f"Spark could not finish the training. {_said(error)}") from error
        log.warning("the training failed and starts over. %s", _said(error))
    return until_done(once, refits - 1)


def _may_pass(error: Exception) -> bool:
    return isinstance(error, Lost) or any(sign in str(error) for sign in SIGNS)


def _said(error: Exception) -> str:
    """A Spark exception without the Java below it."""
    return "\n".join(line for line in str(error).splitlines() if not line.startswith("\tat "))[:4000]
