"""Recurrent networks: every library against the float64 oracle, what is refused, and which kernels are chosen."""

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph
from sparkdl.kernels import table
from sparkdl.kernels.cpu._onednn_objects import is_reference
from sparkdl.nd.array import NDArray, execute
from sparkdl.nd.ops.matmul import matmul
from sparkdl.nd.ops.reduce import sum as sum_of
from sparkdl.nd.ops.rnn import Gru, GruGrad, Lstm, LstmGrad, SimpleRnn, SimpleRnnGrad, gru, lstm, simple_rnn
from sparkdl.nd.ops.shape import reshape
from tests.kernels.harness import ONEDNN, agree, gradient_error, needs_onednn, normal, serves

FORWARD = {Lstm: 4, Gru: 3, SimpleRnn: 1}  # op: blocks
SIZES = [(1, 1, 1), (1, 5, 3), (6, 1, 8), (3, 64, 33), (50, 4, 16)]  # T, B, H
kinds = pytest.mark.parametrize("kind", FORWARD, ids=lambda kind: kind.name)
libraries = pytest.mark.parametrize("library", [ONEDNN, "numpy"])


def inputs(kind, t, b, h, dtype="float32"):
    """z, u (and v) of a forward op."""
    n = FORWARD[kind] * h
    u = (normal((h, n), "float64", 2) / np.sqrt(h)).astype(dtype)
    return (normal((t, b, n), dtype, 1), u, *((normal((n,), dtype, 3),) if kind is Gru else ()))


def backward(kind, arrays, **how):
    """The gradient op of a forward one and its inputs, with both gradients."""
    last, hs, *saved = (a.astype(arrays[0].dtype) for a in execute(kind(**how), arrays, ("ref",)))
    given = (normal(last.shape, last.dtype, 4), normal(hs.shape, hs.dtype, 5))
    made = {
        Lstm: (LstmGrad, lambda: (saved[1], saved[0])),
        Gru: (GruGrad, lambda: (saved[1], saved[0], hs)),
        SimpleRnn: (SimpleRnnGrad, lambda: (hs,)),
    }
    op, kept = made[kind]
    return op(**how, last=True, each=True), (*kept(), arrays[1], *given)


@libraries
@kinds
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("backwards", [False, True])
def test_they_are_the_oracles(kind, size, backwards, library):
    arrays = inputs(kind, *size)
    agree(kind(backwards=backwards), arrays, library)
    op, given = backward(kind, arrays, backwards=backwards)
    agree(op, given, library)


@kinds
@pytest.mark.parametrize("used", [[0], [1], [0, 1]], ids=str)
@pytest.mark.parametrize("size", [(1, 1, 1), (1, 2, 3), (4, 1, 2), (3, 2, 4)], ids=str)
def test_the_gradient(kind, size, used):
    assert gradient_error(kind(), inputs(kind, *size, "float64"), used) < 1e-7
    assert gradient_error(kind("elu", "sigmoid", backwards=True), inputs(kind, *size, "float64"), used) < 1e-6


@libraries
@kinds
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e4, -1e4])
def test_nan_and_infinity_flow(kind, bad, library):
    arrays = inputs(kind, 3, 2, 5)
    arrays[0][1, 0, ::5] = bad
    agree(kind(), arrays, library)
    op, given = backward(kind, inputs(kind, 3, 2, 5))
    given[-1][1, 0, 2] = bad
    agree(op, given, library)


@libraries
@kinds
def test_unaligned_memory(kind, library):
    agree(kind(), inputs(kind, 3, 5, 7), library, shift=4)


@kinds
def test_other_activations_and_dtypes_are_numpys(kind):
    arrays = inputs(kind, 3, 2, 4)
    assert serves(kind(), arrays, "onednn") == serves(SimpleRnn(), inputs(SimpleRnn, 3, 2, 4), "onednn")
    assert not serves(kind("relu"), arrays, "onednn")
    assert not serves(kind(), inputs(kind, 3, 2, 4, "float64"), "onednn")
    agree(kind("relu", "elu"), arrays, "numpy")
    specs = tuple(Spec(a.shape) for a in arrays)
    made = table.prepare(kind("relu"), specs, kind("relu").specs(specs))
    assert (made.library, made.detail) == ("numpy", f"NumPy, {kind.name} step by step")


