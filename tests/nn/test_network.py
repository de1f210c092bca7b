"""The Network: parameters, weights in Keras's order, tracing, summary, and methods that live elsewhere."""

import sys
import types

import numpy as np
import pytest

from sparkdl.base.errors import ConfError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray
from sparkdl.nn.layer import Ctx
from sparkdl.nn.layers.core import Input
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.merge import Add
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.network import Later, Network, Sequential
from sparkdl.nn.params import aligned
from sparkdl.nn.topology import Topology
from sparkdl.nn.wiring import Node


def small() -> Network:
    return Sequential([Input((4,)), Dense(3, kernel_regularizer="l2"), BatchNormalization(), Dense(2, name="out")])


def test_sequential_by_input_layer_or_shape():
    assert Sequential([Input((4,)), Dense(3)]).topology == Sequential([Dense(3)], input_shape=(4,)).topology
    assert Sequential([Input((4,), name="x"), Dense(3)]).topology.inputs == {"x": (4,)}


@pytest.mark.parametrize("layers", [[], [Dense(3)]])
def test_sequential_needs_a_shape(layers):
    with pytest.raises(ConfError, match="needs the shape of an example"):
        Sequential(layers)


def test_sequential_takes_layers():
    with pytest.raises(ConfError, match="must be a list of layers"):
        Sequential([Input((4,)), "relu"])


def test_parameters_are_views_of_the_vector():
    net = small()
    net.parameters()["out/bias"][...] = 5
    assert (net.vector == 5).sum() == 2
    assert [s.name.split("/")[1] for s in net.layout][-2:] == ["moving_mean", "moving_variance"]


def test_build_draws_by_seed():
    first = small().vector
    np.testing.assert_array_equal(first, small().build(0).vector)
    assert (first != small().build(1).vector).any()


def test_weights_are_in_keras_s_order():
    net = small()
    shapes = [w.shape for w in net.get_weights()]
    assert shapes == [(4, 3), (3,), (3,), (3,), (3,), (3,), (3, 2), (2,)]
    given = [np.full(s, k, np.float64) for k, s in enumerate(shapes)]
    net.set_weights(given)
    assert [float(w.flat[0]) for w in net.get_weights()] == list(range(8))
    assert net.parameters()["batch_normalization/moving_mean"][0] == 4
    net.get_weights()[0][...] = 9
    assert net.get_weights()[0].max() == 0


def test_wrong_weights_are_refused_and_change_nothing():
    net = small()
    before, weights = net.vector.copy(), [w + 1 for w in small().get_weights()]
    with pytest.raises(ShapeError, match=r"needs 8 arrays: dense/kernel, .*Got 7"):
        net.set_weights(weights[:-1])
    with pytest.raises(ShapeError, match=r"out/kernel must be \(3, 2\). Got \(2, 3\)"):
        net.set_weights([*weights[:6], weights[6].T, weights[7]])
    np.testing.assert_array_equal(net.vector, before)


def test_a_vector_is_taken_over_when_it_fits():
    net = small()
    given = aligned(net.layout.size)
    net.vector = given
    net.parameters()["dense/bias"][...] = 1
    assert given.sum() == 3
    with pytest.raises(ShapeError, match="vector: must be float32"):
        net.vector = given[:-1]
    with pytest.raises(ShapeError, match="multiple of 64 bytes"):
        net.vector = aligned(net.layout.size + 1)[1:]


def test_trace_labels_nodes_and_collects_state_and_penalties():
    net, graph = small(), Graph()
    p = {k: graph.input(k, Spec(s.shape)) for k, s in net.topology.params().items()}
    ctx = Ctx(True)
    out = net.trace(graph, {"input": graph.input("x", Spec((5, 4)))}, p, ctx)
    assert {k: v.spec for k, v in out.items()} == {"out": Spec((5, 2))}
    labels = {n.label for n in graph.nodes if n.op is not None}
    assert labels == {"dense", "batch_normalization", "out"}
    assert graph.scope == ""
    assert sorted(ctx.updates) == ["batch_normalization/moving_mean", "batch_normalization/moving_variance"]
    assert [loss.spec for loss in ctx.losses] == [Spec(())]


def test_a_frozen_layer_has_neither_penalty_nor_new_state():
    frozen = Dense(3, kernel_regularizer="l2", trainable=False), BatchNormalization(trainable=False)
    net, ctx = Sequential([Input((4,)), *frozen]), Ctx(True)
    p = {name: NDArray(value) for name, value in net.parameters().items()}
    net.trace(None, {"input": NDArray(np.ones((2, 4), "f"))}, p, ctx)
    assert (ctx.losses, ctx.updates) == ([], {})


def test_trace_on_arrays_with_two_inputs():
    net = Network(Topology({"a": (2,), "b": (2,)}, (Node(Add(), ("a", "b")), Node(Dropout(0.5)))))
    xs = {"a": NDArray(np.ones((3, 2), "f")), "b": NDArray(np.ones((3, 2), "f"))}
    assert (net.trace(None, xs, {}, Ctx())["dropout"].numpy() == 2).all()
    with pytest.raises(ShapeError, match=r"inputs must be a, b. Got a"):
        net.trace(None, {"a": xs["a"]}, {}, Ctx())


def test_a_network_without_parameters():
    net = Sequential([Input((4,)), Dropout(0.5)])
    assert (net.layout.size, net.get_weights(), net.parameters()) == (0, [], {})
    net.vector = aligned(0)


SUMMARY = """
Layer (type)                              Output shape  Parameters
------------------------------------------------------------------
input (Input)                             (None, 4)              0
dense (Dense)                             (None, 3)             15
batch_normalization (BatchNormalization)  (None, 3)             12
out (Dense)                               (None, 2)              8
------------------------------------------------------------------
Total parameters: 35 (140 B)
Trainable:        29 (116 B)
Not trainable:    6 (24 B)
""".strip()


def test_summary():
    assert small().summary() == SUMMARY
    assert repr(small()) == "Network(dense, batch_normalization, out: 35 parameters)"


def test_summary_says_who_feeds_whom():
    net = Network(Topology({"a": (2,), "b": (2,)}, (Node(Add(), ("a", "b")),)))
    assert "add (Add)     (None, 2)              0  a, b" in net.summary().splitlines()


def test_later_imports_when_used(monkeypatch):
    module = types.ModuleType("elsewhere")
    module.describe = lambda thing, word: f"{word} {thing.n}"
    monkeypatch.setitem(sys.modules, "elsewhere", module)

    class Thing:
        n = 3
        describe = Later("elsewhere:describe")

    assert Thing().describe("number") == "number 3"
    assert Thing.describe(Thing(), "number") == "number 3"


def test_public_methods_live_where_they_say():
    for name in ("fit", "predict", "evaluate", "save"):
        assert callable(getattr(small(), name))
