"""Fused chains: as one compiled loop by numba, or op by op with NumPy where numba is absent."""

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.codegen.expr import Expr, Scatter
from sparkdl.kernels.codegen.idle import STRETCH
from sparkdl.kernels.codegen.interpret import interpret
from sparkdl.kernels.codegen.numba_source import COMPILED, Alias, flat, numbers
from sparkdl.kernels.cpu._rows import added, calls
from sparkdl.kernels.cpu._team import GRAIN, divided, in_parts, shares
from sparkdl.kernels.table import Array, Arrays, Bound, Prepared, Rows, Unsupported, kernel, rowwise

Told = tuple[int, tuple[Any, ...]]  # the scattered input, and the arguments that tell where it is zero
ALONE: Told = (-1, ())


@kernel("fused", "numba")
def fused(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """One loop over the whole chain. An output may take the memory of any full input of its dtype."""
    expr: Expr = op.expr
    if find_spec("numba") is None or any(i.op not in COMPILED for i in expr.instrs):
        raise Unsupported
    parts, scatters = _parts(expr, ins, outs), op.scatters
    sums = _sums(expr, parts)

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        told = _told(scatters, i, scratch[len(sums) :])
        return _loop(expr, i, o, 1, told) if parts == 1 else _divided(expr, i, o, scratch[: len(sums)], parts, told)

    detail = "+".join(i.op for i in expr.instrs if i.op != "const") or "cast"
    lent = (*sums, *(_marks(expr, parts) if scatters else ()))
    return Prepared(bind, lent, inplace=inplace(expr, _value(scatters)), detail=detail + in_parts(parts))


def _units(expr: Expr) -> int:
    return expr.rows * expr.cols if flat(expr) else expr.rows


def _parts(expr: Expr, ins: Specs, outs: Specs) -> int:
    """Into how many parts the loop is divided."""
    if any(r.reduce and r.spec.dtype != "float32" for r in expr.roots):
        return 1
    return shares(_units(expr), sum(s.size for s in (*ins, *outs)), GRAIN if flat(expr) else 1)


def _sums(expr: Expr, parts: int) -> Specs:
    """Scratch: the parts' sums for each root that is a sum, and a row for adding them."""
    if parts == 1:
        return ()
    sums = tuple(Spec((parts, r.spec.size)) for r in expr.roots if r.reduce)
    return (*sums, Spec((expr.cols,))) if sums else ()


def _value(scatters: tuple[Scatter, ...]) -> int:
    """The scattered input, or -1."""
    return scatters[0].value if scatters else -1


def _marks(expr: Expr, parts: int) -> Specs:
    """Scratch: a mark for each stretch of the scattered input, and a stretch of zeros for each part."""
    return Spec((-(-expr.rows * expr.cols // STRETCH),), "uint8"), Spec((parts, STRETCH))


def _told(scatters: tuple[Scatter, ...], ins: Arrays, marks: Arrays) -> Told:
    """What the kernel is told: the marks, the scatters, and how many there are."""
    table = np.array([_entry(s, ins[s.ids]) for s in scatters], np.int64)
    return _value(scatters), (*marks, table, len(table)) if scatters else ()


def _entry(scatter: Scatter, ids: Array) -> tuple[int, ...]:
    """A scatter as the kernel reads it."""
    return int(ids.ctypes.data), ids.size, ids.dtype == "int64", scatter.start, scatter.rows, scatter.cols


def _loop(expr: Expr, ins: Arrays, outs: Arrays, parts: int, told: Told) -> Rows:
    """The row that runs the loop."""
    from sparkdl.kernels.codegen.build import compiled
    from sparkdl.kernels.cpu._loop import row
    from sparkdl.kernels.cpu._numba import arguments

    scattered, more = told
    code = compiled(expr, _alias(expr, ins, outs, scattered), scattered)
    constants = (expr.instrs[k].const for k in numbers(expr))
    args = arguments(expr.rows, expr.cols, *ins[: len(expr.ins)], *outs, *constants, *more)
    kept = (args, ins, outs, more)
    made, keep = divided(code, args.ctypes.data, _units(expr), parts, GRAIN if flat(expr) else 1, kept)
    return Rows(row(*made), keep)


def _divided(expr: Expr, ins: Arrays, outs: Arrays, scratch: Arrays, parts: int, told: Told) -> Rows:
    """The parts, each with sums of its own; these added in the order of the parts; then what is one number.

    That comes last and from one thread: it may overwrite an input that the parts read.
    """
    single = [k for k, r in enumerate(expr.roots) if not r.reduce and expr.is_scalar(r.value)]
    many = [k for k in range(len(outs)) if k not in single]
    sums = iter(scratch)
    places = [next(sums) if expr.roots[k].reduce else outs[k] for k in many]
    made = [_loop(_with(expr, many), ins, tuple(places), parts, told)] if many else []
    for k, place in zip(many, places, strict=True):
        if expr.roots[k].reduce:
            made.append(added(place, scratch[-1], outs[k], parts))
    if single:
        made.append(_loop(_with(expr, single), ins, tuple(outs[k] for k in single), 1, ALONE))
    return calls(*made)


def _with(expr: Expr, roots: list[int]) -> Expr:
    return replace(expr, roots=tuple(expr.roots[k] for k in roots))


def inplace(expr: Expr, scattered: int = -1) -> Alias:
    """Pairs (output, input) that may share memory: both full, or both one number, of one dtype.

    No output lies on the scattered input, for which zeros stand that must stay.
    """
    return tuple(
        (k, j)
        for k, root in enumerate(expr.roots)
        for j, spec in enumerate(expr.ins)
        if j != scattered and not root.reduce and spec.dtype == root.spec.dtype and spec.size == root.spec.size
        if expr.places[j] == ("scalar" if expr.is_scalar(root.value) else "full")
    )


def _alias(expr: Expr, ins: Arrays, outs: Arrays, scattered: int) -> Alias:
    """Which outputs do lie on an input."""
    return tuple(
        (k, j)
        for k, j in inplace(expr, scattered)
        if expr.places[j] == "full" and np.asarray(ins[j]).ctypes.data == outs[k].ctypes.data
    )


def _interpreted(op: Any, *ins: Array) -> tuple[Array, ...]:
    return interpret(op.expr, ins[: len(op.expr.ins)], wide=False)


kernel("fused", "numpy")(rowwise(_interpreted))
