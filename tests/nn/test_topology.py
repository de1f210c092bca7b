"""Names, wiring, order, conf and errors of a topology."""

import json

import pytest

from sparkdl.base.errors import ConfError, ShapeError
from sparkdl.base.record import from_conf, record, to_conf
from sparkdl.base.spec import Spec
from sparkdl.nn.layers.activation import Activation
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.core import Input
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.merge import Add, Concatenate
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import MaxPooling2D
from sparkdl.nn.layers.reshape import Flatten
from sparkdl.nn.topology import Topology
from sparkdl.nn.wiring import Node

TWO_BRANCHES = {
    "inputs": {"image": [8, 8, 1], "facts": [5]},
    "layers": [
        {"type": "Conv2D", "filters": 4, "kernel_size": 3, "inputs": ["image"]},
        {"type": "Flatten"},
        {"type": "Dense", "units": 6, "name": "seen"},
        {"type": "Dense", "units": 6, "name": "told", "inputs": ["facts"], "kernel_regularizer": "l2"},
        {"type": "Add", "inputs": ["seen", "told"]},
        {"type": "Dense", "units": 3, "activation": "softmax", "name": "kind"},
        {"type": "Dense", "units": 1, "name": "price", "inputs": ["add"]},
    ],
    "outputs": ["kind", "price"],
}


def chain(*layers, shape=(8, 8, 1)):
    return Topology({"x": shape}, tuple(map(Node, layers)))


def test_names_are_as_in_keras():
    net = chain(Conv2D(2, 3), MaxPooling2D(), BatchNormalization(), Conv2D(2, 2), Flatten(), Dense(2), Dense(2))
    assert [n.name for n in net.layers] == [
        "conv2d", "max_pooling2d", "batch_normalization", "conv2d_1", "flatten", "dense", "dense_1",
    ]  # fmt: skip


def test_made_up_names_avoid_given_ones():
    net = chain(Dense(2), Dense(2, name="dense"), Dense(2), shape=(3,))
    assert [n.name for n in net.layers] == ["dense_1", "dense", "dense_2"]


def test_several_inputs_and_outputs():
    net = from_conf(Topology, TWO_BRANCHES)
    assert {n.name: n.inputs for n in net.layers}["add"] == ("seen", "told")
    specs = net.specs(7)
    assert (specs["kind"], specs["price"], specs["image"]) == (Spec((7, 3)), Spec((7, 1)), Spec((7, 8, 8, 1)))
    assert list(net.params())[:4] == ["conv2d/kernel", "conv2d/bias", "seen/kernel", "seen/bias"]


def test_conf_round_trip():
    net = from_conf(Topology, TWO_BRANCHES)
    assert from_conf(Topology, json.loads(json.dumps(to_conf(net)))) == net


def test_as_a_field_of_a_record():
    @record
    class Job:
        network: Topology

    job = from_conf(Job, {"network": TWO_BRANCHES})
    assert job.network == from_conf(Topology, TWO_BRANCHES)
    assert from_conf(Job, to_conf(job)) == job
    broken = TWO_BRANCHES | {"layers": [*TWO_BRANCHES["layers"][:2], {"type": "Dense", "untis": 3}]}
    says = r"^job\.network\.layers\[2\]: Dense has no field 'untis'. Did you mean 'units'"
    with pytest.raises(ConfError, match=says):
        from_conf(Job, {"network": broken}, "job")


def test_order_is_computed():
    net = Topology(
        {"x": (3,)},
        (Node(Dense(2, name="c"), ("b",)), Node(Dense(2, name="b"), ("a",)), Node(Dense(2, name="a"), ("x",))),
    )
    assert [n.name for n in net.layers] == ["a", "b", "c"]
    assert net.outputs == ("c",)


def test_input_layers_become_inputs():
    net = Topology(layers=(Node(Input((4,))), Node(Dense(2))))
    assert (net.inputs, [n.name for n in net.layers]) == ({"input": (4,)}, ["dense"])
    two = Topology(layers=(Node(Input((4,), name="a")), Node(Input((4,), name="b")), Node(Add(), ("a", "b"))))
    assert two.inputs == {"a": (4,), "b": (4,)}
    conf = from_conf(Topology, {"layers": [{"type": "Input", "shape": [4]}, {"type": "Dense", "units": 2}]})
    assert conf == net


def test_a_layer_may_be_a_bare_name():
    assert from_conf(Topology, {"inputs": {"x": [2, 2]}, "layers": ["flatten", {"type": "Dense", "units": 1}]}).layers


def test_an_inner_layer_may_be_an_output_too():
    net = Topology({"x": (3,)}, (Node(Dense(2)), Node(Dense(1))), ("dense", "dense_1"))
    assert net.outputs == ("dense", "dense_1")


