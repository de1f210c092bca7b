"""`predict CONF`: a table with the trained network's predictions beside its columns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sparkdl.cli import report
from sparkdl.cli.conf import JobConf, load_conf
from sparkdl.cli.evaluate import table_of
from sparkdl.cli.files import refuse_existing, trained
from sparkdl.cli.session import read_table, session
from sparkdl.nn.network import Network

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SHOWN = 8  # rows
_SHORT = ("tinyint", "smallint", "int", "bigint", "float", "double", "string", "boolean")
_MOST = 3  # columns that are shown beside the predictions


def predict(
    path: str,
    overrides: Sequence[str] = (),
    table: str | None = None,
    overwrite: bool = False,
    master: str | None = None,
) -> str:
    """Score the conf's test table, or `table`, and write it as Parquet to the output folder. Returns the path."""
    job = load_conf(path, overrides)
    target = job.outputs.predictions
    refuse_existing(target, overwrite)
    network = trained(job.outputs.model, path)
    with session(f"sparkdl predict {job.outputs.folder}", master) as spark:
        df = read_table(spark, table_of(job, table), job.columns.used(labels=False))
        predict_table(df, network).write.mode("overwrite").parquet(target)
        written = spark.read.parquet(target)
        _show(written, job)
        report.say(f"wrote {written.count():,} rows to {target}")
    return target


def predict_table(df: "DataFrame", network: Network) -> "DataFrame":
    """`df` with `prediction`, the class as it stands in the label column or the number, and `probability`, an array."""
    from sparkdl.ml.columns import as_arrow
    from sparkdl.ml.score import Outputs, add_predictions
    from sparkdl.ml.scorer import encoder_of

    encoder = encoder_of(network)
    if encoder.task == "regression":
        return add_predictions(df, network, encoder)
    made = add_predictions(df, network, encoder, Outputs(prediction="", raw="", label="prediction"))
    return made.withColumn("probability", as_arrow(made.schema, "probability"))


def _show(written: "DataFrame", job: JobConf) -> None:
    names = _shown(written.dtypes, job)
    rows = [[_cell(row[name]) for name in names] for row in written.select(names).limit(SHOWN).collect()]
    report.show_rows("Predictions", names, rows)


def _shown(dtypes: Sequence[tuple[str, str]], job: JobConf) -> list[str]:
    """Columns that fit on a line: some of the table's own, the label, the predictions."""
    names = [name for name, _ in dtypes]
    last = [n for n in (job.data.label, "prediction", "probability") if n in names]
    own = [n for n, kind in dtypes if kind in _SHORT and n not in last]
    return [*own[:_MOST], *last]


def _cell(value: Any) -> Any:
    """Of an array of probabilities, the largest."""
    return max(value) if isinstance(value, list) and value else value
