"""What random functions are given: keys, shapes, dtypes and parameters, checked and made values of."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray as Numpy

from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.rng import Key
from sparkdl.base.spec import KINDS, Spec, numpy_dtype
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.dtypes import name_of
from sparkdl.nd.ops.choice import cast

Shape = int | Sequence[int]


def key_of(who: str, key: Any) -> Any:
    """A key as a value uint32[2]. Raises DTypeError for what is none."""
    if isinstance(key, Key):
        return wrap(key.words())
    given = NDArray(key) if isinstance(key, np.ndarray) else key
    if getattr(given, "spec", None) != Spec((2,), "uint32"):
        said = getattr(given, "spec", type(key).__name__)
        raise DTypeError(f"{who}: key must be uint32[2] or a Key. Got {said}; take nd.random.key(seed).")
    return given


def shape_of(who: str, shape: Any) -> tuple[int, ...]:
    """A length, or lengths, as a tuple. Raises DTypeError for what are no ints, ShapeError for negative ones."""
    try:
        lengths = tuple(map(operator.index, shape if isinstance(shape, tuple | list) else (shape,)))
    except TypeError as error:
        raise DTypeError(f"{who}: shape must be an int or ints. Got {shape!r}.") from error
    if any(n < 0 for n in lengths):
        raise ShapeError(f"{who}: lengths must be >= 0. Got {shape}.")
    return lengths


def start_of(who: str, start: Any) -> int:
    """The number of the first element. Raises DTypeError for what is no int, ValueError outside 0 .. 2^63 - 1."""
    try:
        first = operator.index(start)
    except TypeError as error:
        raise DTypeError(f"{who}: start must be an int. Got {start!r}.") from error
    if not 0 <= first < 2**63:
        raise ValueError(f"{who}: start must be >= 0 and < 2^63. Got {first}.")
    return first


def dtype_of(who: str, dtype: Any, kind: str = "real floating") -> str:
    """The name of a dtype of that kind. Raises DTypeError for another."""
    name = name_of(dtype)
    if name not in KINDS[kind]:
        raise DTypeError(f"{who}: dtype must be {'an' if kind[0] in 'aiu' else 'a'} {kind} one. Got {name}.")
    return name


def known(x: Any) -> Numpy[Any] | None:
    """The elements of a number or an array, None of what is still to come."""
    if hasattr(x, "spec"):
        return x.numpy() if isinstance(x, NDArray) else None
    return np.asarray(x)


def parameter(
    who: str, name: str, x: Any, dtype: str, holds: Callable[[Any], Any] | None = None, must: str = ""
) -> Any:
    """A number or array as a value of that dtype, symbols too.

    Raises DTypeError for what are no real numbers, and ValueError where values are known and not all `holds`.
    """
    given = known(x)
    kind = str(x.spec.dtype) if given is None else given.dtype.name
    if kind not in KINDS["real numeric"] and kind != "bool":
        said = kind if kind in KINDS["any"] else type(x).__name__
        raise DTypeError(f"{who}: {name} must be real numbers. Got {said}.")
    if given is not None and holds is not None and not np.all(good := holds(given)):
        bad = np.broadcast_to(given, np.shape(good))[~good].reshape(-1)[0]
        raise ValueError(f"{who}: {name} must be {must}. Got {bad}.")
    return cast(x, dtype) if hasattr(x, "spec") else wrap(np.asarray(given, numpy_dtype(dtype)))


def numbers(who: str, name: str, x: Any, holds: Callable[[Any], Any], must: str, dtype: str = "float64") -> Numpy[Any]:
    """The same in NumPy, for what is drawn by trials. Raises TypeError for symbols: their values must be known."""
    value = parameter(who, name, x, dtype, holds, must)
    return concrete(who, name, value)


def concrete(who: str, name: str, value: Any) -> Numpy[Any]:
    """The elements of a value. Raises TypeError for symbols."""
    if not isinstance(value, NDArray):
        raise DTypeError(f"{who}: the values of {name} must be known. Got {value!r}, which is traced; draw it before.")
    return value.numpy()


def fits(who: str, shape: tuple[int, ...], *parameters: Any) -> None:
    """Raise ShapeError unless each parameter broadcasts to the shape."""
    for p in parameters:
        lead = len(shape) - len(p.shape)
        if lead < 0 or any(n not in (1, m) for n, m in zip(p.shape, shape[lead:], strict=True)):
            raise ShapeError(f"{who}: parameters must broadcast to the shape {shape}. Got one of {tuple(p.shape)}.")


def common_shape(who: str, shape: Any, *parameters: Any) -> tuple[int, ...]:
    """The shape that is asked for; that of the parameters together where it is None."""
    from sparkdl.nd.ops.broadcast import broadcast

    if shape is None:
        return broadcast(who, *(tuple(p.shape) for p in parameters))
    wanted = shape_of(who, shape)
    fits(who, wanted, *parameters)
    return wanted
