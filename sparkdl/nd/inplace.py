"""Writing into an array: items and in-place operators. Shape and dtype of what is written to never change."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray as Numpy

from sparkdl.base.errors import BoundsError, DTypeError, ShapeError
from sparkdl.nd.dtypes import DEFAULTS, name_of, promoted, with_number
from sparkdl.nd.indexing import numpy_key

_LIKE = {"b": True, "i": 1, "f": 1.0, "c": 1j}
GUARDS: list[Callable[[Numpy[Any]], None]] = []  # asked before each write; a tape refuses for what it still needs

EFFECTS: list[Callable[[str], None]] = []  # asked before what outlives a call, writes too; a trace refuses


def effect(what: str) -> None:
    """Say that something is about to be done which a traced function would do once instead of in each call."""
    for ask in EFFECTS:
        ask(what)


def _writer(name: str, ufunc: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def write(self: Any, other: Any) -> Any:
        into = self._writable(name)
        value = self._own(_checked(name, self.dtype, other))
        with np.errstate(all="ignore"):
            try:
                ufunc(into, value.astype(into.dtype, copy=False), out=into)
            except ValueError as error:
                raise ShapeError(f"{name}: {value.shape} does not broadcast to {into.shape}.") from error
        return self

    return write


class InPlace:
    """Mixin of NDArray: `x[key] = value`, `x += y` and its like."""

    __slots__ = ()
    _data: Numpy[Any]
    __iadd__ = _writer("+=", np.add)
    __isub__ = _writer("-=", np.subtract)
    __imul__ = _writer("*=", np.multiply)
    __itruediv__ = _writer("/=", np.true_divide)
    __ifloordiv__ = _writer("//=", np.floor_divide)
    __imod__ = _writer("%=", np.remainder)
    __ipow__ = _writer("**=", np.power)
    __imatmul__ = _writer("@=", lambda a, b, out: np.copyto(out, np.matmul(a, b)))
    __iand__ = _writer("&=", np.bitwise_and)
    __ior__ = _writer("|=", np.bitwise_or)
    __ixor__ = _writer("^=", np.bitwise_xor)
    __ilshift__ = _writer("<<=", np.left_shift)
    __irshift__ = _writer(">>=", np.right_shift)

    def __setitem__(self, key: Any, value: Any) -> None:
        into: Any = self._writable("[...] =")
        given = self._own(_checked("[...] =", into.dtype.name, value))  # type: ignore[attr-defined]
        try:
            into[numpy_key(key)] = given
        except IndexError as error:
            raise BoundsError(f"an array of shape {into.shape}: {error}.") from error
        except ValueError as error:
            raise ShapeError(f"an array of shape {into.shape} cannot take {given.shape} at {key!r}: {error}") from error

    def _writable(self, who: str) -> Numpy[Any]:
        effect(f"{who} on an array")
        for guard in GUARDS:
            guard(self._data)
        if not self._data.flags.writeable:
            raise ValueError(f"{who}: this array is a read-only view. Copy it first: `x.copy()`.")
        return self._data


def _checked(who: str, dtype: str, value: Any) -> Any:
    """The value, if its dtype fits into the array's."""
    if type(value) in DEFAULTS:
        met, said = with_number(dtype, value), f"a {type(value).__name__}"
    elif hasattr(value, "dtype"):
        said = str(value.dtype)
        met = promoted(dtype, name_of(value.dtype))
    else:
        said = str(np.asarray(value).dtype)  # of lists of Python's numbers, which are taken as these are
        met = with_number(dtype, _LIKE.get(np.asarray(value).dtype.kind, value))
    if met != dtype:
        raise DTypeError(f"{who}: an array of {dtype} cannot take {said} without loss. Cast it first: nd.astype.")
    return value
