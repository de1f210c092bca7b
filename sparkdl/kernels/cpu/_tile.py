"""Products of small matrices in numba code: c = a b, or c += a b, for kernels that do more around them.

b lies packed in panels: 16 columns (the last panel may have 8) of all its rows, one after another. A tile of c, some
rows by one panel, stays in registers while it is summed: 6 x 2 vectors of 8 leave 4 of AVX2's 16 registers. LLVM makes
no such tiles of loops, so they are written in its own language. Numbers of columns are multiples of 8. Strides are in
bytes.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from sparkdl.kernels.cpu._line import copied
from sparkdl.kernels.cpu._numba import f4, fast, vec

WIDTH, PANEL = 8, 16
_VECTOR, _WORD = ir.VectorType(ir.FloatType(), WIDTH), ir.IntType(64)
_FUSE = ("contract",)  # a product and a sum may be one instruction


def _tile(rows: int, vectors: int) -> Callable[..., Any]:
    """Code for a tile: (a, a's row, a's column, b, c, c's row, k, whether c is added to) -> 0."""

    @intrinsic
    def tile(context: Any, a: Any, a_row: Any, a_col: Any, b: Any, c: Any, c_row: Any, k: Any, add: Any) -> Any:
        def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
            _summed(builder, rows, vectors, *args)
            return _WORD(0)

        return types.int64(*[types.int64] * 8), build

    made: Callable[..., Any] = tile
    return made


def _summed(
    builder: Any, rows: int, vectors: int, a: Any, a_row: Any, a_col: Any, b: Any, c: Any, c_row: Any, k: Any, add: Any
) -> None:
    """Sums start at zero or c, take k steps, and are written to c."""
    at = {(i, j): _offset(builder, c, c_row, i, 4 * WIDTH * j) for i in range(rows) for j in range(vectors)}
    sums = {key: cgutils.alloca_once(builder, _VECTOR) for key in at}
    zero = _VECTOR([0.0] * WIDTH)
    adds = builder.icmp_signed("!=", add, _WORD(0))
    for key, place in sums.items():
        builder.store(builder.select(adds, _load(builder, at[key], _VECTOR), zero), place)
    with cgutils.for_range(builder, k) as loop:
        _step(builder, sums, rows, builder.add(a, builder.mul(loop.index, a_col)), a_row, _panel(builder, b, loop))
    for key, place in sums.items():
        builder.store(builder.load(place), _pointer(builder, at[key], _VECTOR), align=4)


def _step(builder: Any, sums: Any, rows: int, a: Any, a_row: Any, b: Any) -> None:
    """Each of the rows' numbers times each vector of b's row."""
    right = [_load(builder, builder.add(b, _WORD(4 * WIDTH * j)), _VECTOR) for j in range(len(sums) // rows)]
    for i in range(rows):
        left = _repeated(builder, _load(builder, _offset(builder, a, a_row, i, 0), ir.FloatType()))
        for j, vector in enumerate(right):
            product = builder.fmul(left, vector, flags=_FUSE)
            builder.store(builder.fadd(builder.load(sums[i, j]), product, flags=_FUSE), sums[i, j])


def _panel(builder: Any, b: Any, loop: Any) -> Any:
    return builder.add(b, builder.mul(loop.index, _WORD(4 * PANEL)))


def _offset(builder: Any, base: Any, stride: Any, i: int, more: int) -> Any:
    return builder.add(base, builder.add(builder.mul(stride, _WORD(i)), _WORD(more)))


def _pointer(builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, ir.PointerType(kind))


def _load(builder: Any, address: Any, kind: Any) -> Any:
    return builder.load(_pointer(builder, address, kind), align=4)


def _repeated(builder: Any, number: Any) -> Any:
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, ir.IntType(32)(0))
    mask = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), mask)


_6x2, _4x2, _2x2, _1x2 = (_tile(rows, 2) for rows in (6, 4, 2, 1))
_6x1, _4x1, _2x1, _1x1 = (_tile(rows, 1) for rows in (6, 4, 2, 1))


@fast
def product(a: Any, a_row: Any, a_col: Any, b: Any, c: Any, c_row: Any, m: Any, k: Any, n: Any, add: Any) -> Any:
    """c (m, n) = a b, plus c where `add` is 1. Addresses; a (m, k) at any strides, b packed, c's rows at a stride."""
    for j in range(0, n, PANEL):
        panel, out, wide = b + 4 * k * j, c + 4 * j, n - j >= PANEL
        i = 0
        while i < m:
            left, at, rest = a + i * a_row, out + i * c_row, m - i
            if wide:
                if rest >= 6:
                    _6x2(left, a_row, a_col, panel, at, c_row, k, add)
                elif rest >= 4:
                    _4x2(left, a_row, a_col, panel, at, c_row, k, add)
                elif rest >= 2:
                    _2x2(left, a_row, a_col, panel, at, c_row, k, add)
                else:
                    _1x2(left, a_row, a_col, panel, at, c_row, k, add)
            elif rest >= 6:
                _6x1(left, a_row, a_col, panel, at, c_row, k, add)
            elif rest >= 4:
                _4x1(left, a_row, a_col, panel, at, c_row, k, add)
            elif rest >= 2:
                _2x1(left, a_row, a_col, panel, at, c_row, k, add)
            else:
                _1x1(left, a_row, a_col, panel, at, c_row, k, add)
            i += 6 if rest >= 6 else 4 if rest >= 4 else 2 if rest >= 2 else 1


@fast
def packed(b: Any, row: Any, k: Any, n: Any, into: Any) -> Any:
    """b (k, n), rows at a stride, into panels."""
    for j in range(0, n, PANEL):
        width, panel = min(PANEL, n - j), into + 4 * k * j
        for i in range(k):
            copied(vec(b + i * row + 4 * j, width), vec(panel + 4 * PANEL * i, width))


@fast
def packed_turned(b: Any, row: Any, k: Any, n: Any, into: Any) -> Any:
    """b' into panels, for b (n, k) with rows at a stride; zeros up to a whole panel."""
    for j in range(0, n, PANEL):
        panel = vec(into + 4 * k * j, PANEL * k)
        for q in range(PANEL):
            if j + q < n:
                x = vec(b + (j + q) * row, k)
                for i in range(k):
                    panel[PANEL * i + q] = x[i]
            else:
                for i in range(k):
                    panel[PANEL * i + q] = f4(0.0)
