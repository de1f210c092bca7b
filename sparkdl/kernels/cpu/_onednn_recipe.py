"""A kernel as a few oneDNN calls in order, with the reorders between the plain layout and oneDNN's own.

A recipe is made once for given specs; bound to arrays, it becomes rows for the native loop.
"""

import ctypes
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from sparkdl.base.spec import BFLOAT16, Spec, Specs
from sparkdl.kernels.cpu._onednn import library, multiplies_bfloat16
from sparkdl.kernels.cpu._onednn_objects import Choice, Layout, Memory, Primitive, choose, plain
from sparkdl.kernels.cpu._team import GRAIN, divided, shares
from sparkdl.kernels.table import Array, Arrays, Bound, Prepared, Rows, Unsupported

# DNNL_ARG_...: which argument of a primitive a memory is
SRC, DST, WEIGHTS, BIAS, MEAN, VARIANCE, SCALE, SHIFT, WORKSPACE, SCRATCHPAD = 1, 17, 33, 41, 49, 50, 51, 52, 64, 80
DIFF_SRC, DIFF_DST, DIFF_WEIGHTS, DIFF_SCALE, DIFF_SHIFT = 129, 145, 161, 255, 256
# dnnl_query_..._md: which layout a primitive is asked for
WEIGHTS_LAYOUT, DIFF_WEIGHTS_LAYOUT, WORKSPACE_LAYOUT, SCRATCHPAD_LAYOUT = 131, 132, 135, 136

INS, OUTS, SCRATCH = range(3)


class Slot(NamedTuple):
    """An argument: which array (of INS, OUTS or SCRATCH, and its number there), seen in which layout."""

    where: int
    number: int
    layout: Layout


Row = tuple[tuple[int, ...], tuple[Any, ...]]  # (function, up to four arguments), and what must stay alive
Step = Callable[[tuple[Arrays, Arrays, Arrays]], Row]


class _Argument(ctypes.Structure):
    """dnnl_exec_arg_t."""

    _fields_ = (("arg", ctypes.c_int), ("memory", ctypes.c_void_p))


