"""Normalisation within an example: large means, constant rows, NaN and infinity, in every library."""

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.layernorm import GroupNorm, LayerNorm, group_norm, layer_norm
from tests.kernels.harness import agree, normal, run

libraries = pytest.mark.parametrize("library", ["numba", "numpy"])


def given(shape, offset=0.0):
    return normal(shape, seed=1) + np.float32(offset), normal(shape[-1:], seed=2), normal(shape[-1:], seed=3)


@libraries
def test_a_large_mean_does_not_drown_the_variance(library):
    agree(LayerNorm(1e-3), given((8, 256), 1000.0), library, rtol=1e-3)
    agree(GroupNorm(4, 1e-3), given((2, 8, 64), 1000.0), library, rtol=1e-3)


@libraries
def test_a_constant_row_gives_beta(library):
    _, gamma, beta = given((3, 4))
    y, mean, rstd = run(LayerNorm(1e-3), (np.full((3, 4), 5.0, "f"), gamma, beta), library)
    np.testing.assert_allclose(y, np.tile(beta, (3, 1)))
    assert mean.tolist() == [5.0] * 3
    np.testing.assert_allclose(rstd, 1e-3**-0.5, rtol=1e-5)


@libraries
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_stay_in_their_row(bad, library):
    x, gamma, beta = given((6, 40))
    x[2, 3] = bad
    with np.errstate(invalid="ignore"):
        y = run(LayerNorm(), (x, gamma, beta), library)[0]
    assert np.isnan(y).any(1).nonzero()[0].tolist() == [2]


@libraries
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_stay_in_their_group(bad, library):
    x, gamma, beta = given((3, 5, 8))
    x[1, 2, 5] = bad
    with np.errstate(invalid="ignore"):
        y = run(GroupNorm(4), (x, gamma, beta), library)[0]
    assert np.isnan(y).all(1).nonzero()[0].tolist() == [1, 1]
    assert np.isnan(y[1]).any(0).nonzero()[0].tolist() == [4, 5]


def test_specs_that_do_not_fit():
    x, three = NDArray(np.zeros((2, 3), "f")), NDArray(np.zeros(3, "f"))
    with pytest.raises(ShapeError, match=r"gamma must be float32\[3\] for x float32\[2,3\]. Got float32\[2,3\]"):
        layer_norm(x, x, three)
    with pytest.raises(ShapeError, match=r"groups must divide the 3 channels of float32\[2,3\]. Got 2"):
        group_norm(x, three, three, 2)
    with pytest.raises(ShapeError, match="not empty"):
        layer_norm(NDArray(np.zeros((0, 3), "f")), three, three)
