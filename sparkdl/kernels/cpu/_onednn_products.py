"""Which of oneDNN's forms a product of float32 matrices takes: x (M, K) times w (K, N), by tables of measurements.

GF/s on Zen 4, one thread, medians of alternated runs (2026-11-24); 112 is the peak. brg: blocked kernels, for AVX-512
alone. gemm: gemm:jit. packed: an inner product whose w is packed in each run; once: w is packed beforehand; turned:
gemm:jit with w copied beforehand as (N, K).

    AVX-512, x w        brg   gemm   packed    AVX2, x w            gemm   packed   once
    2048 x 128 x 512     94    104       96    2048 x 128 x 512      109      107
    128 x 784 x 512     109    114      105    128 x 784 x 512        75      104
    256 x 784 x 2048    105    103       98    256 x 784 x 2048       53       90
    256 x 2048 x 2048   100    103       93    256 x 2048 x 2048      52       88
    64 x 2048 x 2048     86    104       56    64 x 2048 x 2048       49       69    96
    64 x 26752 x 2048    77    109       61    64 x 26752 x 2048      46       21    28  turned 84
    64 x 2048 x 26752    91    108       53    64 x 2048 x 26752     101       66
    32 x 512 x 512       97    110       93    32 x 512 x 512         68       88
    512 x 512 x 512     108    110      108    512 x 512 x 512        72      110
    256 x 512 x 640     110    109      105    256 x 512 x 640       110      110
    256 x 512 x 1536    107    111      100    256 x 512 x 1536       74      102
    3200 x 32 x 512      98     97       94    1024 x 1024 x 1024    107      105
    128 x 512 x 256     116    112      110    128 x 512 x 256       106      108
    256 x 1000 x 256    113    110      108    256 x 1000 x 256      103      104

    AVX-512, w packed beforehand: 4 x 2048 x 2048 100 (brg 22, gemm 30), 16 x 2048 x 2048 103 (52, 64)

    AVX-512, x' g       brg   gemm             AVX2, x' g           gemm   numba
    128 x 2048 x 512     95    110             128 x 2048 x 512       82       95
    512 x 2048 x 128     90    107             512 x 2048 x 128       86       99
    784 x 256 x 2048    100    110             784 x 256 x 2048      106      100
    2048 x 256 x 2048   102    109             2048 x 256 x 2048     109      105
    784 x 128 x 512     109    113             784 x 128 x 512       111      111
    512 x 128 x 256     112    110             512 x 128 x 256        83      110
    512 x 512 x 512     103    110             512 x 512 x 512        77      107
    32 x 3200 x 512      75     98             32 x 3200 x 512        81       73
    512 x 32 x 512      105    104             512 x 32 x 512         70      108
    40 x 64 x 64         76     70             40 x 64 x 64           77       75

    g w': brg is the best for AVX-512 throughout (2048 x 512 x 128 105, gemm 94), gemm for AVX2 (106).

AVX2's gemm:jit leaves operands as they lie where 1/M + 1/N >= 0.0038. Rows that lie a multiple of 2 KB apart then meet
in the same few lines of the cache.
"""

from typing import Any

from sparkdl.base.spec import Specs
from sparkdl.kernels.cpu._onednn_objects import Choice, Layout, choose, free, plain
from sparkdl.kernels.cpu._onednn_recipe import (
    BIAS,
    DST,
    INS,
    OUTS,
    SRC,
    WEIGHTS,
    WEIGHTS_LAYOUT,
    Recipe,
    Slot,
    float32,
)
from sparkdl.kernels.table import Unsupported

_INFERENCE = 96  # dnnl_forward_inference: the form of an inner product that keeps nothing
_LARGE = 1 << 23  # numbers: a w that packing would carry through memory twice
_DEEP = 8192  # from that K on, a packed w is slower than a turned one


