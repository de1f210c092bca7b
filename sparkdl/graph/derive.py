"""Derivatives of functions: `grad`, `value_and_grad`, `vjp`, `jvp`, and what is said about gradients inside.

Functions take and give arrays, and tuples, lists and dicts of them. Arguments may be arrays, symbols (then gradients
become part of the program that is traced), NumPy arrays, and Python floats as arrays without axes.

The gradient of a real loss by a complex z = x + iy is d/dx - i d/dy, as in JAX: `z - rate * nd.conj(g)` goes downhill.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import KINDS, numpy_dtype
from sparkdl.base.tree import Tree, flatten, leaves_at, mapped, named, unflatten
from sparkdl.graph.graph import Sym
from sparkdl.graph.leaves import Flat, is_float, is_value, leaf, or_zeros, zeros
from sparkdl.graph.tape import concrete, pullback
from sparkdl.nd.array import wrap
from sparkdl.nd.op import apply
from sparkdl.nd.ops.passing import StopGradient

Function = Callable[..., Any]


def grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The function that gives the gradient of `f`, whose value is a real number, an array without axes.

    argnums: by which arguments; several give a tuple of gradients. Each is built as its argument is
    has_aux: f gives (loss, more); the result is then (gradient, more)

    What the loss does not depend on gets zeros. The result can be differentiated again, compiled, and so on. Raises
    ShapeError when the loss has axes, DTypeError for an argument or a loss that is not of floats, and TypeError for
    what is no array.

    >>> from sparkdl import nd
    >>> grad(lambda x: nd.sum(x**3))(nd.asarray([1.0, 2.0]))
    NDArray([ 3., 12.], dtype=float32, device=cpu)
    >>> grad(grad(lambda x: x**3))(2.0)
    NDArray(12., dtype=float32, device=cpu)
    """
    both = _differentiated("grad", f, argnums, has_aux)

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        _, aux, grads = both(*args, **kwargs)
        return (grads, aux) if has_aux else grads

    return gradient


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """As `grad`, but the function gives (loss, gradient); with has_aux ((loss, more), gradient).

    >>> value_and_grad(lambda x: x * x)(3.0)
    (NDArray(9., dtype=float32, device=cpu), NDArray(6., dtype=float32, device=cpu))
    """
    both = _differentiated("value_and_grad", f, argnums, has_aux)

    @wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        loss, aux, grads = both(*args, **kwargs)
        return ((loss, aux), grads) if has_aux else (loss, grads)

    return value_and_gradient


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """f(*primals), and the function that takes a gradient by that value to a tuple of gradients by each of the primals.

    The value may be built of arrays; a gradient by it is built alike, of arrays of the same shapes and dtypes. For
    what is not of floats None is taken, and given. Raises DTypeError and ShapeError for gradients that do not fit.

    >>> from sparkdl import nd
    >>> y, back = vjp(lambda x: x * x, nd.asarray([1.0, 2.0]))
    >>> back(nd.asarray([1.0, 10.0]))
    (NDArray([ 2., 40.], dtype=float32, device=cpu),)
    """
    leaves, structure = _arrays("vjp", primals)
    flat = Flat("vjp", f, structure)
    outs, pull = pullback(flat, leaves)

    def back(grads: Any) -> Any:
        given = _like("vjp: a gradient", leaves_at("vjp", flat.built, grads), outs)
        found = zip(pull(given), leaves, strict=True)
        return unflatten(structure, [or_zeros(g, x) if is_float(x) else None for g, x in found])

    return unflatten(flat.built, outs), back


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """f(*primals), and its derivative along `tangents`, which are built as the primals are.

    Made of two transposed products: g -> vjp(g) is linear, and its own vjp is the derivative wanted (Townsend 2017).
    It costs some three times f, and ops whose gradient has no gradient refuse. Raises as `vjp` does.

    >>> jvp(lambda x: x * x, (3.0,), (1.0,))
    (NDArray(9., dtype=float32, device=cpu), NDArray(6., dtype=float32, device=cpu))
    """
    leaves, structure = _arrays("jvp", tuple(primals))
    along = _like("jvp: a tangent", leaves_at("jvp", structure, tuple(tangents)), leaves)
    flat = Flat("jvp", f, structure)
    outs, pull = pullback(flat, leaves)

    def transposed(*grads: Any) -> list[Any]:
        return [or_zeros(d, x) for d, x in zip(pull(grads), leaves, strict=True)]

    _, forth = pullback(transposed, [zeros(y.spec) for y in outs])
    slopes = [or_zeros(d, y) for d, y in zip(forth(along), outs, strict=True)]
    return unflatten(flat.built, outs), unflatten(flat.built, slopes)


