"""How a case of tests/tables/ops.py becomes arrays and a graph; shared by the tests of ops."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sparkdl.base.errors import KernelError
from sparkdl.base.spec import BFLOAT16, COMPLEX_OF, REAL_OF, Spec, numpy_dtype
from sparkdl.graph.check import evaluate
from sparkdl.graph.graph import Graph, Sym
from sparkdl.kernels import table
from tests.tables.ops import Arg, Case

LIBRARIES = tuple(name for name in table.LIBRARIES["cpu"] if name != "ref")


def apart(rng: Any, shape: Any) -> Any:
    """Distinct values at least 0.1 from one another and 0.05 from 0 and all whole numbers: far from kinks."""
    n = int(np.prod(shape))
    return ((rng.permutation(n) - n // 2 + 0.5) * 0.1).reshape(shape)


def sound(rng: Any, shape: Any) -> Any:
    """Matrices whose eigenvalues and singular values are near 1, 2, 3, ..."""
    return 0.2 * rng.normal(size=shape) + np.eye(*shape[-2:]) * np.arange(1, shape[-1] + 1)


FILLS: dict[str, Callable[..., Any]] = {
    "apart": apart,
    "other": lambda rng, shape: apart(rng, shape) + 0.02,
    "normal": lambda rng, shape: rng.normal(size=shape),
    "positive": lambda rng, shape: rng.uniform(0.3, 3.0, shape),
    "inner": lambda rng, shape: rng.uniform(-0.9, 0.9, shape),
    "above": lambda rng, shape: rng.uniform(1.3, 3.0, shape),
    "negative": lambda rng, shape: rng.uniform(-1.2, -0.1, shape),
    "sound": sound,
    "odd": lambda rng, shape: np.resize([np.nan, np.inf, -0.0, 1.0], shape),
    "unit": lambda rng, shape: rng.uniform(0.0, 1.0, shape),
    "digits": lambda rng, shape: rng.integers(0, 4, shape),
    "bools": lambda rng, shape: rng.integers(0, 2, shape),
    "numbers": lambda rng, shape: rng.integers(0, 2**62, shape),
    "below": lambda rng, shape, n: rng.integers(0, n, shape),
    "ends": lambda rng, shape, n: np.sort(rng.integers(0, n + 1, shape)),
    "around": lambda rng, shape, n: rng.integers(-2, n + 2, shape),
}


def arrays(case: Case, dtype: str) -> list[np.ndarray]:
    """The inputs, the same for every dtype up to rounding."""
    rng = np.random.default_rng(len(case.id))
    return [drawn(rng, arg, dtype) for arg in case.args]


def drawn(rng: np.random.Generator, arg: Arg, dtype: str) -> np.ndarray:
    name, *rest = arg.fill.split()
    made = np.asarray(FILLS[name](rng, arg.shape, *map(int, rest)))
    if arg.dtype == "complex":
        made = made + 1j * np.asarray(FILLS[name](rng, arg.shape, *map(int, rest)))
    return made.astype(numpy_dtype(dtype_of(arg, dtype)))


def dtype_of(arg: Arg, dtype: str) -> str:
    """That of the test, its complex one, or another."""
    return COMPLEX_OF[dtype] if arg.dtype == "complex" else arg.dtype or dtype


def trace(case: Case, dtype: str) -> tuple[Graph, tuple[Sym, ...]]:
    """The case as a graph with inputs x0, x1, ..., and its results."""
    graph = Graph()
    made = case.call(*(graph.input(f"x{k}", Spec(a.shape, dtype_of(a, dtype))) for k, a in enumerate(case.args)))
    return graph, made if isinstance(made, tuple) else (made,)


def run(case: Case, values: list[np.ndarray], dtype: str, libraries: tuple[str, ...]) -> list[np.ndarray]:
    """The results, op by op, by the first of `libraries` that serves."""
    graph, outs = trace(case, dtype)
    return evaluate(graph, {f"x{k}": v for k, v in enumerate(values)}, outs, libraries)


def oracle(case: Case, values: list[np.ndarray]) -> list[np.ndarray]:
    """The results by the reference kernels in float64."""
    wide = [v.astype(numpy_dtype(dtype_of(arg, "float64"))) for v, arg in zip(values, case.args, strict=True)]
    return run(case, wide, "float64", ("ref",))


def served(case: Case, dtype: str) -> set[tuple[str, str]]:
    """(op, library) for all ops of the case, those inside of mixed ones too, and the libraries that have a kernel."""
    graph, _ = trace(case, dtype)
    found = set()
    for node in graph.nodes:
        for library in LIBRARIES:
            if node.op is not None and _serves(graph, node, library):
                found |= {(op.name, library) for op in (node.op, getattr(node.op, "inner", node.op))}
    return found


def _serves(graph: Graph, node: Any, library: str) -> bool:
    try:
        table.prepare(node.op, tuple(map(graph.spec, node.ins)), node.outs, (library,))
    except KernelError:
        return False
    return True


def assert_close(got: Any, want: Any, tol: float = 1.0, said: str = "") -> None:
    """Equal up to the rounding of got's dtype, relative to the largest value; ints and bools exactly."""
    assert got.shape == want.shape, said
    if got.dtype.name == BFLOAT16:
        got, want, tol = got.astype(np.float32), want.astype(np.float32), 800 * tol  # 8 bits, ties
    if got.dtype.kind not in "fc":
        np.testing.assert_array_equal(got, want, err_msg=said)
        return
    eps = tol * {"float32": 1e-5, "float64": 1e-11}[REAL_OF.get(got.dtype.name, got.dtype.name)]
    finite = want[np.isfinite(want)]
    np.testing.assert_allclose(got, want, rtol=eps, atol=eps * max(1.0, np.abs(finite).max(initial=0)), err_msg=said)