def forward(recipe: Recipe, op: Any, ins: Specs, outs: Specs) -> None:
    """Add y = x w, or x w + b with a third input. Raises Unsupported where our own blocks are faster."""
    (m, k), n = ins[0].shape, outs[0].shape[1]
    x, w, y = (plain(s.shape, dtype=s.dtype) for s in (*ins[:2], *outs))
    b = plain((1, n), dtype=ins[2].dtype) if len(ins) == 3 else None
    choice, slot = choose("matmul", x, w, b, y), Slot(INS, 1, w)
    if ins[0].dtype == "float32":
        _left_to_blocks(choice, op, ins)
        if _packs(choice, op, m, k, n) and _packed(recipe, ins, outs):
            return
        if blocked(choice):
            choice = choose("matmul", x, w, b, y, avoid="brg" if n >= 512 and k >= 128 else "ref")
        elif _still(op) and clashes(m, n):
            slot = recipe.copied(slot, plain((k, n), (1, k)))
            choice = choose("matmul", x, slot.layout, b, y)
    recipe.run(choice, _slots(slot, x, b, y))


def backward(op: Any, ins: Specs, a: Layout, b: Layout, y: Layout) -> Choice:
    """The form of a kernel's gradient, a' b. Raises Unsupported where our own blocks are faster."""
    choice = choose("matmul", a, b, None, y)
    _left_to_blocks(choice, op, ins)
    (k, m), n = ins[0].shape, ins[1].shape[1]
    if float32(op, ins) and blocked(choice) and n >= 64 and (k >= 256 or m * n >= 1 << 18):
        return choose("matmul", a, b, None, y, avoid="brg")
    return choice


def _left_to_blocks(choice: Choice, op: Any, ins: Specs) -> None:
    if in_blocks(op, ins) and not blocked(choice):
        raise Unsupported("rows meet in the cache")


def in_blocks(op: Any, ins: Specs) -> bool:
    """Whether a b or a' b is faster in numba's blocks than by AVX2's gemm:jit."""
    if not float32(op, ins) or getattr(op, "tb", False) or _still(op):
        return False
    turned = getattr(op, "ta", False)
    m, n = ins[0].shape[1 if turned else 0], ins[1].shape[1]
    clash = clashes(m, n) or (turned and clashes(n, m))
    return m >= 128 and n >= 64 and n % 8 == 0 and clash


def blocked(choice: Choice) -> bool:
    """Whether it is one of oneDNN's blocked kernels."""
    return choice.implementation.startswith("brg")


def clashes(m: int, n: int) -> bool:
    """Whether AVX2's gemm:jit does not pack, and rows of N numbers meet in the cache."""
    return 1 / m + 1 / n >= 0.0038 and n % 512 == 0


def _still(op: Any) -> bool:
    return bool(getattr(op, "still", False))


def _packs(choice: Choice, op: Any, m: int, k: int, n: int) -> bool:
    if blocked(choice):
        return _still(op) and m <= 16 and k * n >= 1 << 18
    return clashes(m, n) and k < _DEEP and (_still(op) or k * n <= _LARGE)


def _packed(recipe: Recipe, ins: Specs, outs: Specs) -> bool:
    """An inner product, whose w is counted (n, k); False where oneDNN has no blocked one."""
    k, n = ins[1].shape
    x, given, y = plain(ins[0].shape), plain((n, k), (1, n)), plain(outs[0].shape)
    b = plain((n,)) if len(ins) == 3 else None
    choice = choose("inner_product_forward", _INFERENCE, x, free((n, k)), b, y)
    if blocked(choice):
        recipe.run(choice, _slots(recipe.copied(Slot(INS, 1, given), choice.layout(WEIGHTS_LAYOUT)), x, b, y))
    return blocked(choice)


def _slots(w: Slot, x: Layout, b: Layout | None, y: Layout) -> dict[int, Slot]:
    made = {SRC: Slot(INS, 0, x), WEIGHTS: w, DST: Slot(OUTS, 0, y)}
    return made if b is None else made | {BIAS: Slot(INS, 2, b)}
