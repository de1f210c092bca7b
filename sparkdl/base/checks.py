"""Constraints of fields, as data: the annotation is the check and gives the wording of its error."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import Strict
from pydantic.types import AllowInfNan

Flag = Annotated[bool, Strict()]
Text = Annotated[str, Strict()]
Int = Annotated[int, Strict()]
Count = Annotated[int, Strict(), Ge(1)]
Whole = Annotated[int, Strict(), Ge(0)]
Real = Annotated[float, Strict(), AllowInfNan(False)]
Positive = Annotated[float, Strict(), AllowInfNan(False), Gt(0)]
NonNegative = Annotated[float, Strict(), AllowInfNan(False), Ge(0)]
UnitInterval = Annotated[float, Strict(), AllowInfNan(False), Ge(0), Le(1)]
BelowOne = Annotated[float, Strict(), AllowInfNan(False), Ge(0), Lt(1)]
Precision = Literal["float32", "bfloat16"]

_NAMES: dict[Any, str] = {
    int: "an int", float: "a finite number", bool: "true or false", str: "a text", type(None): "null",
    dict: "a table", tuple: "a list", list: "a list",
}  # fmt: skip
_SIGNS: tuple[tuple[type, str, str], ...] = ((Ge, "ge", ">="), (Gt, "gt", ">"), (Le, "le", "<="), (Lt, "lt", "<"))


def describe(annotation: Any) -> str:
    """What a value of this annotation must be, in words.

    >>> describe(Count)
    'an int >= 1'
    >>> describe(Literal["same", "valid"])
    "'same' or 'valid'"
    >>> describe(tuple[Count, Count])
    'a list of 2: an int >= 1, an int >= 1'
    """
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(args[0], args[1:])
    if origin is Literal:
        return " or ".join(map(repr, args))
    if origin in (Union, types.UnionType):
        return " or ".join(map(describe, args))
    if origin is tuple:
        return _tuple(args)
    return _NAMES.get(origin or annotation) or f"a {getattr(annotation, '__name__', annotation)}"


def _annotated(base: Any, metadata: tuple[Any, ...]) -> str:
    said = [m.says for m in metadata if hasattr(m, "says")]
    if said:
        return str(said[0])
    bounds = [f"{sign} {getattr(m, key)}" for m in metadata for kind, key, sign in _SIGNS if isinstance(m, kind)]
    return f"{describe(base)} {' and '.join(bounds)}".rstrip()


def _tuple(args: tuple[Any, ...]) -> str:
    if len(args) == 2 and args[1] is Ellipsis:
        return f"a list, each {describe(args[0])}"
    return f"a list of {len(args)}: {', '.join(map(describe, args))}"
