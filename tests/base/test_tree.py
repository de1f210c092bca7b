"""Trees are taken apart in one order and come back as they were."""

from typing import Any, NamedTuple

import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.base.tree import flatten, leaves_at, mapped, named, unflatten


class Pair(NamedTuple):
    a: Any
    b: Any


TREES = [1, (), [], {}, None, (1,), [1, (2, None)], {"b": 1, "a": [2]}, Pair(1, {"x": 2}), ({1: (0,)}, Pair(None, []))]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_there_and_back(tree):
    leaves, structure = flatten(tree)
    assert unflatten(structure, leaves) == tree
    assert type(unflatten(structure, leaves)) is type(tree)
    assert hash(structure) == hash(flatten(mapped(str, tree))[1])
    assert [x for _, x in named(tree)] == leaves


def test_the_order_in_which_a_dict_was_filled_does_not_count():
    assert flatten({"b": 1, "a": 2}) == flatten({"a": 2, "b": 1})


def test_structures_differ_by_kind():
    assert len({flatten(t)[1] for t in ([1], (1,), {"a": 1}, {"b": 1}, Pair(1, 1), (1, 1), 1, None)}) == 8


def test_keys_must_have_an_order():
    with pytest.raises(TypeError, match=r"keys of a dict of arrays must be of one kind.*Got \['a', 1\]"):
        flatten({"a": 1, 1: 2})


@pytest.mark.parametrize("other", [(1,), [1, 2], (1, 2, 3), {"a": 1}, None, 3])
def test_what_is_built_otherwise_is_refused(other):
    with pytest.raises(ShapeError, match=r"f: what is given must be built as \(\*, \*\)"):
        leaves_at("f", flatten((1, 2))[1], other)


def test_none_may_stand_for_a_leaf():
    assert leaves_at("f", flatten((1, [2, 3]))[1], (None, [5, None])) == [None, 5, None]