@dataclass
class Recipe:
    """Steps while they are being gathered; `prepared()` closes it.

    ahead:  steps that only fill scratch buffers from inputs, before the others
    still:  those buffers, each with its input
    """

    ahead: list[Step] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    still: dict[int, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    scratch: list[Spec] = field(default_factory=lambda: [Spec((0,), "uint8")])  # the first is all steps' scratchpad

    def buffer(self, layout: Layout) -> Slot:
        """A new scratch buffer of that layout."""
        self.scratch.append(Spec((layout.nbytes,), "uint8"))
        return Slot(SCRATCH, len(self.scratch) - 1, layout)

    def run(self, choice: Choice, slots: dict[int, Slot], ahead: bool = False) -> None:
        """Add a primitive with its arguments by DNNL_ARG."""
        pad = choice.layout(SCRATCHPAD_LAYOUT)
        if pad.nbytes:
            self.scratch[0] = Spec((max(pad.nbytes, self.scratch[0].size),), "uint8")
            slots = {**slots, SCRATCHPAD: Slot(SCRATCH, 0, pad)}
        (self.ahead if ahead else self.steps).append(_executed(Primitive(choice), slots))
        self.names.append(choice.implementation)

    def copied(self, slot: Slot, layout: Layout) -> Slot:
        """An input in another layout: itself when it lies so already, else a scratch buffer filled by a reorder."""
        if slot.layout.same(layout):
            return slot
        made = self.buffer(layout)
        self.still[made.number] = slot.number
        self.reorder(slot, made, ahead=True)
        return made

    def reorder(self, source: Slot, target: Slot, ahead: bool = False) -> None:
        """Copy between layouts."""
        self.run(choose("reorder", source.layout, target.layout), {SRC: source, DST: target}, ahead)
        self.names[-1] = "reorder"

    def then(self, name: str, make: Callable[[Arrays, Arrays], Row]) -> None:
        """Add a row of our own, made of the inputs and outputs."""
        self.steps.append(lambda arrays: make(arrays[INS], arrays[OUTS]))
        self.names.append(name)

    def activate(self, act: str) -> None:
        """relu over the first output when `act` says so."""
        if act == "relu":
            self.then("relu", lambda ins, outs: _relu(outs[0]))

    def prepared(self) -> Prepared:
        """The kernel."""
        still = tuple(dict.fromkeys(self.still.values()))
        scratch, names = tuple(self.scratch), " ".join(self.names)
        return Prepared(self._bind, scratch, still=still, kept=tuple(self.still), detail=names)

    def _bind(self, ins: Arrays, outs: Arrays, scratch: Arrays) -> Bound:
        made = [step((ins, outs, scratch)) for step in (*self.ahead, *self.steps)]
        return replace(rows(made, ins, outs, scratch), ahead=len(self.ahead))


def rows(made: Sequence[Row], *keep: Any) -> Rows:
    """The rows as one table."""
    table = np.array([(*row, 0, 0, 0, 0)[:5] for row, _ in made], np.int64)
    return Rows(table, (*keep, *(kept for _, kept in made)))


def call(code: Any, *arguments: Any) -> Row:
    """A row of one of our numba kernels; arrays among the arguments become addresses."""
    from sparkdl.kernels.cpu._numba import arguments as packed  # loads numba: not before a kernel is bound

    given = packed(*arguments)
    return (code.address, given.ctypes.data), (code, given, arguments)


def _executed(primitive: Primitive, slots: dict[int, Slot]) -> Step:
    def step(arrays: tuple[Arrays, Arrays, Arrays]) -> Row:
        memories = {arg: Memory(s.layout, _address(arrays[s.where][s.number])) for arg, s in slots.items()}
        return executed(primitive, memories)

    return step


def executed(primitive: Primitive, memories: Mapping[int, Memory]) -> Row:
    """The row that runs a primitive on memories by their DNNL_ARG."""
    arguments = (_Argument * len(memories))(*(_Argument(arg, m.address) for arg, m in memories.items()))
    row = (library().execute, primitive.address, library().stream, len(memories), ctypes.addressof(arguments))
    return row, (primitive, arguments, *memories.values())


def _relu(y: Array) -> Row:
    if y.dtype.name == BFLOAT16:
        from sparkdl.kernels.cpu._bfloat import relu  # compiles: not before it is wanted
    else:
        from sparkdl.kernels.cpu._onednn_relu import relu
    return divided(relu, _address(y), y.size, shares(y.size, 2 * y.size, GRAIN), GRAIN)


def _address(array: Array) -> int:
    return int(array.ctypes.data)


def images(shape: tuple[int, ...], dtype: str = "float32") -> Layout:
    """(B,S,C) in C order, as oneDNN counts the axes: B, C, S. S is (H, W), or (D, H, W)."""
    b, *places, c = shape
    steps = [c * math.prod(places[k:]) for k in range(len(places) + 1)]
    return plain((b, c, *places), (steps[0], 1, *steps[1:]), dtype)


def float32(op: Any, ins: Specs) -> bool:
    """The condition of our oneDNN rows."""
    return all(s.dtype == "float32" for s in ins)


def multiplied(op: Any, ins: Specs) -> bool:
    """The condition of rows that multiply bfloat16 too, where the CPU does: weights and vectors may be float32."""
    dtypes = {s.dtype for s in ins}
    return dtypes == {"float32"} or (dtypes <= {"float32", BFLOAT16} and multiplies_bfloat16())


def nonempty(*specs: Spec) -> None:
    """oneDNN takes no arrays of size 0 here. Raises Unsupported."""
    if any(s.size == 0 for s in specs):
        raise Unsupported("an array is empty")
