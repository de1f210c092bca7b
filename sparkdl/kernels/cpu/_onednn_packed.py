"""A small product that is made again and again with one matrix, which is packed once in a run: x w (+ b) (+ y) -> y.

Which primitive: GF/s of packed w in the form each step uses, x (64, K). Zen 4, one thread, one run of best of 8, other
work on the machine (2026-11-20); the best of any form was 116.

    K x N                matmul, AVX-512   matmul, AVX2    inner product, AVX2
    128 x 512, added     brg: 113          gemm:jit: 77    brgemm: 110
    512 x 2048, added    brg: 106          gemm:jit: 51    brgemm: 107
    2048 x 512           brg: 116          gemm:jit: 60    brgemm: 107
    384 x 128, added     brg: 114          gemm:jit: 107   brgemm: 111

matmul has blocked kernels (brg) for AVX-512 alone; inner product has them for AVX2 too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._onednn_objects import Choice, Layout, Memory, Primitive, choose, free, plain
from sparkdl.kernels.cpu._onednn_recipe import (
    BIAS,
    DST,
    SCRATCHPAD,
    SCRATCHPAD_LAYOUT,
    SRC,
    WEIGHTS,
    WEIGHTS_LAYOUT,
    Row,
    executed,
)
from sparkdl.kernels.table import Array, Unsupported

_INFERENCE = 96  # dnnl_forward_inference: the form of an inner product that keeps nothing


@dataclass(frozen=True)
class Form:
    """What is multiplied: x (m, k) with w (k, n), or with w given as (n, k) when `turned`.

    bias: whether a vector (n,) is added; add: whether the output's old value is.
    """

    m: int
    k: int
    n: int
    turned: bool = False
    bias: bool = False
    add: bool = False

    @property
    def x(self) -> Layout:
        """(m, k)."""
        return plain((self.m, self.k))

    @property
    def y(self) -> Layout:
        """(m, n)."""
        return plain((self.m, self.n))


class Packed:
    """The product, chosen: `fill` makes the rows that pack w, `times` one that multiplies. Shared by all steps."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.choice, self.given, self.bias = _chosen(form)
        self.wanted, self.pad = self.choice.layout(WEIGHTS_LAYOUT), self.choice.layout(SCRATCHPAD_LAYOUT)
        self.primitive = Primitive(self.choice)
        self.reorder = None if self.given.same(self.wanted) else choose("reorder", self.given, self.wanted)

    @property
    def name(self) -> str:
        """The implementation, for `Program.explain()`."""
        return self.choice.implementation

    @property
    def scratch(self) -> Specs:
        """Room for packed w, for the product's own scratch, and for the packing's."""
        pads = self.pad.nbytes if self.reorder is None else max(self.pad.nbytes, _pad(self.reorder).nbytes)
        return Spec((self.wanted.nbytes if self.reorder else 0,), "uint8"), Spec((pads,), "uint8")

    def fill(self, w: Array, scratch: Sequence[Array]) -> Iterator[Row]:
        """Pack w, where it does not lie right as it is."""
        if self.reorder is not None:
            memories = {SRC: _at(self.given, w), DST: _at(self.wanted, scratch[0])}
            yield executed(Primitive(self.reorder), memories | _pads(_pad(self.reorder), scratch[1]))

    def times(self, x: Array, w: Array, y: Array, scratch: Sequence[Array], bias: Array | None = None) -> Row:
        """y = x w (+ bias) (+ y), after `fill(w, scratch)`."""
        memories = {
            SRC: _at(self.form.x, x),
            WEIGHTS: _at(self.wanted, w if self.reorder is None else scratch[0]),
            DST: _at(self.form.y, y),
        }
        if bias is not None and self.bias is not None:
            memories[BIAS] = _at(self.bias, bias)
        return executed(self.primitive, memories | _pads(self.pad, scratch[1]))


def _chosen(form: Form) -> tuple[Choice, Layout, Layout | None]:
    """The primitive, how it sees w as it is given, and its bias. Raises Unsupported when oneDNN has none."""
    matmul = _matmul(form)
    if matmul[0].implementation.startswith("brg"):
        return matmul
    try:
        inner = _inner_product(form)
    except Unsupported:
        return matmul
    return inner if inner[0].implementation.startswith("brg") else matmul


def _matmul(form: Form) -> tuple[Choice, Layout, Layout | None]:
    bias = plain((1, form.n)) if form.bias else None
    choice = choose("matmul", form.x, free((form.k, form.n)), bias, form.y, add=form.add)
    return choice, plain((form.k, form.n), (1, form.k) if form.turned else (form.n, 1)), bias


def _inner_product(form: Form) -> tuple[Choice, Layout, Layout | None]:
    """Its weights are counted (n, k)."""
    bias = plain((form.n,)) if form.bias else None
    given = (_INFERENCE, form.x, free((form.n, form.k)), bias, form.y)
    choice = choose("inner_product_forward", *given, add=form.add)
    return choice, plain((form.n, form.k), (form.k, 1) if form.turned else (1, form.n)), bias


def _pad(choice: Choice) -> Layout:
    return choice.layout(SCRATCHPAD_LAYOUT)


def _pads(layout: Layout, array: Array) -> dict[int, Memory]:
    return {SCRATCHPAD: _at(layout, array)} if layout.nbytes else {}


def _at(layout: Layout, array: Array) -> Memory:
    return Memory(layout, int(array.ctypes.data))
