"""A conf file and what the command line changes in it: plain tables, no meaning yet."""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparkdl.base.errors import ConfError, dotted
from sparkdl.base.registry import near

Table = dict[str, Any]
Path_ = tuple[str | int, ...]


def read_conf(path: str, overrides: Sequence[str] = ()) -> Table:
    """The tables of a TOML file with `a.b=c` overrides laid over it, the later ones last.

    Raises ConfError where the file is missing or not TOML, or an override cannot be understood.
    """
    table = _read(Path(path))
    for text in overrides:
        override(table, text)
    return table


def _read(path: Path) -> Table:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        beside = [p.name for p in path.parent.glob("*.toml")] if path.parent.is_dir() else []
        raise ConfError(f"there is no conf file {path}.{near(path.name, beside)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfError(f"the conf file {path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfError(f"{path} is not TOML: {error}") from None


def override(table: Table, text: str) -> None:
    """Set one value in place.

    >>> conf = {"training": {"optimizer": "adam"}, "layers": [{"units": 8}]}
    >>> override(conf, "training.optimizer.learning_rate=0.01"); override(conf, "layers[0].units=16"); conf
    {'training': {'optimizer': {'type': 'adam', 'learning_rate': 0.01}}, 'layers': [{'units': 16}]}
    """
    name, equals, value = text.partition("=")
    path = _path(name.strip())
    if not equals or not path:
        raise ConfError(f"--set takes NAME=VALUE, for example training.epochs=20. Got {text!r}.")
    at: Any = table
    for k, part in enumerate(path[:-1]):
        at = _into(at, part, path[: k + 1])
    _put(at, path, parse_value(value.strip()))


def parse_value(text: str) -> Any:
    """A TOML value; a bare word is a text.

    >>> [parse_value(t) for t in ("3", "1e-3", "true", "[1, 2]", '{type = "Adam"}', '"3"', "out/run7")]
    [3, 0.001, True, [1, 2], {'type': 'Adam'}, '3', 'out/run7']
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        if re.fullmatch(r"[\w./:@%+-]+", text):
            return text
        raise ConfError(f"{text!r} is not a TOML value: a text with other signs needs its own quotes.") from None


def _path(name: str) -> Path_:
    """'network.layers[2].units' -> ('network', 'layers', 2, 'units'); () when it cannot be read."""
    if not re.fullmatch(r"[\w-]+(\[\d+\])*(\.[\w-]+(\[\d+\])*)*", name):
        return ()
    return tuple(int(part) if part.isdigit() else part for part in re.findall(r"[\w-]+", name))


def _into(at: Any, part: str | int, path: Path_) -> Any:
    """The table or list at the next part; a missing table is made, a bare name becomes a table with its `type`."""
    if isinstance(part, int):
        return _item(at, part, path)
    if not isinstance(at, dict):
        raise ConfError(f"--set: must be a table. Got {at!r}.", path[:-1])
    if isinstance(at.get(part), str):
        at[part] = {"type": at[part]}
    return at.setdefault(part, {})


def _item(at: Any, part: int, path: Path_) -> Any:
    if not isinstance(at, list) or part >= len(at):
        size = f"a list of {len(at)}" if isinstance(at, list) else repr(at)
        raise ConfError(f"--set: there is no {dotted(path)}: {dotted(path[:-1])} is {size}.")
    return at[part]


def _put(at: Any, path: Path_, value: Any) -> None:
    last = path[-1]
    if isinstance(last, int):
        _item(at, last, path)
    elif not isinstance(at, dict):
        raise ConfError(f"--set: must be a table. Got {at!r}.", path[:-1])
    at[last] = value
