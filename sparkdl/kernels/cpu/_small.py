"""numba code of small products: tiles of the result stay in vector registers over the whole inner dimension.

A tile is written in LLVM's vectors, since LLVM does not find it in loops over arrays. The last rows and columns are a
tile shifted back over the one before: it computes some elements again, and no remainder needs code of its own.
4 rows x 16 columns are 4 registers of AVX-512 or 8 of AVX2, enough to hide the latency of an addition.
"""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from sparkdl.kernels.cpu._numba import fast, ints, native, vec

FLOAT, I32, I64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
CONTRACT = ("contract",)


class _Tile:
    """Writes act(A B + bias) for some rows of A and columns of B; holds the builder while it does.

    n: None, or how many of the columns there are: others are neither read nor written
    """

    def __init__(self, builder: Any, rows: int, width: int, n: Any = None) -> None:
        self.b, self.rows, self.width = builder, rows, width
        self.vector = ir.VectorType(FLOAT, width)
        self.zero = ir.Constant(self.vector, [0.0] * width)
        self.mask = None if n is None else self._below(n)

    def write(self, a: Any, am: Any, ak: Any, b: Any, bk: Any, y: Any, ym: Any, k: Any, bias: Any, relu: Any) -> None:
        """The arguments are addresses, steps in bytes, K > 0, the bias's address or 0, and whether to clip."""
        sums = self._summed(self._steps(a, am), ak, b, bk, k)
        added, clipped = self._bias(bias), self.b.icmp_signed("!=", relu, I64(0))
        for at, total in zip(self._steps(y, ym), sums, strict=True):
            self._store(self._active(self.b.fadd(total, added), clipped), at)

    def _steps(self, start: Any, step: Any) -> list[Any]:
        """The addresses of the rows."""
        out = [start]
        for _ in range(1, self.rows):
            out.append(self.b.add(out[-1], step))
        return out

    def _summed(self, starts: Sequence[Any], ak: Any, b: Any, bk: Any, k: Any) -> list[Any]:
        """sum_k A[r, k] B[k, :] for each row r."""
        before, loop, after = (self.b.block, *(self.b.append_basic_block(name) for name in ("k", "summed")))
        self.b.branch(loop)
        self.b.position_at_end(loop)
        first = [k, b, *starts, *[self.zero] * self.rows]
        now = [self.b.phi(value.type) for value in first]
        then = self._step(now, [I64(-1), bk, *[ak] * self.rows])
        self.b.cbranch(self.b.icmp_signed(">", then[0], I64(0)), loop, after)
        for phi, start, value in zip(now, first, then, strict=True):
            phi.add_incoming(start, before)
            phi.add_incoming(value, loop)
        self.b.position_at_end(after)
        return then[-self.rows :]

    def _step(self, now: Sequence[Any], steps: Sequence[Any]) -> list[Any]:
        """One round: what is left, B's address and those of A by their steps, and the sums."""
        places, sums = now[2 : len(steps)], now[len(steps) :]
        row = self._load(now[1])
        moved = [self.b.add(value, step) for value, step in zip(now, steps, strict=False)]
        return moved + [self._added(self._spread(p), row, s) for p, s in zip(places, sums, strict=True)]

    def _added(self, x: Any, y: Any, z: Any) -> Any:
        return self.b.fadd(z, self.b.fmul(x, y, flags=CONTRACT), flags=CONTRACT)

    def _bias(self, bias: Any) -> Any:
        """The bias of these columns; zeros where its address is 0."""
        before = self.b.block
        with self.b.if_then(self.b.icmp_signed("!=", bias, I64(0))):
            loaded, inside = self._load(bias), self.b.block
        out = self.b.phi(self.vector)
        out.add_incoming(self.zero, before)
        out.add_incoming(loaded, inside)
        return out

    def _active(self, z: Any, clipped: Any) -> Any:
        """relu of z where it is asked for; NaN stays."""
        low = self.b.fcmp_ordered("<=", z, self.zero)
        return self.b.select(clipped, self.b.select(low, self.zero, z), z)

    def _spread(self, address: Any) -> Any:
        """The number at an address, in all lanes."""
        return self._all(self.b.load(self._pointer(address, FLOAT), align=4))

    def _all(self, x: Any) -> Any:
        one = self.b.insert_element(ir.Constant(ir.VectorType(x.type, self.width), ir.Undefined), x, I32(0))
        return self.b.shuffle_vector(one, one, ir.Constant(ir.VectorType(I32, self.width), [0] * self.width))

    def _below(self, n: Any) -> Any:
        """Which lanes are among the first n."""
        lanes = ir.Constant(ir.VectorType(I64, self.width), list(range(self.width)))
        return self.b.icmp_signed("<", lanes, self._all(n))

    def _load(self, address: Any) -> Any:
        at = self._pointer(address, self.vector)
        if self.mask is None:
            return self.b.load(at, align=4)
        return self._masked("load", self.vector, at, I32(4), self.mask, self.zero)

    def _store(self, value: Any, address: Any) -> None:
        at = self._pointer(address, self.vector)
        if self.mask is None:
            self.b.store(value, at, align=4)
        else:
            self._masked("store", ir.VoidType(), value, at, I32(4), self.mask)

    def _masked(self, what: str, result: Any, *args: Any) -> Any:
        kind, name = ir.FunctionType(result, [a.type for a in args]), f"llvm.masked.{what}.v{self.width}f32.p0"
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, name), args)

    def _pointer(self, address: Any, kind: Any) -> Any:
        return self.b.inttoptr(address, ir.PointerType(kind))


