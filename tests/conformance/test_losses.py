"""Every loss keeps the contract: its formula, Keras's numbers, its gradient, the logits found in the graph, conf."""

import json

import numpy as np
import pytest

from sparkdl.base.record import OneOf, to_conf
from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph
from sparkdl.kernels.table import LIBRARIES
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.analysis import sigmoid
from sparkdl.nd.ops.reduce import sum as sum_of
from sparkdl.nd.ops.softmax import softmax
from sparkdl.nn.losses import LOSSES
from tests.tables.losses import CASES

cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
LAST = {"softmax": softmax, "sigmoid": sigmoid, None: lambda z: z}


def labels(case, dtype):
    spec = case.loss.target(Spec(np.shape(case.z), dtype))
    return case.loss.labels(np.asarray(case.y), Spec(np.shape(case.z), dtype)).astype(spec.dtype)


def run(case, dtype, libraries):
    """Loss of each row and the gradient of its weighted sum with respect to z, from one program."""
    graph = Graph()
    y, z = (
        graph.input("y", case.loss.target(Spec(np.shape(case.z), dtype))),
        graph.input("z", Spec(np.shape(case.z), dtype)),
    )
    per = case.loss(y, LAST[case.last](z))
    total = sum_of(per * graph.constant(weights(case).astype(dtype)))
    program = compile(graph, {"per": per, "dz": grad(graph, total, [z])[0]}, libraries=libraries)
    program.inputs["y"][...], program.inputs["z"][...] = labels(case, dtype), case.z
    program.run()
    return {name: np.array(v) for name, v in program.outputs.items()}, program


def weights(case):
    return np.linspace(0.5, 1.5, len(case.z))


@cases
def test_eager_is_the_formula(case):
    got = case.loss(NDArray(labels(case, "float64")), NDArray(case.predictions())).numpy()
    np.testing.assert_allclose(got, case.oracle(case.y, case.predictions()), rtol=1e-9, atol=1e-12)


@cases
def test_a_program_is_the_formula(case):
    got, _ = run(case, "float64", ("ref",))
    np.testing.assert_allclose(got["per"], case.oracle(case.y, case.predictions()), rtol=1e-9, atol=1e-12)


@cases
def test_float32_is_what_keras_computes(case):
    got, _ = run(case, "float32", LIBRARIES["cpu"])
    np.testing.assert_allclose(got["per"], case.keras, rtol=2e-5, atol=1e-6)


@cases
def test_float32_equals_float64(case):
    fast, exact = run(case, "float32", LIBRARIES["cpu"])[0], run(case, "float64", ("ref",))[0]
    for name in exact:
        np.testing.assert_allclose(fast[name], exact[name], rtol=1e-5, atol=1e-6, err_msg=name)


@cases
def test_gradient_by_a_directional_derivative(case):
    if case.last is None and "Cross" in type(case.loss).__name__ and not case.loss.from_logits:
        z = np.clip(np.asarray(case.z), 0.02, 0.9)  # away from where probabilities are clipped
    else:
        z = np.asarray(case.z, np.float64)
    moved = type(case)(case.loss, case.y, z, case.last, case.oracle, case.keras)
    d, step = np.random.default_rng(0).normal(size=z.shape), 1e-6

    def total(t):
        at = type(case)(case.loss, case.y, z + t * d, case.last, case.oracle, case.keras)
        return float(case.oracle(case.y, at.predictions()) @ weights(case))

    slope = (total(step) - total(-step)) / (2 * step)
    assert np.vdot(run(moved, "float64", ("ref",))[0]["dz"], d) == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("case", [c for c in CASES if c.last], ids=lambda case: case.label)
def test_the_logits_are_found_in_the_graph(case):
    """Softmax and sigmoid become part of the loss: the program does not compute the activation by itself."""
    text = run(case, "float32", LIBRARIES["cpu"])[1].explain()
    assert " softmax " not in text
    far = type(case)(case.loss, case.y, np.asarray(case.z) * 300, case.last, case.oracle, ())
    got = run(far, "float32", LIBRARIES["cpu"])[0]
    assert got["per"].max() > 50  # clipped probabilities end at 16.1
    assert np.isfinite(got["dz"]).all()


@cases
def test_conf_round_trip(case):
    conf = json.loads(json.dumps(to_conf(case.loss)))
    assert OneOf(LOSSES).parse(conf) == case.loss


def test_every_loss_has_a_case():
    assert {type(c.loss) for c in CASES} == {kind for _, kind in LOSSES.items()}
