"""Which of a library's implementations a kernel is to take: the library's own, by default, or one that is named.

A choice is a text, as "winograd" or "onednn:jit:avx512_core": the library, and behind the colon its implementation.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_NAMED: ContextVar[str | None] = ContextVar("named", default=None)
_NAMES: ContextVar[list[str] | None] = ContextVar("names", default=None)


def named() -> str | None:
    """The implementation asked for; "" for the library's own; None where nobody has chosen a library either."""
    return _NAMED.get()


@contextmanager
def naming(implementation: str | None) -> Iterator[None]:
    """Ask for an implementation."""
    before = _NAMED.set(implementation)
    try:
        yield
    finally:
        _NAMED.reset(before)


@contextmanager
def listing() -> Iterator[list[str]]:
    """Gather the names of the implementations there are while kernels are prepared."""
    found: list[str] = []
    before = _NAMES.set(found)
    try:
        yield found
    finally:
        _NAMES.reset(before)


def listed() -> list[str] | None:
    """Where names are to be gathered, if they are."""
    return _NAMES.get()
