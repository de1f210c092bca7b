"""Programs by batch size: a few are kept, the least lately used one goes."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.errors import ShapeError
from sparkdl.compile.program import Program

KEPT = 8


class Programs:
    """`programs[B]` is the program for B examples, made by `make(B)` when there is none."""

    def __init__(self, make: Callable[[int], Program], kept: int = KEPT) -> None:
        self._make, self._kept = make, kept
        self._made: OrderedDict[int, Program] = OrderedDict()

    def __getitem__(self, batch: int) -> Program:
        if batch not in self._made:
            while len(self._made) >= self._kept:
                self._made.popitem(last=False)
            self._made[batch] = self._make(batch)
        self._made.move_to_end(batch)
        return self._made[batch]

    def __len__(self) -> int:
        return len(self._made)


def fill(program: Program, values: Mapping[str, Any]) -> None:
    """Copy values into the program's inputs; names that it does not use are passed over.

    Raises ShapeError when a shape differs: NumPy would stretch it.
    """
    for name, value in values.items():
        place = program.inputs.get(name)
        if place is not None:
            _copy(name, place, value)


def _copy(name: str, place: NDArray[Any], value: Any) -> None:
    given = np.asarray(value)
    if given.size == len(given) == place.size if given.ndim and place.ndim else False:
        given = given.reshape(place.shape)  # (B,) and (B, 1) stand for each other
    if given.shape != place.shape:
        raise ShapeError(f"{_words(name)} must be {place.shape}. Got {given.shape}.")
    np.copyto(place, given, casting="same_kind")


def _words(name: str) -> str:
    """'x/pixels' -> "the input 'pixels'"."""
    kind, _, rest = name.partition("/")
    return {"x": f"the input {rest!r}", "y": f"the labels of {rest!r}"}.get(kind, name)
