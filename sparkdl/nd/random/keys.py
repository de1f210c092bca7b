"""Keys: where streams begin."""

import hashlib
import operator
from typing import Any

import numpy as np

from sparkdl.base.errors import DTypeError
from sparkdl.base.rng import Key
from sparkdl.base.spec import KINDS
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.op import apply
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.random import RandomFold
from sparkdl.nd.random.given import key_of, shape_of


def key(seed: int) -> NDArray:
    """The key of a seed, any int. uint32[2]; the words of `sparkdl.base.rng.Key.of(seed)`.

    >>> key(7)
    NDArray([3871650537, 3764742562], dtype=uint32, device=cpu)
    """
    try:
        number = operator.index(seed)
    except TypeError as error:
        raise DTypeError(f"key: seed must be an int. Got {seed!r}.") from error
    return wrap(Key.of(number).words())


def split(key: Any, n: int | tuple[int, ...] = 2) -> Any:
    """Keys of `n` streams of their own. uint32 (n, 2), or (*n, 2) for a tuple.

    The key itself should not be drawn from again: not because its numbers would come again, but because a second
    `split` would give the same keys.

    >>> a, b = split(Key.of(0))
    >>> a.shape
    (2,)
    """
    shape = shape_of("split", n)
    numbers = np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)
    return apply(RandomFold(split=True), key_of("split", key), wrap(numbers))


def fold_in(key: Any, data: Any) -> Any:
    """The key of the stream that `data` names: an int, a name, or an integer array or symbol such as a step's number.

    uint32 (*data.shape, 2). Ints are taken modulo 2^64; a name is the first 64 bits of its BLAKE2b hash.

    >>> fold_in(Key.of(0), 3).tolist() == fold_in(Key.of(0), NDArray(3)).tolist()
    True
    """
    given = key_of("fold_in", key)
    if isinstance(data, str):
        data = int.from_bytes(hashlib.blake2b(data.encode(), digest_size=8).digest(), "little")
    return apply(RandomFold(), given, _numbers(data))


def _numbers(data: Any) -> Any:
    value = NDArray(data) if isinstance(data, np.ndarray | np.generic) else data
    if hasattr(value, "spec"):
        if value.spec.dtype not in KINDS["integer"]:
            raise DTypeError(f"fold_in: data must be ints or a name. Got {value.spec}.")
        return cast(value, "int64")
    try:
        return wrap(np.array(operator.index(data) % 2**64, np.uint64).view(np.int64))
    except TypeError as error:
        raise DTypeError(f"fold_in: data must be ints or a name. Got {data!r}.") from error
