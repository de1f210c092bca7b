"""Rows in memory and the minibatches made of them. NumPy only: where rows come from is `data/encode.py`'s business.

A table keeps narrow numbers (the uint8 of images) as they came and scales them to float32 a minibatch at a time: a
quarter of the memory, and the same numbers, for the scaling is elementwise.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.errors import DataError
from sparkdl.base.rng import Key

Array = NDArray[Any]


@dataclass(frozen=True)
class Batch:
    """Some rows, ready for a step.

    x:      {input: (B, ...) float32}
    y:      (B,) int32 class indices, (B, outputs) float32, or None
    weight: (B,) float32 example weights, or None where all are 1
    ids:    (B,) int64, the rows' global numbers: what dropout's random numbers depend on
    """

    x: Mapping[str, Array]
    y: Array | None
    weight: Array | None
    ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Affine:
    """x * factor + offset as float32; computed in float64 where float32 does not hold the source.

    >>> Affine(factor=0.5, offset=1.0)(np.array([2, 4], np.uint8))
    array([2., 3.], dtype=float32)
    """

    factor: float = 1.0
    offset: float = 0.0

    def __call__(self, x: Array) -> NDArray[np.float32]:
        if self == Affine():
            return to_float32(x)
        wide = np.result_type(x.dtype, np.float32)
        made = np.multiply(x, self.factor, dtype=wide)
        np.add(made, self.offset, out=made)
        return to_float32(made)


def to_float32(x: Array) -> NDArray[np.float32]:
    """x as float32, itself if it is; what float32 cannot hold becomes infinite, which the caller's check finds."""
    with np.errstate(over="ignore"):
        return x.astype(np.float32, copy=False)


@dataclass(frozen=True)
class Table:
    """A rank's rows. x: {input: (N, ...)}, float32 or narrower; y: (N, ...) or None; weight: (N,) or None.

    first_id: the global number of row 0
    scales:   what makes float32 of inputs that are kept in a narrower dtype
    """

    x: Mapping[str, Array]
    y: Array | None = None
    weight: Array | None = None
    first_id: int = 0
    scales: Mapping[str, Affine] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = {name: len(part) for name, part in self.parts().items()}
        if len(set(found.values())) > 1:
            raise DataError(f"a table's arrays must have one number of rows. Got {found}.")

    def __len__(self) -> int:
        return len(next(iter(self.x.values())))

    @property
    def nbytes(self) -> int:
        """Memory of all arrays."""
        return sum(part.nbytes for part in self.parts().values())

    def parts(self) -> dict[str, Array]:
        """All arrays by name: inputs as "x/name", then "y" and "weight" where there are any."""
        named = {f"x/{name}": value for name, value in self.x.items()}
        return named | {k: v for k, v in (("y", self.y), ("weight", self.weight)) if v is not None}

    def batch(self, rows: Array | slice | None = None) -> Batch:
        """The rows of an index array or slice (all by default) as a batch.

        >>> Table({"x": np.array([[1], [2]], np.uint8)}, first_id=10).batch(np.array([1])).ids
        array([11])
        """
        at = np.arange(len(self), dtype=np.int64)[rows if rows is not None else slice(None)]
        take = slice(None) if rows is None else rows
        x = {name: self.scales.get(name, Affine())(value[take]) for name, value in self.x.items()}
        y, weight = (None if v is None else v[take] for v in (self.y, self.weight))
        return Batch(x, y, weight, at + self.first_id)

    def minibatches(
        self, batch_size: int, key: Key | None = None, epoch: int = 0, shuffle: bool = True
    ) -> Iterator[Batch]:
        """One epoch: every row once, in batches of `batch_size`; the last may be smaller.

        The order depends on the key and the epoch alone. A rank of several passes `Key.of(seed).fold("rank", rank)`.

        >>> table = Table({"x": np.arange(5.0)[:, None]})
        >>> [len(b) for b in table.minibatches(2, Key.of(0), epoch=1)]
        [2, 2, 1]
        """
        order = permutation(len(self), (key or Key.of(0)).fold("shuffle", epoch)) if shuffle else None
        for start in range(0, len(self), batch_size):
            rows = slice(start, start + batch_size)
            yield self.batch(rows if order is None else order[rows])


def permutation(n: int, key: Key) -> NDArray[np.int64]:
    """The order of n rows: they are sorted by one random 64-bit word each.

    NumPy keeps the words of a bit generator for ever, but not what `Generator.permutation` makes of them.

    >>> sorted(permutation(4, Key.of(7)).tolist())
    [0, 1, 2, 3]
    """
    words = np.random.Philox(key=key.bits).random_raw(n)
    return np.argsort(words, kind="stable").astype(np.int64, copy=False)


class Growing:
    """Rows that come in parts, copied into arrays that grow in place.

    Growing by `realloc` moves pages instead of copying on Linux: the peak stays near the size of the rows.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._store: dict[str, Array] = {}
        self._scales: Mapping[str, Affine] = {}
        self._first: Table | None = None

    def add(self, part: Table) -> None:
        """Copy the rows of `part` behind those that are there."""
        self._first = self._first or part
        if not len(part):
            return
        parts, stop = part.parts(), self.rows + len(part)
        if not self._store:
            self._scales = part.scales
            self._store = {name: np.empty((len(part), *v.shape[1:]), v.dtype) for name, v in parts.items()}
        self._same(parts, part.scales)
        for name, value in parts.items():
            _reserve(self._store[name], stop)
            self._store[name][self.rows : stop] = value
        self.rows = stop

    def _same(self, parts: Mapping[str, Array], scales: Mapping[str, Affine]) -> None:
        kinds = ({name: (v.shape[1:], v.dtype.name) for name, v in side.items()} for side in (parts, self._store))
        got, due = kinds
        if got != due or scales != self._scales:
            raise DataError(f"the parts of a table must agree in shape and dtype. Got {got} after {due}.")

    def table(self, first_id: int = 0) -> Table:
        """The rows so far, as a table that owns them; start afresh with a new `Growing`."""
        if not self._store:
            if self._first is None:
                raise DataError("a table must be made of one part at least. Got none.")
            return Table(self._first.x, self._first.y, self._first.weight, first_id, self._first.scales)
        for value in self._store.values():
            value.resize((self.rows, *value.shape[1:]), refcheck=False)
        x = {name.removeprefix("x/"): v for name, v in self._store.items() if name.startswith("x/")}
        return Table(x, self._store.get("y"), self._store.get("weight"), first_id, self._scales)


def gather(parts: Iterable[Table], first_id: int = 0) -> Table:
    """The rows of all parts, in order, as one table.

    >>> part = Table({"x": np.ones((2, 3), np.uint8)})
    >>> gather([part, part]).x["x"].shape
    (4, 3)
    """
    growing = Growing()
    for part in parts:
        growing.add(part)
    return growing.table(first_id)


def _reserve(store: Array, rows: int) -> None:
    """Room for `rows` rows, a quarter more than asked so that growing stays rare."""
    if rows > len(store):
        store.resize((rows + rows // 4, *store.shape[1:]), refcheck=False)
