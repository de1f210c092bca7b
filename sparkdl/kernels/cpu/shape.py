"""Moving elements: memcpy of contiguous runs for any dtype, tiled loops for float32, NumPy for the rest.

`reshape` and `view` cost nothing in programs, where they are other names of their input; eager arrays copy.
"""

import math
from typing import Any

import numpy as np

from sparkdl.base.spec import ITEMSIZE, Spec, Specs
from sparkdl.kernels.cpu._groups import alternating, merged
from sparkdl.kernels.cpu._rows import call, calls, numba_kernel, numpy_kernel
from sparkdl.kernels.ref import shape as ref
from sparkdl.kernels.table import Arrays, Bound, Prepared, Unsupported


@numba_kernel("transpose")
def _transpose(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """A copy where the order stays, else 4-byte elements: batched matrices, or any order of four axes."""
    shape, axes = merged(ins[0].shape, op.axes)
    if outs[0].size and axes == tuple(range(len(axes))):
        return _prepared("blocks", 1, ins[0].nbytes, 0, 0, detail="copy")
    if ITEMSIZE[ins[0].dtype] != 4 or not outs[0].size or len(shape) > 4:
        raise Unsupported
    if axes in ((1, 0), (0, 2, 1)):
        outer, rows, cols = (1, *shape)[-3:]
        return _prepared("transpose2", outer, rows, cols, detail=f"transpose2 {outer}x{rows}x{cols}")
    strides = [math.prod(shape[a + 1 :]) for a in axes]
    pad = 4 - len(axes)
    lengths = (*(1,) * pad, *(shape[a] for a in axes))
    return _prepared("transpose4", *lengths, *(0,) * pad, *strides, detail=f"transpose4 {lengths}")


@numba_kernel("broadcast_to")
def _broadcast_to(op: Any, ins: Specs, outs: Specs) -> Prepared:
    lead = (1,) * (len(op.shape) - len(ins[0].shape))
    stretched = tuple(n != m for n, m in zip((*lead, *ins[0].shape), op.shape, strict=True))
    lengths = alternating(op.shape, stretched)
    if lengths is None:
        raise Unsupported
    outer, times, kept, last = lengths
    if last == 1:
        return _prepared("repeat", outer, times, kept * ITEMSIZE[ins[0].dtype])
    if ITEMSIZE[ins[0].dtype] != 4:
        raise Unsupported
    return _prepared("spread", *lengths)


@numba_kernel("concat")
def _concat(op: Any, ins: Specs, outs: Specs) -> Prepared:
    runs, whole = _runs(outs[0], op.axis)
    sizes = [_runs(s, op.axis)[1] for s in ins]

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        to, parts = int(o[0].ctypes.data), []
        for x, size in zip(i, sizes, strict=True):
            parts.append(call("shape", "blocks", x, to, runs, size, size, whole))
            to += size
        return calls(*parts)

    return Prepared(bind)


@numba_kernel("slice_axis")
def _slice_axis(op: Any, ins: Specs, outs: Specs) -> Prepared:
    runs, whole = _runs(ins[0], op.axis)
    size = _runs(outs[0], op.axis)[1]
    skip = op.start * (size // max(op.stop - op.start, 1))

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return call("shape", "blocks", int(i[0].ctypes.data) + skip, o[0], runs, size, whole, size)

    return Prepared(bind)


@numba_kernel("pad_axis")
def _pad_axis(op: Any, ins: Specs, outs: Specs) -> Prepared:
    runs, whole = _runs(outs[0], op.axis)
    size = _runs(ins[0], op.axis)[1]
    skip = op.start * (whole // max(op.size, 1))

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        to = int(o[0].ctypes.data)
        return calls(
            call("shape", "zeros", to, runs, skip, whole),
            call("shape", "blocks", i[0], to + skip, runs, size, size, whole),
            call("shape", "zeros", to + skip + size, runs, whole - skip - size, whole),
        )

    return Prepared(bind)


@numba_kernel("pack")
def _pack(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """Only parts that were not computed in their place are copied.

    The gaps are zeroed when bound and never written again: the output's memory must be its own.
    """

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        for gap in _gaps(op, [x.size for x in ins]):
            o[0][gap] = 0
        places = (o[0][at : at + x.size] for at, x in zip(op.offsets, i, strict=True))
        moved = [(x, y) for x, y in zip(i, places, strict=True) if x.ctypes.data != y.ctypes.data]
        return calls(*(call("shape", "blocks", x, y, 1, x.nbytes, 0, 0) for x, y in moved))

    return Prepared(bind)


@numpy_kernel("pack")
def pack(op: Any, ins: Arrays, outs: Arrays) -> None:
    """Parts into place, zeros between them."""
    for gap in _gaps(op, [x.size for x in ins]):
        outs[0][gap] = 0
    for at, x in zip(op.offsets, ins, strict=True):
        np.copyto(outs[0][at : at + x.size].reshape(x.shape), x)


@numpy_kernel("concat")
def concat(op: Any, ins: Arrays, outs: Arrays) -> None:
    """One after another."""
    np.concatenate(ins, op.axis, outs[0])


@numpy_kernel("pad_axis")
def pad_axis(op: Any, ins: Arrays, outs: Arrays) -> None:
    """Zeros, then the input in their midst."""
    outs[0][...] = 0
    np.copyto(outs[0][(slice(None),) * op.axis + (slice(op.start, op.start + ins[0].shape[op.axis]),)], ins[0])


def _copied(op: Any, ins: Arrays, outs: Arrays) -> None:
    np.copyto(outs[0], getattr(ref, op.name)(op, ins[0]))  # a view of the input: nothing is allocated


for _name in ("reshape", "view", "transpose", "broadcast_to", "slice_axis"):
    numpy_kernel(_name)(_copied)


def _prepared(function: str, *sizes: int, detail: str = "") -> Prepared:
    """A kernel of one input, one output and sizes."""

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        return call("shape", function, i[0], o[0], *sizes)

    return Prepared(bind, detail=detail)


def _runs(x: Spec, axis: int) -> tuple[int, int]:
    """How many contiguous runs end at `axis`, and the bytes of each."""
    return math.prod(x.shape[:axis]), math.prod(x.shape[axis:]) * ITEMSIZE[x.dtype]


def _gaps(op: Any, sizes: list[int]) -> list[slice]:
    """The stretches of a pack that no part covers."""
    ends = [0, *(at + n for at, n in zip(op.offsets, sizes, strict=True))]
    return [slice(a, b) for a, b in zip(ends, (*op.offsets, op.size), strict=True) if a < b]
