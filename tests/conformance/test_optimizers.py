"""Every optimizer and schedule keeps the contract: its rule, Keras's numbers, conf, and the same in a program."""

import dataclasses
import json

import numpy as np
import pytest

from sparkdl.base.errors import ConfError
from sparkdl.base.record import OneOf, to_conf
from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.shape import pack, view
from sparkdl.optim.optimizer import OPTIMIZERS
from sparkdl.optim.schedules import SCHEDULES
from tests.tables.optimizers import AT, CASES, GRADIENTS, SCHEDULE_CASES, START, TENSORS

cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
schedules = pytest.mark.parametrize("case", SCHEDULE_CASES, ids=lambda case: type(case.schedule).__name__)
OFFSETS = [part.start for part in TENSORS]


def joined(optimizer, g):
    """The flat gradient as the training step makes it: clipped tensor by tensor, then packed."""
    parts = [view(g, part.start, (part.stop - part.start,)) for part in TENSORS]
    return pack(optimizer.clip_each(parts), OFFSETS, len(START))


def eager(optimizer, dtype):
    p = NDArray(START.astype(dtype))
    slots = {name: NDArray(np.zeros_like(p.numpy())) for name in optimizer.slots}
    for t, g in enumerate(GRADIENTS):
        g = joined(optimizer, NDArray(g.astype(dtype)))
        p, slots = optimizer.update(p, g, slots, NDArray(np.float64(t + 1)))
    return p.numpy(), {k: v.numpy() for k, v in slots.items()}


def compiled(optimizer):
    """The same as a program that updates parameters and slots in place, as in training."""
    graph = Graph()
    p, g = (graph.input(name, Spec(START.shape)) for name in "pg")
    slots = {name: graph.input(name, p.spec) for name in optimizer.slots}
    new, new_slots = optimizer.update(p, joined(optimizer, g), slots, graph.input("t", Spec((), "float64")))
    program = compile(graph, {"p": new} | new_slots, donate={name: name for name in ("p", *slots)})
    program.inputs["p"][...] = START
    for t, g in enumerate(GRADIENTS):
        program.inputs["g"][...] = g
        if "t" in program.inputs:
            program.inputs["t"][...] = t + 1
        program.run()
    return program.inputs["p"].copy(), {name: program.inputs[name].copy() for name in slots}


def by_oracle(case):
    p, state = START, {}
    for t, g in enumerate(GRADIENTS):
        p = case.oracle(p, g, t + 1, state)
    return p


@cases
def test_the_rule_in_float64(case):
    np.testing.assert_allclose(eager(case.optimizer, np.float64)[0], by_oracle(case), rtol=1e-12, atol=1e-13)


@cases
def test_what_keras_computes(case):
    np.testing.assert_allclose(eager(case.optimizer, np.float32)[0], case.keras, rtol=2e-6, atol=3e-6)


@cases
def test_a_program_computes_the_same(case):
    (p, slots), (q, more) = eager(case.optimizer, np.float32), compiled(case.optimizer)
    np.testing.assert_allclose(q, p, rtol=1e-6, atol=1e-6)
    for name, value in slots.items():
        np.testing.assert_allclose(more[name], value, rtol=1e-6, atol=1e-7)


@cases
def test_slots_are_what_update_returns(case):
    assert set(eager(case.optimizer, np.float32)[1]) == set(case.optimizer.slots)


@pytest.mark.parametrize("case", [c for c in CASES if not c.optimizer.global_clipnorm], ids=lambda case: case.label)
def test_flat_equals_tensor_by_tensor(case):
    """All but the norm of the whole is elementwise: cutting the vector changes nothing."""
    whole, found = eager(case.optimizer, np.float64)[0], []
    for part in TENSORS:
        p = NDArray(START[part])
        slots = {name: NDArray(np.zeros_like(START[part])) for name in case.optimizer.slots}
        for t, g in enumerate(GRADIENTS):
            (own,) = case.optimizer.clip_each([NDArray(g[part])])
            p, slots = case.optimizer.update(p, own, slots, NDArray(np.float64(t + 1)))
        found.append(p.numpy())
    np.testing.assert_array_equal(np.concatenate(found), whole)


@cases
def test_zero_gradients_move_nothing_but_by_decay(case):
    """What lies in the gaps between tensors stays zero."""
    optimizer, zero = case.optimizer, NDArray(np.zeros(3, np.float32))
    p, slots = optimizer.update(zero, zero, dict.fromkeys(optimizer.slots, zero), NDArray(np.float64(1)))
    assert not p.numpy().any()
    assert not any(v.numpy().any() for v in slots.values())


@cases
def test_conf_round_trip(case):
    conf = json.loads(json.dumps(to_conf(case.optimizer)))
    assert OneOf(OPTIMIZERS).parse(conf) == case.optimizer


@schedules
def test_a_schedule_is_its_formula(case):
    made = [float(case.schedule(NDArray(np.float64(s))).numpy()) for s in AT]
    np.testing.assert_allclose(made, [case.oracle(s) for s in AT], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("case", [c for c in SCHEDULE_CASES if c.keras], ids=lambda case: type(case.schedule).__name__)
def test_what_keras_schedules(case):
    made = [float(case.schedule(NDArray(np.float64(s))).numpy()) for s in AT]
    np.testing.assert_allclose(made, case.keras, rtol=1e-6, atol=2e-8)


@schedules
def test_a_schedule_in_a_program(case):
    graph = Graph()
    program = compile(graph, {"rate": case.schedule(graph.input("step", Spec((), "float64")))})
    for s in AT:
        program.inputs["step"][...] = s
        program.run()
        assert float(program.outputs["rate"]) == pytest.approx(case.oracle(s), rel=1e-9, abs=1e-12)


@schedules
def test_schedule_conf_round_trip(case):
    conf = json.loads(json.dumps(to_conf(case.schedule)))
    assert OneOf(SCHEDULES).parse(conf) == case.schedule


def test_every_kind_has_a_case():
    assert {type(c.optimizer) for c in CASES} == {kind for _, kind in OPTIMIZERS.items()}
    assert {type(c.schedule) for c in SCHEDULE_CASES} == {kind for _, kind in SCHEDULES.items()}


@pytest.mark.parametrize("kind", [kind for _, kind in OPTIMIZERS.items()], ids=lambda kind: kind.__name__)
def test_bad_values_are_refused_by_name(kind):
    for name in (f.name for f in dataclasses.fields(kind)):
        for bad in (-1.0, float("nan"), "no such thing", [1]):
            with pytest.raises(ConfError, match=name):
                kind(**{name: bad})
