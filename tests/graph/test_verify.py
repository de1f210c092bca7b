"""Each invariant of a graph, broken."""

import dataclasses

import numpy as np
import pytest

from sparkdl.base.errors import SparkdlError
from sparkdl.base.spec import Spec
from sparkdl.graph.graph import Graph
from sparkdl.graph.verify import faults, verify
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.reduce import sum as sum_of


def graph() -> Graph:
    """%0 x, %1 w, %2 x @ w, %3 its sum, %4 a constant."""
    made = Graph()
    y = matmul(made.input("x", Spec((2, 3))), made.input("w", Spec((3, 4))))
    made.outputs = {"loss": sum_of(y).ref}
    made.constant(np.zeros(3, np.float32))
    return made


def changed(k: int, **fields: object) -> Graph:
    made = graph()
    made.nodes[k] = dataclasses.replace(made.nodes[k], **fields)
    return made


def test_a_sound_graph() -> None:
    verify(graph())
    verify(Graph())


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (changed(2, ins=((0, 0), (3, 0))), "node %2 uses %3.0, which is not made before it"),
        (changed(2, ins=((0, 0), (1, 1))), "node %2 uses %1.1, which is not made before it"),
        (changed(2, outs=(Spec((2, 5)),)), r"node %2 \(matmul\) records float32\[2,5\], its op infers float32\[2,4\]"),
        (changed(3, outs=(Spec((), "float64"),)), r"node %3 \(sum\) records float64\[\], its op infers float32\[\]"),
        (changed(2, ins=((0, 0), (0, 0))), r"node %2 \(matmul\) refuses its inputs: matmul: the inner lengths"),
        (changed(1, label="x"), "2 inputs have the label 'x'"),
        (changed(0, ins=((0, 0),)), "node %0 is an input or a constant and must have no inputs"),
        (changed(4, outs=(Spec((4,)),)), r"constant %4 records float32\[4\], its data is float32\[3\]"),
    ],
)
def test_a_broken_graph(broken: Graph, said: str) -> None:
    with pytest.raises(SparkdlError, match=said):
        verify(broken)


def test_outputs_must_exist() -> None:
    made = graph()
    made.outputs["probs"] = (9, 0)
    assert list(faults(made)) == ["output 'probs' refers to %9.0, which does not exist"]


def test_all_faults_are_listed() -> None:
    made = changed(2, outs=(Spec((2, 5)),))
    made.outputs["probs"] = (2, 1)
    with pytest.raises(SparkdlError, match=r"records .*; output 'probs'"):
        verify(made)
