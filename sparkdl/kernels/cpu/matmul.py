"""Products of matrices: oneDNN for float32 and bfloat16, numba where one side is a vector, else BLAS through numpy."""

from functools import partial
from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._calls import in_order
from sparkdl.kernels.cpu._onednn_objects import choose, plain
from sparkdl.kernels.cpu._onednn_products import backward, forward, in_blocks
from sparkdl.kernels.cpu._onednn_recipe import (
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
from sparkdl.kernels.cpu._rows import compiled, numba_kernel
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
    recipe = Recipe()
    if op.ta or op.tb:
        _turned(recipe, op, ins, outs)
    else:
        forward(recipe, op, ins, outs)
    return recipe.prepared()


def _turned(recipe: Recipe, op: Any, ins: Specs, outs: Specs) -> None:
    (m, n), k = outs[0].shape, ins[0].shape[0 if op.ta else 1]
    a = plain((m, k), (1, m) if op.ta else (k, 1), ins[0].dtype)
    b = plain((k, n), (1, k) if op.tb else (n, 1), ins[1].dtype)
    y = plain((m, n), dtype=outs[0].dtype)
    choice = backward(op, ins, a, b, y) if op.ta and not op.tb else choose("matmul", a, b, None, y)
    recipe.run(choice, {SRC: Slot(INS, 0, a), WEIGHTS: Slot(INS, 1, b), DST: Slot(OUTS, 0, y)})


@kernel("linear", "onednn", when=matrix)
def linear(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """act(x w + b) with x (M, K), w (K, N), b (N,)."""
    nonempty(*ins, *outs)
    recipe = Recipe()
    forward(recipe, op, ins, outs)
    recipe.activate(op.act)
    return recipe.prepared()


@numba_kernel("matmul", when=in_blocks)
def matmul_blocks(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """a b or a' b in blocks."""
    return Prepared(lambda i, o, scratch: rows([_blocks(op.ta, i, o, scratch)]), _ROOM, detail="blocks")


@numba_kernel("linear", when=in_blocks)
def linear_blocks(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """The same, then act(y + b)."""

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return rows([_blocks(False, i, o, scratch), _finish(op, i, o)])

    return Prepared(bind, _ROOM, detail=f"blocks {op.act}")


_HIGH, _DEEP, _WIDE = 192, 256, 512  # blocks of 192 and of 512 KB, for a second-level cache of 1 MB
_ROOM = Spec((_HIGH * _DEEP,)), Spec((_DEEP * _WIDE,))


def _blocks(turned: bool, ins: Arrays, outs: Arrays, scratch: Arrays) -> Row:
    (m, n), k = outs[0].shape, ins[1].shape[0]
    code = compiled("gemm", "blocks")
    return call(code, *ins[:2], outs[0], *scratch, m, k, n, _HIGH, _DEEP, _WIDE, turned)


def _finish(op: Any, ins: Arrays, outs: Arrays) -> Row:
    from sparkdl.kernels.cpu._gemv import finish

    return call(finish, outs[0], ins[2], *outs[0].shape, int(op.act == "relu"))


@kernel("matmul", "numba", when=vector)
def matmul_vector(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """(1, K) x (K, N) or (M, K) x (K, 1)."""
    return Prepared(lambda i, o, scratch: rows([_product(op.ta, op.tb, i, o)]), detail="gemv")


@kernel("linear", "numba", when=vector)
def linear_vector(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """The same, then act(y + b)."""

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return rows([_product(False, False, i, o), _finish(op, i, o)])

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
