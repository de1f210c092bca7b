"""The distinct elements of an array, in rising order. Each NaN is one of its own, -0 and 0 are the same.

How many there are hangs on the values: these functions take arrays; symbols, and values that are differentiated, raise
TypeError.
"""

from typing import Any, NamedTuple

import numpy as np

from sparkdl.base.spec import BFLOAT16, numpy_dtype
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.elementwise import array
from sparkdl.nd.searching import known

_INSTEAD = "Take it outside of the traced function, or of nd.sort(x), whose shape is known."


class UniqueAll(NamedTuple):
    """What `unique_all` finds."""

    values: NDArray
    indices: NDArray
    inverse_indices: NDArray
    counts: NDArray


class UniqueCounts(NamedTuple):
    """What `unique_counts` finds."""

    values: NDArray
    counts: NDArray


class UniqueInverse(NamedTuple):
    """What `unique_inverse` finds."""

    values: NDArray
    inverse_indices: NDArray


def unique_all(x: Any, /) -> UniqueAll:
    """Distinct elements of x, the index in the flattened x where each comes first, for each element of x which of the
    distinct ones it is (in the shape of x), and how often each comes. All indices and counts are int64.

    >>> found = unique_all(NDArray([3, 1, 3]))
    >>> [part.tolist() for part in found]
    [[1, 3], [1, 0], [1, 0, 1], [1, 2]]
    """
    return UniqueAll(*_unique("unique_all", x, True, True, True))


def unique_counts(x: Any, /) -> UniqueCounts:
    """Distinct elements of x, and how often each comes (int64)."""
    return UniqueCounts(*_unique("unique_counts", x, False, False, True))


def unique_inverse(x: Any, /) -> UniqueInverse:
    """Distinct elements of x, and for each element of x which of them it is (int64, in the shape of x)."""
    return UniqueInverse(*_unique("unique_inverse", x, False, True, False))


def unique_values(x: Any, /) -> NDArray:
    """Distinct elements of x.

    >>> unique_values(NDArray([[3.0, 1.0], [3.0, float("nan")]]))
    NDArray([ 1.,  3., nan], dtype=float32, device=cpu)
    """
    return _unique("unique_values", x, False, False, False)[0]


def _unique(who: str, x: Any, *wanted: bool) -> list[NDArray]:
    """Values, then what is wanted of indices, inverse indices and counts."""
    given = known(who, array(who, x), _INSTEAD)
    comparable = given.astype(np.float32) if given.dtype.name == BFLOAT16 else given
    find: Any = np.unique  # its overloads are by each flag
    made = find(comparable, *wanted, equal_nan=False)
    values, *rest = made if any(wanted) else (made,)
    dtype = numpy_dtype(given.dtype.name)
    return [wrap(values.astype(dtype, copy=False)), *(wrap(v.astype(np.int64, copy=False)) for v in rest)]
