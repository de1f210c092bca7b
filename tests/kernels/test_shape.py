"""Moving elements: pack in place, and random transpositions and broadcasts."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sparkdl.base.spec import Spec
from sparkdl.kernels import table
from sparkdl.kernels.run import run_bound
from sparkdl.kernels.table import Rows
from sparkdl.nd.array import execute
from sparkdl.nd.ops.shape import BroadcastTo, Pack, Transpose

SHAPES = st.lists(st.integers(1, 5), max_size=5).map(tuple)


def prepared(op: Pack, parts: list[np.ndarray], library: str) -> table.Prepared:
    specs = tuple(Spec(p.shape) for p in parts)
    return table.prepare(op, specs, op.specs(specs), (library,))


@pytest.mark.parametrize("library", ["numba", "numpy"])
def test_parts_that_lie_in_their_place_are_not_copied(library: str) -> None:
    flat = np.full(64, 7, np.float32)
    inside, outside = flat[16:22].reshape(2, 3), np.ones(5, np.float32)
    inside[...] = 3
    op = Pack((0, 16, 32), 64)
    parts = [outside, inside, np.full((), 2, np.float32)]
    bound = prepared(op, parts, library).bind(tuple(parts), (flat,), ())
    if library == "numba":
        assert isinstance(bound, Rows) and len(bound.table) == 2
    for value in (3, 4):
        inside[...] = value
        run_bound(bound)
        want = np.zeros(64)
        want[:5], want[16:22], want[32] = 1, value, 2
        np.testing.assert_array_equal(flat, want)


def test_a_pack_of_nothing_to_move_is_no_call() -> None:
    flat = np.zeros(32, np.float32)
    op = Pack((0, 16), 32)
    parts = [flat[:16], flat[16:]]
    bound = prepared(op, parts, "numba").bind(tuple(parts), (flat,), ())
    assert isinstance(bound, Rows) and bound.table.shape == (0, 5)
    run_bound(bound)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SHAPES.flatmap(lambda s: st.tuples(st.just(s), st.permutations(range(len(s))))))
def test_any_transposition(case: tuple[tuple[int, ...], list[int]]) -> None:
    shape, axes = case
    x = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    for library in (("numba", "numpy"), ("numpy",)):
        np.testing.assert_array_equal(execute(Transpose(tuple(axes)), (x,), library)[0], x.transpose(axes))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(SHAPES, st.lists(st.booleans(), min_size=5, max_size=5), st.integers(0, 5))
def test_any_broadcast(shape: tuple[int, ...], ones: list[bool], skip: int) -> None:
    small = tuple(1 if one else n for n, one in zip(shape, ones, strict=False))[skip:]
    x = np.arange(np.prod(small, dtype=int), dtype=np.float32).reshape(small)
    for library in (("numba", "numpy"), ("numpy",)):
        np.testing.assert_array_equal(execute(BroadcastTo(shape), (x,), library)[0], np.broadcast_to(x, shape))
