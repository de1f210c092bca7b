"""The user's words for columns and steps, and the errors they lead to."""

import pytest

from sparkdl.base.errors import ConfError
from sparkdl.base.record import from_conf, to_conf
from sparkdl.data.schema import Columns, by_column
from sparkdl.data.steps.category import OneHot
from sparkdl.data.steps.numeric import Scale


def test_features_are_a_list_or_a_table():
    assert Columns(["a", "b"]).inputs(["x"]) == {"x": ("a", "b")}
    two = Columns({"left": ["a"], "right": ["b", "a"]}, label="y", weight="w")
    assert two.inputs(["right", "left"]) == {"right": ("b", "a"), "left": ("a",)}
    assert two.feature_names() == ["a", "b"]
    assert two.used() == ["a", "b", "y", "w"]
    assert two.used(labels=False) == ["a", "b"]
    for columns in (Columns(["a"]), two):
        assert from_conf(Columns, to_conf(columns)) == columns


@pytest.mark.parametrize("features", ["a", [], {}, [1], {"x": "a"}, {"x": []}, ["a", "a"], None, 3])
def test_other_features_are_refused(features):
    with pytest.raises(ConfError, match=r"features: must be a list of column names, each once, or a table"):
        Columns(features)


def test_inputs_must_match_the_network():
    with pytest.raises(ConfError, match=r"no input named 'lefft'. Did you mean 'left'\? The network has: left, right"):
        Columns({"lefft": ["a"], "right": ["b"]}).inputs(["left", "right"])
    with pytest.raises(ConfError, match=r"must say the columns of the input 'right'"):
        Columns({"left": ["a"]}).inputs(["left", "right"])
    with pytest.raises(ConfError, match=r"for the inputs left, right. Got a list"):
        Columns(["a"]).inputs(["left", "right"])


def test_a_column_has_one_step():
    with pytest.raises(ConfError, match=r"column 'a' must have one step at most. Got Scale and OneHot"):
        by_column([Scale(["a"]), OneHot(["a"])], ["a"])
    with pytest.raises(ConfError, match=r"OneHot: 'colour' is not a feature. Did you mean 'color'"):
        by_column([OneHot(["colour"])], ["color"])
