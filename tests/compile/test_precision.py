"""The precision pass: what it computes, what it leaves as float32, and when it is not used."""

import os
import subprocess
import sys

import numpy as np
import pytest

from sparkdl import nd
from sparkdl.base.errors import ConfError
from sparkdl.base.spec import BFLOAT16, Spec, numpy_dtype
from sparkdl.compile.fuse import fuse
from sparkdl.compile.loops import fuse_loops
from sparkdl.compile.pipeline import compile
from sparkdl.compile.precision import lower
from sparkdl.compile.program import Program
from sparkdl.compile.simplify import simplify
from sparkdl.data.batches import Batch
from sparkdl.graph.graph import Graph
from sparkdl.graph.verify import verify
from sparkdl.kernels.cpu._onednn import multiplies_bfloat16
from sparkdl.nd.ops.fused import Fused
from sparkdl.nd.ops.mixed import Mixed
from sparkdl.nn.layers.activation import Activation
from sparkdl.nn.layers.conv import Conv2D
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.layers.pool import MaxPooling2D
from sparkdl.nn.layers.regular import Dropout
from sparkdl.nn.layers.reshape import Flatten
from sparkdl.nn.losses import MeanSquaredError, SparseCategoricalCrossentropy
from sparkdl.nn.network import Network, Sequential
from sparkdl.optim.rules import Adam
from sparkdl.train.step import training_step
from sparkdl.train.trainer import Trainer

needs_bfloat16 = pytest.mark.skipif(not multiplies_bfloat16(), reason="this CPU does not multiply bfloat16")
LOSS = SparseCategoricalCrossentropy(from_logits=True)
ROWS = 32


def mlp() -> Network:
    return Sequential([Dense(64, "relu"), Dropout(0.1), Dense(48, "tanh"), Dense(10)], input_shape=(40,)).build(0)


def cnn() -> Network:
    first = [Conv2D(16, 3, padding="same", use_bias=False), BatchNormalization(), Activation("relu")]
    second = [Conv2D(32, 3, activation="relu"), MaxPooling2D(), Flatten(), Dense(10)]
    return Sequential([*first, *second], input_shape=(12, 12, 3)).build(0)


def batch(network: Network) -> Batch:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((ROWS, *network.topology.inputs["input"])).astype("f")
    return Batch({"input": x}, rng.integers(0, 10, ROWS).astype(np.int32), None, np.arange(ROWS))


def trained(network: Network, precision: str, steps: int = 20) -> tuple[Trainer, list[float]]:
    trainer, given = Trainer(network, LOSS, Adam(1e-3), precision=precision), batch(network)
    return trainer, [trainer.step(given) for _ in range(steps)]


@needs_bfloat16
@pytest.mark.parametrize("make", [mlp, cnn])
def test_losses_are_those_of_float32_to_two_digits(make, monkeypatch):
    monkeypatch.setenv("SPARKDL_DEBUG", "verify")
    (_, exact), (_, low) = trained(make(), "float32"), trained(make(), "bfloat16")
    assert exact[-1] < 0.8 * exact[0]
    np.testing.assert_allclose(low, exact, rtol=2e-2)
    assert low != exact


@needs_bfloat16
@pytest.mark.parametrize("make", [mlp, cnn])
def test_the_same_seed_gives_the_same_bits(make):
    states = [trained(make(), "bfloat16", 5)[0].state for _ in range(2)]
    np.testing.assert_array_equal(*states)


@needs_bfloat16
def test_explain_shows_it_and_nothing_is_slow():
    text = trained(cnn(), "bfloat16", 1)[0].program(ROWS).explain()
    lines = [line for line in text.splitlines() if " mixed " in line]
    assert len(lines) == 10  # 2 convolutions, a product, their gradients but the first dx, a normalisation and its own
    assert all("bfloat16[" in line and "avx512_core_bf16" in line for line in lines)
    assert "SLOW" not in text and "ref:" not in text


@needs_bfloat16
@pytest.mark.parametrize("make", [mlp, cnn])
def test_losses_weight_gradients_statistics_and_state_stay_float32(make):
    network = make()
    graph = lowered(network)
    verify(graph)
    assert {graph.spec(ref).dtype for ref in graph.outputs.values()} == {"float32"}
    for node in graph.nodes:
        ins = {graph.spec(r).dtype for r in node.ins}
        if node.op is None or ("loss" in node.label.split("+") and not isinstance(node.op, Fused)):
            assert BFLOAT16 not in {s.dtype for s in node.outs} | ins
        elif node.op.name == "pack":
            assert ins == {"float32"}
        elif isinstance(node.op, Mixed) and node.op.inner.name.startswith("batch_norm"):
            assert [s.dtype for s in node.outs] == [BFLOAT16, "float32", "float32"]
    gradients = [n for n in graph.nodes if isinstance(n.op, Mixed) and (getattr(n.op.inner, "ta", False) or _kernel(n))]
    assert len(gradients) == 3
    assert all([s.dtype for s in n.outs] == ["float32"] for n in gradients)


def _kernel(node):
    return node.op.inner.name == "conv2d_grad_kernel"


