"""The arguments of a compiled function: which are arrays, which are part of the program."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparkdl.base.tree import Tree, flatten, named, unflatten
from sparkdl.graph.graph import Sym
from sparkdl.graph.leaves import is_value
from sparkdl.graph.tape import Var
from sparkdl.nd.array import NDArray

CONSTANT = bool | int | float | complex | str  # part of the program without being asked


@dataclass(frozen=True)
class Static:
    """Which arguments are no arrays."""

    numbers: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    def split(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Hashable]:
        """The arguments with nothing in the place of static ones, and what these are."""
        if not self.numbers and not self.names:
            return (args, kwargs), ()
        numbers = {n % len(args) for n in self.numbers if -len(args) <= n < len(args)}
        rest = tuple(None if k in numbers else x for k, x in enumerate(args))
        fixed = [(k, args[k]) for k in sorted(numbers)] + [(k, kwargs[k]) for k in self.names if k in kwargs]
        for k, x in fixed:
            if not isinstance(x, Hashable):
                raise TypeError(f"compile: static argument {k!r} must have a hash. Got {type(x).__name__}.")
        return (rest, {k: x for k, x in kwargs.items() if k not in self.names}), tuple(
            (k, type(x), x) for k, x in fixed
        )


@dataclass(frozen=True)
class Call:
    """Arguments taken apart: arrays, and all that a program depends on: `key`."""

    leaves: list[Any]
    structure: Tree
    fixed: Any
    symbolic: bool
    key: Hashable

    def built(self, arrays: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with these in the place of the arrays."""
        values = iter(arrays)
        args, kwargs = unflatten(self.structure, [next(values) if is_value(x) else x for x in self.leaves])
        args = list(args)
        for k, _, x in self.fixed:
            if isinstance(k, int):
                args[k] = x
            else:
                kwargs[k] = x
        return tuple(args), kwargs

    @property
    def arrays(self) -> list[Any]:
        """The leaves that are arrays."""
        return [x for x in self.leaves if is_value(x)]


def taken(who: str, static: Static, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Arguments of the function `who`, taken apart. Raises TypeError for what is neither an array nor static."""
    rest, fixed = static.split(args, kwargs)
    leaves, structure = flatten(rest)
    try:
        leaves = [_lifted(x) for x in leaves]
    except _NoArray:
        raise TypeError(_refusal(who, rest)) from None
    symbolic = any(isinstance(x, Var | Sym) for x in leaves)
    kinds = () if symbolic else tuple(x.spec if is_value(x) else (type(x), repr(x)) for x in leaves)
    return Call(leaves, structure, fixed, symbolic, (structure, kinds, fixed))


class _NoArray(Exception):
    """An argument that is neither an array nor static."""


def _refusal(who: str, rest: Any) -> str:
    args, kwargs = rest
    paths = [p for k, x in enumerate(args) for p in named(x, f"argument {k}")]
    paths += [p for k, x in kwargs.items() for p in named(x, f"argument {k!r}")]
    path, x = next((path, x) for path, x in paths if not _known(x))
    return (
        f"compile: {path} of {who} must be an array, a number, or tuples, lists, dicts of such. Got "
        f"{type(x).__name__}; name it in static_argnums or static_argnames if the program may depend on it."
    )


def _known(x: Any) -> bool:
    return hasattr(x, "spec") or isinstance(x, CONSTANT | np.ndarray | np.generic)


def _lifted(x: Any) -> Any:
    """An argument as it is; NumPy's arrays and scalars as ours."""
    if isinstance(x, NDArray):
        return x
    if isinstance(x, np.ndarray | np.generic):  # before numbers: np.float64 is a float
        return NDArray(x)
    if not _known(x):
        raise _NoArray
    return x
