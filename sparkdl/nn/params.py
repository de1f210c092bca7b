"""Parameters: what a layer asks for, and where each tensor lies in the one flat vector.

The vector is float32, in two blocks: what is trained, then what is not (batch-norm statistics). Each tensor starts
on a multiple of 16 floats, 64 bytes, so that its view is aligned for the kernels; the gaps are zero and stay zero.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from sparkdl.base.errors import ShapeError
from sparkdl.base.rng import Key

Floats = NDArray[np.float32]

_ALIGN = 64  # bytes
_PAD = 16  # floats: 64 bytes


@dataclass(frozen=True)
class ParamSpec:
    """A tensor that a layer needs. `initializer(shape, key)` draws it; `regularizer(value)` is its penalty."""

    shape: tuple[int, ...]
    initializer: Callable[[tuple[int, ...], Key], Floats]
    trainable: bool = True
    regularizer: Callable[[Any], Any] | None = None
    dtype: str = "float32"

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Slot:
    """Where one tensor lies: `offset` in floats from the vector's start."""

    name: str
    shape: tuple[int, ...]
    offset: int
    trainable: bool

    @property
    def size(self) -> int:
        """Number of elements, without padding."""
        return math.prod(self.shape)

    @property
    def stop(self) -> int:
        """First float after the tensor."""
        return self.offset + self.size


@dataclass(frozen=True)
class Layout:
    """The plan of a flat vector: trained slots first, then the others, each block in the layers' order.

    >>> from sparkdl.nn.init import Zeros
    >>> plan = Layout.of({"a/kernel": ParamSpec((3, 2), Zeros()), "a/bias": ParamSpec((2,), Zeros())})
    >>> [(s.name, s.offset) for s in plan], plan.size
    ([('a/kernel', 0), ('a/bias', 16)], 32)
    """

    slots: tuple[Slot, ...]
    trainable_size: int
    size: int

    @staticmethod
    def of(specs: Mapping[str, ParamSpec]) -> "Layout":
        """The layout of named parameters. Raises ShapeError for a dtype other than float32."""
        slots: list[Slot] = []
        ends = [0, 0]  # of the trained block, of the whole
        for block, trainable in enumerate((True, False)):
            at = ends[0]
            for name, spec in specs.items():
                if spec.trainable == trainable:
                    _check_float(name, spec)
                    slots.append(Slot(name, spec.shape, at, trainable))
                    at += _padded(spec.size)
            ends[block:] = [at] * (2 - block)
        return Layout(tuple(slots), *ends)

    def __iter__(self) -> Iterator[Slot]:
        return iter(self.slots)

    def __len__(self) -> int:
        return len(self.slots)

    def views(self, vector: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Each tensor as a view of `vector` (size,), by name. Raises ShapeError when the vector has another length."""
        if vector.shape != (self.size,):
            raise ShapeError(f"parameters: the vector must be ({self.size},). Got {vector.shape}.")
        return {s.name: vector[s.offset : s.stop].reshape(s.shape) for s in self.slots}


def _check_float(name: str, spec: ParamSpec) -> None:
    if spec.dtype != "float32":
        raise ShapeError(f"{name}: parameters are float32 in the flat vector. Got {spec.dtype}.")


def _padded(size: int) -> int:
    return -(-size // _PAD) * _PAD


def aligned(n: int, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """A vector of `n` zeros whose first byte lies on a multiple of 64.

    >>> aligned(3).ctypes.data % 64
    0
    """
    nbytes = n * np.dtype(dtype).itemsize
    raw = np.zeros(nbytes + _ALIGN, np.uint8)
    start = -raw.ctypes.data % _ALIGN
    return raw[start : start + nbytes].view(dtype)


def initialize(layout: Layout, specs: Mapping[str, ParamSpec], seed: int) -> Floats:
    """A fresh vector (layout.size,). Each tensor's key comes from the seed and its name, so order does not matter."""
    vector: Floats = aligned(layout.size)
    root = Key.of(seed)
    for name, view in layout.views(vector).items():
        view[...] = specs[name].initializer(view.shape, root.fold("init", name))
    return vector