def stop_gradient(x: Any) -> Any:
    """x, arrays or a tree of them, to all derivatives a constant. Inside of `grad` its numbers can be looked at.

    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    NDArray(3., dtype=float32, device=cpu)
    """
    return mapped(_stopped, x)


def _differentiated(who: str, f: Function, argnums: int | Sequence[int], has_aux: bool) -> Function:
    """The function that gives (loss, aux, gradients)."""
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def both(*args: Any, **kwargs: Any) -> Any:
        places = [_position(who, n, len(args)) for n in numbers]
        leaves, structure = _arrays(who, tuple(args[k] for k in places), places)
        _check_floats(who, args, places)
        more: list[Any] = []

        def flat(*values: Any) -> list[Any]:
            chosen = dict(zip(places, unflatten(structure, values), strict=True))
            made = f(*(chosen.get(k, x) for k, x in enumerate(args)), **kwargs)
            loss, aux = _pair(who, made) if has_aux else (made, None)
            more[:] = flatten(aux)
            return [_loss(who, loss), *filter(is_value, more[0])]

        (loss, *seen), pull = pullback(flat, leaves)
        grads = pull([wrap(np.ones((), numpy_dtype(loss.spec.dtype))), *(None for _ in seen)])
        built = unflatten(structure, [or_zeros(g, x) for g, x in zip(grads, leaves, strict=True)])
        values = iter(seen)
        aux = unflatten(more[1], [next(values) if is_value(x) else x for x in more[0]])
        return loss, aux, built[0] if isinstance(argnums, int) else built

    return both


def _position(who: str, n: int, count: int) -> int:
    if not -count <= n < count:
        raise TypeError(f"{who}: argnums must be among the {count} positional arguments. Got {n}.")
    return n % count


def _arrays(who: str, args: tuple[Any, ...], places: Sequence[int] | None = None) -> tuple[list[Any], Tree]:
    """All arrays of the arguments, and how these are built."""
    numbers = range(len(args)) if places is None else places
    paths = [pair for k, arg in zip(numbers, args, strict=True) for pair in named(arg, f"argument {k}")]
    return [leaf(who, path, x) for path, x in paths], flatten(args)[1]


def _check_floats(who: str, args: tuple[Any, ...], places: Sequence[int]) -> None:
    for k in places:
        for path, x in named(args[k], f"argument {k}"):
            value = leaf(who, path, x)
            if not is_float(value):
                raise DTypeError(f"{who}: {path} must be floats. Got {value.spec}; cast it, or choose other argnums.")


def _pair(who: str, made: Any) -> tuple[Any, Any]:
    if not isinstance(made, tuple) or len(made) != 2:
        raise TypeError(f"{who}: with has_aux=True the function must return (loss, more). Got {type(made).__name__}.")
    return made


def _loss(who: str, y: Any) -> Any:
    if not is_value(y):
        raise TypeError(
            f"{who}: the function must return an array. Got {type(y).__name__}: what has left sparkdl has no gradient."
        )
    if y.spec.shape != ():
        raise ShapeError(f"{who}: the loss must be a scalar, an array without axes. Got {y.spec}; sum it, or take vjp.")
    if y.spec.dtype not in KINDS["real floating"]:
        raise DTypeError(f"{who}: the loss must be a real float. Got {y.spec}.")
    return y


def _like(what: str, given: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """Gradients or tangents as arrays, None where there is none. Raises DTypeError unless they are like the values."""
    return [_checked(what, g, x) for g, x in zip(given, values, strict=True)]


def _checked(what: str, g: Any, x: Any) -> Any:
    if g is None or not is_float(x):
        return None
    if isinstance(g, int | float | complex):
        return wrap(np.asarray(g, numpy_dtype(x.spec.dtype)))
    who, _, said = what.partition(": ")
    g = leaf(who, said, g)
    if g.spec != x.spec:
        raise DTypeError(f"{what} must be {x.spec}, as its value is. Got {g.spec}.")
    return g


def _stopped(x: Any) -> Any:
    x = concrete(leaf("stop_gradient", "x", x))
    return apply(StopGradient(), x) if isinstance(x, Sym) else x
