"""Random ops through `base.rng.philox`, which defines their numbers."""

from typing import Any

import numpy as np

from sparkdl.base.rng import philox
from sparkdl.kernels.ref.elementwise import widened
from sparkdl.kernels.table import Array, kernel, rowwise


def words(ids: Array, key: Array, count: int) -> Array:
    """`count` random words for each id. (B, count), uint32."""
    blocks = -(-count // 4)
    counter = np.zeros((len(ids), blocks, 4), np.uint32)
    counter[..., 0] = (ids & 0xFFFFFFFF)[:, None]
    counter[..., 1] = ((ids >> 32) & 0xFFFFFFFF)[:, None]
    counter[..., 2] = np.arange(blocks)
    return philox(counter, key).reshape(len(ids), blocks * 4)[:, :count]


def dropout(op: Any, x: Array, ids: Array, key: Array) -> Array:
    """Keep and scale where the word reaches the threshold."""
    count = int(np.prod(x.shape[1:]))
    keep = words(ids, key, count).reshape(x.shape) >= op.threshold
    return np.where(keep, widened(x) * op.scale, 0.0)


kernel("dropout", "ref")(rowwise(dropout))
