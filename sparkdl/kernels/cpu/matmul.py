"""Products of matrices: oneDNN for float32, BLAS through numpy for the rest."""

from typing import Any

import numpy as np

from sparkdl.base.spec import Specs
from sparkdl.kernels.cpu._onednn_objects import choose, plain
from sparkdl.kernels.cpu._onednn_recipe import BIAS, DST, INS, OUTS, SRC, WEIGHTS, Recipe, Slot, float32, nonempty
from sparkdl.kernels.table import Arrays, Bound, Prepared, kernel


@kernel("matmul", "onednn", when=float32)
def matmul(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """(M, K) x (K, N) -> (M, N); a transposed operand is the same memory with other strides."""
    nonempty(*ins, *outs)
    (m, n), k = outs[0].shape, ins[0].shape[0 if op.ta else 1]
    a, b = plain((m, k), (1, m) if op.ta else (k, 1)), plain((k, n), (1, k) if op.tb else (n, 1))
    recipe, y = Recipe(), plain((m, n))
    choice = choose("matmul", a, b, None, y)
    recipe.run(choice, {SRC: Slot(INS, 0, a), WEIGHTS: Slot(INS, 1, b), DST: Slot(OUTS, 0, y)})
    return recipe.prepared()


@kernel("linear", "onednn", when=float32)
def linear(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """act(x w + b) with x (M, K), w (K, N), b (N,)."""
    nonempty(*ins, *outs)
    x, w, b, y = (plain(s) for s in (ins[0].shape, ins[1].shape, (1, *ins[2].shape), outs[0].shape))
    recipe = Recipe()
    slots = {SRC: Slot(INS, 0, x), WEIGHTS: Slot(INS, 1, w), BIAS: Slot(INS, 2, b), DST: Slot(OUTS, 0, y)}
    recipe.run(choose("matmul", x, w, b, y), slots)
    recipe.activate(op.act)
    return recipe.prepared()


@kernel("matmul", "numpy")
def matmul_numpy(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """The same by BLAS, or numpy's own loops for integers; no memory is allocated."""

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        a, b = i[0].T if op.ta else i[0], i[1].T if op.tb else i[1]
        return lambda: void(np.matmul(a, b, out=o[0]))

    return Prepared(bind, detail="np.matmul")


@kernel("linear", "numpy")
def linear_numpy(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """The same in three passes over y."""

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        def run() -> None:
            np.matmul(i[0], i[1], out=o[0])
            np.add(o[0], i[2], out=o[0])
            if op.act == "relu":
                np.maximum(o[0], 0, out=o[0])

        return run

    return Prepared(bind, detail="np.matmul")


def void(value: object) -> None:
    """Drop a value."""
