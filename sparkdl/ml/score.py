"""Scoring a DataFrame: the one way, for models and for the command line alike. Lazy, so that it works on streams.

The predictions of a row come as one struct from one Arrow function, marked non-deterministic: else Spark would run the
network again for each filter on a prediction. All columns of the table stay as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
from pyspark.ml.functions import array_to_vector
from pyspark.sql import Column, DataFrame, functions as F  # noqa: N812
from pyspark.sql.types import StructType

from sparkdl.base.errors import ConfError, DataError
from sparkdl.data.check import require
from sparkdl.data.encode import Encoder, to_saved
from sparkdl.data.schema import Columns
from sparkdl.dist.spark import arrow_schema
from sparkdl.io.archive import to_bytes
from sparkdl.ml import cache
from sparkdl.ml.columns import as_arrow
from sparkdl.ml.head import width
from sparkdl.ml.scorer import answer
from sparkdl.ml.ship import Parcel, ship
from sparkdl.nn.network import Network


@dataclass(frozen=True)
class Outputs:
    """Names of the columns to add; "" adds none. `label` is the class as it stands in the table, for classification."""

    prediction: str = "prediction"
    probability: str = "probability"
    raw: str = "rawPrediction"
    label: str = ""

    def names(self, task: str) -> list[str]:
        """Those that a task has and that are not switched off."""
        all_of = [self.raw, self.probability, self.prediction, self.label]
        return [name for name in (all_of if task == "classification" else [self.prediction]) if name]


def add_predictions(
    df: DataFrame,
    network: Network,
    encoder: Encoder,
    outputs: Outputs = Outputs(),
    invalid: str = "error",
    thresholds: tuple[float, ...] = (),
    renamed: Mapping[str, str] | None = None,
) -> DataFrame:
    """`df` with predictions.

    classification: raw predictions and probabilities (vectors), prediction (double: the index of the class)
    regression:     prediction (double; array<double> where the network has several outputs)
    invalid:        rows with null, NaN or infinite features are an "error", are left out ("skip"), or are predicted
                    as NaN ("keep")
    thresholds:     one a class, as in pyspark.ml: the class with the largest probability / threshold is predicted
    renamed:        {feature column in training: its name in `df`}, where they differ

    Raises DataError for feature columns that are missing or of a wrong type, and for outputs that exist already.
    """
    names = {name: (renamed or {}).get(name, name) for name in encoder.columns.feature_names()}
    classes = class_count(network, encoder)
    _check(df.schema, encoder, outputs, names)
    _check_thresholds(thresholds, classes)
    parcel = ship(df.sparkSession, _archive(network, encoder))
    column = f"sparkdl_{parcel.digest[:16]}"
    scored = _as_rows(df).withColumn(
        column, _function(parcel, encoder, invalid, thresholds, classes)(_features(df, encoder, names))
    )
    if invalid == "skip":
        scored = scored.where(F.col(column).isNotNull())
    return scored.select("*", *_expanded(column, encoder, outputs, classes)).drop(column)


def _as_rows(df: DataFrame) -> DataFrame:
    """`df` by way of a filter that lets everything through and that Spark cannot take out.

    Where an Arrow function stands right above a Parquet scan, Spark 4.2 and 4.3 hand it the scan's columnar batches:
    that fails for tables with vectors (UNSUPPORTED_DATATYPE UDT).
    """
    return df.where(F.spark_partition_id() >= 0)


def class_count(network: Network, encoder: Encoder) -> int:
    """Classes of a classifier; numbers of the output of a regression."""
    units = width(network.topology)
    return 2 if encoder.task == "classification" and units == 1 else units


def _archive(network: Network, encoder: Encoder) -> bytes:
    """The network as bytes that carry this encoder."""
    made = Network(network.topology)
    made.vector, made.training, made.preprocessing = network.vector, network.training, to_saved(encoder)
    data: bytes = to_bytes(made)
    return data


def _check(schema: StructType, encoder: Encoder, outputs: Outputs, names: Mapping[str, str]) -> None:
    steps = tuple(step for step in encoder.steps if not names.keys().isdisjoint(step.columns))
    now = tuple(replace(step, columns=tuple(names[c] for c in step.columns)) for step in steps)
    require(arrow_schema(schema), Columns(tuple(names.values())), now)
    for name in outputs.names(encoder.task):
        if name in schema.names:
            raise DataError(f"column {name!r} exists already. Drop it, or give the output another name.")


def _check_thresholds(thresholds: tuple[float, ...], classes: int) -> None:
    if thresholds and len(thresholds) != classes:
        raise ConfError(f"thresholds must be one a class, {classes}. Got {len(thresholds)}.")
    if thresholds.count(0.0) > 1:
        raise ConfError(f"thresholds must hold one 0 at most. Got {list(thresholds)}.")


def _features(df: DataFrame, encoder: Encoder, names: Mapping[str, str]) -> Column:
    """The feature columns as one struct: an Arrow function of one column is the same for any number of them."""
    stepped = {name for step in encoder.steps for name in step.columns}
    return F.struct(*(as_arrow(df.schema, now, name not in stepped).alias(name) for name, now in names.items()))


def _function(parcel: Parcel, encoder: Encoder, invalid: str, thresholds: tuple[float, ...], classes: int) -> Any:
    """The Spark function from the struct of features to the struct of predictions."""
    names = encoder.columns.feature_names()

    def score(batches: Iterator[pa.Array]) -> Iterator[pa.Array]:
        scorer = cache.scorer(parcel)
        for batch in batches:
            columns = {name: batch.field(k) for k, name in enumerate(names)}
            yield answer(scorer, columns, invalid, thresholds)

    makes = _returns(encoder.task, classes)
    if hasattr(F, "arrow_udf"):  # pyspark >= 4.1
        return F.arrow_udf(score, makes).asNondeterministic()
    return _over_pandas(score, makes)


def _returns(task: str, outputs: int) -> str:
    if task == "classification":
        return "raw array<float>, probability array<float>, prediction double"
    return "prediction double" if outputs == 1 else "prediction array<double>"


def _over_pandas(score: Any, makes: str) -> Any:
    """The same function for pyspark 4.0, which hands out pandas frames."""
    import pandas as pd
    from pyspark.sql.pandas.functions import pandas_udf

    def score_frames(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        arrays = (pa.RecordBatch.from_pandas(f, preserve_index=False).to_struct_array() for f in frames)
        for struct in score(arrays):
            yield pa.RecordBatch.from_struct_array(struct).to_pandas()

    return pandas_udf(score_frames, makes).asNondeterministic()  # type: ignore[call-overload]


def _expanded(column: str, encoder: Encoder, outputs: Outputs, classes: int) -> Iterator[Column]:
    """The output columns from the struct. Vectors say their length, so that a VectorAssembler needs no job for it."""
    part = F.col(column).getField
    if encoder.task == "classification":
        about = {"ml_attr": {"num_attrs": classes}}
        for name, field in ((outputs.raw, "raw"), (outputs.probability, "probability")):
            if name:
                yield array_to_vector(part(field)).alias(name, metadata=about)
        if outputs.label:
            yield _label(part("prediction"), encoder).alias(outputs.label)
    if outputs.prediction:
        yield part("prediction").alias(outputs.prediction)


def _label(prediction: Column, encoder: Encoder) -> Column:
    """The class's name, or its number as an int where the table's labels are numbers; null for a NaN prediction."""
    index = F.when(~F.isnan(prediction), prediction.cast("int"))
    if encoder.classes is None:
        return index
    return F.get(F.array(*map(F.lit, encoder.classes)), index)
