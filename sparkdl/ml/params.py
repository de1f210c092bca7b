"""The params of our stages: one mixin a Param, camelCase as in pyspark.ml, pyspark's own where it has one.

A mixin holds the Param and its getter. Estimators and models carry the same params, so that a model says how it was
trained; setters stand in `setters.py`, for the params that still have an effect on the stage. Values are checked when
`fit` or `transform` is called (`check`), never when they are set, because `copy(extra)` must mean the same as setting.
"""

import json
from typing import Any, Literal, TypedDict

from pydantic import TypeAdapter, ValidationError
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasBatchSize, HasHandleInvalid, HasLearningRate, HasSeed, HasWeightCol

from sparkdl.base.checks import Count, NonNegative, Positive, Precision, Whole, describe
from sparkdl.base.errors import ConfError
from sparkdl.base.record import to_conf
from sparkdl.base.registry import near

DEFAULTS: dict[str, Any] = {
    "optimizer": "adam",
    "metrics": [],
    "epochs": 10,
    "batchSize": 32,
    "numWorkers": 0,
    "averagingFrequency": 5,
    "scaling": "none",
    "steps": [],
    "precision": "float32",
    "threads": 1,
    "seed": 0,  # pyspark's default is the hash of the class name, which differs between Python processes
    "handleInvalid": "error",
}

_MUST_BE: dict[str, Any] = {
    "epochs": Count,
    "batchSize": Count,
    "numWorkers": Whole,
    "averagingFrequency": Count,
    "seed": Whole,
    "learningRate": Positive,
    "inputShape": tuple[Count, ...],
    "scaling": Literal["none", "standardize", "minmax"],
    "precision": Precision,
    "threads": Count,
    "handleInvalid": Literal["error", "skip", "keep"],
    "thresholds": tuple[NonNegative, ...],
}


def plain(value: Any) -> Any:
    """The JSON value of a record, or of a list or table of records. Raises TypeError for what has none.

    >>> plain(("sgd", {"rate": 1.0}))
    ['sgd', {'rate': 1.0}]
    """
    made = to_conf(value)
    json.dumps(made)
    return made


def network_conf(value: Any) -> Any:
    """What the param `network` holds: a list of layer tables, or the table of a Topology.

    Takes a Network, a Topology, a list of layers (records or tables), a table, or JSON text of one.

    >>> network_conf('[{"type": "Dense", "units": 2}]')
    [{'type': 'Dense', 'units': 2}]
    """
    if isinstance(value, str):
        value = _parsed(value)
    made = plain(getattr(value, "topology", value))
    if not isinstance(made, list | dict):
        raise TypeError(f"network must be a Network, a Topology, a list of layers or JSON of one. Got {value!r}.")
    return made


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise TypeError(f"network must be JSON when it is a text. Got {text[:60]!r}.") from None


def _some(convert: Any) -> Any:
    """A list of anything that `convert` takes."""
    return lambda value: [convert(v) for v in TypeConverters.toList(value)]


def _param(name: str, doc: str, convert: Any) -> "Param[Any]":
    return Param(Params._dummy(), name, doc, typeConverter=convert)


class HasFeaturesCols(Params):
    """Mixin for param featuresCols."""

    featuresCols: "Param[list[str]]" = _param(
        "featuresCols",
        "feature columns, joined in this order; in place of featuresCol.",
        TypeConverters.toListString,
    )

    def getFeaturesCols(self) -> list[str]:
        """The feature columns: featuresCols where set, else the one of featuresCol."""
        if self.isDefined(self.featuresCols):
            return self.getOrDefault(self.featuresCols)
        return [str(self.getOrDefault("featuresCol"))]


class HasNetwork(Params):
    """Mixin for param network."""

    network: "Param[Any]" = _param(
        "network",
        "the whole network, its output layer too: a Network, a Topology or a list of layers; held as plain tables.",
        network_conf,
    )

    def getNetwork(self) -> Any:
        """A list of layer tables, or the table of a Topology."""
        return self.getOrDefault(self.network)


class HasInputShape(Params):
    """Mixin for param inputShape."""

    inputShape: "Param[list[int]]" = _param(
        "inputShape",
        "shape of one example when network is a list of layers; unset = (number of features,).",
        TypeConverters.toListInt,
    )

    def getInputShape(self) -> list[int]:
        """The shape of one example."""
        return self.getOrDefault(self.inputShape)


class HasLoss(Params):
    """Mixin for param loss."""

    loss: "Param[Any]" = _param("loss", "the loss: a name, a table with 'type', or a record.", plain)

    def getLoss(self) -> Any:
        """The name or table of the loss."""
        return self.getOrDefault(self.loss)


class HasOptimizer(Params):
    """Mixin for param optimizer."""

    optimizer: "Param[Any]" = _param("optimizer", "the optimizer: a name, a table with 'type', or a record.", plain)

    def getOptimizer(self) -> Any:
        """The name or table of the optimizer."""
        return self.getOrDefault(self.optimizer)


