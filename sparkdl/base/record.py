"""Records: frozen dataclasses whose annotations are checked, that become conf and come back from it.

A record's fields are at once its constructor, its table in a TOML file and its object in a saved JSON.
pydantic does the checking; this module words its findings and picks the class where a table says `type`.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast, dataclass_transform, get_type_hints

import pydantic
from pydantic.dataclasses import dataclass as checked
from pydantic_core import ErrorDetails

from sparkdl.base.checks import describe
from sparkdl.base.errors import ConfError, dotted
from sparkdl.base.registry import Registry, near

R = TypeVar("R")
_CONFIG = pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True, validate_default=False)


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def record(cls: type[R]) -> type[R]:
    """Make `cls` a frozen dataclass that checks its fields when made.

    >>> from sparkdl.base.checks import Count
    >>> @record
    ... class Box:
    ...     width: Count
    >>> Box(width=0)
    Traceback (most recent call last):
    sparkdl.base.errors.ConfError: Box: width must be an int >= 1. Got 0.
    """
    made = checked(frozen=True, config=_CONFIG)(cls)
    made.__init__ = _worded(made, made.__init__)  # type: ignore[method-assign]
    return cast(type[R], made)


def _worded(cls: type, init: Callable[..., None]) -> Callable[..., None]:
    def __init__(self: object, *args: Any, **kwargs: Any) -> None:
        try:
            init(self, *args, **kwargs)
        except pydantic.ValidationError as error:
            raise _reword(cls, error) from None

    return __init__


def _reword(cls: type, error: pydantic.ValidationError) -> ConfError:
    found = min(error.errors(include_url=False), key=lambda e: e["type"] != "unexpected_keyword_argument")
    inner = found.get("ctx", {}).get("error")
    path = _named(cls, found["loc"])
    if isinstance(inner, ConfError):
        return inner.under(*path) if path else inner
    owner, head = _owner(cls, path)
    return ConfError(_wording(owner, path[len(head) :], found), head)


def _named(cls: type, loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """pydantic names positional arguments by their index, and union members by their type: mend both."""
    names = [f.name for f in dataclasses.fields(cls) if not f.kw_only]
    if loc and isinstance(loc[0], int):
        loc = (names[loc[0]] if loc[0] < len(names) else str(loc[0]), *loc[1:])
    return loc


def _owner(cls: type, path: tuple[int | str, ...]) -> tuple[type, tuple[int | str, ...]]:
    """The record that the last part of the path is a field of, and the path to that record."""
    owner, head = cls, 0
    for k, part in enumerate(path[:-1]):
        inner = _hints(owner).get(str(part))
        if not dataclasses.is_dataclass(inner):
            return owner, path[:head]
        owner, head = cast(type, inner), k + 1
    return owner, path[:head]


def _wording(owner: type, rest: tuple[int | str, ...], found: ErrorDetails) -> str:
    fields, name = list(_hints(owner)), str(rest[0]) if rest else ""
    if found["type"] in ("unexpected_keyword_argument", "unexpected_positional_argument"):
        return f"{owner.__name__} has no field {name!r}.{near(name, fields)} Known: {', '.join(fields)}."
    if found["type"] in ("missing", "missing_argument"):
        return f"{owner.__name__} needs {name!r}: {describe(_hints(owner).get(name, str))}."
    if name in fields:
        where = f" at {dotted(rest)}" if len(rest) > 1 else ""
        return f"{owner.__name__}: {name} must be {describe(_hints(owner)[name])}. Got {found['input']!r}{where}."
    return f"{owner.__name__}: {'.'.join(map(str, found['loc']))}: {found['msg']}. Got {found['input']!r}."


def _hints(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls, include_extras=True)
    return {f.name: hints[f.name] for f in dataclasses.fields(cls) if f.init}


@dataclasses.dataclass(frozen=True)
class OneOf:
    """The validator of a field that holds any record of a kind, written as a record, a table with `type`, or a name.

    `Annotated[Initializer, OneOf(INITIALIZERS)]` accepts `Zeros()`, `{type = "Zeros"}` and `"zeros"`.
    """

    kinds: Registry[Any]

    @property
    def says(self) -> str:
        """The wording of what the field must be."""
        return f"a {self.kinds.kind}: a name, a table with 'type', or a record"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.parse)

    def parse(self, value: object) -> Any:
        """The record that `value` stands for."""
        if isinstance(value, str):
            return self._make(value, {})
        if isinstance(value, Mapping):
            table = dict(value)
            if "type" not in table:
                raise ConfError(f"a {self.kinds.kind} needs 'type'. Got {sorted(table)}.")
            return self._make(str(table.pop("type")), table)
        if type(value) in (c for _, c in self.kinds.items()):
            return value
        raise ConfError(f"must be {self.says}. Got {value!r}.")

    def _make(self, name: str, table: dict[str, Any]) -> Any:
        cls = self.kinds[name] if name in self.kinds else self.kinds[_camel(name, self.kinds)]
        return cls(**table)


def _camel(name: str, kinds: Registry[Any]) -> str:
    """Keras writes 'glorot_uniform' for GlorotUniform and 'sgd' for SGD: match without case and underscores."""
    plain = name.replace("_", "").lower()
    return next((known for known in kinds if known.lower() == plain), name)


def to_conf(value: Any) -> Any:
    """The plain dicts, lists and scalars of a record; the record of a kind carries its `type`.

    Fields that are None are left out: TOML has no null. A class with `as_conf()` says its own.
    """
    if hasattr(value, "as_conf"):
        return to_conf(value.as_conf())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: to_conf(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
        kind = {"type": type(value).__name__} if getattr(value, "of_kind", False) else {}
        return kind | {k: v for k, v in fields.items() if v is not None}
    if isinstance(value, Mapping):
        return {k: to_conf(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [to_conf(v) for v in value]
    return value


def from_conf(cls: type[R], table: Mapping[str, Any], *path: str | int) -> R:
    """The record of class `cls` that a table describes. Raises ConfError with the path to the fault."""
    try:
        return cls(**table)
    except ConfError as error:
        raise error.under(*path) from None
