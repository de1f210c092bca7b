"""Convolutions: every library against the float64 oracle, and the oracle against a sum written out."""

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.array import NDArray, execute
from sparkdl.nd.ops.conv import (
    NONE,
    NONE3,
    Conv2d,
    Conv2dBias,
    Conv2dGradInput,
    Conv2dGradKernel,
    Conv3d,
    Conv3dBias,
    Conv3dGradInput,
    Conv3dGradKernel,
    conv1d,
    conv2d,
    conv2d_bias,
    conv3d,
)
from sparkdl.nd.ops.window import same_padding, windows
from tests.kernels.harness import ONEDNN, agree, gradient_error, needs_onednn, normal, run, serves

ONES = (1, 1)
ODD = ((1, 0), (0, 1), (1, 1))
# x (B,H,W,C), w (KH,KW,C/groups,O), strides, padding, dilation, groups
CASES = {
    "plain": ((2, 5, 5, 3), (3, 3, 3, 4), ONES, NONE, ONES, 1),
    "one channel": ((4, 12, 12, 1), (5, 5, 1, 20), ONES, NONE, ONES, 1),
    "strided, uneven padding": ((2, 7, 8, 6), (3, 2, 6, 5), (2, 1), ((1, 0), (0, 2)), ONES, 1),
    "padding beyond the last window": ((2, 6, 6, 3), (2, 2, 3, 4), (3, 3), ((0, 1), (1, 0)), ONES, 1),
    "dilated": ((1, 9, 9, 8), (3, 3, 8, 6), ONES, ((2, 2), (2, 2)), (2, 3), 1),
    "groups": ((2, 6, 7, 8), (3, 3, 4, 6), ONES, ((1, 1), (0, 1)), ONES, 2),
    "strided groups": ((2, 6, 7, 8), (3, 3, 4, 6), (2, 2), ((1, 1), (0, 1)), ONES, 2),
    "depthwise": ((3, 6, 6, 8), (3, 3, 1, 8), ONES, ((1, 1), (1, 1)), ONES, 8),
    "depthwise, two each": ((3, 6, 6, 8), (3, 3, 1, 16), (2, 2), ((0, 1), (0, 1)), ONES, 8),
    "one cell": ((2, 4, 4, 32), (1, 1, 32, 16), ONES, NONE, ONES, 1),
    "one cell, strided": ((2, 5, 5, 16), (1, 1, 16, 8), (2, 2), NONE, ONES, 1),
    "one of all": ((1, 1, 1, 1), (1, 1, 1, 1), ONES, NONE, ONES, 1),
    "whole image": ((2, 4, 5, 3), (4, 5, 3, 7), ONES, NONE, ONES, 1),
    "sixteens": ((2, 8, 8, 32), (3, 3, 32, 48), (2, 2), ((0, 1), (0, 1)), ONES, 1),
    "sequences": ((3, 1, 20, 8), (1, 3, 8, 16), ONES, ((0, 0), (1, 1)), ONES, 1),
    "causal sequences": ((2, 1, 15, 5), (1, 3, 5, 4), ONES, ((0, 0), (8, 0)), (1, 4), 1),
    "sequences, depthwise": ((2, 1, 15, 16), (1, 5, 1, 32), (1, 2), ((0, 0), (2, 2)), ONES, 16),
    "volumes": ((2, 4, 5, 6, 3), (2, 3, 3, 3, 5), (1, 1, 1), NONE3, (1, 1, 1), 1),
    "volumes, strided, uneven padding": ((1, 6, 5, 7, 16), (3, 2, 3, 16, 16), (2, 1, 3), ODD, (1, 1, 1), 1),
    "volumes, dilated": ((1, 6, 7, 5, 4), (2, 3, 2, 4, 6), (1, 1, 1), ((0, 1), (2, 2), (1, 0)), (2, 2, 3), 1),
    "volumes in groups": ((2, 4, 4, 4, 6), (2, 2, 3, 3, 8), (1, 2, 1), ((0, 0), (0, 1), (1, 1)), (1, 1, 1), 2),
    "volumes, depthwise": ((2, 4, 4, 4, 6), (3, 3, 3, 1, 6), (1, 1, 1), ODD, (1, 1, 1), 6),
    "one voxel": ((1, 1, 1, 1, 1), (1, 1, 1, 1, 1), (1, 1, 1), NONE3, (1, 1, 1), 1),
}
EMPTY = ((0, 5, 5, 2), (3, 3, 2, 4), ONES, NONE, ONES, 1)
OPS = ("conv", "conv_bias", "conv_grad_input", "conv_grad_kernel")
RECORDS = {
    2: (Conv2d, Conv2dBias, Conv2dGradInput, Conv2dGradKernel),
    3: (Conv3d, Conv3dBias, Conv3dGradInput, Conv3dGradKernel),
}
LIBRARIES = (ONEDNN, "numpy")


def call(kind, case, dtype="float32"):
    """An op of that kind, and its inputs."""
    xs, ws, *window = case
    forward, biased, grad_input, grad_kernel = RECORDS[len(xs) - 2]
    x, w, b = normal(xs, dtype, 1), normal(ws, dtype, 2), normal(ws[-1:], dtype, 3)
    g = normal(forward(*window).specs((Spec(xs), Spec(ws)))[0].shape, dtype, 4)
    return {
        "conv": (forward(*window), (x, w)),
        "conv_bias": (biased(*window, "relu"), (x, w, b)),
        "conv_grad_input": (grad_input(*window, xs), (g, w)),
        "conv_grad_kernel": (grad_kernel(*window, ws), (x, g)),
    }[kind]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kind", OPS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_the_oracles(case, kind, library):
    op, arrays = call(kind, case)
    assert serves(op, arrays, library)
    agree(op, arrays, library)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("kind", OPS)
