"""The ops of `loops.py`: what they infer, and their gradients. `loop_kernels.py` has their kernels."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec, Specs
from sparkdl.graph.leaves import is_float, or_zeros
from sparkdl.graph.tape import pullback
from sparkdl.graph.trace import Body
from sparkdl.nd.op import Op, apply, op


@op("scan")
class Scan(Op):
    """A body run `length` times. Inputs: carries, arrays whose rows the steps read, values of outside. Outputs: the
    last carries, the rows that the steps gave, and if `saved` the carries before each step."""

    body: Body
    carries: int
    slices: int
    length: int
    reverse: bool = False
    saved: bool = False

    def infer(self, *ins: Spec) -> Specs:
        at = self.carries + self.slices
        given = [*ins[: self.carries], *(Spec(s.shape[1:], s.dtype) for s in ins[self.carries : at]), *ins[at:]]
        _as_traced(self, self.body, given)
        made = self.body.specs
        rows = made[self.carries :] + (made[: self.carries] if self.saved else ())
        return (*made[: self.carries], *(Spec((self.length, *s.shape), s.dtype) for s in rows))

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        from sparkdl.graph.loops import scan

        at, count = self.carries, len(self.body.outs)
        kept = outs if self.saved else several(apply(replace(self, saved=True), *ins))
        states, slices, outside = kept[count:], ins[at : at + self.slices], ins[at + self.slices :]
        sums = _floats(outside, [None] * len(outside))

        def back(carry: Any, row: Any) -> Any:
            after, sums = carry
            state, x, beside, above = row
            values = [*state, *x, *outside]
            found = _floats(values, pullback(self.body, values)[1]([*after, *beside]))
            before = [*map(_sum, found[:at], above)]
            return (before, [*map(_sum, found[at + self.slices :], sums)]), found[at : at + self.slices]

        start = _floats(outs[:at], grads[:at]), sums
        above = list(grads[count:]) if self.saved else [None] * at
        rows = list(states), list(slices), list(grads[at:count]), above
        (first, total), rest = scan(back, start, rows, self.length, not self.reverse)
        return (*first, *rest, *total)


@op("cond")
class Cond(Op):
    """One of two bodies. Inputs: which, what both take, what the first takes of outside, what the other takes."""

    bodies: tuple[Body, Body]
    shared: int
    ones: int

    def parts(self, ins: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """What either body takes of the inputs behind the first."""
        end = self.shared + self.ones
        both, mine, others = ins[: self.shared], ins[self.shared : end], ins[end:]
        return [*both, *mine], [*both, *others]

    def infer(self, *ins: Spec) -> Specs:
        if ins[0] != Spec((), "bool"):
            raise ShapeError(f"cond: what decides must be bool[]. Got {ins[0]}.")
        for body, given in zip(self.bodies, self.parts(ins[1:]), strict=True):
            _as_traced(self, body, given)
        return self.bodies[0].specs

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        from sparkdl.graph.loops import cond

        one, other = self.parts(ins[1:])

        def first() -> Any:
            found = _floats(one, pullback(self.bodies[0], one)[1](grads))
            return found, _floats(other[self.shared :], [None] * (len(other) - self.shared))

        def second() -> Any:
            found = _floats(other, pullback(self.bodies[1], other)[1](grads))
            nothing = _floats(one[self.shared :], [None] * self.ones)
            return [*found[: self.shared], *nothing], found[self.shared :]

        made, rest = cond(ins[0], first, second)
        return (None, *made, *rest)


@op("while")
class While(Op):
    """A body run as long as another one says so. Inputs: the first value, what the condition takes of outside, what the
    body takes."""

    asked: Body
    body: Body
    values: int
    outside: int

    def parts(self, ins: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """What the condition and the body take of outside."""
        at = self.values + self.outside
        return list(ins[self.values : at]), list(ins[at:])

    def infer(self, *ins: Spec) -> Specs:
        for body, given in zip((self.asked, self.body), self.parts(ins), strict=True):
            _as_traced(self, body, [*ins[: self.values], *given])
        return self.body.specs

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        raise TypeError(
            "while has no gradient: how many steps it will take is not known when the program is made. "
            "Take sparkdl.scan with a fixed length."
        )


def several(made: Any) -> tuple[Any, ...]:
    """Outputs of `apply`, always as a tuple."""
    return made if isinstance(made, tuple) else (made,)


def _floats(values: Sequence[Any], grads: Sequence[Any]) -> list[Any]:
    """Gradients of floats, zeros where there is none; None for all else."""
    return [or_zeros(g, x) if is_float(x) else None for g, x in zip(grads, values, strict=True)]


def _sum(a: Any, b: Any) -> Any:
    """Of two gradients, of which any may be none."""
    return b if a is None else a if b is None else a + b


def _as_traced(op: Op, body: Body, given: Sequence[Spec]) -> None:
    if body.ins != tuple(given):
        wanted, got = (", ".join(map(str, specs)) for specs in (body.ins, given))
        raise ShapeError(f"{op.name}: the body was traced for {wanted}. Got {got}.")
