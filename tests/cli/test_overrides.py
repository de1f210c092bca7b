import pytest

from sparkdl.base.errors import ConfError
from sparkdl.cli.overrides import override, parse_value, read_conf


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3), ("-3", -3), ("0.5", 0.5), ("1e-3", 1e-3), ("true", True), ("'3'", "3"), ("[1, 2]", [1, 2]),
        ('{type = "Adam"}', {"type": "Adam"}), ("adam", "adam"), ("hdfs://nn/a/b", "hdfs://nn/a/b"),
        ("local[2]", None), ("a b", None), ("", None),
    ],
)  # fmt: skip
def test_values_follow_toml(text, value):
    if value is None:
        with pytest.raises(ConfError, match="is not a TOML value"):
            parse_value(text)
    else:
        assert parse_value(text) == value


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a=1", {"a": 1, "b": {"c": [1, {"d": 2}]}, "n": "adam"}),
        ("b.x=1", {"b": {"c": [1, {"d": 2}], "x": 1}, "n": "adam"}),
        ("b.c[1].d=5", {"b": {"c": [1, {"d": 5}]}, "n": "adam"}),
        ("b.c[0]=5", {"b": {"c": [5, {"d": 2}]}, "n": "adam"}),
        ("new.table.x=1", {"b": {"c": [1, {"d": 2}]}, "n": "adam", "new": {"table": {"x": 1}}}),
        ("n.rate=0.1", {"b": {"c": [1, {"d": 2}]}, "n": {"type": "adam", "rate": 0.1}}),
        ("b=3", {"b": 3, "n": "adam"}),
    ],
)
def test_an_override_changes_one_place(text, made):
    table = {"b": {"c": [1, {"d": 2}]}, "n": "adam"}
    override(table, text)
    assert table == made


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a", "takes NAME=VALUE"),
        ("=3", "takes NAME=VALUE"),
        ("a..b=3", "takes NAME=VALUE"),
        ("b.c[7].d=1", r"there is no b.c\[7\]: b.c is a list of 2"),
        ("b[0]=1", "b is {"),
        ("b.c.d=1", r"b.c: --set: must be a table. Got \[1"),
        ("b.c[0].d=1", r"b.c\[0\]: --set: must be a table. Got 1"),
    ],
)
def test_an_override_that_cannot_be_is_refused(text, says):
    with pytest.raises(ConfError, match=says):
        override({"b": {"c": [1, {"d": 2}]}}, text)


def test_the_last_override_wins(tmp_path):
    (tmp_path / "a.toml").write_text("x = 1")
    assert read_conf(str(tmp_path / "a.toml"), ["x=2", "x=3"]) == {"x": 3}


def test_a_missing_file_names_its_neighbour(tmp_path):
    (tmp_path / "digits.toml").write_text("")
    with pytest.raises(ConfError, match=r"no conf file .*digit\.toml\. Did you mean 'digits.toml'\?"):
        read_conf(str(tmp_path / "digit.toml"))


def test_a_file_that_is_not_toml_tells_the_line(tmp_path):
    (tmp_path / "a.toml").write_text("x = 1\ny = = 2")
    with pytest.raises(ConfError, match=r"a\.toml is not TOML: .*line 2"):
        read_conf(str(tmp_path / "a.toml"))


def test_a_folder_is_not_a_conf(tmp_path):
    with pytest.raises(ConfError, match="cannot be read"):
        read_conf(str(tmp_path))
