"""Metrics: their values, that their sums merge, how "accuracy" is understood, and their edges."""

import json

import numpy as np
import pytest

from sparkdl.base.errors import ConfError
from sparkdl.base.record import OneOf, to_conf
from sparkdl.nn.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanSquaredError as SquaredLoss,
    SparseCategoricalCrossentropy,
)
from sparkdl.nn.metrics import (
    METRICS,
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    ConfusionMatrix,
    MeanSquaredError,
    R2Score,
    SparseCategoricalAccuracy,
    merged,
)
from tests.tables.metrics import CASES, WEIGHT

cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)


def value(metric, *rows):
    return metric.result(metric.update(*rows))


@cases
def test_value(case):
    np.testing.assert_allclose(value(case.metric, case.y, case.pred), case.plain, rtol=1e-12)
    np.testing.assert_allclose(value(case.metric, case.y, case.pred, WEIGHT), case.weighted, rtol=1e-12)


@cases
def test_sums_of_parts_add_up(case):
    """However the rows are cut, empty parts included."""
    for cuts in ((1,), (2, 2), (1, 2, 3)):
        rows = zip(*(np.split(v, cuts) for v in (case.y, case.pred, WEIGHT)), strict=True)
        sums = merged([{"m": case.metric.update(*part)} for part in rows])
        np.testing.assert_allclose(case.metric.result(sums["m"]), case.weighted, rtol=1e-12)


@cases
def test_float32_predictions_give_float64_sums(case):
    assert case.metric.update(case.y, case.pred.astype(np.float32)).dtype == np.float64


@cases
def test_results_are_plain_numbers(case):
    json.dumps(value(case.metric, case.y, case.pred))


@cases
def test_conf_round_trip(case):
    assert OneOf(METRICS).parse(json.loads(json.dumps(to_conf(case.metric)))) == case.metric


def test_every_metric_has_a_case():
    assert {type(c.metric) for c in CASES} == {kind for _, kind in METRICS.items()}


@pytest.mark.parametrize(
    ("loss", "due"),
    [
        (SparseCategoricalCrossentropy(), SparseCategoricalAccuracy()),
        (CategoricalCrossentropy(), CategoricalAccuracy()),
        (BinaryCrossentropy(), BinaryAccuracy(0.5)),
        (BinaryCrossentropy(from_logits=True), BinaryAccuracy(0.0)),
        (SquaredLoss(), Accuracy()),
    ],
)
def test_accuracy_is_understood_by_the_loss(loss, due):
    assert Accuracy().given(loss) == due


def test_a_threshold_is_for_probabilities_unless_said_otherwise():
    logits = BinaryCrossentropy(from_logits=True)
    assert BinaryAccuracy().given(logits) == BinaryAccuracy(0.0)
    assert BinaryAccuracy(0.7).given(logits) == BinaryAccuracy(0.7)
    assert ConfusionMatrix().given(logits) == ConfusionMatrix(0.0)


def test_short_names():
    assert OneOf(METRICS).parse("acc") == Accuracy()
    assert OneOf(METRICS).parse("mse") == MeanSquaredError()
    with pytest.raises(ConfError, match="Did you mean 'Accuracy'"):
        OneOf(METRICS).parse("acuracy")


def test_no_rows_is_nan():
    none = np.zeros((0, 3))
    assert np.isnan(value(SparseCategoricalAccuracy(), np.zeros(0, int), none))
    assert np.isnan(value(R2Score(), none, none))


def test_all_weights_zero_is_nan():
    assert np.isnan(value(MeanSquaredError(), np.ones((2, 1)), np.ones((2, 1)), np.zeros(2)))


def test_r2_of_a_constant_label():
    y = np.full((3, 1), 0.1)
    assert value(R2Score(), y, y) == 1.0
    assert value(R2Score(), y, y + 1) == 0.0


def test_r2_keeps_its_digits_far_from_zero():
    draw = np.random.default_rng(0)
    y = draw.normal(size=(1000, 1))
    pred = y + draw.normal(size=(1000, 1)) * 0.1
    assert value(R2Score(), y + 1e4, pred + 1e4) == pytest.approx(value(R2Score(), y, pred), rel=1e-6)


def test_ties_go_to_the_first_class():
    assert value(SparseCategoricalAccuracy(), np.array([0, 1]), np.full((2, 2), 0.5)) == 0.5


def test_nan_predictions_are_no_hit_for_a_binary_label_of_one():
    assert value(BinaryAccuracy(), np.ones((1, 1)), np.full((1, 1), np.nan)) == 0.0
