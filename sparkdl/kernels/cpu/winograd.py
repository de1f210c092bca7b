"""Convolutions by fewer products (Winograd; Lavin and Gray 2015, arXiv 1509.09308): float32, 3 x 3 and 5 x 5 windows.

Tiles of 6 x 6 pixels become 36 planes of (tiles, channels), each plane is multiplied with its plane of the weights, and
the 36 products become 4 x 4 (window 3) or 2 x 2 (window 5) pixels: 4 and 2.8 times fewer products than the sum itself.
The three maps of a convolution (y, dx, dw) all have this form. Sums are rounded otherwise than one by one: see
`_toom.py`. A NaN or an infinity in a pixel makes NaN of all pixels of the tiles that see it, where the sum would spare
some of them. SPARKDL_WINOGRAD=off leaves these kernels out.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from sparkdl.base.errors import KernelError
from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.choice import named
from sparkdl.kernels.cpu import _tiles
from sparkdl.kernels.cpu._onednn_objects import Memory, Primitive, choose, plain
from sparkdl.kernels.cpu._onednn_recipe import DST, SRC, Row, executed, rows
from sparkdl.kernels.cpu._tiles import PLANES, SIZE, WIDTH, Planes, Product, Tiles
from sparkdl.kernels.table import Array, Arrays, Bound, Prepared, Unsupported, kernel

VARIABLE = "SPARKDL_WINOGRAD"
# Matrices of `_sandwich.py` by window: what makes planes of taps and pixels of planes, planes of g and dw of planes.
DATA, TAPS, BACK, GRAD, DUE = 0, {3: 1, 5: 2}, {3: 3, 5: 4}, {3: 5, 5: 6}, {3: 7, 5: 8}
_TABLES = Spec((2 * PLANES,), "int64")


def filtered(op: Any, ins: Specs) -> bool:
    """Whether it is of the kind: float32, one step, no dilation, no groups."""
    if not _wanted() or getattr(op, "act", "linear") not in ("linear", "relu"):
        return False
    plain_window = (op.strides, op.dilation, op.groups) == ((1, 1), (1, 1), 1)
    return plain_window and all(s.dtype == "float32" and s.size for s in ins)


def _wanted() -> bool:
    """Whether the variable leaves them in. Raises KernelError for what it cannot mean."""
    said = os.environ.get(VARIABLE, "on")
    if said not in ("on", "off"):
        raise KernelError(f"{VARIABLE} must be 'on' or 'off'. Got {said!r}.")
    return said == "on"


@kernel("conv2d", "winograd", when=filtered)
@kernel("conv2d_bias", "winograd", when=filtered)
def conv(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """x (B,H,W,C), w (K,K,C,O) (, b (O,)) -> y (B,H',W',O)."""
    before = op.padding[0][0], op.padding[1][0]
    tiles = _tiles_of(outs[0], ins[1], outs[0])
    return _filter(ins[0], ins[1], outs[0], tiles, before, relu=getattr(op, "act", "linear") == "relu")


@kernel("conv2d_grad_input", "winograd", when=filtered)
def conv_grad_input(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """g (B,H',W',O), w (K,K,C,O) -> (B,H,W,C): a convolution with the window turned around, its channels swapped."""
    last = ins[1].shape[0] - 1
    before = last - op.padding[0][0], last - op.padding[1][0]
    return _filter(ins[0], ins[1], outs[0], _tiles_of(outs[0], ins[1], ins[0]), before, backwards=True)


@kernel("conv2d_grad_kernel", "winograd", when=filtered)
def conv_grad_kernel(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """x (B,H,W,C), g (B,H',W',O) -> (K,K,C,O)."""
    given, (window, _, c, o) = _tiles_of(ins[1], outs[0], ins[1]), outs[0].shape
    seen, due, chunks = given.under(ins[0], op.padding[0][0], op.padding[1][0]), Planes(c, o), given.chunks(c + o)
    wanted = {(last - first, first > 0) for first, last in chunks}
    products = {(n, add): Product(Planes(n, c), Planes(n, o), due, True, add) for n, add in wanted}
    widest = products[chunks[0][1], False]

    def bind(i: Arrays, out: Arrays, scratch: Arrays) -> Bound:
        v, h, m, tables, pad = scratch
        desk, made = _Desk(tables, max(c, o)), list[Row]()
        for first, last in chunks:
            product = products[last - first, first > 0]
            made.append(desk.gathered(DATA, seen, i[0], product.a, v, first, last))
            made.append(desk.gathered(GRAD[window], given, i[1], product.b, h, first, last))
            made.append(product.row(v, h, m, pad))
        made.append(desk.turned(DUE[window], _address(m), due.gap, out[0], 4 * c * o, c * o))
        return rows(made, i, out, scratch)

    scratch = widest.a.spec, widest.b.spec, due.spec, _TABLES, _pad(products.values())
    return Prepared(bind, scratch, detail=f"F({window},{given.step}) {widest.name}")


def _tiles_of(images: Spec, w: Spec, y: Spec) -> Tiles:
    """Tiles that cover images with what a product makes. Raises Unsupported where tiles do not pay."""
    window, (c, o) = w.shape[0], w.shape[2:]
    if w.shape[:2] not in ((3, 3), (5, 5)) or find_spec("numba") is None:
        raise Unsupported("no tiles of this window, or no numba")
    if min(c, o) < WIDTH:
        raise Unsupported("too few channels")
    tiles = Tiles.of(images, SIZE + 1 - window)
    if named() is None and not _tiles.worth(y.size // o, window, tiles.count, c, o):
        raise Unsupported("tiles would not pay")
    return tiles


def _filter(
    x: Spec, w: Spec, y: Spec, made: Tiles, before: tuple[int, int], relu: bool = False, backwards: bool = False
) -> Prepared:
    """y = x filtered by w; backwards: by w turned around. The first rows turn the taps into planes."""
    window, (c, o) = w.shape[0], (x.shape[3], y.shape[3])
    seen, taps, chunks = made.under(x, *before), Planes(c, o), made.chunks(c + o)
    products = {n: Product(Planes(n, c), taps, Planes(n, o)) for n in {last - first for first, last in chunks}}
    widest = products[chunks[0][1]]

    def bind(ins: Arrays, outs: Arrays, scratch: Arrays) -> Bound:
        u, swapped, v, m, tables, nowhere, pad = scratch
        desk, each = _Desk(tables, max(c, o)), list[Row]()
        bias = ins[2] if len(ins) == 3 else desk.zeros
        for first, last in chunks:
            product = products[last - first]
            each.append(desk.gathered(DATA, seen, ins[0], product.a, v, first, last))
            each.append(product.row(v, u, m, pad))
            each.append(
                desk.scattered((BACK[window], int(relu)), made, product.y, m, (outs[0], bias, nowhere), first, last)
            )
        ahead = _planes_of(desk, w, ins[1], taps, u, swapped if backwards else None)
        return replace(rows([*ahead, *each], ins, outs, scratch), ahead=len(ahead))

    kept = taps.spec, Spec((w.size if backwards else 0,))
    scratch = *kept, widest.a.spec, widest.y.spec, _TABLES, Spec((o,)), _pad(products.values())
    return Prepared(bind, scratch, still=(1,), kept=(0, 1), detail=f"F({made.step},{window}) {widest.name}")


def _pad(products: Iterable[Product]) -> Spec:
    return Spec((max(p.pad.size for p in products),), "uint8")


def _planes_of(desk: "_Desk", w: Spec, source: Array, taps: Planes, u: Array, swapped: Array | None) -> list[Row]:
    """w (K,K,C,O) as planes u; with `swapped`, memory like w, of the window turned around and its channels swapped."""
    window, step = w.shape[0], 4 * taps.m * taps.n
    if swapped is None:
        return [desk.turned(TAPS[window], _address(source), step, u, taps.gap, step // 4)]
    last = _address(swapped) + step * (window**2 - 1)
    return [_swap(w, source, swapped), desk.turned(TAPS[window], last, -step, u, taps.gap, step // 4)]


def _swap(w: Spec, source: Array, target: Array) -> Row:
    """w (K,K,C,O) as (K,K,O,C)."""
    window, _, c, o = w.shape
    given, wanted = plain((window**2, o, c), (c * o, 1, o)), plain((window**2, o, c))
    choice = choose("reorder", given, wanted)
    return executed(Primitive(choice), {SRC: Memory(given, _address(source)), DST: Memory(wanted, _address(target))})


@dataclass(frozen=True)
class _Desk:
    """What all rows share: room for tables of addresses, and zeros for `size` channels."""

    tables: Array
    size: int

    @property
    def zeros(self) -> Array:
        """(size,)"""
        return _zeros(self.size)

    def gathered(
        self, kind: int, tiles: Tiles, images: Array, planes: Planes, made: Array, first: int, last: int
    ) -> Row:
        """Tiles of images into planes."""
        from sparkdl.kernels.cpu._winograd import gathered

        where = *tiles.shape[1:], tiles.top, tiles.left, tiles.across, tiles.each, planes.gap
        return _call(gathered(kind, tiles.step), (images, made, self.tables, self.zeros, *where), first, last)

    def scattered(
        self, kind: tuple[int, int], tiles: Tiles, planes: Planes, given: Array, made: Arrays, first: int, last: int
    ) -> Row:
        """Planes into tiles of `made`: images, the bias that is added, and memory for what is beyond the edge."""
        from sparkdl.kernels.cpu._winograd import scattered

        images, bias, nowhere = made
        where = *tiles.shape[1:], tiles.across, tiles.each, planes.gap
        return _call(scattered(*kind), (given, images, self.tables, bias, nowhere, *where), first, last)

    def turned(self, kind: int, start: int, gap: int, made: Array, apart: int, size: int) -> Row:
        """Planes of `size` floats, `gap` bytes apart from `start` on, into others `apart` bytes apart."""
        from sparkdl.kernels.cpu._winograd import turned

        return _call(turned(kind), (start, made, self.tables, size, gap, apart))


def _call(code: Any, values: tuple[Any, ...], first: int = 0, last: int = 0) -> Row:
    from sparkdl.kernels.cpu._numba import arguments

    given = arguments(*values)
    return (code.address, _address(given), first, last), (code, given, values)


def _zeros(size: int) -> Array:
    return np.zeros(size, np.float32)


def _address(array: Array) -> int:
    return int(array.ctypes.data)
