"""Setters, which return the stage so that calls chain. Those of pyspark's own base classes are not repeated here."""

from typing import Any, TypeVar

from sparkdl.ml.params import DLParams, HasInputShape, HasNetwork

S = TypeVar("S", bound="ScoringSetters")
T = TypeVar("T", bound="TrainingSetters")


class ScoringSetters(DLParams):
    """What can be set on estimators and models."""

    def setFeaturesCols(self: S, value: list[str]) -> S:
        """Set the feature columns, in place of featuresCol."""
        return self._set(featuresCols=value)

    def setHandleInvalid(self: S, value: str) -> S:
        """Set what happens to rows with null or NaN features: error, skip, or keep (their prediction is NaN)."""
        return self._set(handleInvalid=value)


class TrainingSetters(ScoringSetters, HasNetwork, HasInputShape):
    """What can be set on estimators only. A model has the trained network in place of the param `network`."""

    def setNetwork(self: T, value: Any) -> T:
        """Set the network: a Network, a Topology, a list of layers, or JSON of one."""
        return self._set(network=value)

    def setInputShape(self: T, value: list[int]) -> T:
        """Set the shape of one example."""
        return self._set(inputShape=value)

    def setLoss(self: T, value: Any) -> T:
        """Set the loss."""
        return self._set(loss=value)

    def setOptimizer(self: T, value: Any) -> T:
        """Set the optimizer."""
        return self._set(optimizer=value)

    def setLearningRate(self: T, value: float) -> T:
        """Set the learning rate, in place of the optimizer's own."""
        return self._set(learningRate=value)

    def setMetrics(self: T, value: list[Any]) -> T:
        """Set the metrics."""
        return self._set(metrics=value)

    def setEpochs(self: T, value: int) -> T:
        """Set the passes over the table."""
        return self._set(epochs=value)

    def setBatchSize(self: T, value: int) -> T:
        """Set the rows a step of one worker."""
        return self._set(batchSize=value)

    def setNumWorkers(self: T, value: int) -> T:
        """Set the number of training tasks; 0 for one a slot."""
        return self._set(numWorkers=value)

    def setAveragingFrequency(self: T, value: int) -> T:
        """Set the steps between two averages."""
        return self._set(averagingFrequency=value)

    def setScaling(self: T, value: str) -> T:
        """Set the scaling of all feature columns: none, standardize or minmax."""
        return self._set(scaling=value)

    def setSteps(self: T, value: list[Any]) -> T:
        """Set the preparation of single columns."""
        return self._set(steps=value)

    def setPrecision(self: T, value: str) -> T:
        """Set what is multiplied: float32, or bfloat16 where the CPU does."""
        return self._set(precision=value)

    def setThreads(self: T, value: int) -> T:
        """Set the threads of each worker."""
        return self._set(threads=value)

    def setWeightCol(self: T, value: str) -> T:
        """Set the column of example weights."""
        return self._set(weightCol=value)

    def setSeed(self: T, value: int) -> T:
        """Set the seed: the same seed, table and number of workers give the same model."""
        return self._set(seed=value)
