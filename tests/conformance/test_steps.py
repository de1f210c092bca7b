"""Every ETL step keeps the contract: what it computes, and that neither partitions nor JSON change it."""

import dataclasses
import itertools
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from sparkdl.base.errors import ConfError, DataError
from sparkdl.base.record import OneOf, to_conf
from sparkdl.data.batches import Affine
from sparkdl.data.steps.step import STEPS, Step
from tests.tables.steps import CASES, Case

cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)


def fitted(step: Step, parts: list) -> Step:
    statistics = step.statistics({"c": parts[0]})
    for part in parts[1:]:
        statistics = step.merge(statistics, step.statistics({"c": part}))
    return step.fitted(json.loads(json.dumps(statistics)))


def test_every_step_has_a_case():
    assert {type(case.step).__name__ for case in CASES} == set(STEPS)


@cases
def test_computes_what_its_formula_says(case: Case):
    made = fitted(case.step, [case.column]).apply(case.column, "c")
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, case.expected, rtol=2e-6, atol=2e-6)


@cases
@settings(deadline=None)  # a loaded machine is no fault
@given(cuts=st.lists(st.integers(0, 40), max_size=6))
def test_partitions_do_not_matter(case: Case, cuts: list[int]):
    edges = [0, *sorted(cuts), 40]
    parts = [case.column.slice(a, b - a) for a, b in itertools.pairwise(edges)]
    whole, cut = fitted(case.step, [case.column]), fitted(case.step, parts)
    for field in dataclasses.fields(whole):
        assert_close(getattr(whole, field.name), getattr(cut, field.name), case.exact)


def assert_close(a: object, b: object, exact: float):
    if isinstance(a, dict) and a and not isinstance(next(iter(a.values()))[0], str):
        np.testing.assert_allclose(a["c"], b["c"], rtol=exact, atol=exact)
    else:
        assert a == b


@cases
def test_slices_are_applied_like_wholes(case: Case):
    step = fitted(case.step, [case.column])
    np.testing.assert_array_equal(step.apply(case.column.slice(7, 11), "c"), step.apply(case.column, "c")[7:18])
    assert step.apply(case.column.slice(0, 0), "c").shape[0] == 0


@cases
def test_conf_round_trip(case: Case):
    step = fitted(case.step, [case.column])
    assert OneOf(STEPS).parse(json.loads(json.dumps(to_conf(step)))) == step
    assert OneOf(STEPS).parse(to_conf(case.step)) == case.step


@cases
def test_width_and_affine_agree_with_apply(case: Case):
    step = fitted(case.step, [case.column])
    made = step.apply(case.column, "c")
    source = made.shape[1] if step.of_texts is False else 1
    assert step.width("c", source) == made.shape[1]
    assert step.affine("c") is None or isinstance(step.affine("c"), Affine)


@cases
def test_what_is_fitted_stays(case: Case):
    step = fitted(case.step, [case.column])
    assert step.fitted_already
    assert step.statistics({"c": case.column}) == {}
    assert step.fitted({}) is step


@pytest.mark.parametrize("case", [c for c in CASES if c.fits], ids=lambda case: case.label)
def test_unfitted_is_refused(case: Case):
    with pytest.raises(DataError, match=r"is not fitted for column 'c'"):
        case.step.apply(case.column, "c")


@pytest.mark.parametrize("name", list(STEPS))
def test_bad_confs_are_refused(name: str):
    with pytest.raises(ConfError, match=r"columns"):
        STEPS[name](columns=[])
    with pytest.raises(ConfError, match=r"has no field 'colums'. Did you mean 'columns'"):
        STEPS[name](colums=["c"])


@pytest.mark.parametrize("case", [c for c in CASES if not c.step.of_texts], ids=lambda case: case.label)
def test_texts_are_refused_where_numbers_are_due(case: Case):
    with pytest.raises(DataError, match=r"column 'c' must hold numbers"):
        fitted(case.step, [case.column]).apply(pa.array(["x"]), "c")
