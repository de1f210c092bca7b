"""The fitted stages: they add predictions to a DataFrame, are saved and loaded, and hold the trained network."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from pyspark.ml.classification import ProbabilisticClassificationModel
from pyspark.ml.linalg import DenseVector, Vector, Vectors
from pyspark.ml.param import Params
from pyspark.ml.regression import RegressionModel
from pyspark.sql import DataFrame

from sparkdl.base.errors import ArchiveError, ConfError
from sparkdl.data.encode import Encoder
from sparkdl.io.archive import from_bytes, to_bytes
from sparkdl.ml.params import DEFAULTS, check
from sparkdl.ml.persist import Saved
from sparkdl.ml.score import Outputs, add_predictions, class_count
from sparkdl.ml.scorer import Predicted, Scorer, encoder_of
from sparkdl.ml.setters import ScoringSetters
from sparkdl.nn.network import Network

M = TypeVar("M", bound="Fitted")


@dataclass(frozen=True)
class Summary:
    """How training went. history: one table an epoch; timings: seconds by phase."""

    history: list[dict[str, Any]] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    rows: int = 0
    workers: int = 0


class Fitted(ScoringSetters, Saved):
    """What both models share: the network, the preparation of its columns, the summary. Made by `fit` or `load`."""

    _network: Network | None = None
    _scorer: Scorer | None = None
    _summary: Summary | None = None

    def _take(self: M, network: Network, summary: Summary | None) -> M:
        self._network, self._scorer, self._summary = network, None, summary
        return self

    @property
    def network(self) -> Network:
        """The trained network. Raises ConfError for a model that was neither fitted nor loaded."""
        if self._network is None:
            raise ConfError(f"{type(self).__name__} is empty. Make one with fit() or load().")
        return self._network

    @property
    def encoder(self) -> Encoder:
        """How the columns of a table become the network's inputs; as fitted, under the names that they had then."""
        return encoder_of(self.network)

    @property
    def numFeatures(self) -> int:
        """Numbers that an example has."""
        return sum(int(np.prod(shape)) for shape in self.network.topology.inputs.values())

    @property
    def hasSummary(self) -> bool:
        """Whether it is known how training went."""
        return self._summary is not None

    @property
    def summary(self) -> Summary:
        """How training went. Raises ConfError when that is not known."""
        if self._summary is None:
            raise ConfError(f"{self.uid} has no summary.")
        return self._summary

    def _predictions(self, dataset: DataFrame, outputs: Outputs, thresholds: tuple[float, ...] = ()) -> DataFrame:
        check(self)
        return add_predictions(
            dataset, self.network, self.encoder, outputs, self.getHandleInvalid(), thresholds, self._renamed()
        )

    def _renamed(self) -> Mapping[str, str]:
        """The table's column for each column of the training table: they differ once a features column is set anew."""
        trained, now = self.encoder.columns.feature_names(), self.getFeaturesCols()
        if len(trained) != len(now):
            raise ConfError(f"{self.uid}: trained on {len(trained)} feature columns. Got {len(now)}: {', '.join(now)}.")
        return dict(zip(trained, now, strict=True))

    def _one(self, value: Vector) -> Predicted:
        """Predictions for one example, its numbers in the order of the feature columns."""
        if self._scorer is None:
            self._scorer = Scorer(self.network, self.encoder)
        names, numbers = self.encoder.columns.feature_names(), value.toArray()
        if len(names) == 1:
            return self._scorer({names[0]: pa.array([numbers])})
        if len(names) != len(numbers):
            raise ConfError(f"{self.uid}: an example has {len(names)} numbers, one a column. Got {len(numbers)}.")
        return self._scorer({name: pa.array([number]) for name, number in zip(names, numbers, strict=True)})

    def _payload(self) -> tuple[bytes, dict[str, Any]] | None:
        return to_bytes(self.network), asdict(self._summary) if self._summary else {}

    def _restore(self, read: Callable[[], bytes], extra: Any) -> None:
        if not isinstance(extra, dict):
            raise ArchiveError(f"the metadata of {self.uid} has no network beside it: it was not saved by sparkdl.")
        try:
            summary = Summary(**extra) if extra else None
        except TypeError as error:
            raise ArchiveError(f"the metadata of {self.uid} is damaged: {error}") from None
        network = from_bytes(read())
        encoder_of(network)
        self._take(network, summary)


class DLClassificationModel(Fitted, ProbabilisticClassificationModel):
    """A trained classifier: adds rawPrediction, probability (vectors) and prediction (double, the class's index)."""

    def __init__(self) -> None:
        super().__init__()
        _defaults(self)

    @property
    def numClasses(self) -> int:
        """How many classes there are."""
        return class_count(self.network, self.encoder)

    @property
    def labels(self) -> list[str] | None:
        """The class names, each at its index, where the labels were texts."""
        classes = self.encoder.classes
        return None if classes is None else list(classes)

    def predict(self, value: Vector) -> float:
        """The index of the most probable class of one example."""
        return float(self._one(value)["prediction"][0])

    def predictRaw(self, value: Vector) -> DenseVector:
        """The raw prediction of each class."""
        return Vectors.dense(self._one(value)["raw"][0])

    def predictProbability(self, value: Vector) -> DenseVector:
        """The probability of each class."""
        return Vectors.dense(self._one(value)["probability"][0])

    def _transform(self, dataset: DataFrame) -> DataFrame:
        outputs = Outputs(self.getPredictionCol(), self.getProbabilityCol(), self.getRawPredictionCol())
        thresholds = tuple(self.getThresholds()) if self.isDefined(self.thresholds) else ()
        return self._predictions(dataset, outputs, thresholds)

    def __repr__(self) -> str:
        return _shown(self, f"numClasses={self.numClasses}" if self._network else "")


class DLRegressionModel(Fitted, RegressionModel[Vector]):
    """A trained regressor: adds prediction (double)."""

    def __init__(self) -> None:
        super().__init__()
        _defaults(self)

    def predict(self, value: Vector) -> float:
        """The prediction for one example."""
        return float(self._one(value)["prediction"][0])

    def _transform(self, dataset: DataFrame) -> DataFrame:
        return self._predictions(dataset, Outputs(self.getPredictionCol()))

    def __repr__(self) -> str:
        return _shown(self, "")


def _defaults(stage: Params) -> None:
    stage._setDefault(**DEFAULTS)


def _shown(model: Fitted, more: str) -> str:
    about = f"numFeatures={model.numFeatures}" if model._network else "empty"
    return f"{type(model).__name__}: uid={model.uid}, {', '.join(filter(None, (more, about)))}"
