"""`M x M'` for a square x of vectors, as vector code: what Winograd's convolution does to tiles before and behind its
products. numba has no vectors of its own, and LLVM's loops over 36 streams would check each pair for overlap: so the
code is written here, 16 channels wide.

An x of (n, n) pixels lies where a table of n * n addresses says, so that pixels beyond the edge can be zeros elsewhere.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sparkdl.kernels.cpu._tiles import WIDTH
from sparkdl.kernels.cpu._toom import Matrix, filtering

_THREE, _FIVE, _FOUR, _TWO = (filtering(r) for r in (3, 5, 4, 2))
# What M may be, by number: B' of all; G and A' of F(4, 3) and F(2, 5); G and A' of their gradients in the taps.
DATA, TAPS_3, TAPS_5, BACK_3, BACK_5, GRAD_3, GRAD_5, DUE_3, DUE_5 = range(9)
MATRICES: tuple[Matrix, ...] = (
    _THREE.data, _THREE.taps, _FIVE.taps, _THREE.back, _FIVE.back, _FOUR.taps, _TWO.taps, _FOUR.back, _TWO.back,
)  # fmt: skip
_VECTOR = ir.VectorType(ir.FloatType(), WIDTH)
_I64 = ir.IntType(64)
_FLAGS = ("contract", "reassoc", "nsz")
Values = list[Any]


@intrinsic(prefer_literal=True)
def sandwich(context: Any, kind: Any, ins: Any, outs: Any, offset: Any, bias: Any, relu: Any) -> Any:
    """outs = M x M' (+ bias) (relu) with M = MATRICES[kind], for WIDTH channels from `offset` bytes on.

    ins, outs: addresses of the tables of addresses of the pixels. bias: address of the channels' biases, or 0.
    kind and relu are literal.
    """
    chosen, clipped = MATRICES[kind.literal_value], bool(relu.literal_value)

    def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
        _, source, target, shift, added, _ = args
        n, m = len(chosen[0]), len(chosen)
        x = [[_load(builder, source, i * n + j, shift) for j in range(n)] for i in range(n)]
        rows = [_times(builder, chosen, [x[i][j] for i in range(n)]) for j in range(n)]  # by column
        extra = _bias(builder, added, shift) if clipped or kind.literal_value in (BACK_3, BACK_5) else None
        for i in range(m):
            for j, value in enumerate(_times(builder, chosen, [rows[k][i] for k in range(n)])):
                _store(builder, _finished(builder, value, extra, clipped), target, i * m + j, shift)
        return ir.Constant(_I64, 0)

    given = (kind, types.int64, types.int64, types.int64, types.int64, relu)
    return types.int64(*given), build


def _load(builder: Any, table: Any, k: int, shift: Any) -> Any:
    return builder.load(_pixel(builder, table, k, shift), align=4)


def _store(builder: Any, value: Any, table: Any, k: int, shift: Any) -> None:
    builder.store(value, _pixel(builder, table, k, shift), align=4)


def _pixel(builder: Any, table: Any, k: int, shift: Any) -> Any:
    """Pointer to WIDTH channels of pixel k."""
    entry = builder.inttoptr(builder.add(table, ir.Constant(_I64, 8 * k)), ir.PointerType(_I64))
    return builder.inttoptr(builder.add(builder.load(entry), shift), ir.PointerType(_VECTOR))


def _bias(builder: Any, address: Any, shift: Any) -> Any:
    at = builder.inttoptr(builder.add(address, shift), ir.PointerType(_VECTOR))
    return builder.load(at, align=4)


def _times(builder: Any, matrix: Matrix, x: Values) -> Values:
    """matrix x."""
    return [_sum(builder, [(float(c), v) for c, v in zip(row, x, strict=True) if c]) for row in matrix]


def _sum(builder: Any, terms: list[tuple[float, Any]]) -> Any:
    """The sum of c v; those with |c| = 1 first, so that the others are fused multiply-adds."""
    terms = sorted(terms, key=lambda term: (abs(term[0]) != 1.0, term[0] < 0))
    c, total = terms[0]
    total = total if c == 1.0 else builder.fmul(total, _constant(c), flags=_FLAGS)
    for c, v in terms[1:]:
        if abs(c) == 1.0:
            total = (builder.fadd if c > 0 else builder.fsub)(total, v, flags=_FLAGS)
        else:
            total = builder.fadd(total, builder.fmul(v, _constant(c), flags=_FLAGS), flags=_FLAGS)
    return total


def _constant(c: float) -> Any:
    return ir.Constant(_VECTOR, [c] * WIDTH)


def _finished(builder: Any, value: Any, bias: Any, relu: bool) -> Any:
    """relu(value + bias); a NaN is not less than 0 and stays."""
    if bias is not None:
        value = builder.fadd(value, bias, flags=_FLAGS)
    if relu:
        zero = _constant(0.0)
        value = builder.select(builder.fcmp_ordered("<", value, zero), zero, value)
    return value