class HasMetrics(Params):
    """Mixin for param metrics."""

    metrics: "Param[list[Any]]" = _param(
        "metrics", "what to measure in training: names, tables, records.", _some(plain)
    )

    def getMetrics(self) -> list[Any]:
        """Names or tables of the metrics."""
        return self.getOrDefault(self.metrics)


class HasEpochs(Params):
    """Mixin for param epochs."""

    epochs: "Param[int]" = _param("epochs", "passes over the table (>= 1).", TypeConverters.toInt)

    def getEpochs(self) -> int:
        """Passes over the table."""
        return self.getOrDefault(self.epochs)


class HasNumWorkers(Params):
    """Mixin for param numWorkers."""

    numWorkers: "Param[int]" = _param(
        "numWorkers", "training tasks that run side by side; 0 = one a slot of the cluster.", TypeConverters.toInt
    )

    def getNumWorkers(self) -> int:
        """Training tasks, 0 for one a slot."""
        return self.getOrDefault(self.numWorkers)


class HasAveragingFrequency(Params):
    """Mixin for param averagingFrequency."""

    averagingFrequency: "Param[int]" = _param(
        "averagingFrequency", "steps between two averages of the workers' parameters (>= 1).", TypeConverters.toInt
    )

    def getAveragingFrequency(self) -> int:
        """Steps between two averages."""
        return self.getOrDefault(self.averagingFrequency)


class HasScaling(Params):
    """Mixin for param scaling."""

    scaling: "Param[str]" = _param(
        "scaling",
        "scaling of all feature columns, fitted on the table: none, standardize or minmax.",
        TypeConverters.toString,
    )

    def getScaling(self) -> str:
        """The scaling of all feature columns."""
        return self.getOrDefault(self.scaling)


class HasSteps(Params):
    """Mixin for param steps."""

    steps: "Param[list[Any]]" = _param(
        "steps", "preparation of single columns, in place of scaling: step records or tables.", _some(plain)
    )

    def getSteps(self) -> list[Any]:
        """Tables of the steps."""
        return self.getOrDefault(self.steps)


class HasPrecision(Params):
    """Mixin for param precision."""

    precision: "Param[Any]" = _param(
        "precision",
        "what products are computed on: float32, or bfloat16 where the CPU does; parameters stay float32.",
        TypeConverters.toString,
    )

    def getPrecision(self) -> Precision:
        """What products are computed on."""
        return self.getOrDefault(self.precision)


class HasThreads(Params):
    """Mixin for param threads."""

    threads: "Param[int]" = _param(
        "threads",
        "threads of each worker, > 0; give tasks as many cores by spark.task.cpus.",
        TypeConverters.toInt,
    )

    def getThreads(self) -> int:
        """Threads of each worker."""
        return self.getOrDefault(self.threads)


class DLParams(
    HasFeaturesCols, HasLoss, HasOptimizer, HasLearningRate, HasMetrics, HasEpochs,
    HasBatchSize, HasNumWorkers, HasAveragingFrequency, HasScaling, HasSteps, HasPrecision, HasThreads,
    HasWeightCol, HasSeed, HasHandleInvalid,
):  # fmt: skip
    """The params that all our estimators and models have. batchSize is per worker."""


class DLArguments(TypedDict, total=False):
    """Keyword arguments of `DLRegressor`."""

    featuresCol: str
    featuresCols: list[str]
    labelCol: str
    predictionCol: str
    weightCol: str
    network: Any
    inputShape: list[int] | tuple[int, ...]
    loss: Any
    optimizer: Any
    learningRate: float
    metrics: list[Any]
    epochs: int
    batchSize: int
    numWorkers: int
    averagingFrequency: int
    scaling: str
    steps: list[Any]
    precision: str
    threads: int
    seed: int
    handleInvalid: str


class DLClassifierArguments(DLArguments, total=False):
    """Keyword arguments of `DLClassifier`."""

    probabilityCol: str
    rawPredictionCol: str
    thresholds: list[float]


def known(stage: Params, arguments: Any) -> dict[str, Any]:
    """The given arguments that are not None. Raises ConfError for one that is no param, with a near name."""
    for name in arguments:
        if not stage.hasParam(name):
            names = [p.name for p in stage.params]
            raise ConfError(
                f"{type(stage).__name__} has no param {name!r}.{near(name, names)} Known: {', '.join(names)}."
            )
    return {name: value for name, value in arguments.items() if value is not None}


def check(stage: Params) -> None:
    """Raise ConfError for the first param of a stage whose value cannot be."""
    for name, annotation in _MUST_BE.items():
        if stage.hasParam(name) and stage.isDefined(name):
            _check(stage, name, stage.getOrDefault(name), annotation)


def _check(stage: Params, name: str, value: Any, annotation: Any) -> None:
    try:
        TypeAdapter(annotation).validate_python(value)
    except ValidationError:
        near_name = near(value, annotation.__args__) if isinstance(value, str) else ""
        raise ConfError(f"{stage.uid}: {name} must be {describe(annotation)}. Got {value!r}.{near_name}") from None
