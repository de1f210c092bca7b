"""`train CONF`: a table in; a trained network, its figures and its whole conf out."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sparkdl.cli import report
from sparkdl.cli.conf import JobConf, load_conf
from sparkdl.cli.evaluate import evaluate_table
from sparkdl.cli.files import claim, write_json, write_sample
from sparkdl.cli.result import training_result
from sparkdl.cli.session import master_of, read_table, session
from sparkdl.dist.clock import Clock
from sparkdl.io.archive import save

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from sparkdl.dist.spark import Fitted


def train(
    path: str, overrides: Sequence[str] = (), overwrite: bool = False, master: str | None = None
) -> dict[str, Any]:
    """Train what the conf at `path` describes and leave the results in its output folder. Returns result.json.

    Whatever can be found wrong before Spark starts, or before training does, is found then.
    """
    start, clock = time.perf_counter(), Clock()
    job = load_conf(path, overrides)
    claim(job, overwrite)
    prepare_sample(job)
    with session(f"sparkdl train {job.outputs.folder}", master) as spark:
        clock.seconds["start Spark"] = time.perf_counter() - start
        result = _run(spark, job, clock)
        result["timings"]["total"] = time.perf_counter() - start
        write_json(job.outputs.result, result)
    report.show_training(result)
    report.say(f"saved {job.outputs.model}, {job.outputs.result}, {job.outputs.conf}")
    return result


def prepare_sample(job: JobConf) -> None:
    """Write the sample's tables where they are missing, and say so."""
    for path in write_sample(job.data):
        report.say(f"wrote {path}, sample data {job.data.sample!r}")


def _run(spark: "SparkSession", job: JobConf, clock: Clock) -> dict[str, Any]:
    """Both tables are looked at before training, so that a fault in the second does not cost the first."""
    from sparkdl.dist.spark import fit

    used = job.columns.used()
    table = read_table(spark, job.data.train, used)
    test = read_table(spark, job.data.test, used) if job.data.test else None
    fitted = fit(table, job.fit_conf(), report.progress())
    with clock("save"):
        save(fitted.network, job.outputs.model, overwrite=True)
    with clock("evaluate"):
        figures = evaluate_table(test, fitted.network) if test is not None else {}
    return training_result(fitted, figures, _timings(clock, fitted), job.training.seed, master_of(spark))


def _timings(clock: Clock, fitted: "Fitted") -> dict[str, float]:
    """In the order of events, the fit's own phases between ours."""
    own = dict(clock.seconds)
    fit = {phase: seconds for phase, seconds in fitted.timings.items() if phase != "total"}
    return {"start Spark": own.pop("start Spark"), **fit, **own}
