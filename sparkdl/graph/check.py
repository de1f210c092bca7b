"""Does a gradient tell the truth? One random directional derivative per input says so, whatever its size.

As autograd's checker (Maclaurin 2016) it needs few evaluations; unlike it, each input has a direction of its own, so
that an error names its input. All arithmetic is that of the reference kernels, in float64 and complex128.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.spec import Spec
from sparkdl.graph.grad import grad
from sparkdl.graph.graph import Graph, Ref, Sym
from sparkdl.graph.verify import verify
from sparkdl.nd.array import execute
from sparkdl.nd.ops.complexes import real
from sparkdl.nd.ops.reduce import sum as sum_

Array = NDArray[Any]
WIDEST = {"f": np.float64, "c": np.complex128}
STEP = 1e-4  # of the four-point rule: truncation and rounding both stay below 1e-11 for functions of size 1


def check_grads(
    f: Callable[..., Any],
    arrays: Sequence[Array],
    wrt: Sequence[int] | None = None,
    *,
    seed: int = 0,
    rtol: float = 1e-7,
    atol: float = 1e-8,
) -> None:
    """Raises AssertionError when a gradient of `f` is not the slope of `f`, or has the wrong spec.

    f:      function of Values, to a Value or a tuple of them; outputs that are not floats are left out
    arrays: where to look; floats are taken as float64, complex numbers as complex128. Stay 1e-3 away from kinks.
    wrt:    which inputs are differentiated; by default all floats, real and complex

    >>> from sparkdl.nd.ops.analysis import tanh
    >>> check_grads(lambda x: tanh(x) * x, [np.linspace(-2, 2, 5)])
    """
    rng = np.random.default_rng(seed)
    given = [a.astype(WIDEST.get(a.dtype.kind, a.dtype)) for a in map(np.asarray, arrays)]
    chosen = [k for k, a in enumerate(given) if a.dtype.kind in WIDEST] if wrt is None else list(wrt)
    graph = Graph()
    xs = [graph.input(f"x{k}", Spec(a.shape, a.dtype.name)) for k, a in enumerate(given)]
    loss = _weighted(graph, f(*xs), rng)
    slopes = grad(graph, loss, [xs[k] for k in chosen])
    verify(graph)
    for k, slope in zip(chosen, slopes, strict=True):
        if slope.spec != xs[k].spec:
            raise AssertionError(f"the gradient of input {k} is {slope.spec}, the input {xs[k].spec}")
        _check_input(given, k, loss, slope, rng, (rtol, atol))


def evaluate(
    graph: Graph, inputs: Mapping[str, Array], wanted: Sequence[Sym], libraries: tuple[str, ...] = ("ref",)
) -> list[Array]:
    """Run a graph node by node; nodes that `wanted` does not need are left out.

    Raises KernelError when a kernel makes another shape than its op inferred.
    """
    needed = _needed(graph, {s.ref[0] for s in wanted})
    values: dict[Ref, Array] = {}
    for k, node in enumerate(graph.nodes):
        if k not in needed:
            continue
        if node.op is None:
            values[k, 0] = inputs[node.label] if node.data is None else node.data
        else:
            made = execute(node.op, tuple(values[r] for r in node.ins), libraries)
            values.update({(k, o): array for o, array in enumerate(made)})
    return [values[s.ref] for s in wanted]


def _weighted(graph: Graph, made: Any, rng: np.random.Generator) -> Sym:
    """sum(c y) over all float outputs, c random, of it the real part: a scalar whose gradient involves all of them."""
    outs = made if isinstance(made, tuple) else (made,)
    wide = [y for y in outs if y.spec.dtype in ("float64", "complex128")]
    parts = [real(sum_(y * graph.constant(_normal(rng, y.spec)))) for y in wide]
    if not parts:
        raise AssertionError("the function has no float64 output")
    loss: Sym = parts[0]
    for part in parts[1:]:
        loss = loss + part
    return loss


def _normal(rng: np.random.Generator, spec: Spec) -> Array:
    drawn: Array = np.asarray(rng.normal(size=spec.shape))
    return drawn + 1j * rng.normal(size=spec.shape) if spec.dtype == "complex128" else drawn


def _check_input(
    arrays: list[Array], k: int, loss: Sym, slope: Sym, rng: np.random.Generator, tolerance: tuple[float, float]
) -> None:
    direction = _direction(rng, arrays[k].shape)
    if arrays[k].dtype.kind == "c":
        direction = direction + 1j * _direction(rng, arrays[k].shape)
    terms = (evaluate(slope.graph, _named(arrays), [slope])[0] * direction).real  # d/dx - i d/dy, times dx + i dy
    claimed, found = float(terms.sum()), _derivative(arrays, k, direction, loss)
    allowed = tolerance[0] * float(np.linalg.norm(terms)) + tolerance[1]
    if not abs(claimed - found) <= allowed:  # so that NaN fails
        raise AssertionError(
            f"the gradient of input {k} says {claimed:.9g} along a random direction, differences say {found:.9g} "
            f"(allowed distance {allowed:.1e})"
        )


def _direction(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return rng.uniform(0.5, 1.0, shape) * rng.choice([-1.0, 1.0], shape)


def _derivative(arrays: list[Array], k: int, direction: Array, loss: Sym) -> float:
    """d loss / d (input k along `direction`), by four points: error O(STEP^4)."""

    def at(steps: float) -> float:
        moved = [*arrays[:k], arrays[k] + steps * STEP * direction, *arrays[k + 1 :]]
        return float(evaluate(loss.graph, _named(moved), [loss])[0])

    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * STEP)


def _named(arrays: Sequence[Array]) -> dict[str, Array]:
    return {f"x{k}": a for k, a in enumerate(arrays)}


def _needed(graph: Graph, last: set[int]) -> set[int]:
    found = set(last)
    for k in range(len(graph.nodes) - 1, -1, -1):
        if k in found:
            found.update(r[0] for r in graph.nodes[k].ins)
    return found