X = {"inputs": {"x": [4]}}
A = {"type": "Dense", "units": 2, "name": "a"}
FAULTS = {
    "unknown type": (X | {"layers": [{"type": "Dence"}]}, r"layers\[0\]: no layer named 'Dence'. Did you mean 'Dense'"),
    "no type": (X | {"layers": [{"units": 2}]}, r"layers\[0\]: a layer needs 'type'"),
    "not a layer": (X | {"layers": [3]}, r"layers\[0\]: must be a layer"),
    "unknown input": (X | {"layers": [A | {"name": "bee", "inputs": ["be"]}]}, "no input named 'be'. Did you mean"),
    "inputs no list": (X | {"layers": [A | {"inputs": "x"}]}, r"layers\[0\]: inputs must be a list of names. Got 'x'"),
    "same name": (X | {"layers": [A, A]}, r"layers\[1\]: two layers or inputs are named 'a'"),
    "name of an input": (X | {"layers": [A | {"name": "x"}]}, "are named 'x'"),
    "slash": (X | {"layers": [A | {"name": "a/b"}]}, "without '/'. Got 'a/b'"),
    "empty name": (X | {"layers": [A | {"name": ""}]}, "without '/'. Got ''"),
    "slash in an input": ({"inputs": {"a/b": [4]}, "layers": [A]}, "inputs: an input's name must be a text without"),
    "circle": (X | {"layers": [A | {"inputs": ["b"]}, A | {"name": "b", "inputs": ["a"]}]}, "in a circle: a, b"),
    "itself": (X | {"layers": [A | {"inputs": ["a"]}]}, "in a circle: a"),
    "no layers": (X | {"layers": []}, "needs an input and at least one layer"),
    "nothing": ({}, "needs an input and at least one layer"),
    "no inputs": ({"layers": [A | {"inputs": ["x"]}]}, "needs an input"),
    "whose input": ({"inputs": {"x": [4], "y": [4]}, "layers": [A]}, r"a \(Dense\): say its inputs. The network has 2"),
    "unused input": ({"inputs": {"x": [4], "y": [4]}, "layers": [A | {"inputs": ["x"]}]}, "nothing uses y"),
    "two ends": (X | {"layers": [A, A | {"name": "b", "inputs": ["x"]}]}, "several layers end the network: a, b"),
    "idle layer": (X | {"layers": [A, A | {"name": "b", "inputs": ["x"]}], "outputs": ["a"]}, "nothing uses b"),
    "unknown output": (X | {"layers": [A], "outputs": ["aa"]}, "outputs: no layer named 'aa'. Did you mean 'a'"),
    "too many inputs": (X | {"layers": [A, A | {"name": "b", "inputs": ["x", "a"]}]}, r"b \(Dense\): takes 1 input"),
    "length 0": ({"inputs": {"x": [0]}, "layers": [A]}, r"inputs: must be a table.*Got x = \[0\]"),
    "no table": ({"inputs": [4], "layers": [A]}, r"inputs: must be a table.*Got \[4\]"),
    "unknown key": (X | {"layer": [A]}, "Topology has no field 'layer'. Did you mean 'layers'"),
}  # fmt: skip


@pytest.mark.parametrize(("conf", "says"), FAULTS.values(), ids=FAULTS)
def test_faults_are_said(conf, says):
    with pytest.raises(ConfError, match=says):
        from_conf(Topology, conf, "network")


MISFITS = {
    "dense to conv": (
        chain(Flatten(), Conv2D(2, 3)),
        r"conv2d \(Conv2D\): needs images \(B, H, W, C\).*Got \(None, 64\) from flatten \(Flatten\)\.",
    ),
    "window": (chain(Conv2D(2, 9)), r"the window \(9, 9\) must fit.*Got \(None, 8, 8, 1\) from the input 'x'"),
    "groups": (chain(Conv2D(4, 3, groups=2)), "channels are a multiple of groups=2"),
    "add": (
        Topology({"x": (4,)}, (Node(Dense(2, name="a")), Node(Dense(3, name="b"), ("x",)), Node(Add(), ("a", "b")))),
        r"add \(Add\): needs inputs of one shape.*\(None, 2\) from a \(Dense\) and \(None, 3\) from b \(Dense\)",
    ),
    "concatenate": (
        Topology({"x": (4,), "y": (4, 2)}, (Node(Concatenate(), ("x", "y")),)),
        r"concatenate \(Concatenate\): needs inputs that agree.*Got \(None, 4\) from the input 'x' and \(None, 4, 2\)",
    ),
    "batch axis": (chain(Concatenate(0)), "axis must be one of the inputs' axes after the batch axis. Got 0"),
    "norm axis": (chain(BatchNormalization(4)), "axis must be one of the inputs' axes after the batch axis. Got 4"),
    "scalar to dense": (chain(Dense(2), shape=()), "needs inputs with a last axis"),
}


@pytest.mark.parametrize(("net", "says"), MISFITS.values(), ids=MISFITS)
def test_misfits_name_the_layers_and_shapes(net, says):
    with pytest.raises(ShapeError, match=says):
        net.specs(2)


def test_layer_by_name():
    net = chain(Flatten(), Activation("relu", name="act"))
    assert net.layer("act").activation == "relu"
    with pytest.raises(ConfError, match="no layer named 'atc'"):
        net.layer("atc")
