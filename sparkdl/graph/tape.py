"""Define-by-run reverse mode: what a function did to its arguments is written down while it runs, then walked back.

A `Var` stands for a value on the way: a number that is there already, a symbol, or the Var of a tape further out. Its
ops run on what it stands for, so that a tape works inside of a tape (higher derivatives), and in a function that is
traced (gradients in programs); what Python decides on the way, by `if` or `for`, is not written down and need not be.
Each tape has a rank of its own, higher than those opened before it: `apply` asks the innermost one that an op's
inputs are on, and so derivatives by different variables are never mixed up (Siskind and Pearlmutter 2005).
"""

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sparkdl.base.errors import SparkdlError
from sparkdl.base.spec import KINDS, Spec, numpy_dtype
from sparkdl.graph.graph import RANKS, Traced
from sparkdl.nd import inplace
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.op import Op, apply

Places = tuple[int | None, ...]  # numbers of values on the tape, None for what is not on it


class OverwriteError(SparkdlError, ValueError):
    """An array was written to that a gradient still needs."""


class Record(NamedTuple):
    """An op that ran: its inputs and outputs as the tape's Vars stand for them, and which of them are on the tape."""

    op: Op
    ins: tuple[Any, ...]
    outs: tuple[Any, ...]
    into: Places
    out_of: Places


class Tape:
    """What ran on values that depend on the tape's variables. One thread writes to it."""

    def __init__(self) -> None:
        self.rank = next(RANKS)
        self.records: list[Record] = []
        self.ended = False
        self._values = 0
        self._memory = _Memory()
        _watch(self)

    def on(self, value: Any) -> Any:
        """A value as a new one on the tape; itself if it has no derivatives."""
        spec = value.spec
        if spec.dtype not in KINDS["floating"]:
            return value
        self._values += 1
        return Var(value, spec, self, self._values)

    def holds(self, value: Any) -> bool:
        """Whether a value is on this tape."""
        return isinstance(value, Var) and value.tape is self

    def lowered(self, value: Any) -> Any:
        """What a value of this tape stands for; any other itself."""
        return value.primal if isinstance(value, Var) and value.tape is self else value

    def note(self, op: Op, ins: tuple[Any, ...], outs: tuple[Any, ...], given: Sequence[Any]) -> tuple[Any, ...]:
        """Write down that `op` made `outs` of `ins`, for which `given` stand; the outputs, on the tape.

        Raises TypeError when the tape has ended.
        """
        if self.ended:
            raise TypeError(
                f"{op.name}: a value of a function that was differentiated cannot be used after that. Return it, with "
                "has_aux=True beside the loss, or take stop_gradient of it."
            )
        made = tuple(map(self.on, outs))
        if any(isinstance(y, Var) for y in made):
            into = tuple(x.place if self.holds(x) else None for x in given)
            self.records.append(Record(op, ins, outs, into, tuple(y.place if self.holds(y) else None for y in made)))
        return made

    def back(self, known: dict[int, Any]) -> dict[int, Any]:
        """Gradients of all values that those in `known`, by their place, depend on. Raises OverwriteError."""
        if self._memory.overwritten:
            raise OverwriteError(
                "this gradient needs an array that has been written to since the function ran. Make a new array "
                "instead (`x = x + y`), or take the gradient first."
            )
        for record in reversed(self.records):
            grads = tuple(None if k is None else known.get(k) for k in record.out_of)
            if any(g is not None for g in grads):
                _spread(record, record.op.vjp(grads, record.outs, *record.ins), known)
        return known

    def written(self, array: Any) -> None:
        """An array is about to be written to. Raises OverwriteError while the function runs, if it is needed."""
        if not self._memory.has(array, self.records):
            return
        if not self.ended:
            raise OverwriteError(
                f"an array of {array.dtype}{list(array.shape)} cannot be written to here: the gradient that is being "
                "recorded needs what it holds. Make a new array (`x = x + y`), or write after the function has ended."
            )
        self._memory.overwritten = True


