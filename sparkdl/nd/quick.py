"""Operators of eager arrays without a detour: two arrays of one dtype, or an array and a number that it can hold.

What these methods do not serve at once goes the way of all values: promotion, checks, errors.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray as Numpy

from sparkdl.base.quiet import hush, restore
from sparkdl.nd.memory import LARGE
from sparkdl.nd.operators import Operators

_MADE: Callable[[type], Any] = object.__new__
NUMBERS, REALS, FLOATS = "fciu", "fiu", "fc"  # kinds of NumPy's dtypes; bfloat16 is of none
_BESIDE = {float: "fc", int: "fciu"}  # those beside which a number of Python takes the array's dtype


def _quick(fn: Callable[..., Any], kinds: str, slow: Callable[[Any, Any], Any], turned: bool = False) -> Any:
    def method(self: Any, other: Any) -> Any:
        a = self._data
        kind = a.dtype.kind
        if other.__class__ is self.__class__:
            b = other._data
            served = b.dtype is a.dtype and kind in kinds
        else:
            b, served = other, kind in kinds and kind in _BESIDE.get(other.__class__, "")
        if not served or a.nbytes >= LARGE:
            return slow(self, other)
        token = hush()
        try:
            made = fn(b, a) if turned else fn(a, b)
        except (ValueError, OverflowError):
            return slow(self, other)  # which says what does not fit
        finally:
            restore(token)
        array = _MADE(self.__class__)
        array._data = made if made.__class__ is np.ndarray else np.asarray(made)
        return array

    return method


class Quick(Operators):
    """Mixin of NDArray."""

    __slots__ = ()
    _data: Numpy[Any]
    __hash__ = None
    __add__ = _quick(np.add, NUMBERS, Operators.__add__)
    __radd__ = _quick(np.add, NUMBERS, Operators.__radd__, True)
    __sub__ = _quick(np.subtract, NUMBERS, Operators.__sub__)
    __rsub__ = _quick(np.subtract, NUMBERS, Operators.__rsub__, True)
    __mul__ = _quick(np.multiply, NUMBERS, Operators.__mul__)
    __rmul__ = _quick(np.multiply, NUMBERS, Operators.__rmul__, True)
    __truediv__ = _quick(np.divide, FLOATS, Operators.__truediv__)
    __rtruediv__ = _quick(np.divide, FLOATS, Operators.__rtruediv__, True)
    __matmul__ = _quick(np.matmul, NUMBERS, Operators.__matmul__)
    __eq__ = _quick(np.equal, NUMBERS, Operators.__eq__)
    __ne__ = _quick(np.not_equal, NUMBERS, Operators.__ne__)
    __lt__ = _quick(np.less, REALS, Operators.__lt__)
    __le__ = _quick(np.less_equal, REALS, Operators.__le__)
    __gt__ = _quick(np.greater, REALS, Operators.__gt__)
    __ge__ = _quick(np.greater_equal, REALS, Operators.__ge__)

    def __getitem__(self, key: Any) -> Any:
        if key.__class__ is slice:
            try:
                array = _MADE(self.__class__)
                array._data = self._data[key]
                return array
            except (IndexError, TypeError, ValueError):
                pass
        return super().__getitem__(key)
