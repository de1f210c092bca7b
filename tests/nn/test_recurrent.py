"""Recurrent layers: Keras's arguments and initial values, what is refused, and PyTorch's numbers in training."""

import numpy as np
import pytest

from sparkdl.base.errors import ConfError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph
from sparkdl.kernels.table import LIBRARIES
from sparkdl.nd.ops.reduce import sum as sum_of
from sparkdl.nn.init import Ones
from sparkdl.nn.layer import Ctx
from sparkdl.nn.layers.core import Input
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.recurrent import GRU, LSTM, SimpleRNN
from sparkdl.nn.losses import SparseCategoricalCrossentropy
from sparkdl.nn.network import Sequential
from sparkdl.nn.penalties import L2
from sparkdl.optim.rules import Adam

KINDS = (LSTM, GRU, SimpleRNN)
B, T, I, H = 6, 7, 5, 9


def test_an_lstm_starts_with_open_forget_gates():
    kept = Sequential([Input((T, I)), LSTM(H)]).build(1).parameters()["lstm/bias"]
    np.testing.assert_array_equal(kept, np.repeat([0, 1, 0, 0], H))
    plain = Sequential([Input((T, I)), LSTM(H, unit_forget_bias=False)]).build(1).parameters()["lstm/bias"]
    np.testing.assert_array_equal(plain, 0)
    ones = Sequential([Input((T, I)), LSTM(H, bias_initializer=Ones())]).build(1).parameters()["lstm/bias"]
    np.testing.assert_array_equal(ones, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_kernels_start_orthogonal(kind):
    network = Sequential([Input((T, I)), kind(H, name="it")]).build(1)
    u = network.parameters()["it/recurrent_kernel"].astype(np.float64)
    np.testing.assert_allclose(u @ u.T, np.eye(H), atol=1e-5)
    assert list(network.parameters()) == ["it/kernel", "it/recurrent_kernel", "it/bias"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["dropout", "recurrent_dropout", "stateful", "unroll", "return_state", "seed"])
def test_what_is_not_offered_is_refused(kind, what):
    with pytest.raises(ConfError, match=f"{kind.__name__} has no field '{what}'"):
        kind(3, **{what: 0.5})


def test_a_reset_before_the_product_is_refused():
    with pytest.raises(ConfError, match="GRU has no field 'reset_after'"):
        GRU(3, reset_after=False)


@pytest.mark.parametrize("kind", KINDS)
def test_activations_without_a_recurrent_kernel_are_refused(kind):
    with pytest.raises(ConfError, match="activation must be 'tanh' or 'sigmoid' or 'relu' or 'elu' or 'linear'"):
        kind(3, "gelu")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(5,), (4, 5, 6)])
