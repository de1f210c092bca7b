"""Random ops: numba for float32 and float64, NumPy for the rest. Both make the same numbers of the same words."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._rows import divided_call, floats, numba_kernel, numpy_kernel
from sparkdl.kernels.cpu._team import in_parts, shares
from sparkdl.kernels.ref.random import words
from sparkdl.kernels.table import Arrays, Bound, Prepared, Unsupported

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


def _drawn(
    name: str, codes: Mapping[str, tuple[str, str]], each: Callable[[Any], tuple[float, ...]] = lambda op: ()
) -> None:
    """Enter the functions, by file and name, that draw numbers of an op's dtype; `each` gives what else they take."""

    @numba_kernel(name)
    def prepare(op: Any, ins: Specs, outs: Specs) -> Prepared:
        wide = 2 if op.dtype in ("float64", "uint64") else 1
        if op.dtype not in codes or wide * (op.start + outs[0].size) >= 2**63:  # places are int64
            raise Unsupported
        units = outs[0].size * (wide if name == "random_bits" else 1)
        parts = shares(units, 4 * units)

        def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
            values = (*i, *o, *scratch, wide * op.start, *each(op))
            return divided_call(*codes[op.dtype], units, parts, *values)

        return Prepared(bind, (Spec((parts, _TILE), "uint32"),), detail="philox4x32-10" + in_parts(parts))


_drawn("random_bits", {"uint32": ("draws", "bits"), "uint64": ("draws", "bits")})
_drawn("random_uniform", {"float32": ("draws", "uniform"), "float64": ("draws", "uniform_double")})
_drawn(
    "random_normal",
    {"float32": ("draws", "normal"), "float64": ("draws_double", "normal")},
    lambda op: (op.inside, op.outside, op.bound),
)
_drawn("random_exponential", {"float32": ("draws", "exponential"), "float64": ("draws_double", "exponential")})
