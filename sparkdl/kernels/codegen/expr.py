"""A chain of elementwise ops as data: what the fuse pass makes and the code generators read.

All values live in one loop space of `rows` x `cols` elements. Values are numbered: inputs first, then instructions.
"""

from dataclasses import dataclass
from typing import Literal

from sparkdl.base.spec import Spec, Specs

Place = Literal["full", "row", "col", "scalar"]
Reduce = Literal["", "rows", "all"]


@dataclass(frozen=True)
class Instr:
    """One elementwise op. `args` are value numbers; `const` is the number of a literal ("const" takes no args)."""

    op: str
    args: tuple[int, ...]
    dtype: str
    scalar: bool
    const: float = 0.0


@dataclass(frozen=True)
class Root:
    """A value that leaves the loop: as it is, summed over all rows, or summed over everything."""

    value: int
    spec: Spec
    reduce: Reduce = ""


@dataclass(frozen=True)
class Scatter:
    """A part of an input that is zero but for some rows, so that the rest of it need not be read.

    value: number of that input, a full one;  ids: number of another input, which says which rows: ints, 0 .. rows-1.
    The part starts at element `start`; a row has `cols` elements.
    """

    value: int
    ids: int
    start: int
    rows: int
    cols: int


@dataclass(frozen=True)
class Expr:
    """The chain. `places` say how each input lies in the loop space:

    full: an element for each;  row: one for each column, the same in all rows;  col: one for each row;  scalar: one.
    """

    ins: Specs
    places: tuple[Place, ...]
    instrs: tuple[Instr, ...]
    roots: tuple[Root, ...]
    rows: int
    cols: int

    def is_scalar(self, value: int) -> bool:
        """Whether a value is one number for the whole space."""
        n = len(self.ins)
        return self.places[value] == "scalar" if value < n else self.instrs[value - n].scalar

    def dtype(self, value: int) -> str:
        """The dtype of a value."""
        n = len(self.ins)
        return self.ins[value].dtype if value < n else self.instrs[value - n].dtype


def place(shape: tuple[int, ...], space: tuple[int, ...], cols: int) -> Place | None:
    """How an input of `shape` lies in `space` when its last axes of `cols` elements are the columns; None: it does not.

    >>> place((4,), (2, 3, 4), 4), place((2, 3, 1), (2, 3, 4), 4), place((3, 1), (2, 3, 4), 4)
    ('row', 'col', None)
    """
    size, total = _size(shape), _size(space)
    if size == 1:
        return "scalar"
    if size == total:
        return "full"
    split = _split(space, cols)
    if split is None:
        return None
    padded = (1,) * (len(space) - len(shape)) + shape
    lead, tail = padded[:split], padded[split:]
    if tail == space[split:] and _size(lead) == 1:
        return "row"
    return "col" if lead == space[:split] and _size(tail) == 1 else None


def _split(space: tuple[int, ...], cols: int) -> int | None:
    """The axis where the columns begin."""
    size = 1
    for k in range(len(space) - 1, -1, -1):
        if size == cols and (cols > 1 or k < len(space) - 1):
            return k + 1
        size *= space[k]
    return 0 if size == cols else None


def _size(shape: tuple[int, ...]) -> int:
    out = 1
    for n in shape:
        out *= n
    return out
