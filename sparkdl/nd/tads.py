"""Two of ND4J's ways to work on parts of an array: tensors along dimensions, and what a condition picks."""

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np

from sparkdl.base.errors import BoundsError, DTypeError, ShapeError
from sparkdl.nd.elementwise import array, where
from sparkdl.nd.indexing import getitem
from sparkdl.nd.manipulation import many_axes, moveaxis, reshape, stack


class Tensors(Sequence[Any]):
    """What `tensors_along` gives: a sequence whose items are made when asked for; a slice of it is a list."""

    def __init__(self, x: Any, dimensions: tuple[int, ...]) -> None:
        self._x = x
        self._kept = dimensions
        self._others = tuple(n for k, n in enumerate(x.spec.shape) if k not in dimensions)

    def __len__(self) -> int:
        return math.prod(self._others)

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self._at(k) for k in range(*index.indices(len(self)))]
        k, n = operator.index(index), len(self)
        if not -n <= k < n:
            raise BoundsError(f"tensors_along: the index must lie within {-n} .. {n - 1}. Got {k}.")
        return self._at(k % n)

    def __iter__(self) -> Iterator[Any]:
        return map(self._at, range(len(self)))

    def _at(self, k: int) -> Any:
        place = iter(np.unravel_index(k, self._others) if self._others else ())
        key = (slice(None) if axis in self._kept else int(next(place)) for axis in range(len(self._x.spec.shape)))
        return getitem(self._x, tuple(key))


def tensors_along(x: Any, *dimensions: int) -> Tensors:
    """The parts of x that extend along `dimensions`, one for each place on the other axes; ND4J's TADs.

    Both orders are ND4J's: places are counted in C order, the last of the other axes fastest, and a part has its axes
    in the order of x, in whatever order they are named. Parts of an array are views: what is written into them, is
    written into x. Without dimensions the parts are the elements. Raises AxisError.

    >>> from sparkdl.nd.array import NDArray
    >>> x = NDArray([[1, 2, 3], [4, 5, 6]])
    >>> columns = tensors_along(x, 0)
    >>> len(columns), columns[-1]
    (3, NDArray([3, 6], dtype=int64, device=cpu))
    >>> columns[0][...] = 0
    >>> x
    NDArray([[0, 2, 3],
             [0, 5, 6]], dtype=int64, device=cpu)
    """
    x = array("tensors_along", x)
    return Tensors(x, _along("tensors_along", x, dimensions))


def num_tensors_along(x: Any, *dimensions: int) -> int:
    """How many tensors there are along `dimensions`: the product of the other lengths."""
    x = array("num_tensors_along", x)
    return len(Tensors(x, _along("num_tensors_along", x, dimensions)))


def apply_along(f: Callable[[Any], Any], x: Any, *dimensions: int) -> Any:
    """f of each tensor along `dimensions`, the results put together in one array.

    f: gives arrays of one shape. If they have as many axes as there are dimensions, they go to the places of these (an
       f that keeps the shape keeps that of x); others go behind the other axes. Raises ShapeError for no tensors,
       as the shape of the result is not known.

    >>> from sparkdl.nd.array import NDArray
    >>> apply_along(lambda column: column - column[0], NDArray([[1, 2], [4, 8]]), 0)
    NDArray([[0, 0],
             [3, 6]], dtype=int64, device=cpu)
    """
    x = array("apply_along", x)
    axes = _along("apply_along", x, dimensions)
    made = [array("apply_along", f(tensor)) for tensor in Tensors(x, axes)]
    if not made:
        raise ShapeError(f"apply_along: there must be a tensor to apply f to. Got {x.spec} along {dimensions}.")
    others = tuple(n for k, n in enumerate(x.spec.shape) if k not in axes)
    joined = stack(made)
    full = reshape(joined, (*others, *joined.spec.shape[1:]))
    ends = range(len(others), len(full.spec.shape))
    return moveaxis(full, tuple(ends), axes) if len(ends) == len(axes) else full


def _along(who: str, x: Any, dimensions: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(many_axes(who, dimensions, len(x.spec.shape))))


def replace_where(x: Any, condition: Any, value: Any) -> Any:
    """x with `value` where `condition` holds, a new array of the shape and dtype of x.

    condition: an array of bools, or a function that makes it from x; it broadcasts to x, as `value` does
    value:     a number or an array of a dtype that x can hold; DTypeError for others

    >>> from sparkdl.nd.array import NDArray
    >>> replace_where(NDArray([1.0, -2.0, 3.0]), lambda x: x < 0.0, 0.0)
    NDArray([1., 0., 3.], dtype=float32, device=cpu)
    """
    x = array("replace_where", x)
    return _chosen("replace_where", x, _holds(condition, x), value)


def apply_where(x: Any, condition: Any, f: Callable[[Any], Any]) -> Any:
    """f(x) where `condition` holds, else x: a new array of the shape and dtype of x. `condition` as of `replace_where`.

    f is given all of x, and its gradient where nothing is picked is multiplied by 0, which makes NaN of infinity: keep
    f from places where it has none, as here the logarithm.

    >>> from sparkdl.nd.array import NDArray
    >>> from sparkdl.nd.functions import log
    >>> x = NDArray([1.0, -2.0, 0.0])
    >>> apply_where(x, x > 0.0, lambda x: log(replace_where(x, x <= 0.0, 1.0)))
    NDArray([ 0., -2.,  0.], dtype=float32, device=cpu)
    """
    x = array("apply_where", x)
    return _chosen("apply_where", x, _holds(condition, x), f(x))


def _holds(condition: Any, x: Any) -> Any:
    return condition(x) if callable(condition) else condition


def _chosen(who: str, x: Any, condition: Any, value: Any) -> Any:
    """`value` where the condition holds, else x, if that neither widens x nor changes its dtype."""
    made = where(condition, value, x)
    if made.spec.dtype != x.spec.dtype:
        raise DTypeError(f"{who}: {x.spec} cannot take {made.spec.dtype} without loss. Cast one of the two first.")
    if made.spec.shape != x.spec.shape:
        raise ShapeError(f"{who}: condition and value must broadcast to x. Got {made.spec.shape} for {x.spec}.")
    return made
