"""What Winograd's convolution is made of: tiles of images, planes of matrices, their products, and what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from sparkdl.base.spec import Spec
from sparkdl.kernels.cpu._onednn_objects import Layout, Memory, Primitive, choose, plain
from sparkdl.kernels.cpu._onednn_recipe import DST, SCRATCHPAD, SCRATCHPAD_LAYOUT, SRC, WEIGHTS, Row, executed
from sparkdl.kernels.table import Array

SIZE = 6  # pixels of a tile that are read, each way
PLANES = SIZE * SIZE
WIDTH = 16  # channels that are worked on at a time
CHUNK, LEAST = 1 << 21, 128  # bytes of planes at a time, on both sides of a product, so that they stay in cache; tiles
Chunks = Sequence[tuple[int, int]]  # first tile, and the one after the last


@dataclass(frozen=True)
class Tiles:
    """Images (B,H,W,C) as tiles `step` pixels apart, the first at (-top, -left); `across` in a row, `each` an image."""

    shape: tuple[int, ...]
    step: int
    across: int
    each: int
    top: int = 0
    left: int = 0

    @staticmethod
    def of(images: Spec, step: int) -> "Tiles":
        """Tiles that cover images with `step` x `step` pixels each."""
        _, high, wide, _ = images.shape
        across = -(-wide // step)
        return Tiles(images.shape, step, across, -(-high // step) * across)

    def under(self, images: Spec, top: int, left: int) -> "Tiles":
        """As many tiles of the images that these are computed from, padded at the top and left."""
        return Tiles(images.shape, self.step, self.across, self.each, top, left)

    @property
    def count(self) -> int:
        """Tiles of all images."""
        return self.shape[0] * self.each

    def chunks(self, channels: int) -> Chunks:
        """All tiles in parts of nearly the same size, whose planes of so many channels fit in CHUNK if they are more
        than LEAST: products of few rows are slow."""
        most = max(CHUNK // (PLANES * channels * 4), LEAST)
        size = -(-self.count // -(-self.count // most))
        return [(at, min(at + size, self.count)) for at in range(0, self.count, size)]


@dataclass(frozen=True)
class Planes:
    """36 matrices (m, n) in one buffer, a little apart, so that they do not all meet in one set of a cache."""

    m: int
    n: int

    @property
    def gap(self) -> int:
        """Bytes from one to the next."""
        return 4 * (-(-self.m * self.n // 16) * 16 + 16)

    @property
    def spec(self) -> Spec:
        """The buffer."""
        return Spec((PLANES * self.gap // 4,))

    def layout(self, turned: bool = False) -> Layout:
        """(36, m, n); turned: (36, n, m) of the same memory."""
        m, n, step = self.m, self.n, self.gap // 4
        return plain((PLANES, n, m), (step, 1, n)) if turned else plain((PLANES, m, n), (step, n, 1))


class Product:
    """y = a b plane by plane, in one call; turned: a' b; add: to what y holds.

    36 calls of oneDNN's brg, which serves single products alone, are as fast from 64 channels on, and slower below:
    36 x (256, 32, 32) takes 0.19 ms more in calls. gemm:jit, which serves all planes at once, makes 90 to 105 GF/s from
    32 channels on. Zen 4, one thread (2026-11-24).
    """

    def __init__(self, a: Planes, b: Planes, y: Planes, turned: bool = False, add: bool = False) -> None:
        self.a, self.b, self.y = a, b, y
        self._layouts = a.layout(turned), b.layout(), y.layout()
        choice = choose("matmul", *self._layouts[:2], None, self._layouts[2], add=add)
        self._primitive, self._pad = Primitive(choice), choice.layout(SCRATCHPAD_LAYOUT)
        self.name, self.pad = choice.implementation, Spec((self._pad.nbytes,), "uint8")

    def row(self, a: Array, b: Array, y: Array, pad: Array) -> Row:
        """The native call."""
        memories = {SRC: self._memory(0, a), WEIGHTS: self._memory(1, b), DST: self._memory(2, y)}
        more = {SCRATCHPAD: Memory(self._pad, int(pad.ctypes.data))} if self.pad.size else {}
        return executed(self._primitive, memories | more)

    def _memory(self, k: int, array: Array) -> Memory:
        return Memory(self._layouts[k], int(array.ctypes.data))


def worth(pixels: int, window: int, tiles: int, c: int, o: int) -> bool:
    """Whether tiles are thought to take less time than the sums themselves, of `pixels` windows of y; c, o >= 16.

    In ns: products of planes at 98 flop / ns, less for few channels; 0.3 an element of the planes of tiles, which are
    written and read once each; 0.3 an element of the planes of taps. The sums run at 112 flop / ns. Fitted to 42
    convolutions on a Zen 4 core (2026-11-24); time over that of the sums, by B x H x W, C x O, window, for y, dx, dw:

        8x56x56   64x64   3   0.53 0.54 0.41      64x32x32  16x16  3   1.00 1.04 1.14 (not worth)
        8x28x28 128x128   3   0.37 0.43 0.32      64x16x16  32x32  3   0.59 0.49 0.49
        8x14x14 256x256   3   0.49 0.54 0.47      64x12x12  20x50  5   0.62 1.12 0.69 (dx is not worth)
        8x7x7   512x512   3   0.70 0.79 0.41      4x14x14  128x32  3   0.53 0.51 0.52
        1x7x7   512x512   3   1.95 2.24 1.76 (not worth)

    >>> worth(8 * 56 * 56, 3, 8 * 14 * 14, 64, 64), worth(49, 3, 4, 512, 512)
    (True, False)
    """
    full = o / (-(-o // 16) * 16)
    products = 2 * c * o / (98 * full * (1 - (10 / c) ** 2))
    ours = PLANES * (tiles * (products + 0.3 * (c + o)) + 0.3 * c * o)
    return ours < 0.95 * 2 * pixels * window**2 * c * o / (112 * full)