def lowered(network: Network) -> Graph:
    traced = training_step(network, {network.topology.outputs[0]: LOSS}, Adam(1e-3), ROWS)
    graph = traced.graph
    graph.outputs = {name: sym.ref for name, sym in traced.outputs.items()}
    return lower(fuse_loops(fuse(simplify(graph))))


@needs_bfloat16
def test_a_prediction_reaches_its_loss_as_float32():
    network = Sequential([Dense(8, "relu"), Dense(3)], input_shape=(4,)).build(0)
    traced = training_step(network, {network.topology.outputs[0]: MeanSquaredError()}, Adam(1e-3), ROWS)
    traced.graph.outputs = {name: sym.ref for name, sym in traced.outputs.items()}
    graph = lower(fuse_loops(fuse(simplify(traced.graph))))
    last = [n for n in graph.nodes if isinstance(n.op, Mixed) and n.op.inner.name == "linear"][-1]
    assert last.op.outs == ("float32",)


@needs_bfloat16
@pytest.mark.parametrize("make", [mlp, cnn])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_reach_the_loss(make, bad):
    trainer = Trainer(make(), LOSS, Adam(1e-3), precision="bfloat16")
    given = batch(trainer.network)
    given.x["input"][3].flat[7] = bad
    assert not np.isfinite(trainer.step(given))


@needs_bfloat16
def test_the_state_is_float32_and_moves_between_precisions():
    (low, _), (exact, _) = trained(mlp(), "bfloat16", 5), trained(mlp(), "float32", 5)
    assert low.averaged.dtype == exact.averaged.dtype == np.float32
    exact.set_state(low.averaged, low.iterations)
    given = batch(low.network)
    assert low.step(given) == pytest.approx(exact.step(given), rel=1e-2)
    low.network.vector[...] = 0.0  # written from outside: the next step must see it
    exact.network.vector[...] = 0.0
    assert low.step(given) == pytest.approx(exact.step(given), rel=1e-6)


@needs_bfloat16
def test_fit_learns():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 6)).astype("f")
    network = Sequential([Dense(16, "relu"), Dense(2)], input_shape=(6,))
    y = (x[:, 0] > 0).astype(np.int32)
    seen = network.fit(x, y, loss=LOSS, optimizer=Adam(0.01), epochs=5, precision="bfloat16").history["loss"]
    assert seen[-1] < 0.7 * seen[0]
    assert network.vector.dtype == np.float32


SPECIAL = [0x0, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001, 0xFFFFFFFF, 0x7F7FFFFF, 0x00000001,
           0x00008000, 0x3F808000, 0x3F818000, 0x3F808001, 0x3F807FFF, 0xBF818000, 0x807FFFFF]  # fmt: skip


def test_compiled_rounding_is_to_the_nearest_even_and_keeps_nan():
    rng = np.random.default_rng(0)
    bits = np.concatenate([np.array(SPECIAL, np.uint32), rng.integers(0, 2**32, 5000, dtype=np.uint32)])
    x = bits.view(np.float32)
    graph = Graph()
    sym = graph.input("x", Spec(x.shape))
    low = nd.cast(sym, BFLOAT16)
    program = run(compile(graph, {"low": low, "back": nd.cast(low, "float32")}), x)
    with np.errstate(all="ignore"):
        want = x.astype(numpy_dtype(BFLOAT16))
    assert program.outputs["low"].dtype == want.dtype
    nan = np.isnan(x)
    np.testing.assert_array_equal(np.isnan(program.outputs["back"]), nan)
    np.testing.assert_array_equal(program.outputs["low"].view(np.uint16)[~nan], want.view(np.uint16)[~nan])
    np.testing.assert_array_equal(program.outputs["back"][~nan], want.astype(np.float32)[~nan])


def run(program: Program, x: np.ndarray) -> Program:
    program.inputs["x"][...] = x
    program.run()
    return program


def test_a_wrong_precision_is_named():
    with pytest.raises(ConfError, match=r"precision must be 'float32' or 'bfloat16'. Got 'float16'"):
        Trainer(mlp(), LOSS, Adam(), precision="float16")


STEP = """
import logging, sys
logging.basicConfig(stream=sys.stdout, format="%(name)s: %(message)s")
from tests.compile.test_precision import mlp, trained
text = trained(mlp(), "bfloat16", 2)[0].program(32).explain()
print("bfloat16" in text)
"""


def python(**variables: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("DNNL", "ONEDNN", "SPARKDL_BF16"))} | variables
    return subprocess.run([sys.executable, "-W", "error", "-c", STEP], env=env, capture_output=True, text=True)


def test_without_the_instructions_it_is_float32_and_one_line_says_so():
    done = python(DNNL_MAX_CPU_ISA="AVX2")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines == [
        "sparkdl: precision bfloat16: this CPU does not multiply it (avx512_core_bf16); programs are float32.", "False"
    ]  # fmt: skip


def test_where_it_is_required_its_absence_is_an_error():
    done = python(DNNL_MAX_CPU_ISA="AVX2", SPARKDL_BF16="require")
    assert "ConfError: SPARKDL_BF16=require: this machine has no oneDNN that multiplies bfloat16" in done.stderr
    assert "ConfError: SPARKDL_BF16 must be 'require' or unset. Got 'yes'." in python(SPARKDL_BF16="yes").stderr
