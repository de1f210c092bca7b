"""numba code that moves elements: by bytes where runs are contiguous, else float32 by float32."""

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from sparkdl.kernels.cpu._numba import fast, ints, vec

TILE = 16


@intrinsic
def copy_bytes(context: Any, target: Any, source: Any, count: Any) -> Any:
    """memcpy."""

    def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
        to, come = (builder.inttoptr(a, cgutils.voidptr_t) for a in args[:2])
        cgutils.raw_memcpy(builder, to, come, args[2], 1)
        return ctx.get_constant(types.int64, 0)

    return types.int64(types.int64, types.int64, types.int64), build


@intrinsic
def zero_bytes(context: Any, target: Any, count: Any) -> Any:
    """memset to 0."""

    def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
        cgutils.memset(builder, builder.inttoptr(args[0], cgutils.voidptr_t), args[1], 0)
        return ctx.get_constant(types.int64, 0)

    return types.int64(types.int64, types.int64), build


def blocks(args: Any, b: Any, c: Any, d: Any) -> Any:
    """Copy runs of bytes.   args: source, target, runs, bytes of each, from start to start in source, in target."""
    a = ints(args, 6)
    for i in range(a[2]):
        copy_bytes(a[1] + i * a[5], a[0] + i * a[4], a[3])
    return 0


def moved(args: Any, b: Any, c: Any, d: Any) -> Any:
    """args: source, target, bytes. Copies, unless the source lies there already."""
    a = ints(args, 3)
    if a[0] != a[1]:
        copy_bytes(a[1], a[0], a[2])
    return 0


def zeros(args: Any, b: Any, c: Any, d: Any) -> Any:
    """Zero runs of bytes.   args: target, runs, bytes of each, from start to start."""
    a = ints(args, 4)
    for i in range(a[1]):
        zero_bytes(a[0] + i * a[3], a[2])
    return 0


@fast
def turned(x: Any, y: Any, rows: Any, cols: Any) -> Any:
    """y (cols, rows) = x (rows, cols) transposed, both addresses; tile by tile, so that both stay in cache."""
    for top in range(0, rows, TILE):
        height = min(TILE, rows - top)
        for left in range(0, cols, TILE):
            for j in range(left, min(left + TILE, cols)):
                to = vec(y + 4 * (j * rows + top), height)
                come = vec(x + 4 * (top * cols + j), (height - 1) * cols + 1)
                for i in range(height):
                    to[i] = come[i * cols]


def transpose2(args: Any, b: Any, c: Any, d: Any) -> Any:
    """Matrices transposed.   args: x (outer, rows, cols), y (outer, cols, rows), outer, rows, cols."""
    a = ints(args, 5)
    step = 4 * a[3] * a[4]
    for k in range(a[2]):
        turned(a[0] + k * step, a[1] + k * step, a[3], a[4])
    return 0


@fast
def strided(x: Any, step: Any, y: Any) -> Any:
    come = vec(x, (y.shape[0] - 1) * step + 1)
    for m in range(y.shape[0]):
        y[m] = come[m * step]


def transpose4(args: Any, b: Any, c: Any, d: Any) -> Any:
    """Any order of four axes.   args: x, y, the four lengths of y, and how far apart (in elements) each lies in x."""
    a = ints(args, 10)
    n0, n1, n2, n3 = a[2], a[3], a[4], a[5]
    at = a[1]
    for i in range(n0):
        for j in range(n1):
            for k in range(n2):
                come = a[0] + 4 * (i * a[6] + j * a[7] + k * a[8])
                if a[9] == 1:
                    copy_bytes(at, come, 4 * n3)
                else:
                    strided(come, a[9], vec(at, n3))
                at += 4 * n3
    return 0


def spread(args: Any, b: Any, c: Any, d: Any) -> Any:
    """y[i, j, k, m] = x[i, k].   args: x, y, the four lengths of y."""
    a = ints(args, 6)
    n2, n3 = a[4], a[5]
    at = a[1]
    for i in range(a[2]):
        x = vec(a[0] + 4 * i * n2, n2)
        for _ in range(a[3]):
            for k in range(n2):
                value, to = x[k], vec(at + 4 * k * n3, n3)
                for m in range(n3):
                    to[m] = value
            at += 4 * n2 * n3
    return 0


def repeat(args: Any, b: Any, c: Any, d: Any) -> Any:
    """y[i, j, k] = x[i, k].   args: x, y, the three lengths of y, the last in bytes."""
    a = ints(args, 5)
    for i in range(a[2]):
        for j in range(a[3]):
            copy_bytes(a[1] + (i * a[3] + j) * a[4], a[0] + i * a[4], a[4])
    return 0
