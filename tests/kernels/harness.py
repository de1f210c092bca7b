"""Runs one kernel under guard, and compares vjp with finite differences. What all kernel tests stand on."""

import numpy as np
import pytest

from sparkdl.base.spec import Spec
from sparkdl.kernels import table
from sparkdl.kernels.cpu._onednn import library
from sparkdl.kernels.run import run_bound
from sparkdl.kernels.table import Unsupported
from sparkdl.kernels.threads import count
from sparkdl.nd.array import NDArray, execute

GUARD = 64


def _found():
    try:
        library()
    except Unsupported:
        return False
    return True


needs_onednn = pytest.mark.skipif(not _found(), reason="no oneDNN here")
ONEDNN = pytest.param("onednn", marks=needs_onednn)
LIBRARIES = (ONEDNN, "numba", "numpy")


def normal(shape, dtype="float32", seed=0):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def guarded(spec, shift=0):
    """An array full of 0xA5 between guards, 64-byte aligned but for `shift` bytes; and its whole memory."""
    memory = np.full(spec.nbytes + 2 * GUARD + 64 + shift, 0xA5, np.uint8)
    start = (-memory.ctypes.data) % 64 + GUARD + shift
    inside = memory[start : start + spec.nbytes]
    return inside.view(spec.dtype).reshape(spec.shape), (memory, start, start + spec.nbytes)


def untouched(memory, start, stop):
    return bool((memory[:start] == 0xA5).all() and (memory[stop:] == 0xA5).all())


def run(op, arrays, name, shift=0):
    """The op's outputs from that library's kernel, run twice: nothing outside outputs and scratch may change."""
    ins = tuple(Spec(a.shape, a.dtype.name) for a in arrays)
    outs = op.specs(ins)
    prepared = table.prepare(op, ins, outs, (name,), count())
    groups = [[guarded(s, shift) for s in specs] for specs in (ins, outs, prepared.scratch)]
    given, made, scratch = (tuple(array for array, _ in group) for group in groups)
    for copy, array in zip(given, arrays, strict=True):
        copy[...] = array
    bound = prepared.bind(given, made, scratch)
    run_bound(bound)
    first = [out.copy() for out in made]
    run_bound(bound)
    assert all(untouched(*where) for group in groups for _, where in group)
    assert all(np.array_equal(*pair, equal_nan=True) for pair in zip(given, arrays, strict=True))
    assert all(np.array_equal(*pair, equal_nan=True) for pair in zip(first, made, strict=True))
    return made


def serves(op, arrays, name):
    """Whether that library has a kernel for the op and these arrays."""
    ins = tuple(Spec(a.shape, a.dtype.name) for a in arrays)
    try:
        table.prepare(op, ins, op.specs(ins), (name,), count())
    except table.KernelError:
        return False
    return True


def oracle(op, arrays):
    """The reference's outputs, in float64 where the inputs are floats."""
    wide = tuple(a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays)
    return execute(op, wide, ("ref",))


def close(got, want, rtol=2e-5):
    """Equal relative to the largest of the array; NaN and infinities in the same places."""
    finite = np.isfinite(want)
    np.testing.assert_array_equal(got[~finite], want[~finite])
    scale = np.abs(want[finite]).max(initial=0.0)
    np.testing.assert_allclose(got[finite], want[finite], rtol=0, atol=rtol * scale + 1e-30)


def agree(op, arrays, name, rtol=2e-5, shift=0):
    """The library's kernel gives what the oracle gives."""
    for got, want in zip(run(op, arrays, name, shift), oracle(op, arrays), strict=True):
        close(got, want, rtol)


def gradient_error(op, arrays, used=None, step=1e-6):
    """Relative difference of vjp and central differences along a random direction, in float64.

    used: which outputs carry a gradient; all float ones by default.
    """
    ins = tuple(a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays)
    outs = execute(op, ins)
    used = [k for k, out in enumerate(outs) if out.dtype.kind == "f"] if used is None else used
    grads = {k: normal(outs[k].shape, "float64", 7) for k in used}
    ways = tuple(normal(a.shape, a.dtype, 8) if a.dtype.kind == "f" else np.zeros_like(a) for a in ins)

    def value(t):
        moved = execute(op, tuple(a + t * u if a.dtype.kind == "f" else a for a, u in zip(ins, ways, strict=True)))
        return sum(float((g * moved[k]).sum()) for k, g in grads.items())

    given = tuple(NDArray(grads[k]) if k in grads else None for k in range(len(outs)))
    parts = op.vjp(given, tuple(map(NDArray, outs)), *map(NDArray, ins))
    along = sum(float((p.numpy() * u).sum()) for p, u in zip(parts, ways, strict=True) if p is not None)
    measured = (value(step) - value(-step)) / (2 * step)
    return abs(along - measured) / max(abs(along), abs(measured), 1e-9)