@needs_onednn
@kinds
@pytest.mark.parametrize("size", [(4, 64, 128), (2, 1, 20), (3, 7, 1)], ids=str)
def test_no_product_is_a_reference_one(kind, size):
    arrays = inputs(kind, *size)
    for op, given in ((kind(), arrays), backward(kind, arrays)):
        specs = tuple(Spec(a.shape) for a in given)
        made = table.prepare(op, specs, op.specs(specs), ("onednn",))
        assert not is_reference(made.detail.split()[0])


@needs_onednn
def test_a_step_of_training_is_native_and_makes_no_gradient_of_its_input():
    graph = Graph()
    x, w, u = (graph.input(n, Spec(s)) for n, s in (("x", (3, 2, 16)), ("w", (16, 16)), ("u", (4, 16))))
    last, _ = lstm(reshape(matmul(reshape(x, (6, 16)), w), (3, 2, 16)), u)
    program = compile(graph, dict(zip("wu", grad(graph, sum_of(last), [w, u]), strict=True)))
    said = program.explain()
    assert program.libraries() <= {"onednn", "numba"}
    assert said.count(" matmul ") == 3  # x w, and the gradients of w and u
    assert "3 steps" in said
    assert "SLOW" not in said


def test_shapes_that_do_not_fit_are_named():
    def zeros(*shape, dtype="float32"):
        return NDArray(np.zeros(shape, dtype))

    with pytest.raises(ShapeError, match=r"lstm: z must be float32\[T,B,12\].*one step.*Got float32\[0,2,12\]"):
        lstm(zeros(0, 2, 12), zeros(3, 12))
    with pytest.raises(ShapeError, match=r"gru: z must be .*one row or more. Got float32\[4,0,9\]"):
        gru(zeros(4, 0, 9), zeros(3, 9), zeros(9))
    with pytest.raises(ShapeError, match=r"lstm: u must be floats \(H,4\*H\). Got float32\[3,9\]"):
        lstm(zeros(4, 2, 12), zeros(3, 9))
    with pytest.raises(ShapeError, match=r"simple_rnn: z must be float32\[T,B,3\].*Got float64\[4,2,3\]"):
        simple_rnn(zeros(4, 2, 3, dtype="float64"), zeros(3, 3))
    with pytest.raises(ShapeError, match=r"gru: v must be float32\[9\] for u float32\[3,9\]. Got float32\[3\]"):
        gru(zeros(4, 2, 9), zeros(3, 9), zeros(3))
    with pytest.raises(ShapeError, match=r"simple_rnn: activations must be among tanh.*Got 'gelu'"):
        simple_rnn(zeros(4, 2, 3), zeros(3, 3), "gelu")


def test_gradients_of_other_shapes_are_named():
    op = SimpleRnnGrad(last=True, each=False)
    with pytest.raises(ShapeError, match=r"gradients must be float32\[2,3\]. Got float32\[2,4\]"):
        op.infer(Spec((4, 2, 3)), Spec((3, 3)), Spec((2, 4)))
    with pytest.raises(ShapeError, match=r"gradients must be one or two. Got none"):
        SimpleRnnGrad(last=False, each=False).infer(Spec((4, 2, 3)), Spec((3, 3)))
    with pytest.raises(ShapeError, match=r"lstm_grad: c must be float32\[4,2,3\]. Got float32\[4,2,4\]"):
        LstmGrad().infer(Spec((4, 2, 12)), Spec((4, 2, 4)), Spec((3, 12)), Spec((4, 2, 3)))


def test_no_gradient_flows_through_what_is_kept():
    z, u = inputs(Lstm, 2, 1, 2)
    outs = tuple(map(NDArray, execute(Lstm(), (z, u))))
    with pytest.raises(TypeError, match="lstm: gradients flow through the states h only"):
        Lstm().vjp((None, None, outs[2], None), outs, NDArray(z), NDArray(u))
