"""Params without a session: they are plain Python."""

import json

import pytest

from sparkdl.layers import Dense, Input
from sparkdl.ml.estimator import DLClassifier, DLRegressor
from sparkdl.ml.model import DLClassificationModel, DLRegressionModel
from sparkdl.ml.params import network_conf
from sparkdl.nn.network import Sequential
from sparkdl.optimizers import SGD

LAYERS = [Dense(4, "relu"), Dense(2, "softmax")]


@pytest.mark.parametrize(
    "given",
    [
        Sequential(LAYERS, input_shape=(3,)),
        Sequential(LAYERS, input_shape=(3,)).topology,
        LAYERS,
        tuple(LAYERS),
        [{"type": "Dense", "units": 4, "activation": "relu"}, {"type": "Dense", "units": 2}],
        [Input((3,)), *LAYERS],
        json.dumps([{"type": "Dense", "units": 2}]),
    ],
)
def test_every_form_of_a_network_becomes_plain_tables(given):
    held = DLClassifier(network=given).getNetwork()
    layers = held["layers"] if isinstance(held, dict) else held
    assert layers[-1]["units"] == 2
    assert json.loads(json.dumps(held)) == held == network_conf(held)


@pytest.mark.parametrize("given", ["Dense", 3, [object()]])
def test_what_is_no_network_is_a_type_error(given):
    with pytest.raises(TypeError, match="network"):
        DLClassifier(network=given)


def test_records_of_other_kinds_are_held_as_tables():
    stage = DLRegressor(optimizer=SGD(0.1, momentum=0.9), metrics=["mae", {"type": "MeanSquaredError"}])
    assert stage.getOptimizer()["momentum"] == 0.9
    assert stage.getMetrics() == ["mae", {"type": "MeanSquaredError"}]


def test_features_are_one_column_or_several():
    assert DLClassifier().getFeaturesCols() == ["features"]
    assert DLClassifier(featuresCol="x").getFeaturesCols() == ["x"]
    assert DLClassifier(featuresCols=["a", "b"]).getFeaturesCols() == ["a", "b"]


def test_positional_arguments_are_refused():
    with pytest.raises(TypeError):
        DLClassifier("features")


def test_none_leaves_a_param_unset():
    stage = DLClassifier(weightCol=None)
    assert not stage.isSet(stage.weightCol)


def test_every_param_is_explained():
    text = DLClassifier(network=LAYERS).explainParams()
    assert "averagingFrequency: steps between two averages" in text
    assert "batchSize" in text


@pytest.mark.parametrize("model", [DLClassificationModel, DLRegressionModel])
def test_an_empty_model_says_so(model):
    assert "empty" in repr(model())
    assert not model().hasSummary
    with pytest.raises(ValueError, match=r"is empty. Make one with fit\(\) or load\(\)"):
        _ = model().network


def test_a_model_has_no_setters_for_training():
    assert not hasattr(DLClassificationModel(), "setEpochs")
    assert DLClassificationModel().getEpochs() == 10
