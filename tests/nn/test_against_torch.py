"""A small CNN in training against PyTorch: outputs, gradients and running statistics of another implementation."""

import numpy as np
import pytest

from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.ops.reduce import sum as sum_of
from sparkdl.nn.layer import Ctx
from sparkdl.nn.layers.activation import Activation
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.core import Input
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import AveragePooling2D, MaxPooling2D
from sparkdl.nn.layers.reshape import Flatten
from sparkdl.nn.network import Sequential

torch = pytest.importorskip("torch")
B = 6


def ours():
    return Sequential([
        Input((12, 10, 3)), Conv2D(8, 3, padding="same", use_bias=False), BatchNormalization(epsilon=1e-5),
        Activation("relu"), MaxPooling2D(), Conv2D(8, 3, groups=2, activation="gelu"), AveragePooling2D((2, 1)),
        Flatten(), Dense(5, "elu"), Dense(4, "tanh"),
    ]).build(2)  # fmt: skip


def theirs(weights):
    kernel, gamma, beta, _, _, kernel2, bias2, dense, bias3, dense2, bias4 = map(torch.tensor, weights)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1, bias=False), torch.nn.BatchNorm2d(8), torch.nn.ReLU(),
        torch.nn.MaxPool2d(2), torch.nn.Conv2d(8, 8, 3, groups=2), torch.nn.GELU(), torch.nn.AvgPool2d((2, 1)), Last(),
        torch.nn.Linear(48, 5), torch.nn.ELU(), torch.nn.Linear(5, 4), torch.nn.Tanh(),
    )  # fmt: skip
    first, second = kernel.permute(3, 2, 0, 1), kernel2.permute(3, 2, 0, 1)
    given = [first, gamma, beta, second, bias2, dense.T, bias3, dense2.T, bias4]
    for parameter, value in zip(net.parameters(), given, strict=True):
        parameter.data = value.contiguous()
    return net


class Last(torch.nn.Module):
    """Channels to the last axis, then flat, as our Flatten sees them."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


def plain(name: str, value) -> np.ndarray:
    """A torch gradient in our layout."""
    array = value.numpy()
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T if name.endswith("kernel") else array


def test_training_pass_agrees():
    net, draw = ours(), np.random.default_rng(0)
    x, cotangent = (draw.normal(size=(B, *s)).astype("f") for s in ((12, 10, 3), (4,)))
    graph, ctx = Graph(), Ctx(True)
    p = {k: graph.input(k, Spec(s.shape)) for k, s in net.topology.params().items()}
    y = net.trace(graph, {"input": graph.input("x", Spec(x.shape))}, p, ctx)["dense_1"]
    trained = [s.name for s in net.layout if s.trainable]
    slopes = grad(graph, sum_of(y * graph.constant(cotangent)), [p[name] for name in trained])
    new = {f"new {k}": v for k, v in ctx.updates.items()}
    program = compile(graph, {"y": y} | dict(zip(trained, slopes, strict=True)) | new)
    for name, held in program.inputs.items():
        held[...] = x if name == "x" else net.parameters()[name]
    program.run()

    other = theirs(net.get_weights())
    other[1].momentum = 0.01  # PyTorch's momentum is 1 - Keras's
    out = other(torch.tensor(x.transpose(0, 3, 1, 2)))
    (out * torch.tensor(cotangent)).sum().backward()
    np.testing.assert_allclose(program.outputs["y"], out.detach().numpy(), rtol=1e-4, atol=1e-5)
    for name, parameter in zip(trained, other.parameters(), strict=True):
        due = plain(name, parameter.grad)
        np.testing.assert_allclose(program.outputs[name], due, rtol=1e-3, atol=1e-4, err_msg=name)
    mean = program.outputs["new batch_normalization/moving_mean"]
    np.testing.assert_allclose(mean, other[1].running_mean.numpy(), rtol=1e-4, atol=1e-6)