@intrinsic
def wide(ctx: Any, a: Any, am: Any, ak: Any, b: Any, bk: Any, y: Any, ym: Any, k: Any, bias: Any, relu: Any) -> Any:
    """A tile of ROWS x COLS."""

    def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
        _Tile(builder, ROWS, COLS).write(*args)
        return ctx.get_dummy_value()

    return types.void(*[types.int64] * 10), build


@intrinsic
def narrow(
    ctx: Any, a: Any, am: Any, ak: Any, b: Any, bk: Any, y: Any, ym: Any, k: Any, bias: Any, relu: Any, n: Any
) -> Any:
    """A tile of TALL rows and the first n of FEW columns."""

    def build(ctx: Any, builder: Any, sig: Any, args: Any) -> Any:
        _Tile(builder, TALL, FEW, args[-1]).write(*args[:-1])
        return ctx.get_dummy_value()

    return types.void(*[types.int64] * 11), build


ROWS, COLS = 4, 16
TALL, FEW = 8, 8


@fast
def transposed(source: Any, target: Any, n: Any, k: Any) -> None:
    """(N,K) -> (K,N), by addresses."""
    for i in range(k):
        column, row = vec(source + 4 * i, n * k), vec(target + 4 * i * n, n)
        for j in range(n):
            row[j] = column[j * k]


@native
def product(args: Any, unused: Any, unused_too: Any, unused_also: Any) -> Any:
    """args: A, its row and column steps in bytes, B (K,N), y (M,N), bias (N,) or 0, M, K, N, relu (0 or 1), Bt or 0.

    y = act(A B + bias). Bt is B as (N,K), which is first transposed into B. M >= TALL, K > 0.
    """
    q = ints(args, 11)
    a, am, ak, b, y, bias, m, k, n, relu = q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7], q[8], q[9]
    if q[10] != 0:
        transposed(q[10], b, n, k)
    step = 4 * n
    if n >= COLS:
        for i in range(0, m, ROWS):
            row = min(i, m - ROWS)
            for j in range(0, n, COLS):
                at = 4 * min(j, n - COLS)
                wide(a + row * am, am, ak, b + at, step, y + row * step + at, step, k, bias + at if bias else 0, relu)
        return 0
    for i in range(0, m, TALL):
        row = min(i, m - TALL)
        for j in range(0, n, FEW):
            at = 4 * j
            there = y + row * step + at
            narrow(a + row * am, am, ak, b + at, step, there, step, k, bias + at if bias else 0, relu, n - j)
    return 0