def test_inputs_must_be_sequences(kind, shape):
    with pytest.raises(ShapeError, match=r"it \(.*\).*needs sequences \(B, T, I\)"):
        Sequential([Input(shape), kind(3, name="it")]).build(0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_of_two_learns(kind):
    """Whether a sequence rises: the sign of its last step minus its first."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(256, 6, 1)).astype("f")
    y = (x[:, -1, 0] > x[:, 0, 0]).astype(np.int32)
    layers = [kind(16, return_sequences=True, kernel_regularizer=L2(1e-5)), kind(16), Dense(2, "softmax")]
    network = Sequential(layers, input_shape=(6, 1)).build(0)
    network.fit(x, y, loss=SparseCategoricalCrossentropy(), optimizer=Adam(0.01), epochs=25, batch_size=30)
    assert np.mean(np.argmax(network.predict(x), 1) == y) > 0.9


def test_a_stack_of_layers_turns_its_sequences_once():
    network = Sequential([Input((T, I)), LSTM(H, return_sequences=True), GRU(H, return_sequences=True), SimpleRNN(H)])
    graph = Graph()
    p = {k: graph.input(k, Spec(s.shape)) for k, s in network.topology.params().items()}
    y = network.trace(graph, {"input": graph.input("x", Spec((B, T, I)))}, p, Ctx())["simple_rnn"]
    slopes = grad(graph, sum_of(y), list(p.values()))
    said = compile(graph, {"y": y} | dict(zip(p, slopes, strict=True))).explain()
    assert said.count(" transpose ") == 1


# --- PyTorch ----------------------------------------------------------------------------------------------------------

BLOCKS = {LSTM: (0, 1, 2, 3), GRU: (1, 0, 2), SimpleRNN: (0,)}  # ours in torch's order
NAMES = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def ordered(w, kind):
    blocks = np.split(w, len(BLOCKS[kind]), -1)
    return np.concatenate([blocks[k] for k in BLOCKS[kind]], -1)


def as_torch(kind, kernel, recurrent, bias):
    """Our weights, or their gradients, as torch's four."""
    outer, inner = bias if bias.ndim == 2 else (bias, 0 * bias)
    return dict(zip(NAMES, (ordered(w, kind).T for w in (kernel, recurrent, outer, inner)), strict=True))


def ours(kind, every, weights, x, cotangent, dtype, libraries):
    """Output and gradients of the layer, compiled."""
    graph, layer = Graph(), kind(H, return_sequences=every)
    p = {name: graph.input(name, Spec(w.shape, dtype)) for name, w in weights.items()}
    given = graph.input("x", Spec(x.shape, dtype))
    y = layer.apply(p, given, ctx=Ctx(True))
    wrt = {"x": given} | p
    slopes = grad(graph, sum_of(y * graph.constant(cotangent.astype(dtype))), list(wrt.values()))
    program = compile(graph, {"y": y} | {f"d {k}": g for k, g in zip(wrt, slopes, strict=True)}, libraries=libraries)
    for name, held in program.inputs.items():
        held[...] = x if name == "x" else weights[name]
    program.run()
    return program.outputs


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("exact", [False, True])
def test_training_pass_is_torchs(kind, every, exact):
    torch = pytest.importorskip("torch")
    theirs = {LSTM: torch.nn.LSTM, GRU: torch.nn.GRU, SimpleRNN: torch.nn.RNN}[kind](I, H, batch_first=True)
    draw, dtype = np.random.default_rng(3), "float64" if exact else "float32"
    n = len(BLOCKS[kind]) * H
    shapes = {"kernel": (I, n), "recurrent_kernel": (H, n), "bias": (2, n) if kind is GRU else (n,)}
    weights = {name: draw.normal(size=s).astype("f") / 3 for name, s in shapes.items()}
    x, cotangent = draw.normal(size=(B, T, I)).astype("f"), draw.normal(size=(B, T, H) if every else (B, H))
    got = ours(kind, every, weights, x, cotangent, dtype, ("ref",) if exact else LIBRARIES["cpu"])

    theirs = theirs.to(getattr(torch, dtype))
    for name, value in as_torch(kind, *weights.values()).items():
        getattr(theirs, name).data = torch.tensor(value.astype(dtype).copy())
    given = torch.tensor(x.astype(dtype), requires_grad=True)
    out = theirs(given)[0] if every else theirs(given)[0][:, -1]
    (out * torch.tensor(cotangent.astype(dtype))).sum().backward()

    close = {"rtol": 1e-9, "atol": 1e-11} if exact else {"rtol": 1e-4, "atol": 2e-5}
    np.testing.assert_allclose(got["y"], out.detach().numpy(), **close)
    np.testing.assert_allclose(got["d x"], given.grad.numpy(), **close)
    for name, due in as_torch(kind, *(got[f"d {k}"] for k in weights)).items():
        if kind is GRU or name != "bias_hh_l0":  # where we have one bias, each of torch's two has its gradient
            np.testing.assert_allclose(due, getattr(theirs, name).grad.numpy(), **close, err_msg=name)
