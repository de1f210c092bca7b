"""Products of matrices: oneDNN for float32 and bfloat16, numba where one side is a vector, else BLAS through numpy."""

from functools import partial
from typing import Any

import numpy as np

from sparkdl.base.spec import Specs
from sparkdl.kernels.cpu._calls import in_order
from sparkdl.kernels.cpu._onednn_objects import choose, plain
from sparkdl.kernels.cpu._onednn_recipe import (
    BIAS,
    DST,
    INS,
    OUTS,
    SRC,
    WEIGHTS,
    Recipe,
    Row,
    Slot,
    call,
    float32,
    multiplied,
    nonempty,
    rows,
)
from sparkdl.kernels.cpu.small import small
from sparkdl.kernels.table import Arrays, Bound, Prepared, kernel


def vector(op: Any, ins: Specs) -> bool:
    """Whether a side is a vector (M or N is 1), of float32."""
    m, n = ins[0].shape[1 if getattr(op, "ta", False) else 0], ins[1].shape[0 if getattr(op, "tb", False) else 1]
    return float32(op, ins) and 1 in (m, n)


def matrix(op: Any, ins: Specs) -> bool:
    """Whether none is, of float32 or bfloat16, and the product is worth oneDNN's call."""
    return multiplied(op, ins) and not vector(op, ins) and not small(op, ins)


@kernel("matmul", "onednn", when=matrix)
def matmul(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """(M, K) x (K, N) -> (M, N); a transposed operand is the same memory with other strides."""
    nonempty(*ins, *outs)
    (m, n), k = outs[0].shape, ins[0].shape[0 if op.ta else 1]
    a = plain((m, k), (1, m) if op.ta else (k, 1), ins[0].dtype)
    b = plain((k, n), (1, k) if op.tb else (n, 1), ins[1].dtype)
    recipe, y = Recipe(), plain((m, n), dtype=outs[0].dtype)
    avoid = "brg" if _tall(op, ins, k, n) or _wide(op, ins, n) else "ref"
    choice = choose("matmul", a, b, None, y, avoid=avoid)
    recipe.run(choice, {SRC: Slot(INS, 0, a), WEIGHTS: Slot(INS, 1, b), DST: Slot(OUTS, 0, y)})
    return recipe.prepared()


def _tall(op: Any, ins: Specs, k: int, n: int) -> bool:
    """A kernel's gradient over many rows: gemm:jit, which packs both sides, is as fast as blocked kernels or faster.

    Its time against brg's, M x K x N: 128 x 2048 x 512 0.90, 512 x 2048 x 128 0.93, 128 x 3136 x 512 0.86,
    32 x 3200 x 512 0.82, 64 x 12800 x 64 0.99; in another run 512 x 3136 x 2048 1.01, 64 x 3200 x 2048 0.99. For brg:
    128 x 3200 x 10 1.10, 40 x 64 x 64 1.06, 512 x 128 x 256 1.01, 256 x 1000 x 256 1.00, 784 x 128 x 512 0.97,
    2048 x 256 x 2048 0.96. Zen 4 with AVX-512, one thread, other work on the machine (2026-11-20).
    """
    return bool(op.ta) and float32(op, ins) and k >= 1024 and n >= 64


def _wide(op: Any, ins: Specs, n: int) -> bool:
    """Thousands of columns: gemm:jit, in whose time to brg's, M x K x N, 256 x 128 x 4096 is 0.87, 256 x 128 x 10000
    0.96, 128 x 512 x 10000 0.95, 256 x 128 x 27000 0.88, the same of a kernel's gradient (ta) 0.83, 64 x 2048 x 26752
    0.88. For brg: 256 x 784 x 2048 1.06, and 256 x 27000 x 128 with tb 1.17. Zen 4 with AVX-512 (2026-11-24).
    """
    return not op.tb and float32(op, ins) and n >= 4096


@kernel("linear", "onednn", when=matrix)
def linear(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """act(x w + b) with x (M, K), w (K, N), b (N,)."""
    nonempty(*ins, *outs)
    x, w, y = (plain(s.shape, dtype=s.dtype) for s in (*ins[:2], *outs))
    b = plain((1, *ins[2].shape), dtype=ins[2].dtype)
    recipe = Recipe()
    slots = {SRC: Slot(INS, 0, x), WEIGHTS: Slot(INS, 1, w), BIAS: Slot(INS, 2, b), DST: Slot(OUTS, 0, y)}
    recipe.run(choose("matmul", x, w, b, y), slots)
    recipe.activate(op.act)
    return recipe.prepared()


@kernel("matmul", "numba", when=vector)
def matmul_vector(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """(1, K) x (K, N) or (M, K) x (K, 1)."""
    return Prepared(lambda i, o, scratch: rows([_product(op.ta, op.tb, i, o)]), detail="gemv")


@kernel("linear", "numba", when=vector)
def linear_vector(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """The same, then act(y + b)."""

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        from sparkdl.kernels.cpu._gemv import finish

        then = call(finish, o[0], i[2], *o[0].shape, int(op.act == "relu"))
        return rows([_product(False, False, i, o), then])

    return Prepared(bind, detail=f"gemv {op.act}")


def _product(ta: bool, tb: bool, ins: Arrays, outs: Arrays) -> Row:
    """Either the rows of a matrix times a vector, or their sum weighted by one."""
    from sparkdl.kernels.cpu._gemv import dots, sums

    a, b, y = *ins[:2], outs[0]
    if y.shape[0] == 1:
        return call(dots if tb else sums, b, a, y, *b.shape)
    return call(sums if ta else dots, a, b, y, *a.shape)


@kernel("matmul", "numpy")
def matmul_numpy(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """The same by BLAS, or numpy's own loops for integers; no memory is allocated."""

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        a, b = i[0].T if op.ta else i[0], i[1].T if op.tb else i[1]
        return in_order([partial(np.matmul, a, b, out=o[0])])

    return Prepared(bind, detail="np.matmul")


@kernel("linear", "numpy")
def linear_numpy(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """The same in three passes over y."""

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        calls = [partial(np.matmul, i[0], i[1], out=o[0]), partial(np.add, o[0], i[2], out=o[0])]
        return in_order(calls + [partial(np.maximum, o[0], 0, out=o[0])] * (op.act == "relu"))

    return Prepared(bind, detail="np.matmul")
