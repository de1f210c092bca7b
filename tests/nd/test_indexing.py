"""Indexing and broadcasting against NumPy: hypothesis draws, both the eager way and that of ops must agree."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from sparkdl import nd
from sparkdl.base.errors import AxisError, BoundsError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.graph.check import evaluate
from sparkdl.graph.graph import Graph
from sparkdl.nd.indexing import getitem

CASES = int(os.environ.get("SPARKDL_FUZZ", "500"))  # of each; the figure of the issue, 20,000, is 10,000 of each
drawn = settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def filled(shape):
    return np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)


@st.composite
def indexed(draw):
    """An array and a key: basic, of ints, of bools, or mixed."""
    shape = draw(SHAPES)
    if draw(st.booleans()):
        return filled(shape), draw(hnp.basic_indices(shape, allow_newaxis=True))
    return filled(shape), tuple(_entries(draw, shape))


def _entries(draw, shape):
    lengths = draw(hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    axis, dots = 0, False
    while axis < len(shape):
        n = shape[axis]
        kind = draw(st.sampled_from(["slice", "ints", "int", "mask", "new", "end", "..."]))
        if kind == "end" or (kind == "..." and dots):
            return
        if kind == "...":
            dots = True
            axis += draw(st.integers(0, len(shape) - axis))
            yield ...
            if axis < len(shape) and draw(st.booleans()):
                return
            continue
        if kind == "new":
            yield None
            continue
        if kind == "mask":
            yield draw(hnp.arrays(bool, (n,)))
        elif kind == "ints" and n:
            yield draw(hnp.arrays(np.int64, lengths, elements=st.integers(-n, n - 1)))
        elif kind == "int" and n:
            yield draw(st.integers(-n, n - 1))
        else:
            yield draw(st.slices(n))
        axis += 1


def by_ops(x, key):
    graph = Graph()
    sym = graph.input("x", Spec(x.shape))
    made = getitem(sym, key)
    (found,) = evaluate(graph, {"x": x}, [made])
    assert made.spec.shape == found.shape
    return found


@drawn
@given(indexed())
def test_items_as_numpy(case):
    x, key = case
    try:
        want = x[key]
    except IndexError:
        with pytest.raises(IndexError):
            nd.asarray(x)[key]
        with pytest.raises((IndexError, ValueError)):
            by_ops(x, key)
        return
    got = nd.asarray(x)[key]
    np.testing.assert_array_equal(got.numpy(), want)
    assert got.shape == np.shape(want) and got.dtype == "float32"
    np.testing.assert_array_equal(by_ops(x, key), want)


@drawn
@given(indexed(), st.booleans())
def test_writing_items_as_numpy(case, ours):
    x, key = case
    want, got = x.copy(), nd.asarray(x, copy=True)
    try:
        value = -np.ones_like(want[key])
        want[key] = value
    except IndexError:
        with pytest.raises(IndexError):
            got[key] = 1.0
        return
    got[key] = nd.asarray(value) if ours else value
    np.testing.assert_array_equal(got.numpy(), want)
    np.testing.assert_array_equal(nd.put(nd.asarray(x), key, value).numpy(), want)


@drawn
@given(hnp.mutually_broadcastable_shapes(num_shapes=2, min_dims=0, max_dims=4, min_side=0, max_side=4))
def test_broadcasting_as_numpy(shapes):
    a, b = (filled(s) + k for k, s in enumerate(shapes.input_shapes))
    x, y = nd.asarray(a), nd.asarray(b)
    for ours, theirs in ((x + y, a + b), (nd.maximum(x, y), np.maximum(a, b)), (x < y, a < b)):
        np.testing.assert_array_equal(ours.numpy(), theirs)
        assert ours.shape == shapes.result_shape
    for ours, theirs in zip(nd.broadcast_arrays(x, y), np.broadcast_arrays(a, b), strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs)


@drawn
@given(SHAPES, SHAPES)
def test_shapes_that_do_not_broadcast(first, second):
    try:
        want = np.broadcast_shapes(first, second)
    except ValueError:
        with pytest.raises(ShapeError, match=r"add: shapes must broadcast. Got"):
            nd.zeros(first) + nd.zeros(second)
        with pytest.raises(ShapeError):
            nd.broadcast_shapes(first, second)
        return
    assert (nd.zeros(first) + nd.zeros(second)).shape == want == nd.broadcast_shapes(first, second)


def test_slices_are_views_and_picks_are_copies():
    x = nd.asarray(np.zeros((3, 4), "f"))
    for view in (x[1], x[:, ::2], x[..., None], x[1, 2], x[::-1], x.T, nd.reshape(x, (4, 3)), nd.flip(x)):
        assert np.shares_memory(view.numpy(), x.numpy())
    for copy in (x[[0, 1]], x[x > -1], x + 0, nd.positive(x)):
        assert not np.shares_memory(copy.numpy(), x.numpy())
    x[1, 2][...] = 5.0
    assert x[1, 2] == 5.0 and x.T[2, 1] == 5.0


@pytest.mark.parametrize("key", [3, -4, (0, 4), ([3],), (0, 0, 0), (..., ...), (np.array([[True] * 3] * 3),)])
def test_indices_outside(key):
    x = nd.zeros((3, 4))
    with pytest.raises(BoundsError, match=r"\(3, 4\)|axes"):
        x[key]
    with pytest.raises(IndexError):
        x[key] = 1.0


@pytest.mark.parametrize("key", [1.0, "a", ([0.5],), np.array([1.5])])
def test_indices_of_a_wrong_type(key):
    with pytest.raises(IndexError, match=r"an index must be ints, slices"):
        nd.zeros((3, 4))[key]


def test_take():
    x = filled((3, 4))
    np.testing.assert_array_equal(nd.take(nd.asarray(x), nd.asarray([1, -1]), axis=1).numpy(), x[:, [1, -1]])
    with pytest.raises(ShapeError, match=r"take: axis must be given for an array of 2 axes"):
        nd.take(nd.asarray(x), nd.asarray([1]))
    with pytest.raises(TypeError, match=r"take: indices must be integers. Got float32"):
        nd.take(nd.asarray(x), nd.asarray([1.0]), axis=0)
    with pytest.raises(IndexError, match=r"index 7|7 is out"):
        nd.take(nd.asarray(x), nd.asarray([7]), axis=0)
    with pytest.raises(AxisError, match=r"take: axis must be within -2 .. 1. Got 2"):
        nd.take(nd.asarray(x), nd.asarray([0]), axis=2)


def test_masks_need_values():
    graph = Graph()
    x = graph.input("x", Spec((3,)))
    with pytest.raises(TypeError, match=r"not known while tracing: take nd.where"):
        x[x > 0.0]
    with pytest.raises(TypeError, match=r"has no side effects"):
        x[0] = 1.0


@pytest.mark.parametrize("key", [(slice(None), [0], ..., [0]), (None, 0, ..., []), ([0], ..., [0, 1]), (0, ..., [1])])
def test_an_ellipsis_of_no_axis_parts_arrays(key):
    x = filled((2, 3))
    key = tuple(np.array(k, np.int64) if isinstance(k, list) else k for k in key)
    if sum(k is not None and k is not ... for k in key) > 2:
        x = filled((2, 3, 2))
    np.testing.assert_array_equal(by_ops(x, key), x[key])


def test_masks_as_long_as_their_axes():
    graph = Graph()
    x = graph.input("x", Spec((3, 4)))
    with pytest.raises(BoundsError, match=r"a mask must be as long as axis 1, 4. Got 3"):
        x[:, np.array([True, False, True])]
    np.testing.assert_array_equal(by_ops(filled((2, 3)), (np.array([True, False]), slice(-2, 0, -1))), [[1.0]])


@pytest.mark.parametrize("flag", [True, False, np.array(True)])
def test_one_bool_is_an_axis_of_one_or_none(flag):
    x = filled((2, 3))
    np.testing.assert_array_equal(nd.asarray(x)[flag].numpy(), x[flag])
