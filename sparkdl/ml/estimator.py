"""The estimators. `__init__` stores; `fit` checks, trains on Spark by parameter averaging, and makes a model."""

from typing import TypeVar, Unpack

from pyspark.ml.classification import ProbabilisticClassifier
from pyspark.ml.regression import Regressor
from pyspark.sql import DataFrame

from sparkdl.base.errors import DataError
from sparkdl.data.encode import Task
from sparkdl.dist.spark import fit
from sparkdl.ml.conf import fit_conf
from sparkdl.ml.model import DLClassificationModel, DLRegressionModel, Fitted, Summary
from sparkdl.ml.params import DEFAULTS, DLArguments, DLClassifierArguments, check, known
from sparkdl.ml.persist import Saved
from sparkdl.ml.setters import TrainingSetters

M = TypeVar("M", bound=Fitted)


class Trains(TrainingSetters, Saved):
    """What both estimators share."""

    def _trained(self, dataset: DataFrame, task: Task, model: M) -> M:
        """`model`, filled by training on `dataset`. It has this estimator's uid and params, as in pyspark.ml."""
        check(self)
        if dataset.isStreaming:
            raise DataError(f"{self.uid}: a stream cannot be trained on. Write it to a table first.")
        done = fit(dataset, fit_conf(self, dataset, task))
        summary = Summary(done.history, done.timings, done.rows, done.workers)
        model._resetUid(self.uid)
        return self._copyValues(model._take(done.network, summary))


class DLClassifier(Trains, ProbabilisticClassifier):
    """Trains a network to tell classes apart.

    >>> from sparkdl.layers import Dense
    >>> net = [Dense(16, "relu"), Dense(3, "softmax")]
    >>> clf = DLClassifier(network=net, labelCol="species", epochs=20).setLearningRate(0.01)
    >>> clf.getEpochs(), clf.getNetwork()[1]["units"]
    (20, 3)

    The label is a class index 0 .. K-1, or a text. The network's output has K units, or one with a sigmoid for two
    classes. Loss, where it is not set: the cross-entropy that fits the output.
    """

    def __init__(self, **params: Unpack[DLClassifierArguments]) -> None:
        super().__init__()
        self._setDefault(**DEFAULTS)
        self._set(**known(self, params))

    def setParams(self, **params: Unpack[DLClassifierArguments]) -> "DLClassifier":
        """Set several params at once."""
        return self._set(**known(self, params))

    def _fit(self, dataset: DataFrame) -> DLClassificationModel:
        return self._trained(dataset, "classification", DLClassificationModel())


class DLRegressor(Trains, Regressor[DLRegressionModel]):
    """Trains a network to predict a number. Loss, where it is not set: MeanSquaredError.

    >>> from sparkdl.layers import Dense
    >>> DLRegressor(network=[Dense(8, "relu"), Dense(1)], scaling="standardize").getScaling()
    'standardize'
    """

    def __init__(self, **params: Unpack[DLArguments]) -> None:
        super().__init__()
        self._setDefault(**DEFAULTS)
        self._set(**known(self, params))

    def setParams(self, **params: Unpack[DLArguments]) -> "DLRegressor":
        """Set several params at once."""
        return self._set(**known(self, params))

    def _fit(self, dataset: DataFrame) -> DLRegressionModel:
        return self._trained(dataset, "regression", DLRegressionModel())
