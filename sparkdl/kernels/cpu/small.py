"""Small products in numba: a oneDNN call costs them as much as the work."""

from importlib.util import find_spec
from typing import Any

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._onednn_recipe import call, float32, rows
from sparkdl.kernels.table import Arrays, Bound, Prepared, kernel

WIDE, LIMIT, NARROW_LIMIT = 16, 2**18, 2**13  # columns; M x K x N where there are as many, and where there are fewer


def small(op: Any, ins: Specs) -> bool:
    """Whether tiles are faster: a product of float32 with M >= 8 and N > 1 that is small, and numba is there.

    Their time against oneDNN's best, M x K x N, AVX-512 / AVX2: 64 x 40 x 64 0.81 / 0.86, 64 x 64 x 32 0.82 / 0.83,
    8 x 64 x 64 0.62 / 0.48, 256 x 32 x 32 0.88 / 0.91, 40 x 9 x 20 0.39 / 0.27; past the limit 128 x 64 x 64
    0.94 / 1.00, 128 x 128 x 128 0.99 / 1.03. Few columns waste lanes: 64 x 32 x 2 0.59 / 0.63, 64 x 64 x 2
    0.72 / 0.84, but 64 x 32 x 10 1.12 / 1.02, 64 x 64 x 10 1.40 / 1.30. A transposed first operand costs nothing:
    40 x 64 x 64 0.70 / 0.88. A transposed second one is turned first, at 0.28 ns an element: 64 x 32 x 64 0.95 / 0.92,
    64 x 2 x 32 0.29 / 0.27, but 64 x 64 x 64 1.06 / 1.08, 8 x 128 x 128 3.6 / 2.8. In a training step between other
    work they gain more, for all products are one code: those of a step of 40-64-32-2 took 28 us there and take 16.
    Zen 4, one thread (2026-11-24).
    """
    if not float32(op, ins) or find_spec("numba") is None:
        return False
    ta, tb = getattr(op, "ta", False), getattr(op, "tb", False)
    (m, k), n = ins[0].shape[:: -1 if ta else 1], ins[1].shape[0 if tb else 1]
    fits = 0 < m * k * n <= (LIMIT if n >= WIDE else NARROW_LIMIT)
    return fits and m >= 8 and n > 1 and (not tb or k * n <= 32 * m)


@kernel("matmul", "numba", when=small)
def matmul(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """(M, K) x (K, N) -> (M, N)."""
    turned = Spec(ins[1].shape[::-1])

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        m, k = i[0].shape[:: -1 if op.ta else 1]
        steps = (4, 4 * m) if op.ta else (4 * k, 4)
        b, bt = (scratch[0], i[1]) if op.tb else (i[1], 0)
        return _bound(i[0], *steps, b, o[0], 0, m, k, o[0].shape[1], 0, bt)

    return Prepared(bind, scratch=(turned,) if op.tb else (), detail="tiles")


@kernel("linear", "numba", when=small)
def linear(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """act(x w + b) with x (M, K), w (K, N), b (N,)."""

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        (m, k), n = i[0].shape, i[1].shape[1]
        return _bound(i[0], 4 * k, 4, i[1], o[0], i[2], m, k, n, int(op.act == "relu"), 0)

    return Prepared(bind, detail=f"tiles {op.act}")


def _bound(*args: Any) -> Bound:
    from sparkdl.kernels.cpu._small import product

    return rows([call(product, *args)])
