"""From an estimator's params to the record of a fit: what the user left open is filled in from the table."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import Column, DataFrame, functions as F  # noqa: N812
from pyspark.sql.types import ArrayType, BinaryType, StructField

from sparkdl.base.errors import ConfError, DataError
from sparkdl.base.record import OneOf, from_conf, to_conf
from sparkdl.data.encode import Task
from sparkdl.data.schema import Columns
from sparkdl.data.steps.category import OneHot
from sparkdl.data.steps.numeric import MinMax, Standardize
from sparkdl.data.steps.step import STEPS, Step
from sparkdl.dist.columns import quoted
from sparkdl.dist.job import AveragingPlan, FitConf
from sparkdl.dist.spark import is_vector
from sparkdl.ml.columns import field_of, vector_array
from sparkdl.ml.head import LINKS, last_activation, width
from sparkdl.ml.setters import TrainingSetters
from sparkdl.nn.losses import LOSSES
from sparkdl.nn.topology import Topology
from sparkdl.optim.optimizer import OPTIMIZERS

_SCALINGS: dict[str, Any] = {
    "none": lambda names: (),
    "standardize": lambda names: (Standardize(names),),
    "minmax": lambda names: (MinMax(names),),
}


def fit_conf(stage: TrainingSetters, df: DataFrame, task: Task) -> FitConf:
    """The fit that an estimator asks for. Raises ConfError and DataError for what cannot be, before any training."""
    features = tuple(stage.getFeaturesCols())
    steps = _steps(stage, features)
    network = _topology(stage, df, features, steps)
    return FitConf(
        columns=Columns(features, str(stage.getOrDefault("labelCol")), _text(stage, "weightCol")),
        network=network,
        loss=_loss(stage, network, task),
        optimizer=_optimizer(stage),
        steps=steps,
        metrics=tuple(stage.getMetrics()),
        epochs=stage.getEpochs(),
        batch_size=stage.getBatchSize(),
        seed=stage.getSeed(),
        averaging=AveragingPlan(stage.getNumWorkers() or None, stage.getAveragingFrequency()),
        task=task,
        precision=stage.getPrecision(),
        threads=stage.getThreads(),
    )


def _text(stage: TrainingSetters, name: str) -> str | None:
    """A column param that may be unset or empty."""
    return (stage.getOrDefault(name) or None) if stage.isDefined(name) else None


def _steps(stage: TrainingSetters, features: tuple[str, ...]) -> tuple[Step, ...]:
    """The steps given; the columns that none of them names are scaled as `scaling` says."""
    given = tuple(OneOf(STEPS).parse(step) for step in stage.getSteps())
    named = {name for step in given for name in step.columns}
    rest = tuple(name for name in features if name not in named)
    return given + (_SCALINGS[stage.getScaling()](rest) if rest else ())


def _topology(stage: TrainingSetters, df: DataFrame, features: tuple[str, ...], steps: tuple[Step, ...]) -> Topology:
    if not stage.isDefined("network"):
        raise ConfError(f"{stage.uid}: network must be given: a Network, a Topology or a list of layers.")
    given = stage.getNetwork()
    conf: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {"layers": given}
    layers = conf.get("layers") or [{}]
    first = layers[0].get("type") if isinstance(layers[0], Mapping) else layers[0]
    if not conf.get("inputs") and first != "Input":
        conf["inputs"] = {"input": _shape(stage, df, features, steps)}
    return from_conf(Topology, conf, "network")


def _shape(stage: TrainingSetters, df: DataFrame, features: tuple[str, ...], steps: tuple[Step, ...]) -> list[int]:
    """The shape of one example: as given, else (numbers in all feature columns,)."""
    if stage.isDefined("inputShape"):
        return stage.getInputShape()
    hot = {name: step for step in steps if isinstance(step, OneHot) for name in step.columns}
    counts = [_width(field_of(df.schema, name), hot.get(name)) for name in features]
    asked = [count for count in counts if isinstance(count, Column)]
    found = list(df.agg(*asked).first() or ()) if asked else []
    if None in found:
        raise DataError(f"{stage.uid}: the table is empty, or a feature column is all null: nothing to train on.")
    return [sum(found.pop(0) if isinstance(count, Column) else count for count in counts)]


def _width(field: StructField, hot: OneHot | None) -> int | Column:
    """How many numbers a column gives a row, or what to ask of the table to know it."""
    column = F.col(quoted(field.name))
    if hot is not None:
        known = (hot.categories or {}).get(field.name)
        return len(known) if known is not None else F.count_distinct(column)
    if is_vector(field.dataType):
        told = (field.metadata or {}).get("ml_attr", {}).get("num_attrs")
        return int(told) if told else F.max(F.size(vector_array(column)))
    if isinstance(field.dataType, ArrayType):
        return F.max(F.size(column))
    return F.max(F.octet_length(column)) if isinstance(field.dataType, BinaryType) else 1


def _optimizer(stage: TrainingSetters) -> Any:
    """The optimizer, with `learningRate` where that is set."""
    made = OneOf(OPTIMIZERS).parse(stage.getOptimizer())
    if not stage.isDefined("learningRate"):
        return made
    return OneOf(OPTIMIZERS).parse(to_conf(made) | {"learning_rate": stage.getLearningRate()})


def _loss(stage: TrainingSetters, network: Topology, task: Task) -> Any:
    """The loss given, else the one that fits the task and the output. Raises ConfError where it misreads the output."""
    logits = last_activation(network) not in LINKS
    if not stage.isDefined("loss"):
        return _usual(task, width(network), logits)
    given = OneOf(LOSSES).parse(stage.getLoss())
    if task == "classification" and logits and getattr(given, "from_logits", True) is False:
        raise ConfError(
            f"{stage.uid}: loss {type(given).__name__} takes probabilities, but the network ends without softmax or "
            "sigmoid. Add the activation, or set from_logits."
        )
    return given


def _usual(task: Task, units: int, logits: bool) -> Any:
    if task == "regression":
        return {"type": "MeanSquaredError"}
    kind = "BinaryCrossentropy" if units == 1 else "SparseCategoricalCrossentropy"
    return {"type": kind, "from_logits": logits}
