"""Pooling: every library against the float64 oracle; ties, NaN, infinities, padding."""

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.array import NDArray, execute
from sparkdl.nd.ops.conv import NONE, NONE3
from sparkdl.nd.ops.pool import (
    AvgPool2d,
    AvgPool2dGrad,
    AvgPool3d,
    AvgPool3dGrad,
    MaxPool2d,
    MaxPool2dGrad,
    MaxPool3d,
    MaxPool3dGrad,
    avg_pool2d,
    max_pool2d,
)
from tests.kernels.harness import LIBRARIES, ONEDNN, agree, gradient_error, needs_onednn, normal, run, serves

# x (B,H,W,C), pool, strides, padding
CASES = {
    "halves": ((2, 6, 6, 20), (2, 2), (2, 2), NONE),
    "left-over cells": ((2, 5, 7, 3), (2, 2), (2, 2), NONE),
    "overlapping, uneven padding": ((2, 7, 8, 6), (3, 3), (2, 2), ((1, 0), (0, 2))),
    "mostly padding": ((1, 5, 5, 17), (3, 2), (1, 1), ((2, 2), (1, 0))),
    "gaps": ((2, 9, 9, 4), (2, 1), (3, 4), NONE),
    "whole image": ((3, 4, 5, 33), (4, 5), (1, 1), NONE),
    "one of all": ((1, 1, 1, 1), (1, 1), (1, 1), NONE),
    "index beyond a byte": ((2, 17, 18, 3), (16, 16), (1, 2), ((1, 1), (0, 0))),
    "255 cells": ((1, 15, 17, 2), (15, 17), (1, 1), NONE),
    "sequences": ((2, 1, 9, 4), (1, 3), (1, 2), ((0, 0), (1, 1))),
    "volumes": ((2, 4, 4, 6, 5), (2, 2, 2), (2, 2, 2), NONE3),
    "volumes, overlapping, uneven padding": ((2, 5, 4, 7, 16), (3, 2, 3), (2, 1, 2), ((1, 0), (0, 1), (2, 1))),
    "whole volume": ((2, 3, 4, 5, 3), (3, 4, 5), (1, 1, 1), NONE3),
    "volumes, index beyond a byte": ((1, 7, 7, 7, 2), (7, 7, 6), (1, 1, 1), NONE3),
}
VOLUMES = ("volumes", "volumes, overlapping, uneven padding")
OPS = ("max_pool", "max_pool_grad", "avg_pool", "avg_pool_grad")
RECORDS = {
    2: (MaxPool2d, MaxPool2dGrad, AvgPool2d, AvgPool2dGrad),
    3: (MaxPool3d, MaxPool3dGrad, AvgPool3d, AvgPool3dGrad),
}


def call(kind, case, dtype="float32", x=None):
    """An op of that kind, and its inputs. Values are rounded, so that there are ties."""
    xs, *window = case
    x = np.round(normal(xs, dtype, 1), 1) if x is None else x
    largest, largest_grad, mean, mean_grad = RECORDS[len(xs) - 2]
    where = execute(largest(*window), (x,), ("ref",))[1]
    g = normal(where.shape, dtype, 2)
    return {
        "max_pool": (largest(*window), (x,)),
        "max_pool_grad": (largest_grad(*window, xs), (g, where)),
        "avg_pool": (mean(*window), (x,)),
        "avg_pool_grad": (mean_grad(*window, xs), (g,)),
    }[kind]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kind", OPS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_the_oracles(case, kind, library):
    op, arrays = call(kind, case)
    if serves(op, arrays, library):
        agree(op, arrays, library, rtol=1e-6)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("kind", OPS)
def test_float64_is_numpys(case, kind):
    op, arrays = call(kind, case, "float64")
    agree(op, arrays, "numpy", rtol=1e-14)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kind", OPS)
