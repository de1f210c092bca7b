"""The gradient checker's own arguments; that it catches faults is tests/conformance/test_harness.py."""

from dataclasses import dataclass

import numpy as np
import pytest

from sparkdl.base.spec import Spec
from sparkdl.graph.check import check_grads, evaluate
from sparkdl.graph.graph import Graph
from sparkdl.nd.op import apply
from sparkdl.nd.ops.analysis import Exp, exp, log
from sparkdl.nd.ops.arithmetic import absolute
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.complexes import conj
from sparkdl.nd.ops.reduce import argmax, sum as sum_of


def test_functions_with_several_outputs_of_several_kinds() -> None:
    check_grads(lambda x, k: (exp(x), argmax(x), x * cast(k, "float64")), [np.eye(3), np.arange(3)])


def test_only_the_inputs_asked_for_are_checked() -> None:
    at_kink = np.zeros(4)
    check_grads(lambda x, y: absolute(x) + y * y, [at_kink, at_kink], wrt=[1])
    with pytest.raises(AssertionError, match="input 0"):
        check_grads(lambda x, y: absolute(x + 1e-5) + y * y, [at_kink, at_kink])


def test_outside_of_the_domain() -> None:
    with pytest.raises(AssertionError, match="nan"):
        check_grads(log, [np.array([-1.0])])


def test_a_function_of_nothing_continuous() -> None:
    with pytest.raises(AssertionError, match="no float64 output"):
        check_grads(argmax, [np.eye(2)])


def test_float32_is_checked_in_float64() -> None:
    check_grads(lambda x: sum_of(exp(x)), [np.ones((2, 2), np.float32)])


def test_evaluate_leaves_out_what_is_not_wanted() -> None:
    graph = Graph()
    x = graph.input("x", Spec((2,)))
    graph.input("unfed", Spec((2,)))
    y = exp(x)
    exp(graph.sym((1, 0)))
    (got,) = evaluate(graph, {"x": np.zeros(2, "f")}, [y])
    assert got.tolist() == [1, 1]


Z = np.array([1.0 + 2.0j, -0.5 + 0.3j])


def test_complex_inputs_and_outputs() -> None:
    check_grads(lambda z: exp(z) * z, [Z])
    check_grads(lambda z, x: (conj(z) * cast(x, "complex128"), absolute(z)), [Z, Z.real])
    check_grads(lambda z: z, [Z.astype(np.complex64)])


@dataclass(frozen=True)
class Conjugated(Exp):
    def vjp(self, grads, outs, *ins):
        return (conj(super().vjp(grads, outs, *ins)[0]),)


def test_a_complex_gradient_of_the_other_convention_is_seen() -> None:
    with pytest.raises(AssertionError, match="input 0"):
        check_grads(lambda z: apply(Conjugated(), z), [Z])
