"""Dropout: numba for float32, NumPy for the rest. Both draw the same words."""

from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._rows import divided_call, floats, numba_kernel, numpy_kernel
from sparkdl.kernels.cpu._team import in_parts, shares
from sparkdl.kernels.ref.random import words
from sparkdl.kernels.table import Arrays, Bound, Prepared

_TILE = 1024  # words, as _random.py takes them


@numba_kernel("dropout", floats)
def _dropout(op: Any, ins: Specs, outs: Specs) -> Prepared:
    batch = ins[0].shape[0]
    each = ins[0].size // max(batch, 1)

    parts = shares(batch, 4 * ins[0].size)

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        values = (*i, *o, *scratch, batch, each, op.threshold, op.scale)
        return divided_call("random", "dropout", batch, parts, *values)

    scratch = (Spec((parts, _TILE), "uint32"),)
    return Prepared(bind, scratch, inplace=((0, 0),), detail="philox4x32-10" + in_parts(parts))


@numpy_kernel("dropout")
def dropout(op: Any, ins: Arrays, outs: Arrays) -> None:
    """Keep and scale where the word reaches the threshold."""
    (x, ids, key), y = ins, outs[0]
    keep = words(ids, key, x[:1].size).reshape(x.shape) >= op.threshold
    np.multiply(x, op.scale, out=y)
    np.copyto(y, 0, where=~keep)
