"""More workers than slots is said at once, and nothing is said when executors are still to come."""

import time
from types import SimpleNamespace

import pytest

from sparkdl.base.errors import ClusterError
from sparkdl.dist.slots import PATIENCE, early, need_slots, slots


def session(found, master="spark://host:7077", **confs):
    """A session whose slots are those of `found`, one a question; the last for ever."""
    left = list(found)
    scala = SimpleNamespace(
        maxNumConcurrentTasks=lambda profile: left.pop(0) if len(left) > 1 else left[0],
        resourceProfileManager=lambda: SimpleNamespace(defaultResourceProfile=lambda: None),
    )
    context = SimpleNamespace(_jsc=SimpleNamespace(sc=lambda: scala))
    known = {"spark.master": master} | confs
    return SimpleNamespace(
        sparkContext=context, conf=SimpleNamespace(get=lambda name, default: known.get(name, default))
    )


def test_all_slots_by_default():
    assert need_slots(session([3]), None) == 3


def test_fewer_workers_than_slots():
    assert need_slots(session([3]), 2) == 2


def test_executors_that_come_late_are_waited_for():
    assert need_slots(session([0, 1, 2]), 2) == 2


@pytest.mark.parametrize("master", ["local[2]", "spark://host:7077"])
def test_too_many_workers_are_refused_within_seconds(monkeypatch, master):
    assert PATIENCE < 5
    monkeypatch.setattr("sparkdl.dist.slots.PATIENCE", 0.5)
    started = time.monotonic()
    with pytest.raises(ClusterError, match=r"must be at most 2.*Got 4.*local\[4\]"):
        early(session([2], master), 4)
    assert time.monotonic() - started < (0.5 if master.startswith("local") else 1.5)


def test_a_cluster_without_executors_yet_is_not_refused_early():
    early(session([0]), 4)


def test_dynamic_allocation_is_refused():
    with pytest.raises(ClusterError, match=r"dynamicAllocation\.enabled=false"):
        early(session([2], **{"spark.dynamicAllocation.enabled": "true"}), None)


def test_without_a_jvm_the_default_parallelism_counts():
    counted = SimpleNamespace(distinct=lambda: SimpleNamespace(count=lambda: 7))
    connect = SimpleNamespace(range=lambda n: SimpleNamespace(selectExpr=lambda text: counted))
    assert slots(connect) == 7
