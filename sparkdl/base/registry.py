"""Names to things, one registry a kind, with a near name when the name is wrong."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from sparkdl.base.errors import ConfError

T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., object])


def near(name: str, names: Iterable[str]) -> str:
    """' Did you mean ...?' when one of `names` is close, else nothing.

    >>> near("untis", ["units", "name"])
    " Did you mean 'units'?"
    """
    lower = {n.lower(): n for n in names}
    close = difflib.get_close_matches(name.lower(), lower, 1, 0.5)
    return f" Did you mean {lower[close[0]]!r}?" if close else ""


class Registry(Generic[T]):
    """A dict that refuses a second entry of a name and explains a missing one.

    >>> colours: Registry[int] = Registry("colour"); colours.add("red", 1)
    1
    >>> colours["rad"]
    Traceback (most recent call last):
    sparkdl.base.errors.ConfError: no colour named 'rad'. Did you mean 'red'? Known: red.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def add(self, name: str, item: T) -> T:
        """Enter `item`; a name can be given once."""
        if name in self._items:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._items[name] = item
        return item

    def __getitem__(self, name: str) -> T:
        if name in self._items:
            return self._items[name]
        known = ", ".join(sorted(self._items))
        raise ConfError(f"no {self.kind} named {name!r}.{near(name, self._items)} Known: {known}.")

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def items(self) -> Iterable[tuple[str, T]]:
        """The entries in the order they were made."""
        return self._items.items()
