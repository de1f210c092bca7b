"""Shapes: moved elements that need not move, or move once; sums over axes in one; dtypes changed once."""

import numpy as np

from sparkdl.base.spec import BFLOAT16, numpy_dtype
from sparkdl.compile.site import Site, Table
from sparkdl.graph.graph import Ref
from sparkdl.nd.ops.choice import Cast
from sparkdl.nd.ops.matmul import MatMul
from sparkdl.nd.ops.reduce import Sum
from sparkdl.nd.ops.shape import BroadcastTo, Reshape, Transpose


def nothing_changed(s: Site) -> Ref | None:
    """A reshape, broadcast or cast to what it is already."""
    return s.ins[0] if s.spec(s.ins[0]) == s.out else None


def reshaped_twice(s: Site) -> Ref | None:
    """A reshape of a reshape is one."""
    inner = s.made(s.ins[0], Reshape)
    return s.write(s.op, inner[0]) if inner else None


def broadcast_twice(s: Site) -> Ref | None:
    """A broadcast of a broadcast is one."""
    inner = s.made(s.ins[0], BroadcastTo)
    return s.write(s.op, inner[0]) if inner else None


def transposed_twice(s: Site) -> Ref | None:
    """A transposition of a transposition is one."""
    inner = s.made(s.ins[0], Transpose)
    if not inner:
        return None
    first = s.op_of(s.ins[0]).axes
    axes = tuple(first[a] for a in s.op.axes)
    return inner[0] if axes == tuple(sorted(axes)) else s.write(Transpose(axes), inner[0])


def nothing_moved(s: Site) -> Ref | None:
    """A transposition that leaves axes longer than 1 in their order is a reshape, which is free."""
    shape = s.spec(s.ins[0]).shape
    long = [a for a in s.op.axes if shape[a] != 1]
    if long != sorted(long):
        return None
    return s.ins[0] if s.out.shape == shape else s.write(Reshape(s.out.shape), s.ins[0])


def transposed_operand(s: Site) -> Ref | None:
    """matmul(transpose(a), b) -> matmul(a, b) with the flag that says so."""
    flags, ins = [s.op.ta, s.op.tb], list(s.ins)
    for at in (0, 1):
        inner = s.made(ins[at], Transpose)
        if inner and s.op_of(ins[at]).axes == (1, 0):
            flags[at], ins[at] = not flags[at], inner[0]
    return s.write(MatMul(*flags), *ins) if tuple(ins) != s.ins else None


def summed_twice(s: Site) -> Ref | None:
    """sum(sum(x)) over other axes is one sum, where nobody else wants the first."""
    inner = s.made(s.ins[0], Sum)
    if not inner or not s.only(0):
        return None
    first = s.op_of(s.ins[0])
    left = [k for k in range(len(s.spec(inner[0]).shape)) if first.keepdims or k not in first.axes]
    axes = tuple(sorted({*first.axes, *(left[a] for a in s.op.axes)}))
    made = s.write(Sum(axes, s.op.keepdims and first.keepdims), inner[0])
    return made if s.spec(made) == s.out else s.write(Reshape(s.out.shape), made)


def cast_twice(s: Site) -> Ref | None:
    """A cast of a cast is one, where the dtype between holds all numbers of the first."""
    inner = s.made(s.ins[0], Cast)
    if not inner or not _holds(s.spec(s.ins[0]).dtype, s.spec(inner[0]).dtype):
        return None
    return inner[0] if s.spec(inner[0]) == s.out else s.write(s.op, inner[0])


def _holds(wide: str, narrow: str) -> bool:
    """Whether each number of a dtype is one of the other; NumPy calls int64 to float64 safe, which it is not."""
    if BFLOAT16 in (wide, narrow):
        return wide == narrow or (narrow == BFLOAT16 and wide in ("float32", "float64"))
    inexact = narrow in ("int64", "uint64") and wide.startswith("float")
    return not inexact and np.can_cast(numpy_dtype(narrow), numpy_dtype(wide), "safe")


RULES: Table = {
    "reshape": (nothing_changed, reshaped_twice),
    "broadcast_to": (nothing_changed, broadcast_twice),
    "transpose": (nothing_moved, transposed_twice),
    "matmul": (transposed_operand,),
    "sum": (summed_twice,),
    "cast": (nothing_changed, cast_twice),
}
