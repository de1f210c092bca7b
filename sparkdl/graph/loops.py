"""Loops and branches that can stand in a program: `scan`, `cond`, `while_loop`. Names and arguments are JAX's.

On arrays they are plain Python. On symbols, and wherever a function is traced, they are one op, which holds what is
repeated as a traced body: a program then grows with the code, not with the number of steps. A body may use values of
outside. `nd/` and `kernels/` know nothing of graphs, so that these ops stand above them: `loop_ops.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import Spec, Specs
from sparkdl.base.tree import LEAF, Tree, flatten, named, same_structure, unflatten
from sparkdl.graph import loop_kernels  # noqa: F401  enters the kernels of the ops
from sparkdl.graph.graph import Sym
from sparkdl.graph.leaves import Flat, leaf, zeros
from sparkdl.graph.loop_ops import Cond, Scan, While, several
from sparkdl.graph.tape import Var, concrete
from sparkdl.graph.trace import body_of, is_tracing
from sparkdl.nd.manipulation import stack
from sparkdl.nd.op import apply

Function = Callable[..., Any]


def scan(f: Function, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False) -> tuple[Any, Any]:
    """Loop over the first axis: `carry, y = f(carry, x)` for each x of xs in order; the last carry, and all y stacked.

    init:    the first carry; its structure, shapes and dtypes stay
    xs:      arrays with a common first length, or a tree of them; None where only `length` counts
    reverse: from the last x to the first; y stay beside their x

    The gradient is a scan in the other direction: the carries of all steps are kept, what else a step computes is
    computed again. Raises ShapeError when lengths differ, or the carry changes, and TypeError when f gives no pair.

    >>> from sparkdl import nd
    >>> scan(lambda total, x: (total + x, total * x), nd.asarray(0.0), nd.asarray([1.0, 2.0, 3.0]))
    (NDArray(6., dtype=float32, device=cpu), NDArray([0., 2., 9.], dtype=float32, device=cpu))
    """
    carry, slices = _leaves("scan", "init", init), _leaves("scan", "xs", xs)
    step = _Step(f, flatten(init)[1], flatten(xs)[1], tuple(c.spec for c in carry))
    count = _length(slices, length)
    last, ys = (_scanned if _symbolic(carry + slices) else _looped)(step, carry, slices, count, reverse)
    return unflatten(step.carry, last), unflatten(step.ys, ys)


def cond(pred: Any, true_fn: Function, false_fn: Function, *operands: Any) -> Any:
    """true_fn(*operands) where `pred`, a bool without axes, holds, else false_fn(*operands).

    Only one of them is computed. Where `pred` is a symbol both are traced, and must give the same structure, shapes
    and dtypes: else ShapeError. Raises DTypeError for a `pred` that is no bool.

    >>> from sparkdl import nd
    >>> cond(nd.asarray(True), lambda x: x + 1.0, lambda x: x - 1.0, nd.asarray(1.0))
    NDArray(2., dtype=float32, device=cpu)
    """
    pred = _decision("cond: pred", pred)
    if not isinstance(concrete(pred), Sym):
        return (true_fn if pred else false_fn)(*operands)
    values, structure = _leaves("cond", "operand ", operands), flatten(operands)[1]
    branches = [Flat("cond", f, structure) for f in (true_fn, false_fn)]
    specs = tuple(v.spec for v in values)
    (one, ones), (other, others) = (body_of(branch, specs) for branch in branches)
    same_structure("cond: what false_fn gives", branches[0].built, branches[1].built)
    if one.specs != other.specs:
        raise ShapeError(f"cond: both functions must give the same. Got {_said(one.specs)} and {_said(other.specs)}.")
    made = apply(Cond((one, other), len(values), len(ones)), pred, *values, *ones, *others)
    return unflatten(branches[0].built, several(made))


def while_loop(cond_fn: Function, body_fn: Function, init: Any) -> Any:
    """`value = body_fn(value)` from `init` on for as long as cond_fn(value), a bool without axes, holds.

    Structure, shapes and dtypes of the value stay: else ShapeError. As an op it has no gradient (TypeError): how many
    steps there are is not known when the program is made. `scan` over a fixed length has.

    >>> from sparkdl import nd
    >>> while_loop(lambda x: x < 100.0, lambda x: x * 2.0, nd.asarray(3.0))
    NDArray(192., dtype=float32, device=cpu)
    """
    value, structure = _leaves("while_loop", "init", init), flatten(init)[1]
    specs = tuple(v.spec for v in value)

    def goes_on(*values: Any) -> list[Any]:
        return [_decision("while_loop: cond_fn's value", cond_fn(unflatten(structure, values)))]

    def step(*values: Any) -> list[Any]:
        return _kept("while_loop", structure, specs, body_fn(unflatten(structure, values)))

    if value and _symbolic(value):
        return unflatten(structure, _repeated(goes_on, step, value, specs))
    while goes_on(*value)[0]:
        value = step(*value)
    return unflatten(structure, value)


@dataclass
class _Step:
    """The function of a scan as one of flat lists; `ys` is how its last y was built."""

    f: Function
    carry: Tree
    xs: Tree
    specs: Specs
    ys: Tree = LEAF

    def __call__(self, *values: Any) -> list[Any]:
        at = len(self.specs)
        made = self.f(unflatten(self.carry, values[:at]), unflatten(self.xs, values[at:]))
        if not isinstance(made, tuple) or len(made) != 2:
            raise TypeError(f"scan: the function must return (carry, y). Got {type(made).__name__}.")
        self.ys = flatten(made[1])[1]
        return _kept("scan", self.carry, self.specs, made[0]) + _leaves("scan", "y", made[1])


def _looped(step: _Step, carry: list[Any], slices: list[Any], length: int, reverse: bool) -> tuple[Any, Any]:
    """Step by step, now."""
    if length == 0:
        body, _ = body_of(step, _step_specs(carry, slices))
        return carry, [zeros(Spec((0, *s.shape), s.dtype)) for s in body.specs[len(carry) :]]
    rows: list[list[Any]] = []
    for k in reversed(range(length)) if reverse else range(length):
        made = step(*carry, *(x[k] for x in slices))
        carry = made[: len(carry)]
        rows.append(made[len(carry) :])
    return carry, [stack(column) for column in zip(*(reversed(rows) if reverse else rows), strict=True)]


def _scanned(step: _Step, carry: list[Any], slices: list[Any], length: int, reverse: bool) -> tuple[Any, Any]:
    """As one op. Where a tape is on, gradients are to come: the carries are kept at once."""
    body, outside = body_of(step, _step_specs(carry, slices))
    ins = (*carry, *slices, *outside)
    if not ins:
        return _looped(step, carry, slices, length, reverse)
    saved = any(isinstance(v, Var) for v in ins)
    made = several(apply(Scan(body, len(carry), len(slices), length, reverse, saved), *ins))
    return made[: len(carry)], made[len(carry) : len(body.outs)]


def _repeated(goes_on: Function, step: Function, value: list[Any], specs: Specs) -> tuple[Any, ...]:
    asked, outside = body_of(goes_on, specs)
    body, others = body_of(step, specs)
    return several(apply(While(asked, body, len(value), len(outside)), *value, *outside, *others))


def _symbolic(values: list[Any]) -> bool:
    return is_tracing() or any(isinstance(concrete(v), Sym) for v in values)


def _step_specs(carry: Sequence[Any], slices: Sequence[Any]) -> Specs:
    return (*(c.spec for c in carry), *(Spec(x.spec.shape[1:], x.spec.dtype) for x in slices))


def _leaves(who: str, what: str, tree: Any) -> list[Any]:
    return [leaf(who, path, x) for path, x in named(tree, what)]


def _length(slices: list[Any], length: int | None) -> int:
    if any(not x.spec.shape for x in slices):
        raise ShapeError(f"scan: xs must have a first axis to loop over. Got {_said([x.spec for x in slices])}.")
    found = {x.spec.shape[0] for x in slices} | ({length} if length is not None else set())
    if len(found) != 1:
        what = f"Got {_said([x.spec for x in slices])} and length={length}." if found else "Got neither."
        raise ShapeError(f"scan: xs, or length, must give one number of steps. {what}")
    return found.pop()


def _kept(who: str, structure: Tree, specs: Specs, made: Any) -> list[Any]:
    """The leaves of a carry after a step. Raises ShapeError when it is not as before."""
    values = _leaves(who, "the carry", made)
    same_structure(f"{who}: the carry after a step", structure, flatten(made)[1])
    if tuple(v.spec for v in values) != specs:
        got = _said([v.spec for v in values])
        raise ShapeError(f"{who}: the carry must stay {_said(specs)}, as it began. Got {got} after a step.")
    return values


def _decision(who: str, value: Any) -> Any:
    value = leaf(who, "it", value)
    if value.spec.dtype != "bool":
        raise DTypeError(f"{who} must be a bool. Got {value.spec}; compare it with something.")
    if value.spec.shape != ():
        raise ShapeError(f"{who} must be one bool without axes. Got {value.spec}; take nd.any or nd.all of it.")
    return value


def _said(specs: Sequence[Spec]) -> str:
    return ", ".join(map(str, specs)) or "nothing"
