"""Programs by batch size, and how arrays get into them.

A few programs are kept; the least lately used one goes. Their inputs are looked up once, because a small step takes no
longer than a few dictionary look-ups.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.compile.program import Program, put as copied

KEPT = 8
Array = NDArray[Any]


class Feed:
    """A program with the places to fill. xs, ys: by input and by output; others by their name, None where unused."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.xs, self.ys = (_under(kind, program.inputs) for kind in ("x/", "y/"))
        self.outs = _under("out/", program.outputs)
        self.weight, self.ids, self.key, self.t = (_read(program, k) for k in ("weight", "ids", "key", "t"))
        self.loss = program.outputs.get("loss")
        self._even = False  # whether `weight` holds ones

    def weigh(self, weight: Array | None) -> None:
        """Fill the weights; ones for None."""
        if self.weight is None or (weight is None and self._even):
            return
        self._even = weight is None
        put("the weights", self.weight, np.ones(self.weight.shape) if weight is None else weight)


class Programs:
    """`programs[B]` is the program for B examples, made by `make(B)` when there is none."""

    def __init__(self, make: Callable[[int], Program], kept: int = KEPT) -> None:
        self._make, self._kept = make, kept
        self._made: OrderedDict[int, Feed] = OrderedDict()
        self._last: tuple[int, Feed | None] = (0, None)

    def __getitem__(self, batch: int) -> Feed:
        last, feed = self._last
        if feed is None or last != batch:
            feed = self._turned_to(batch)
            self._last = (batch, feed)
        return feed

    def _turned_to(self, batch: int) -> Feed:
        if batch not in self._made:
            while len(self._made) >= self._kept:
                self._made.popitem(last=False)
            self._made[batch] = Feed(self._make(batch))
        self._made.move_to_end(batch)
        return self._made[batch]

    def all(self) -> Iterable[Feed]:
        """Those that are kept."""
        return self._made.values()

    def __len__(self) -> int:
        return len(self._made)


def put(what: str, place: Array, value: Array, name: str = "") -> None:
    """Copy `value` there, converted and refused as a program's own `put` does; (B,) and (B, 1) stand for each other."""
    if value.dtype is place.dtype and value.shape == place.shape:
        place[...] = value  # what a step nearly always gets, without a further call
        return
    if value.shape != place.shape and value.size == place.size == len(place) and value.shape[:1] == place.shape[:1]:
        value = value.reshape(place.shape)
    copied(what, place, value, name)


def _read(program: Program, name: str) -> Array | None:
    """The place of an input that the program reads: a key, for one, costs a hash, and most networks draw nothing."""
    return program.inputs[name] if program.reads(name) else None


def _under(kind: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name.removeprefix(kind): a for name, a in arrays.items() if name.startswith(kind)}
