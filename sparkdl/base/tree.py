"""Trees: tuples, lists and dicts within one another, taken apart into leaves and put together again.

None is a tree without leaves. Dicts go by their sorted keys, whatever order they were filled in. Named tuples stay
what they are. All else is a leaf.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sparkdl.base.errors import ShapeError

Path = tuple[Any, ...]


@dataclass(frozen=True)
class Tree:
    """How a tree is built; hashable. kind: None for a leaf, NoneType, dict, list, tuple or a named tuple's class."""

    kind: type | None = None
    keys: tuple[Any, ...] = ()
    parts: tuple["Tree", ...] = ()

    def __str__(self) -> str:
        inner = [str(p) for p in self.parts]
        if self.kind is dict:
            return "{" + ", ".join(f"{k!r}: {p}" for k, p in zip(self.keys, inner, strict=True)) + "}"
        if self.kind is list:
            return "[" + ", ".join(inner) + "]"
        if self.kind is None:
            return "*"
        return "None" if self.kind is type(None) else "(" + ", ".join(inner) + (",)" if len(inner) == 1 else ")")


LEAF = Tree()


def flatten(tree: Any) -> tuple[list[Any], Tree]:
    """The leaves in order, and the structure without them. Raises TypeError for dict keys that have no order.

    >>> leaves, structure = flatten({"b": (1, [2]), "a": 3})
    >>> leaves, str(structure)
    ([3, 1, 2], "{'a': *, 'b': (*, [*])}")
    """
    leaves: list[Any] = []
    return leaves, _taken(tree, leaves)


def unflatten(structure: Tree, leaves: Sequence[Any]) -> Any:
    """The tree of that structure with these leaves.

    >>> unflatten(flatten((0, {"a": 0}))[1], [1, 2])
    (1, {'a': 2})
    """
    return _built(structure, iter(leaves))


def named(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves with the way to them, as messages say it, in the order of `flatten`.

    >>> list(named({"w": [1, 2]}, "argument 0"))
    [("argument 0['w'][0]", 1), ("argument 0['w'][1]", 2)]
    """
    if isinstance(tree, Mapping):
        for key in _keys(tree):
            yield from named(tree[key], f"{path}[{key!r}]")
    elif isinstance(tree, tuple | list):
        for k, part in enumerate(tree):
            yield from named(part, f"{path}[{k}]")
    elif tree is not None:
        yield path, tree


def mapped(fn: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with `fn` of each leaf.

    >>> mapped(str, [1, (2, None)])
    ['1', ('2', None)]
    """
    leaves, structure = flatten(tree)
    return unflatten(structure, [fn(leaf) for leaf in leaves])


def same_structure(who: str, wanted: Tree, got: Tree) -> None:
    """Raises ShapeError showing both, unless they are the same."""
    if wanted != got:
        raise ShapeError(f"{who} must be built as {wanted}. Got {got}.")


def leaves_at(who: str, structure: Tree, tree: Any) -> list[Any]:
    """What `tree` has where the structure has leaves: leaves, or None. Raises ShapeError if it is built otherwise.

    >>> leaves_at("f", flatten((1, [2]))[1], (7, [None]))
    [7, None]
    """
    if structure == LEAF:
        return [tree]
    inner = _inner(structure, tree)
    if inner is None:
        raise ShapeError(f"{who}: what is given must be built as {structure}. Got {flatten(tree)[1]}.")
    return [leaf for part, value in zip(structure.parts, inner, strict=True) for leaf in leaves_at(who, part, value)]


def _inner(structure: Tree, tree: Any) -> list[Any] | None:
    """The parts of a tree, if its top is built like that."""
    if tree is None:
        return [] if structure.kind is type(None) else None
    if isinstance(tree, Mapping):
        same = structure.kind is dict and structure.keys == tuple(_keys(tree))
        return [tree[k] for k in structure.keys] if same else None
    if not isinstance(tree, tuple | list) or _kind(tree) is not structure.kind or len(tree) != len(structure.parts):
        return None
    return list(tree)


def _keys(tree: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(tree)
    except TypeError:
        raise TypeError(f"keys of a dict of arrays must be of one kind, as strings are. Got {list(tree)}.") from None


def _taken(tree: Any, leaves: list[Any]) -> Tree:
    if isinstance(tree, Mapping):
        keys = _keys(tree)
        return Tree(dict, tuple(keys), tuple(_taken(tree[k], leaves) for k in keys))
    if isinstance(tree, tuple | list):
        return Tree(_kind(tree), (), tuple(_taken(part, leaves) for part in tree))
    if tree is None:
        return Tree(type(None))
    leaves.append(tree)
    return LEAF


def _kind(tree: Any) -> type:
    if hasattr(tree, "_fields"):
        return type(tree)
    return list if isinstance(tree, list) else tuple


def _built(structure: Tree, leaves: Iterator[Any]) -> Any:
    kind = structure.kind
    if kind is None:
        return next(leaves)
    if kind is type(None):
        return None
    parts = [_built(part, leaves) for part in structure.parts]
    if kind is dict:
        return dict(zip(structure.keys, parts, strict=True))
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
