"""Which form a product of float32 matrices takes: x (M, K) times w (K, N), by tables of measurements.

GF/s on Zen 4, one thread, medians of alternated runs (2026-11-24); 112 is the peak. brg: oneDNN's blocked kernels, for
AVX-512 alone. gemm: its gemm:jit. packed: its inner product, w packed in each run. numba: our own blocks, `_gemm`.

    AVX-512, x w        brg   gemm   packed    AVX2, x w            gemm   packed   numba
    2048 x 128 x 512     94    104       96    2048 x 128 x 512      109      107     112
    128 x 784 x 512     109    114      105    128 x 784 x 512        75      104     101
    256 x 784 x 2048    105    103       98    256 x 784 x 2048       53       90      87
    256 x 2048 x 2048   100    103       93    256 x 2048 x 2048      52       88      91
    64 x 2048 x 2048     86    104       56    64 x 2048 x 2048       49       69      63
    64 x 512 x 4096      81    102       63    64 x 512 x 4096        49       73      65*
    64 x 26752 x 2048    77    109       61    64 x 26752 x 2048      46       21      67*
    64 x 2048 x 26752    91    108       53    64 x 2048 x 26752     101       66      66*
    32 x 512 x 512       97    110       93    32 x 512 x 512         68       88      84
    512 x 512 x 512     108    110      108    512 x 512 x 512        72      110     106
    3200 x 128 x 512     98    106      100    3200 x 128 x 512      102       89     105
    3200 x 32 x 512      98     97       94    3200 x 32 x 512       104      100     108
    128 x 512 x 256     116    112      110    128 x 512 x 256       106      108     105
    256 x 1000 x 256    113    110      108    256 x 1000 x 256      103      104     103

    AVX-512, x' g       brg   gemm             AVX2, x' g           gemm            numba
    128 x 2048 x 512     95    110             128 x 2048 x 512       82               95
    512 x 2048 x 128     90    107             512 x 2048 x 128       86               99
    784 x 256 x 2048    100    110             784 x 256 x 2048      106              100
    2048 x 256 x 2048   102    109             2048 x 256 x 2048     109              105
    784 x 128 x 512     109    113             784 x 128 x 512       111              111
    512 x 128 x 256     112    110             512 x 128 x 256        83              110
    512 x 512 x 512     103    110             512 x 512 x 512        77              107
    32 x 3200 x 512      75     98             32 x 3200 x 512        81               73
    512 x 32 x 512      105    104             512 x 32 x 512         70              108
    40 x 64 x 64         76     70             40 x 64 x 64           77               75

    g w': for AVX-512 brg is the best throughout (2048 x 512 x 128 105, gemm 94), for AVX2 gemm (106).

In time to brg's, in another run with AVX-512: 256 x 128 x 4096 0.87, 256 x 128 x 10000 0.96, 128 x 512 x 10000 0.95,
256 x 128 x 27000 0.88 and 0.83 as x' g; but 256 x 27000 x 128 as g w' 1.17.

* of another run, in which gemm made 47, 50, 97. In training steps of two runs 256 x 2048 x 2048 made 91 in numba, 84
packed; 256 x 784 x 2048 79 and 81.

AVX2's gemm:jit leaves operands as they lie where 1/M + 1/N >= 0.0038; rows a multiple of 2 KB apart then meet in the
same lines of the cache.
"""

from typing import Any

from sparkdl.base.spec import Specs
from sparkdl.kernels.cpu._onednn_objects import Choice, Layout, choose, plain
from sparkdl.kernels.cpu._onednn_recipe import (
    BIAS,
    DST,
    INS,
    OUTS,
    SRC,
    WEIGHTS,
    Recipe,
    Slot,
    float32,
)
from sparkdl.kernels.table import Unsupported
from sparkdl.kernels.threads import count


def forward(recipe: Recipe, op: Any, ins: Specs, outs: Specs) -> None:
    """Add y = x w, or x w + b with a third input. Raises Unsupported where our own blocks are faster."""
    k, n = ins[1].shape
    x, w, y = (plain(s.shape, dtype=s.dtype) for s in (*ins[:2], *outs))
    b = plain((1, n), dtype=ins[2].dtype) if len(ins) == 3 else None
    choice = choose("matmul", x, w, b, y)
    _left_to_blocks(choice, op, ins)
    if blocked(choice) and float32(op, ins) and n >= 512 and k >= 128:
        choice = choose("matmul", x, w, b, y, avoid="brg")
    slots = {SRC: Slot(INS, 0, x), WEIGHTS: Slot(INS, 1, w), DST: Slot(OUTS, 0, y)}
    recipe.run(choice, slots if b is None else slots | {BIAS: Slot(INS, 2, b)})


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
    """Whether a b or a' b is faster in numba's blocks, which one thread computes, than by AVX2's gemm:jit."""
    if not float32(op, ins) or getattr(op, "tb", False) or count() > 1:
        return False
    m, n = ins[0].shape[1 if getattr(op, "ta", False) else 0], ins[1].shape[1]
    if getattr(op, "ta", False):
        return m >= 128 and n >= 64 and n % 8 == 0 and (clashes(m, n) or clashes(n, m))
    return m >= 32 and n >= 512 and clashes(m, n)


def blocked(choice: Choice) -> bool:
    """Whether it is one of oneDNN's blocked kernels."""
    return choice.implementation.startswith("brg")


def clashes(m: int, n: int) -> bool:
    """Whether AVX2's gemm:jit does not pack, and rows of N numbers meet in the cache."""
    return 1 / m + 1 / n >= 0.0038 and n % 512 == 0
