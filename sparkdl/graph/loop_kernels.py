"""Kernels of the ops that hold bodies. They must know graphs, and so stand here and not in `kernels/`.

What they do between two runs of a body is the same for all libraries; how a body is run differs: op by op by the
reference kernels (here), or as a program, which `compile/bodies.py` enters by `serve`. A program may only be made
where that package is loaded, and so its kernels are there when they are asked for.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sparkdl.base.spec import Specs
from sparkdl.graph.check import Array, evaluate
from sparkdl.graph.loop_ops import Cond, Scan, While
from sparkdl.graph.trace import Body
from sparkdl.kernels.table import Arrays, Bound, Prepared, kernel
from sparkdl.nd.op import Op

Run = Callable[[Sequence[Array]], list[Array]]  # what a body gives; holds until it runs again
Runner = Callable[[Body, Arrays], Run]  # of a body, and of its last inputs: arrays that stay where they are
Bind = Callable[[Runner, Any, Arrays, Arrays], Callable[[], None]]


def serve(library: str, runner: Runner) -> None:
    """Enter kernels that run bodies so."""
    rows: tuple[tuple[type[Op], Bind], ...] = ((Scan, _scan), (Cond, _cond), (While, _while))
    for op, bind in rows:
        kernel(op.name, library)(_prepare(bind, runner))


def _prepare(bind: Bind, runner: Runner) -> Callable[[Any, Specs, Specs], Prepared]:
    def prepare(op: Any, ins: Specs, outs: Specs) -> Prepared:
        def bound(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
            return bind(runner, op, i, o)

        return Prepared(bound, strided=True, detail=f"bodies by {runner.__name__}")

    return prepare


def _scan(runner: Runner, op: Any, ins: Arrays, outs: Arrays) -> Callable[[], None]:
    at, count = op.carries, len(op.body.outs)
    first, slices, last = ins[:at], ins[at : at + op.slices], outs[:at]
    rows, states = outs[at:count], outs[count:]
    body = runner(op.body, ins[at + op.slices :])
    order = range(op.length)[:: -1 if op.reverse else 1]

    def run() -> None:
        carry: Sequence[Array] = first
        for k in order:
            _write_row(states, k, carry)
            made = body([*carry, *(x[k] for x in slices)])
            _write_row(rows, k, made[at:])
            carry = made[:at]
        _write(last, carry)

    return run


def _cond(runner: Runner, op: Any, ins: Arrays, outs: Arrays) -> Callable[[], None]:
    one, other = (runner(body, tuple(given)) for body, given in zip(op.bodies, op.parts(ins[1:]), strict=True))
    which = ins[0]

    def run() -> None:
        _write(outs, (one if which else other)([]))

    return run


def _while(runner: Runner, op: Any, ins: Arrays, outs: Arrays) -> Callable[[], None]:
    of_asked, of_body = op.parts(ins)
    asked, body = runner(op.asked, tuple(of_asked)), runner(op.body, tuple(of_body))

    def run() -> None:
        value: Sequence[Array] = ins[: op.values]
        while asked(value)[0]:
            value = body(value)
        _write(outs, value)

    return run


def _write(places: Sequence[Array], values: Sequence[Array]) -> None:
    for place, value in zip(places, values, strict=True):
        place[...] = value


def _write_row(places: Sequence[Array], k: int, values: Sequence[Array]) -> None:
    for place, value in zip(places, values if places else (), strict=True):
        place[k] = value


def op_by_op(body: Body, fixed: Arrays) -> Run:
    """A body run by the reference kernels."""
    wanted = [body.graph.sym(ref) for ref in body.outs]

    def run(values: Sequence[Array]) -> list[Array]:
        return evaluate(body.graph, {str(k): x for k, x in enumerate((*values, *fixed))}, wanted)

    return run


serve("ref", op_by_op)
