"""Batch normalisation: every library against the float64 oracle."""

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.kernels import table
from sparkdl.kernels.run import run_bound
from sparkdl.nd.array import NDArray, execute
from sparkdl.nd.ops.norm import BatchNorm, BatchNormGrad, BatchNormRelu, batch_norm
from tests.kernels.harness import ONEDNN, agree, gradient_error, needs_onednn, normal, run, serves

SHAPES = [(4, 3), (1, 5), (64, 16), (8, 6, 6, 20), (8, 6, 6, 32), (2, 3, 4, 5, 6), (3, 100, 1), (1, 1, 1, 1)]
LIBRARIES = (ONEDNN, "numpy")
OPS = ("batch_norm", "batch_norm_grad")


def call(kind, shape, dtype="float32", offset=0.0, eps=1e-3):
    """An op of that kind, and its inputs."""
    x, g = normal(shape, dtype, 1) + offset, normal(shape, dtype, 2)
    gamma, beta = normal(shape[-1:], dtype, 3), normal(shape[-1:], dtype, 4)
    if kind == "batch_norm":
        return BatchNorm(eps), (x.astype(dtype), gamma, beta)
    _, mean, variance = execute(BatchNorm(eps), (x.astype(dtype), gamma, beta), ("ref",))
    return BatchNormGrad(eps), (g, x.astype(dtype), gamma, mean, variance)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kind", OPS)
@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_the_oracles(shape, kind, library):
    op, arrays = call(kind, shape)
    assert serves(op, arrays, library)
    agree(op, arrays, library)


@pytest.mark.parametrize("kind", OPS)
@pytest.mark.parametrize("shape", SHAPES)
def test_float64_is_numpys(shape, kind):
    op, arrays = call(kind, shape, "float64")
    assert not serves(op, arrays, "onednn")
    agree(op, arrays, "numpy", rtol=1e-12)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_large_mean_does_not_drown_the_variance(library):
    """E[x^2] - E[x]^2 in float32 would lose all of it."""
    op, arrays = call("batch_norm", (256, 8), offset=1000.0)
    agree(op, arrays, library, rtol=1e-3)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_constant_channel_gives_beta(library):
    x = np.ones((6, 3), "f")
    y, mean, variance = run(BatchNorm(1e-3), (x, normal((3,), seed=1), np.arange(3, dtype="f")), library)
    assert y.tolist() == [[0.0, 1.0, 2.0]] * 6
    assert (mean.tolist(), variance.tolist()) == ([1.0] * 3, [0.0] * 3)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_stay_in_their_channel(bad, library):
    op, arrays = call("batch_norm", (8, 4, 4, 20))
    arrays[0][0, 1, 1, 3] = bad
    with np.errstate(invalid="ignore"):
        y = run(op, arrays, library)[0]
    assert np.isnan(y).any(axis=(0, 1, 2)).nonzero()[0].tolist() == [3]


@needs_onednn
@pytest.mark.parametrize("kind", OPS)
def test_unaligned_memory(kind):
    op, arrays = call(kind, (8, 6, 6, 32))
    agree(op, arrays, "onednn", shift=4)


@pytest.mark.parametrize("used", [[0], [1], [2], [0, 1, 2]])
@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 3, 4)])
def test_the_gradient(shape, used):
    assert gradient_error(*call("batch_norm", shape), used) < 1e-6


def test_shapes_that_do_not_fit_are_named():
    x, three, four = NDArray(np.zeros((2, 3), "f")), NDArray(np.zeros(3, "f")), NDArray(np.zeros(4, "f"))
    with pytest.raises(ShapeError, match=r"beta must be float32\[3\] for x float32\[2,3\]. Got float32\[4\]"):
        batch_norm(x, three, four)
    with pytest.raises(ShapeError, match=r"not empty. Got float32\[0,3\]"):
        batch_norm(NDArray(np.zeros((0, 3), "f")), three, three)
    with pytest.raises(ShapeError, match=r"g must be as x, float32\[2,3\]"):
        BatchNormGrad().infer(four.spec, x.spec, three.spec, three.spec, three.spec)


RELU = ("numba", "numpy")


@pytest.mark.parametrize("library", RELU)
@pytest.mark.parametrize("shortcut", [False, True])
@pytest.mark.parametrize("shape", [*SHAPES, (3, 700, 3), (70, 600)])
def test_with_relu_it_is_the_oracles(shape, shortcut, library):
    _, arrays = call("batch_norm", shape)
    agree(BatchNormRelu(1e-3), (*arrays, normal(shape, seed=5)) if shortcut else arrays, library)


@pytest.mark.parametrize("shift", [0.0, 1e3, 1e5])
@pytest.mark.parametrize("channels", [3, 16, 64])
def test_the_statistics_of_many_rows_are_exact_to_a_few_units(channels, shift):
    """200 000 of them in all, their mean up to 1e5 deviations off; the first rows are another image's background."""
    x = normal((200_000 // channels, channels)) + np.float32(shift)
    x[:500] = shift
    _, mean, variance = run(BatchNormRelu(1e-3), (x, np.ones(channels, "f"), np.zeros(channels, "f")), "numba")
    due = x.astype(np.float64)
    np.testing.assert_allclose(mean, due.mean(0), rtol=2e-7, atol=2e-7)
    np.testing.assert_allclose(variance, due.var(0), rtol=2e-6)


@pytest.mark.parametrize("library", RELU)
@pytest.mark.parametrize("shortcut", [False, True])
def test_relu_lets_nan_through(shortcut, library):
    _, arrays = call("batch_norm", (8, 4, 4, 20))
    arrays[0][0, 1, 1, 3] = np.nan
    y = run(BatchNormRelu(1e-3), (*arrays, np.ones_like(arrays[0])) if shortcut else arrays, library)[0]
    assert np.isnan(y).all(axis=(0, 1, 2)).nonzero()[0].tolist() == [3]
    assert np.isnan(y).any(axis=(0, 1, 2)).nonzero()[0].tolist() == [3]


def test_over_the_shortcut_it_gives_the_same():
    _, arrays = call("batch_norm", (40, 5, 7, 16))
    op, arrays = BatchNormRelu(1e-3), (*arrays, normal((40, 5, 7, 16), seed=5))
    due = run(op, arrays, "numba")
    ins = tuple(Spec(a.shape) for a in arrays)
    prepared = table.prepare(op, ins, op.specs(ins), ("numba",))
    assert prepared.inplace == ((0, 3),)
    made = (arrays[3], np.empty(16, "f"), np.empty(16, "f"))
    run_bound(prepared.bind(arrays, made, tuple(np.empty(s.shape, s.dtype) for s in prepared.scratch)))
    assert all(np.array_equal(*pair) for pair in zip(made, due, strict=True))


def test_a_shortcut_of_another_shape_is_named():
    x, c = Spec((2, 3)), Spec((3,))
    with pytest.raises(ShapeError, match=r"r must be as x, float32\[2,3\]. Got float32\[3\]"):
        BatchNormRelu().infer(x, c, c, c)
