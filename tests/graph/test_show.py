"""Graphs as text."""

import numpy as np

from sparkdl.base.spec import Spec
from sparkdl.graph.graph import Graph
from sparkdl.graph.show import dot, show
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.softmax import softmax_xent


def graph() -> Graph:
    made = Graph()
    x = made.input('the "x"', Spec((2, 3)))
    made.scope = "dense"
    z = matmul(x, made.constant(np.zeros((4, 3), np.float32)), tb=True)
    made.scope = ""
    loss, probs = softmax_xent(z, made.input("y", Spec((2,), "int64")))
    made.outputs = {"loss": loss.ref, "probs": probs.ref}
    return made


def test_listing() -> None:
    lines = [" ".join(line.split()) for line in show(graph()).splitlines()]
    assert lines == [
        "%0 = input 'the \"x\"' float32[2,3]",
        "%1 = constant ... float32[4,3]",
        "%2 = matmul(%0, %1) tb=True float32[2,4] # dense",
        "%3 = input 'y' int64[2]",
        "%4 = softmax_xent(%2, %3) float32[2], float32[2,4]",
        "outputs: loss = %4.0, probs = %4.1",
    ]


def test_an_empty_graph() -> None:
    assert show(Graph()) == ""
    assert dot(Graph()).startswith("digraph {")


def test_dot_escapes_quotes_and_links_nodes() -> None:
    text = dot(graph())
    assert r'n0 [label="%0 the \"x\"\nfloat32[2,3]"]' in text
    assert "n2 -> n4" in text and "n4 -> out1" in text and r"\ndense" in text
