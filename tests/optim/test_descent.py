"""Optimizers find minima; clipping holds its bounds; schedules are what the step uses."""

import numpy as np
import pytest

from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.arithmetic import square
from sparkdl.nd.ops.reduce import sum as sum_of
from sparkdl.nd.ops.shape import slice_axis
from sparkdl.optim.clip import clip_by_global_norm, clip_by_norm, clip_by_value
from sparkdl.optim.optimizer import Optimizer
from sparkdl.optim.rules import SGD, Adagrad, Adam, AdamW, RMSprop
from sparkdl.optim.schedules import CosineDecay, LinearWarmup, PiecewiseConstantDecay
from tests.tables.optimizers import short


def label(value):
    return short(value) if isinstance(value, Optimizer) else str(value)


def parabola(p):
    """sum k (p_k - k)^2 for k = 1, 2, 3: the minimum is at 1, 2, 3."""
    k = NDArray([1.0, 2.0, 3.0])
    return sum_of(k * square(p - k))


def rosenbrock(p):
    """100 (y - x^2)^2 + (1 - x)^2, a bent valley with its minimum at 1, 1. Rosenbrock 1960."""
    x, y = slice_axis(p, 0, 0, 1), slice_axis(p, 0, 1, 2)
    return sum_of(100.0 * square(y - square(x)) + square(1.0 - x))


def descend(optimizer, function, start, steps):
    graph = Graph()
    p, t = graph.input("p", Spec((len(start),))), graph.input("t", Spec((), "float64"))
    slots = {name: graph.input(name, p.spec) for name in optimizer.slots}
    loss = function(p)
    new, new_slots = optimizer.update(p, grad(graph, loss, [p])[0], slots, t)
    program = compile(graph, {"p": new, "loss": loss} | new_slots, donate={name: name for name in ("p", *slots)})
    program.inputs["p"][...] = start
    for k in range(steps):
        if "t" in program.inputs:
            program.inputs["t"][...] = k + 1
        program.run()
    return program.inputs["p"].copy(), float(program.outputs["loss"])


@pytest.mark.parametrize(
    "optimizer",
    [
        SGD(0.1),
        SGD(0.05, momentum=0.8),
        SGD(0.05, momentum=0.8, nesterov=True),
        SGD(CosineDecay(0.15, 300)),
        RMSprop(CosineDecay(0.2, 300)),
        Adagrad(0.5),
        RMSprop(CosineDecay(0.1, 300), momentum=0.5, centered=True),
        Adam(CosineDecay(0.3, 300)),
        Adam(LinearWarmup(0.1, 10), amsgrad=True),
        AdamW(CosineDecay(0.3, 300), weight_decay=0.0),
        SGD(PiecewiseConstantDecay((150,), (0.1, 0.01)), global_clipnorm=5.0),
    ],
    ids=label,
)
def test_a_parabola(optimizer):
    found, _ = descend(optimizer, parabola, [0.0, 0.0, 0.0], 300)
    np.testing.assert_allclose(found, [1, 2, 3], atol=2e-2)


@pytest.mark.parametrize(
    ("optimizer", "steps"),
    [
        (SGD(0.001, momentum=0.9, nesterov=True), 4000),
        (SGD(CosineDecay(0.01, 4000), momentum=0.9, global_clipnorm=1.0), 4000),
        (RMSprop(CosineDecay(0.01, 4000)), 4000),
        (Adam(0.02), 3000),
        (AdamW(0.02, weight_decay=0.0), 3000),
    ],
    ids=label,
)
def test_rosenbrock(optimizer, steps):
    found, loss = descend(optimizer, rosenbrock, [-1.2, 1.0], steps)
    np.testing.assert_allclose(found, [1, 1], atol=0.06)
    assert loss < 2e-3


def test_weight_decay_shrinks_what_has_no_gradient():
    found, _ = descend(AdamW(0.1, weight_decay=0.5), lambda p: sum_of(p * 0.0), [2.0, -4.0], 10)
    np.testing.assert_allclose(found, np.array([2.0, -4.0]) * 0.95**10, rtol=1e-5)


def test_clipping_by_value():
    np.testing.assert_array_equal(clip_by_value(NDArray([-3.0, 0.5, 2.0]), 1.0).numpy(), [-1.0, 0.5, 1.0])


def test_clipping_by_norm_is_for_each_tensor():
    long, short = clip_by_norm([NDArray([3.0, 4.0]), NDArray([0.3, 0.4])], 1.0)
    np.testing.assert_allclose(long.numpy(), [0.6, 0.8], rtol=1e-6)
    np.testing.assert_array_equal(short.numpy(), np.array([0.3, 0.4], np.float32))


def test_clipping_by_the_global_norm():
    np.testing.assert_allclose(clip_by_global_norm(NDArray([3.0, 4.0]), 2.5).numpy(), [1.5, 2.0], rtol=1e-6)
    np.testing.assert_allclose(clip_by_global_norm(NDArray([3.0, 4.0]), 10.0).numpy(), [3.0, 4.0], rtol=1e-6)
    assert not clip_by_global_norm(NDArray([0.0, 0.0]), 1.0).numpy().any()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_clipping_hides_no_fault(bad):
    assert np.isnan(clip_by_global_norm(NDArray([1.0, bad]), 1.0).numpy()).all()
    assert np.isnan(clip_by_norm([NDArray([1.0, bad])], 1.0)[0].numpy()).any()
