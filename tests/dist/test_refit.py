"""What the driver starts over and what it says at once."""

import pyarrow as pa
import pytest

from sparkdl.base.errors import ClusterError, DataError
from sparkdl.dist import wire
from sparkdl.dist.refit import until_done

LOST = RuntimeError("Job aborted: Could not recover from a failed barrier ResultStage\n\tat org.apache.spark.X")


def runs(*outcomes):
    """A gang whose runs end in `outcomes`, one after the other: an error, or batches; and those that are left."""
    left = list(outcomes)

    def once():
        made = left.pop(0)
        if isinstance(made, Exception):
            raise made
        return wire.payload(pa.Table.from_batches(list(made), wire.SCHEMA))

    return once, left


def good():
    return wire.rows("result", b"abc")


def test_a_lost_executor_and_lost_rows_are_tried_again(caplog):
    once, _ = runs(LOST, [], good())
    assert until_done(once, 2) == b"abc"
    assert len(caplog.records) == 2 and "\tat" not in caplog.text


def test_tries_end():
    once, left = runs(LOST, LOST, LOST)
    with pytest.raises(ClusterError, match="could not finish") as caught:
        until_done(once, 1)
    assert len(left) == 1 and caught.value.__cause__ is LOST


def test_our_own_errors_come_at_once():
    once, left = runs(wire.error_rows(DataError("labels")), good())
    with pytest.raises(DataError, match="labels"):
        until_done(once, 2)
    assert len(left) == 1


def test_what_spark_would_meet_again_comes_at_once():
    once, left = runs(RuntimeError("PYTHON_EXCEPTION ... ModuleNotFoundError"), good())
    with pytest.raises(ClusterError, match="ModuleNotFoundError"):
        until_done(once, 2)
    assert len(left) == 1
