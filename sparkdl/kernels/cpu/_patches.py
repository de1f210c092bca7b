"""Convolution as products of matrices: the patches under the window as the rows of one matrix (im2col), in numpy.

Letters: N images of a chunk, S their axes ((H, W) or (D, H, W)), S' places of the window, G groups, W the window's
lengths, c = C/G and o = O/G channels of a group, P = N prod(S'), K = prod(W) c. Chunks keep the matrix of patches in
cache.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from sparkdl.base.spec import ITEMSIZE, Spec, Specs
from sparkdl.kernels.table import Array, Arrays

CHUNK_BYTES = 1 << 21
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Geometry:
    """A convolution's shapes: x (B,S,C), w (W,c,O), y (B,S',O), and the op that holds strides and padding."""

    op: Any
    x: Shape
    w: Shape
    y: Shape
    dtype: str

    @property
    def padded(self) -> bool:
        """Whether there is any padding."""
        return any(n for pair in self.op.padding for n in pair)

    @property
    def patch(self) -> Shape:
        """The patches of one image, (S',G,W,c)."""
        return *self.y[1:-1], self.op.groups, *self.w[:-1]

    @property
    def images(self) -> int:
        """Images of a chunk."""
        a_image = math.prod(self.patch) * ITEMSIZE[self.dtype]
        return max(1, min(self.x[0], CHUNK_BYTES // max(a_image, 1)))

    def scratch(self) -> Specs:
        """The padded images (empty without padding) and the patches of a chunk."""
        room = (n + sum(pad) for n, pad in zip(self.x[1:-1], self.op.padding, strict=True))
        padded = Spec((self.images if self.padded else 0, *room, self.x[-1]), self.dtype)
        return padded, Spec((self.images, *self.patch), self.dtype)

    def chunks(self) -> Iterator[slice]:
        """The batch in chunks."""
        for start in range(0, self.x[0], self.images):
            yield slice(start, min(start + self.images, self.x[0]))

    def by_group(self, y: Array) -> Array:
        """y (N,S',O) as (G,P,o)."""
        return y.reshape(-1, self.op.groups, self.w[-1] // self.op.groups).transpose(1, 0, 2)

    def kernel_by_group(self, w: Array) -> Array:
        """w (W,c,O) as (G,K,o)."""
        return w.reshape(-1, self.op.groups, self.w[-1] // self.op.groups).transpose(1, 0, 2)


@dataclass(frozen=True)
class Patches:
    """A chunk of images. `images` (N,S,C) are the caller's; `room` is the padded copy of them, or they themselves."""

    geometry: Geometry
    images: Array
    room: Array
    buffer: Array  # (N,S',G,W,c)

    @property
    def matrix(self) -> Array:
        """The buffer as (G,P,K)."""
        groups = self.geometry.op.groups
        flat = self.buffer.reshape(-1, groups, math.prod(self.geometry.w[:-1]))
        return flat.transpose(1, 0, 2)

    def inside(self) -> Array:
        """The images within the room."""
        axes = zip(self.geometry.op.padding, self.geometry.x[1:-1], strict=True)
        return self.room[(slice(None), *(slice(before, before + n) for (before, _), n in axes))]

    def windows(self) -> Array:
        """The room seen through the window at each place: (N,S',G,W,c). Windows overlap."""
        op, (n, *steps, one) = self.geometry.op, self.room.strides
        places = (step * s for step, s in zip(steps, op.strides, strict=True))
        cells = (step * d for step, d in zip(steps, op.dilation, strict=True))
        strides = (n, *places, self.geometry.w[-2] * one, *cells, one)
        return as_strided(self.room, self.buffer.shape, strides, writeable=True)

    def gather(self) -> None:
        """Images -> patches."""
        if self.geometry.padded:
            self.room.fill(0)
            self.inside()[...] = self.images
        self.buffer[...] = self.windows()

    def scatter(self) -> None:
        """Patches -> images, each cell the sum of its copies."""
        self.room.fill(0)
        windows = self.windows()
        for cell in np.ndindex(self.geometry.w[:-2]):
            windows[(..., *cell, slice(None))] += self.buffer[(..., *cell, slice(None))]
        if self.geometry.padded:
            self.images[...] = self.inside()


def patches(geometry: Geometry, images: Array, scratch: Arrays) -> Patches:
    """One chunk, in memory of the plan."""
    room = scratch[0][: len(images)] if geometry.padded else images
    return Patches(geometry, images, room, scratch[1][: len(images)])
