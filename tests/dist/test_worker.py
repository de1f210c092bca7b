"""A rank without Spark: what it does with faults, its own and others'."""

import dataclasses
import json
import os

import numpy as np
import pyarrow as pa
import pytest

from sparkdl.base.errors import ClusterError, DataError
from sparkdl.dist import wire
from sparkdl.dist.drain import drain
from sparkdl.dist.faults import Lost
from sparkdl.dist.job import ORDER, Job, versions
from sparkdl.dist.worker import train_rank
from tests.conformance.test_averaging import conf_of, encoder_of, first_vector, parts_of, table_of
from tests.dist.gangs import SECRET, fitted, ranks


def job_of(conf, **changes):
    return dataclasses.replace(Job.of(conf, encoder_of(conf), first_vector(conf), SECRET), **changes)


def rows_of(parts, job):
    """What each rank yields."""
    jobs = job if isinstance(job, list) else [job] * len(parts)
    return ranks(len(parts), lambda g: list(train_rank(parts[g.rank].to_batches(), jobs[g.rank], g)))


def kinds(rows):
    return [batch["kind"][0].as_py() for batch in rows]


def test_only_rank_0_gives_a_result():
    made = rows_of(parts_of((9, 9, 9)), job_of(conf_of(workers=3)))
    assert [kinds(rows) for rows in made] == [["result"], [], []]


def test_a_bad_label_on_one_rank_is_an_error_row_of_that_rank_and_ends_the_others():
    good, bad = parts_of((9, 9))
    bad = bad.set_column(1, "y", pa.array([7] * 9))
    made = rows_of([good, bad], job_of(conf_of()))
    assert [kinds(rows) for rows in made] == [[], ["error"]]
    with pytest.raises(DataError, match=r"'y'.*from 0 to 2"):
        wire.payload(pa.Table.from_batches(made[1]))


@pytest.mark.parametrize("error", [DataError("step broke"), KeyError("bug")])
def test_a_fault_in_a_step_is_told_to_the_peers(monkeypatch, error):
    from sparkdl.train.trainer import Trainer

    step = Trainer.step

    def broken(self, batch):
        if self.iterations == 3 and batch.ids.min() >= 9:
            raise error
        return step(self, batch)

    monkeypatch.setattr(Trainer, "step", broken)
    made = rows_of(parts_of((9, 9)), job_of(conf_of()))
    assert [kinds(rows) for rows in made] == [[], ["error"]]
    told = json_of(made[1][0])
    assert told["type"] == ("DataError" if isinstance(error, DataError) else "ClusterError")
    assert ("step broke" if isinstance(error, DataError) else "KeyError: 'bug'") in told["what"]


def json_of(batch):
    return json.loads(batch["bytes"][0].as_py())


def test_what_may_pass_is_raised(monkeypatch):
    def broken(self, batch):
        raise OSError("disk full")

    monkeypatch.setattr("sparkdl.train.trainer.Trainer.step", broken)
    with pytest.raises((OSError, Lost)):
        rows_of(parts_of((9, 9)), job_of(conf_of()))


def test_a_loss_that_is_not_a_number_ends_the_fit_with_a_clear_error():
    conf = conf_of(optimizer={"type": "SGD", "learning_rate": 1e30}, epochs=4)
    made = rows_of(parts_of((20, 20)), job_of(conf))
    with pytest.raises(DataError, match="loss became"):
        wire.payload(pa.Table.from_batches([b for rows in made for b in rows]))


@pytest.mark.parametrize("name", list(versions()))
def test_versions_that_differ_are_refused(monkeypatch, name):
    found = iter([versions(), versions() | {name: "0.0.1"}])
    monkeypatch.setattr("sparkdl.dist.worker.versions", lambda: next(found))
    made = rows_of(parts_of((9, 9)), job_of(conf_of()))
    with pytest.raises(ClusterError, match=f"{name} must be one version"):
        wire.payload(pa.Table.from_batches([b for rows in made for b in rows]))


def test_another_numpy_on_the_driver_is_fine_but_no_other_sparkdl():
    conf = conf_of()
    fine = job_of(conf, versions=tuple((versions() | {"numpy": "1.0"}).items()))
    assert kinds(rows_of(parts_of((9, 9)), fine)[0]) == ["result"]
    other = job_of(conf, versions=tuple((versions() | {"sparkdl": "1.0"}).items()))
    assert kinds(rows_of(parts_of((9, 9)), other)[0]) == ["error"]


def test_ranks_with_other_secrets_do_not_train_together():
    conf = conf_of()
    conf = dataclasses.replace(conf, averaging=dataclasses.replace(conf.averaging, timeout=1.0))
    jobs = [job_of(conf), job_of(conf, secret=os.urandom(32))]
    with pytest.raises(Lost):
        rows_of(parts_of((9, 9)), jobs)


def test_a_job_comes_back_from_its_texts():
    conf = conf_of(weight=True)
    job = job_of(conf)
    got, encoder, vector = job.read()
    assert got == conf and encoder == encoder_of(conf) and np.array_equal(vector, first_vector(conf))
    assert all(isinstance(v, str | bytes | tuple | None) for v in dataclasses.astuple(job))


def test_rows_keep_the_tables_order_however_they_come():
    table = table_of(30).append_column(ORDER, pa.array(range(30)))
    mixed = table.take(np.random.default_rng(0).permutation(30))
    one, other = (drain(t.to_batches(max_chunksize=7), encoder_of(conf_of())) for t in (table, mixed))
    assert np.array_equal(one.x["input"], other.x["input"]) and np.array_equal(one.y, other.y)


def test_no_rows_at_all_are_an_empty_table():
    table = drain([], encoder_of(conf_of()))
    assert len(table) == 0 and list(table.minibatches(8)) == []


def test_metrics_of_any_shape_add_up_over_ranks_without_rows():
    conf = conf_of(workers=2, metrics=("accuracy", "confusion_matrix"), epochs=1)
    _, report = fitted(parts_of((0, 20)), conf, encoder_of(conf), first_vector(conf))
    assert np.sum(report["history"][0]["confusion_matrix"]) == 20
