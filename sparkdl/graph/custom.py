"""Functions with gradients of their own."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.graph.graph import Sym
from sparkdl.graph.leaves import leaf, zeros
from sparkdl.graph.tape import Var
from sparkdl.nd.op import apply
from sparkdl.nd.ops.passing import CustomGradient

Function = Callable[..., Any]


def custom_gradient(f: Function) -> Function:
    """A function with a gradient of its own. f(*arrays) gives (y, back): its value, an array or a tuple of them, and
    `back(*gradients)`: the gradients of the arguments, an array or a tuple, None for none. As in TensorFlow.

    `back` is differentiated for higher derivatives. f may not use values that are being differentiated but its
    arguments (TypeError), and is called once for each derivative that is taken at the same time.

    >>> from sparkdl import nd
    >>> from sparkdl.graph.derive import grad
    >>> @custom_gradient
    ... def clipped(x):
    ...     return x, lambda g: nd.clip(g, -1.0, 1.0)
    >>> grad(lambda x: clipped(x) * 4.0)(1.0)
    NDArray(1., dtype=float32, device=cpu)
    """

    @wraps(f)
    def wrapped(*args: Any) -> Any:
        made, many = _custom(f, [leaf("custom_gradient", f"argument {k}", x) for k, x in enumerate(args)])
        return made if many else made[0]

    return wrapped


def _custom(f: Function, values: list[Any]) -> tuple[tuple[Any, ...], bool]:
    """The outputs, on the tapes and in the graphs that the arguments are on, and whether they are a tuple."""
    on = [v.tape for v in values if isinstance(v, Var)]
    if not on:
        made, many, op = _called(f, values)
        return (_several(apply(op, *made, *values)) if any(isinstance(v, Sym) for v in values) else made), many
    tape = max(on, key=lambda t: t.rank)
    lower = [tape.lowered(v) for v in values]
    made, many, op = _called(f, lower)
    if any(isinstance(v, Var | Sym) for v in lower):
        made, many = _custom(f, lower)
    if any(map(tape.holds, made)):
        raise TypeError(
            "custom_gradient: the function uses a value that is being differentiated and is not among its arguments. "
            "Make it one, or take stop_gradient of it."
        )
    return tape.note(op, (*made, *lower), made, (*made, *values)), many


def _called(f: Function, values: list[Any]) -> tuple[tuple[Any, ...], bool, CustomGradient]:
    """What f gives, as a tuple, whether it was one, and the op that has the gradient."""
    given = f(*values)
    if not isinstance(given, tuple) or len(given) != 2 or not callable(given[1]):
        raise TypeError("custom_gradient: the function must return (y, back), back a function of gradients by y.")
    many = isinstance(given[0], tuple)
    made = tuple(leaf("custom_gradient", "the function's value", y) for y in (given[0] if many else given[:1]))
    back, outs, ins = given[1], [y.spec for y in made], [x.spec for x in values]

    def pull(grads: tuple[Any, ...]) -> tuple[Any, ...]:
        found = _several(back(*(zeros(s) if g is None else g for g, s in zip(grads, outs, strict=True))))
        return _checked(found, ins)

    return made, many, CustomGradient(len(made), pull)


def _several(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, tuple | list) else (x,)


def _checked(grads: tuple[Any, ...], wanted: list[Spec]) -> tuple[Any, ...]:
    """The gradients that a user's function gave. Raises ShapeError unless they are what the arguments are."""
    if len(grads) != len(wanted):
        raise ShapeError(f"custom_gradient: there must be {len(wanted)} gradients, one an argument. Got {len(grads)}.")
    made = tuple(None if g is None else leaf("custom_gradient", "a gradient", g) for g in grads)
    for k, (g, spec) in enumerate(zip(made, wanted, strict=True)):
        if g is not None and g.spec != spec:
            raise ShapeError(f"custom_gradient: the gradient of argument {k} must be {spec}, as it is. Got {g.spec}.")
    return made
