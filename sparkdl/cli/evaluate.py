"""`evaluate CONF`: how well the trained network does on a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sparkdl.base.errors import ConfError
from sparkdl.cli import report
from sparkdl.cli.conf import JobConf, load_conf
from sparkdl.cli.files import trained, write_json
from sparkdl.cli.session import read_table, session
from sparkdl.nn.network import Network

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def evaluate(
    path: str, overrides: Sequence[str] = (), table: str | None = None, master: str | None = None
) -> dict[str, Any]:
    """Measure the network that `train` saved on its test table, or on `table`. Returns evaluation.json."""
    job = load_conf(path, overrides)
    network, source = trained(job.outputs.model, path), table_of(job, table)
    with session(f"sparkdl evaluate {job.outputs.folder}", master) as spark:
        figures = evaluate_table(read_table(spark, source, job.columns.used()), network)
        write_json(job.outputs.evaluation, {"table": source, **figures})
    report.show_figures(figures)
    report.say(f"saved {job.outputs.evaluation}")
    return figures


def evaluate_table(df: "DataFrame", network: Network) -> dict[str, Any]:
    """Figures of a network on a labelled table; see `ml.measure`."""
    from sparkdl.ml.measure import measure
    from sparkdl.ml.score import Outputs, add_predictions
    from sparkdl.ml.scorer import encoder_of

    encoder = encoder_of(network)
    return measure(add_predictions(df, network, encoder, Outputs(raw="")), encoder)


def table_of(job: JobConf, table: str | None) -> str:
    """The table that the command line names, else the conf's test table. Raises ConfError where there is neither."""
    found = table or job.data.test
    if found is None:
        raise ConfError("which table? The conf has no data.test: name one with --table.")
    return found
