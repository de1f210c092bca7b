"""Images as bytes."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.checks import Count, Real
from sparkdl.base.errors import DataError
from sparkdl.data.arrow import matrix
from sparkdl.data.batches import Affine
from sparkdl.data.steps.step import Names, Step, step


@step
class Image(Step):
    """Raw pixels of one size: bytes (or an array of small numbers) of height x width x channels, times `factor`.

    Not a compressed format: the bytes are the pixels, row by row, channels last.
    """

    columns: Names
    shape: tuple[Count, ...]
    factor: Real = 1 / 255

    def affine(self, name: str) -> Affine:
        return Affine(self.factor)

    def width(self, name: str, width: int) -> int:
        self.check(name, width)
        return width

    def check(self, name: str, width: int) -> None:
        """Raise DataError when a row of `width` numbers is not an image of the shape."""
        size = math.prod(self.shape)
        if width != size:
            shape = " x ".join(map(str, self.shape))
            raise DataError(f"column {name!r} must hold images of {size} bytes ({shape}). Got {width} bytes a row.")

    def apply(self, column: Any, name: str) -> NDArray[np.float32]:
        x = matrix(column, name)
        if not len(x):
            return np.empty((0, math.prod(self.shape)), np.float32)
        self.check(name, x.shape[1])
        return self.affine(name)(x)