def test_float64_is_numpys(case, kind):
    op, arrays = call(kind, case, "float64")
    assert not serves(op, arrays, "onednn")
    agree(op, arrays, "numpy", rtol=1e-13)


@pytest.mark.parametrize("kind", OPS)
def test_an_empty_batch(kind):
    op, arrays = call(kind, EMPTY)
    assert not serves(op, arrays, "onednn")
    agree(op, arrays, "numpy")


@pytest.mark.parametrize("kind", OPS)
def test_many_chunks(kind, monkeypatch):
    """numpy's patches go through memory of bounded size."""
    monkeypatch.setattr("sparkdl.kernels.cpu._patches.CHUNK_BYTES", 3000)
    op, arrays = call(kind, ((7, 6, 6, 3), (3, 3, 3, 4), ONES, ((1, 0), (1, 1)), ONES, 1))
    agree(op, arrays, "numpy")


@needs_onednn
@pytest.mark.parametrize("kind", OPS)
def test_unaligned_memory(kind):
    op, arrays = call(kind, CASES["sixteens"])
    agree(op, arrays, "onednn", shift=4)


def test_the_oracle_is_the_sum_that_defines_it():
    xs, ws, (sh, sw), padding, (dh, dw), _ = CASES["strided, uneven padding"]
    op, (x, w) = call("conv", CASES["strided, uneven padding"], "float64")
    xp = np.pad(x, ((0, 0), *padding, (0, 0)))
    y = np.zeros(op.specs((Spec(xs), Spec(ws)))[0].shape)
    for b, i, j, o in np.ndindex(y.shape):
        for k, m, c in np.ndindex(ws[:3]):
            y[b, i, j, o] += xp[b, i * sh + k * dh, j * sw + m * dw, c] * w[k, m, c, o]
    np.testing.assert_allclose(execute(op, (x, w), ("ref",))[0], y, rtol=1e-12)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("kind", ["conv", "conv_grad_input", "conv_grad_kernel"])
def test_the_gradient(case, kind):
    assert gradient_error(*call(kind, case)) < 1e-6


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kind", OPS)
def test_nan_flows_to_the_cells_that_saw_it_and_no_others(kind, library):
    op, arrays = call(kind, CASES["plain"])
    arrays[0][0, 1, 1, 0] = np.nan
    got, want = run(op, arrays, library)[0], execute(op, arrays, ("ref",))[0]
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    assert np.isnan(got).any()


@needs_onednn
def test_strided_gradients_avoid_onednns_slow_first_choice():
    from sparkdl.kernels import table

    op, arrays = call("conv_grad_input", ((8, 16, 16, 16), (3, 3, 16, 32), (2, 2), ((0, 1), (0, 1)), ONES, 1))
    specs = tuple(Spec(a.shape) for a in arrays)
    assert "brgconv_strided" not in table.prepare(op, specs, op.specs(specs), ("onednn",)).detail


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 12, 28])
@pytest.mark.parametrize("window", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_same_padding_makes_as_many_windows_as_strides_started(size, window, stride, dilation):
    before, after = same_padding(size, window, stride, dilation)
    assert 0 <= after - before <= 1
    assert windows(size, window, stride, (before, after), dilation) == -(-size // stride)


def test_shapes_that_do_not_fit_are_named():
    x, w = NDArray(np.zeros((2, 5, 5, 3), "f")), NDArray(np.zeros((3, 3, 2, 4), "f"))
    with pytest.raises(ShapeError, match=r"in 1 groups.*float32\[2,5,5,3\] and float32\[3,3,2,4\]"):
        conv2d(x, w)
    with pytest.raises(ShapeError, match=r"of one dtype.*float32\[2,5,5,3\] and float32\[4\]"):
        conv2d(x, NDArray(np.zeros(4, "f")))
    with pytest.raises(ShapeError, match=r"window of float32\[6,1,3,4\] does not fit into float32\[2,5,5,3\]"):
        conv2d(x, NDArray(np.zeros((6, 1, 3, 4), "f")))
    with pytest.raises(ShapeError, match="strides and dilation must be >= 1"):
        conv2d(x, NDArray(np.zeros((3, 3, 3, 4), "f")), strides=(0, 1))
    with pytest.raises(ShapeError, match="strides, padding and dilation must hold 2 each"):
        conv2d(x, NDArray(np.zeros((3, 3, 3, 4), "f")), strides=(1, 1, 1))
    with pytest.raises(ShapeError, match=r"conv1d: needs x \(B,T,C\).*float32\[2,5,5,3\] and"):
        conv1d(x, NDArray(np.zeros((3, 3, 4), "f")))
    with pytest.raises(ShapeError, match=r"conv3d: needs x \(B,D,H,W,C\) and w \(KD,KH,KW,C/groups,O\)"):
        conv3d(x, NDArray(np.zeros((3, 3, 3, 4), "f")))
    with pytest.raises(ShapeError, match=r"b must be float32\[4\]"):
        conv2d_bias(x, NDArray(np.zeros((3, 3, 3, 4), "f")), NDArray(np.zeros(3, "f")))
    with pytest.raises(ShapeError, match=r"g must be float32\[2,3,3,4\]"):
        Conv2dGradKernel(ONES, NONE, ONES, 1, (3, 3, 3, 4)).infer(x.spec, Spec((2, 4, 4, 4)))
