"""numba code of bfloat16: a float32 without its lower half, held as uint16.

Rounding is to the nearest, ties to even; a NaN stays one (rounding it could carry into the sign). Integer steps only:
they vectorise on every machine, and subnormals live, which `vcvtneps2bf16` would flush.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from sparkdl.kernels.cpu._numba import as_pointer, f4, ints, native

_I16, _I32 = ir.IntType(16), ir.IntType(32)
_QUIET = 0x00400000  # the bit of a NaN that must not be cut off


@intrinsic
def widened(context: Any, bits: Any) -> Any:
    """uint16 bits of a bfloat16 -> float32, exact."""

    def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.bitcast(builder.shl(builder.zext(args[0], _I32), _I32(16)), ir.FloatType())

    return types.float32(types.uint16), build


@intrinsic
def narrowed(context: Any, x: Any) -> Any:
    """float32 -> uint16 bits of the nearest bfloat16."""

    def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], _I32)
        odd = builder.and_(builder.lshr(bits, _I32(16)), _I32(1))
        rounded = builder.add(bits, builder.add(odd, _I32(0x7FFF)))
        nan = builder.icmp_unsigned(">", builder.and_(bits, _I32(0x7FFFFFFF)), _I32(0x7F800000))
        kept = builder.select(nan, builder.or_(bits, _I32(_QUIET)), rounded)
        return builder.trunc(builder.lshr(kept, _I32(16)), _I16)

    return types.uint16(types.float32), build


@native
def relu(address: Any, start: Any, stop: Any, part: Any) -> Any:
    """max(y, 0) over bfloat16 start .. stop - 1 in place; NaN stays: 0x8000 .. 0xFF80 are -0 to -infinity."""
    y = carray(as_pointer(address + 2 * start), (stop - start,), np.uint16)
    for i in range(stop - start):
        y[i] = np.uint16(0) if (y[i] >= np.uint16(0x8000)) & (y[i] <= np.uint16(0xFF80)) else y[i]
    return 0


def add_relu(args: Any, unused: Any, unused_too: Any, unused_also: Any) -> Any:
    """args: r, y, n. max(y + r, 0) over n bfloat16 of y, in place; NaN stays."""
    a = ints(args, 3)
    r, y = carray(as_pointer(a[0]), (a[2],), np.uint16), carray(as_pointer(a[1]), (a[2],), np.uint16)
    for i in range(a[2]):
        z = widened(y[i]) + widened(r[i])
        y[i] = np.uint16(0) if z <= f4(0.0) else narrowed(z)
    return 0
