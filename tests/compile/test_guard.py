"""Guards: whole training steps under guard give what they give without, and a kernel that writes elsewhere is named."""

import ctypes
import dataclasses

import numpy as np
import pytest

from sparkdl.base.errors import KernelError
from sparkdl.base.spec import Spec
from sparkdl.compile import pipeline
from sparkdl.compile.guard import BYTE, Guards
from sparkdl.compile.pipeline import compile
from sparkdl.graph.graph import Graph
from sparkdl.kernels.table import LIBRARIES
from sparkdl.nn.layers.activation import Activation
from sparkdl.nn.layers.border import Cropping1D, UpSampling2D, ZeroPadding2D
from sparkdl.nn.layers.conv import Conv1D, Conv2D, Conv3D
from sparkdl.nn.layers.core import Input
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.depthwise import DepthwiseConv2D, SeparableConv1D
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import (
    AveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.layers.reshape import Flatten
from sparkdl.nn.layers.transposed import Conv2DTranspose
from sparkdl.nn.losses import SparseCategoricalCrossentropy
from sparkdl.nn.network import Sequential
from sparkdl.optim.rules import SGD, Adagrad, Adam
from sparkdl.train.step import bound_state, state_size, training_step
from tests.conformance.ops import assert_close
from tests.tables.optimizers import short

NETWORKS = {
    "mlp": [Input((13,)), Dense(20, "relu"), Dropout(0.3), Dense(7, "gelu"), Dense(3)],
    "images": [
        Input((9, 8, 3)), Conv2D(8, 3, padding="same", use_bias=False), BatchNormalization(), Activation("relu"),
        MaxPooling2D(), DepthwiseConv2D(3, depth_multiplier=2), ZeroPadding2D(), Conv2DTranspose(5, 3, 2, "same"),
        UpSampling2D(2), GlobalAveragePooling2D(), Dense(3),
    ],
    "sequences": [
        Input((21, 5)), Conv1D(7, 3, padding="causal", dilation_rate=2, activation="relu"), AveragePooling1D(2),
        SeparableConv1D(6, 3, activation="tanh"), Cropping1D((1, 0)), GlobalMaxPooling1D(), Dense(3),
    ],
    "volumes": [Input((5, 6, 7, 2)), Conv3D(4, 3, activation="relu"), MaxPooling3D(2), Flatten(), Dense(3)],
}  # fmt: skip
B = 4


def trained(layers, optimizer, libraries):
    """The state after three steps, and the losses."""
    network = Sequential(layers).build(1)
    loss = {network.topology.outputs[0]: SparseCategoricalCrossentropy(from_logits=True)}
    traced = training_step(network, loss, optimizer, B)
    memory = np.zeros(state_size(network.layout, optimizer) + 16, np.float32)
    start = -memory.ctypes.data % 64 // 4
    state = memory[start : start + len(memory) - 16]
    state[: network.layout.size] = network.vector
    bound = bound_state(network.layout, optimizer, state)
    program = compile(traced.graph, traced.outputs, donate=traced.donate, bind=bound, libraries=libraries)
    draw, losses = np.random.default_rng(0), []
    for t in range(3):
        for name, place in program.inputs.items():
            if name not in bound:
                value = 1 if name == "weight" else t + 1 if name == "t" else draw.integers(0, 3, place.shape)
                place[...] = draw.normal(size=place.shape) if name.startswith("x/") else value
        program.run()
        losses.append(float(program.outputs["loss"]))
    return state.copy(), losses


@pytest.mark.parametrize("libraries", [LIBRARIES["cpu"], ("numba", "numpy", "ref")], ids=["fastest", "no oneDNN"])
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01, global_clipnorm=1.0), Adagrad(0.1)], ids=short)
@pytest.mark.parametrize("layers", NETWORKS.values(), ids=NETWORKS)
def test_a_training_step_under_guard(layers, optimizer, libraries, monkeypatch):
    plain, losses = trained(layers, optimizer, libraries)
    monkeypatch.setenv("SPARKDL_DEBUG", "guard")
    guarded, same = trained(layers, optimizer, libraries)
    assert np.isfinite(losses).all()
    assert same == pytest.approx(losses, rel=1e-5)
    assert_close(guarded, plain, 10)


def faulty(reach):
    """`place`, whose kernels write one float, `reach` floats behind their output's start."""

    def place(graph, *given):
        steps = real(graph, *given)
        return [dataclasses.replace(s, prepared=dataclasses.replace(s.prepared, bind=bind)) for s in steps]

    def bind(ins, outs, scratch):
        def run():
            pointer = ctypes.cast(outs[0].ctypes.data + 4 * reach, ctypes.POINTER(ctypes.c_float))
            pointer[0] = 1.0

        return run

    real = pipeline.place
    return place


@pytest.mark.parametrize("reach", [-1, 5, 20])
def test_a_kernel_that_writes_elsewhere_is_named(reach, monkeypatch):
    monkeypatch.setattr(pipeline, "place", faulty(reach))
    monkeypatch.setenv("SPARKDL_DEBUG", "guard")
    graph = Graph()
    graph.scope = "layer"
    program = compile(graph, {"y": graph.input("x", Spec((5,))) * 2.0})
    with pytest.raises(KernelError, match=r"fused of layer in numba wrote \d bytes outside its outputs and scratch"):
        program.run()


def test_what_lies_in_the_output_is_the_kernels_own(monkeypatch):
    monkeypatch.setattr(pipeline, "place", faulty(4))
    monkeypatch.setenv("SPARKDL_DEBUG", "guard")
    graph = Graph()
    program = compile(graph, {"y": graph.input("x", Spec((5,))) * 2.0})
    program.run()
    assert np.isnan(program.outputs["y"][:4]).all() and program.outputs["y"][4] == 1  # nobody wrote the others


def test_guards_stand_around_each_block():
    guards = Guards()
    inside = guards.block(10)
    whole = guards._blocks[0]
    start = inside.ctypes.data - whole.ctypes.data
    assert inside.ctypes.data % 64 == 0 and not inside.any()
    assert start >= 64 and (whole[:start] == BYTE).all() and (whole[start + 10 :] == BYTE).all()
    assert len(whole) - start - 10 >= 64
