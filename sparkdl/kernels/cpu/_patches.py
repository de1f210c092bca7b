"""Convolution as products of matrices: the patches under the window as the rows of one matrix (im2col), in numpy.

Letters: N images of a chunk, H' W' places of the window, G groups, KH KW window, c = C/G and o = O/G channels of a
group, P = N H' W', K = KH KW c. Chunks keep the matrix of patches in cache.
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
    """A convolution's shapes: x (B,H,W,C), w (KH,KW,c,O), y (B,H',W',O), and the op that holds strides and padding."""

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
    def images(self) -> int:
        """Images of a chunk."""
        a_image = math.prod((*self.y[1:3], self.op.groups, *self.w[:3])) * ITEMSIZE[self.dtype]
        return max(1, min(self.x[0], CHUNK_BYTES // max(a_image, 1)))

    def scratch(self) -> Specs:
        """The padded images (empty without padding) and the patches of a chunk."""
        (top, bottom), (left, right) = self.op.padding
        n, height, width = self.images if self.padded else 0, self.x[1] + top + bottom, self.x[2] + left + right
        patches = (self.images, *self.y[1:3], self.op.groups, *self.w[:3])
        return Spec((n, height, width, self.x[3]), self.dtype), Spec(patches, self.dtype)

    def chunks(self) -> Iterator[slice]:
        """The batch in chunks."""
        for start in range(0, self.x[0], self.images):
            yield slice(start, min(start + self.images, self.x[0]))

    def by_group(self, y: Array) -> Array:
        """y (N,H',W',O) as (G,P,o)."""
        return y.reshape(-1, self.op.groups, self.w[3] // self.op.groups).transpose(1, 0, 2)

    def kernel_by_group(self, w: Array) -> Array:
        """w (KH,KW,c,O) as (G,K,o)."""
        return w.reshape(-1, self.op.groups, self.w[3] // self.op.groups).transpose(1, 0, 2)


@dataclass(frozen=True)
class Patches:
    """A chunk of images. `images` (N,H,W,C) are the caller's; `room` is the padded copy of them, or they themselves."""

    geometry: Geometry
    images: Array
    room: Array
    buffer: Array  # (N,H',W',G,KH,KW,c)

    @property
    def matrix(self) -> Array:
        """The buffer as (G,P,K)."""
        flat = self.buffer.reshape(-1, self.buffer.shape[3], math.prod(self.buffer.shape[4:]))
        return flat.transpose(1, 0, 2)

    def inside(self) -> Array:
        """The images within the room."""
        (top, _), (left, _) = self.geometry.op.padding
        return self.room[:, top : top + self.geometry.x[1], left : left + self.geometry.x[2]]

    def windows(self) -> Array:
        """The room seen through the window at each place: (N,H',W',G,KH,KW,c). Windows overlap."""
        op, (n, row, col, one) = self.geometry.op, self.room.strides
        steps = (n, row * op.strides[0], col * op.strides[1], self.geometry.w[2] * one)
        return as_strided(
            self.room, self.buffer.shape, (*steps, row * op.dilation[0], col * op.dilation[1], one), writeable=True
        )

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
        for k, m in np.ndindex(windows.shape[4:6]):
            windows[..., k, m, :] += self.buffer[..., k, m, :]
        if self.geometry.padded:
            self.images[...] = self.inside()


def patches(geometry: Geometry, images: Array, scratch: Arrays) -> Patches:
    """One chunk, in memory of the plan."""
    room = scratch[0][: len(images)] if geometry.padded else images
    return Patches(geometry, images, room, scratch[1][: len(images)])