def test_an_empty_batch(kind, library):
    op, arrays = call(kind, ((0, 4, 4, 2), (2, 2), (2, 2), NONE), x=np.zeros((0, 4, 4, 2), "f"))
    if serves(op, arrays, library):
        agree(op, arrays, library)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    "case", [CASES[k] for k in ("halves", "overlapping, uneven padding", "mostly padding", *VOLUMES)]
)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -3.4028235e38])
@pytest.mark.parametrize("share", [3, 2, 1])
def test_nan_is_a_maximum_and_minus_infinity_may_be(case, bad, share, library):
    """oneDNN alone would let NaN lose, and give -3.4e38 for windows of -inf."""
    x = np.round(normal(case[0], seed=1), 1)
    x.ravel()[::share] = bad
    op, arrays = call("max_pool", case, x=x)
    agree(op, arrays, library, rtol=1e-6)


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_first_of_equal_maxima_wins(library):
    x = np.zeros((1, 4, 4, 5), "f")
    where = run(MaxPool2d((2, 2), (2, 2), ((1, 1), (1, 1))), (x,), library)[1]
    assert where[0, :, :, 0].tolist() == [[3, 2, 2], [1, 0, 0], [1, 0, 0]]


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_index_outside_the_window_is_no_place_to_write(library):
    op, (g, where) = call("max_pool_grad", CASES["overlapping, uneven padding"])
    where = np.full_like(where, 200)
    assert not run(op, (g, where), library)[0].any()


@pytest.mark.parametrize("kind", ["avg_pool", "avg_pool_grad"])
@pytest.mark.parametrize("library", [ONEDNN, "numpy"])
def test_nan_and_infinity_flow_through_means(kind, library):
    op, arrays = call(kind, CASES["overlapping, uneven padding"])
    arrays[0][0, 1, 1, 0], arrays[0][1, 2, 2, 1] = np.nan, np.inf
    agree(op, arrays, library, rtol=1e-6)


@needs_onednn
@pytest.mark.parametrize("kind", OPS)
def test_unaligned_memory(kind):
    op, arrays = call(kind, CASES["halves"])
    agree(op, arrays, "onednn", rtol=1e-6, shift=4)


@pytest.mark.parametrize("kind", ["max_pool", "avg_pool", "avg_pool_grad"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_gradient(case, kind):
    op, arrays = call(kind, case)
    distinct = np.random.default_rng(3).permutation(arrays[0].size).reshape(arrays[0].shape) / arrays[0].size
    assert gradient_error(op, (distinct,)) < 1e-6


def test_no_gradient_comes_from_where():
    op, (x,) = call("max_pool", CASES["halves"])
    outs = tuple(map(NDArray, execute(op, (x,))))
    assert op.vjp((None, None), outs, NDArray(x)) == (None,)


def test_the_index_is_a_byte_where_it_fits():
    assert MaxPool2d((15, 17), (1, 1), NONE).specs((Spec((1, 20, 20, 1)),))[1].dtype == "uint8"
    assert MaxPool2d((16, 16), (1, 1), NONE).specs((Spec((1, 20, 20, 1)),))[1].dtype == "int32"


def test_shapes_that_do_not_fit_are_named():
    x = NDArray(np.zeros((1, 3, 3, 2), "f"))
    with pytest.raises(ShapeError, match=r"pool \(4, 1\) does not fit into float32\[1,3,3,2\]"):
        max_pool2d(x, (4, 1), (1, 1))
    with pytest.raises(ShapeError, match="padding must be smaller than pool"):
        avg_pool2d(x, (2, 2), (1, 1), ((2, 0), (0, 0)))
    with pytest.raises(ShapeError, match=r"x must be \(B,H,W,C\). Got float32\[3\]"):
        avg_pool2d(NDArray(np.zeros(3, "f")), (2, 2), (1, 1))
    with pytest.raises(ShapeError, match="pool must be >= 1"):
        max_pool2d(x, (0, 2), (1, 1))
    with pytest.raises(ShapeError, match=r"where must be uint8\[1,2,2,2\]"):
        MaxPool2dGrad((2, 2), (1, 1), NONE, x.shape).infer(Spec((1, 2, 2, 2)), Spec((1, 2, 2, 2), "int32"))
