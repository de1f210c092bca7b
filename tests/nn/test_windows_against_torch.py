"""Layers over windows against PyTorch: outputs and gradients of another implementation; and fast kernels serve them."""

import numpy as np
import pytest

from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.ops.reduce import sum as sum_of
from sparkdl.nn.layer import Ctx
from sparkdl.nn.layers.conv import Conv1D, Conv2D, Conv3D
from sparkdl.nn.layers.depthwise import DepthwiseConv1D, DepthwiseConv2D, SeparableConv2D
from sparkdl.nn.layers.pool import AveragePooling1D, AveragePooling3D, GlobalMaxPooling3D, MaxPooling1D, MaxPooling3D
from sparkdl.nn.layers.transposed import Conv1DTranspose, Conv2DTranspose, Conv3DTranspose
from tests.kernels.harness import needs_onednn

torch = pytest.importorskip("torch")
F = torch.nn.functional
STEPS, IMAGE, VOLUME = (3, 17, 6), (3, 9, 8, 6), (2, 6, 7, 5, 4)


def first(w):
    """A kernel (K, c, o) as torch has it: (o, c, K)."""
    return w.movedim(-1, 0).movedim(-1, 1)


def by_channel(w):
    """A depthwise kernel (K, C, M) as (C M, 1, K)."""
    return first(w.reshape(*w.shape[:-2], 1, -1))


CASES = {  # layer, shape of x, the same in torch of x (B, C, S) and the parameters
    "conv1d": (Conv1D(8, 3, 2), STEPS, lambda x, w, b: F.conv1d(x, first(w), b, 2)),
    "causal": (
        Conv1D(8, 3, padding="causal", dilation_rate=2, activation="relu"),
        STEPS,
        lambda x, w, b: F.conv1d(F.pad(x, (4, 0)), first(w), b, dilation=2).relu(),
    ),
    "groups": (Conv2D(4, 3, groups=2), IMAGE, lambda x, w, b: F.conv2d(x, first(w), b, groups=2)),
    "dilation": (Conv2D(4, 2, dilation_rate=3), IMAGE, lambda x, w, b: F.conv2d(x, first(w), b, dilation=3)),
    "conv3d": (
        Conv3D(5, (2, 3, 2), (1, 2, 1), activation="relu"),
        VOLUME,
        lambda x, w, b: F.conv3d(x, first(w), b, (1, 2, 1)).relu(),
    ),
    "transposed 1d": (Conv1DTranspose(5, 4, 2), STEPS, lambda x, w, b: F.conv_transpose1d(x, first(w), b, 2)),
    "transposed 2d": (
        Conv2DTranspose(5, 3, 2, output_padding=1),
        IMAGE,
        lambda x, w, b: F.conv_transpose2d(x, first(w), b, 2, 0, 1),
    ),
    "transposed 3d": (Conv3DTranspose(3, 2, 2), VOLUME, lambda x, w, b: F.conv_transpose3d(x, first(w), b, 2)),
    "depthwise 1d": (DepthwiseConv1D(5), STEPS, lambda x, w, b: F.conv1d(x, by_channel(w), b, groups=6)),
    "depthwise 2d": (
        DepthwiseConv2D(3, 2, depth_multiplier=2, activation="relu"),
        IMAGE,
        lambda x, w, b: F.conv2d(x, by_channel(w), b, 2, groups=6).relu(),
    ),
    "separable": (
        SeparableConv2D(5, 3, depth_multiplier=2),
        IMAGE,
        lambda x, w, v, b: F.conv2d(F.conv2d(x, by_channel(w), groups=6), first(v), b),
    ),
    "max 1d": (MaxPooling1D(3, 2), STEPS, lambda x: F.max_pool1d(x, 3, 2)),
    "max 3d": (MaxPooling3D(2, 1), VOLUME, lambda x: F.max_pool3d(x, 2, 1)),
    "average 1d": (AveragePooling1D(3), STEPS, lambda x: F.avg_pool1d(x, 3)),
    "average 3d": (AveragePooling3D(2), VOLUME, lambda x: F.avg_pool3d(x, 2)),
    "global max 3d": (GlobalMaxPooling3D(), VOLUME, lambda x: x.amax((2, 3, 4))),
}


def traced(layer, shape):
    """A program of the layer with the gradients of sum(y * cotangent), filled; the cotangent."""
    graph, draw = Graph(), np.random.default_rng(0)
    x = graph.input("x", Spec(shape))
    p = {k: graph.input(k, Spec(s.shape)) for k, s in layer.params(x.spec).items()}
    y = layer.apply(p, x, ctx=Ctx(True))
    cotangent = draw.normal(size=y.spec.shape).astype("f")
    slopes = grad(graph, sum_of(y * graph.constant(cotangent)), [x, *p.values()])
    program = compile(graph, {"y": y} | {f"d {k}": g for k, g in zip(("x", *p), slopes, strict=True)})
    program.fill({name: draw.normal(size=place.shape) for name, place in program.inputs.items()})
    program.run()
    return program, cotangent


@pytest.mark.parametrize(("layer", "shape", "theirs"), CASES.values(), ids=CASES)
def test_outputs_and_gradients(layer, shape, theirs):
    program, cotangent = traced(layer, shape)
    given = {k: torch.tensor(v.copy(), requires_grad=True) for k, v in program.inputs.items()}
    x = given.get("x", torch.zeros(shape))  # the gradient of a mean does not need it
    out = theirs(x.movedim(-1, 1), *(v for k, v in given.items() if k != "x"))
    out = out.movedim(1, -1)
    (out * torch.tensor(cotangent)).sum().backward()
    np.testing.assert_allclose(program.outputs["y"], out.detach().numpy(), rtol=1e-4, atol=1e-4)
    for name, leaf in given.items():
        np.testing.assert_allclose(program.outputs[f"d {name}"], leaf.grad.numpy(), rtol=1e-3, atol=1e-3, err_msg=name)


@needs_onednn
@pytest.mark.parametrize(("layer", "shape", "_"), CASES.values(), ids=CASES)
def test_fast_kernels_serve(layer, shape, _):
    told = traced(layer, shape)[0].explain()
    assert "SLOW" not in told
    assert all("onednn" in line for line in told.splitlines() if " conv" in line or "_pool" in line)
    if type(layer).__name__.startswith(("Conv", "Depthwise")) and "Transpose" not in type(layer).__name__:
        assert "_bias" in told  # no pass of its own for the bias