class _Memory:
    """The memory that records refer to, by its owner. Looked up only when something is written to."""

    def __init__(self) -> None:
        self.overwritten = False
        self._owners: set[int] = set()
        self._seen = 0

    def has(self, array: Any, records: list[Record]) -> bool:
        """Whether an array lies in it."""
        while self._seen < len(records):
            record = records[self._seen]
            self._seen += 1
            self._owners.update(_owner(v.numpy()) for v in (*record.ins, *record.outs) if isinstance(v, NDArray))
        return _owner(array) in self._owners


def _owner(array: Any) -> int:
    """The object at the bottom of an array's views."""
    while True:
        below = array.obj if isinstance(array, memoryview) else getattr(array, "base", None)
        if below is None:
            return id(array)
        array = below


_OPEN: dict[int, "weakref.ref[Tape]"] = {}
_LOCK = threading.Lock()


def _watch(tape: Tape) -> None:
    """From now on, until it is gone, the tape hears of writes."""
    with _LOCK:
        if _guard not in inplace.GUARDS:
            inplace.GUARDS.append(_guard)
        _OPEN[tape.rank] = weakref.ref(tape)
    weakref.finalize(tape, _OPEN.pop, tape.rank, None)


def _guard(array: Any) -> None:
    for ref in tuple(_OPEN.values()):
        tape = ref()
        if tape is not None:
            tape.written(array)


def _spread(record: Record, parts: tuple[Any, ...], known: dict[int, Any]) -> None:
    for place, part in zip(record.into, parts, strict=True):
        if place is not None and part is not None:
            known[place] = known[place] + part if place in known else part


class Var(Traced):
    """A value on a tape: `primal` is what it stands for, `place` its number there."""

    rank = 3  # at least; each has its tape's

    def __init__(self, primal: Any, spec: Spec, tape: Tape, place: int) -> None:
        self.primal, self.spec, self.tape, self.place, self.rank = primal, spec, tape, place, tape.rank

    def run(self, op: Op, ins: tuple[Any, ...]) -> tuple[Any, ...]:
        """Apply `op` to what the inputs stand for, and write it down. Raises TypeError when the tape has ended."""
        tape = self.tape
        lower = tuple(tape.lowered(self._lift(v)) for v in ins)
        made = apply(op, *lower)
        return tape.note(op, lower, made if isinstance(made, tuple) else (made,), ins)

    def _lift(self, value: Any) -> Any:
        if hasattr(value, "spec"):
            return value
        known = isinstance(value, np.ndarray | np.generic)
        return wrap(np.asarray(value) if known else np.asarray(value, numpy_dtype(self.spec.dtype)))

    def _number(self, kind: str) -> Any:
        if kind in ("numpy", "tolist"):
            raise TypeError(
                f"{kind}: a value that is being differentiated cannot leave sparkdl: its gradient would be lost. "
                "Take stop_gradient of it first, or return it beside the loss with has_aux=True."
            )
        return self.primal.item() if kind == "item" else self.primal._number(kind)

    def __repr__(self) -> str:
        return f"Var({self.primal!r})"


def concrete(value: Any) -> Any:
    """The array or symbol that a value stands for in the end."""
    while isinstance(value, Var):
        value = value.primal
    return value


Pull = Callable[[Sequence[Any]], list[Any]]


def pullback(f: Callable[..., Sequence[Any]], primals: Sequence[Any]) -> tuple[list[Any], Pull]:
    """f(*primals), a sequence of values, and the function that takes gradients by it to those by the primals.

    Its argument has a value like the output, or None, for each output. Gradients by what is no float or complex, and
    by what nothing depends on, are None. It may be called more than once.
    """
    tape = Tape()
    given = [tape.on(x) for x in primals]
    try:
        made = list(f(*given))
    finally:
        tape.ended = True
    places = [y.place if isinstance(y, Var) and y.tape is tape else None for y in made]

    def pull(grads: Sequence[Any]) -> list[Any]:
        known: dict[int, Any] = {}
        for place, g in zip(places, grads, strict=True):
            if place is not None and g is not None:
                known[place] = known[place] + g if place in known else g
        known = tape.back(known)
        return [known.get(x.place) if tape.holds(x) else None for x in given]

    return [tape.lowered(y) for y in made], pull
