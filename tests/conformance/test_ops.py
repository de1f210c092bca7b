"""Every op keeps the contract: each library equals the float64 reference, gradients are true, eager equals compiled."""

import numpy as np
import pytest

from sparkdl.compile.pipeline import compile
from sparkdl.compile.program import Program
from sparkdl.graph.check import check_grads, evaluate
from sparkdl.graph.grad import grad
from sparkdl.graph.verify import verify
from sparkdl.kernels.table import EAGER, LIBRARIES as BY_DEVICE
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.complexes import real
from sparkdl.nd.ops.reduce import sum as sum_of
from tests.conformance.ops import LIBRARIES, arrays, assert_close, oracle, run, served, trace
from tests.tables.ops import CASES, NOT_DIFFERENTIABLE, Case

cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
FASTEST = BY_DEVICE["cpu"]
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def differentiated(case: Case) -> tuple[int, ...]:
    """The inputs of a case that its gradient is checked by."""
    floats = tuple(k for k, a in enumerate(case.args) if a.dtype in ("", "complex"))
    return floats if case.wrt is None else case.wrt


smooth = pytest.mark.parametrize("case", [c for c in CASES if differentiated(c)], ids=lambda case: case.id)


@cases
@dtypes
def test_libraries_equal_the_oracle(case: Case, dtype: str) -> None:
    values = arrays(case, dtype)
    want = oracle(case, values)
    for library in sorted({library for _, library in served(case, dtype)}):
        got = run(case, values, dtype, (library, "ref"))
        for k, (y, z) in enumerate(zip(got, want, strict=True)):
            assert_close(y, z, case.tol, f"output {k} of {library}")


@cases
def test_inputs_need_not_be_contiguous(case: Case) -> None:
    values = arrays(case, "float32")
    want = oracle(case, values)
    for library in LIBRARIES:
        got = run(case, [strided(v) for v in values], "float32", (library, "ref"))
        for y, z in zip(got, want, strict=True):
            assert_close(y, z, case.tol, library)


def strided(x: np.ndarray) -> np.ndarray:
    """The same values with gaps between them, and the axes in the opposite order in memory."""
    wide = np.zeros([2 * n for n in reversed(x.shape)], x.dtype).T
    made = wide[(..., *(slice(None, None, 2) for _ in x.shape))]
    made[...] = x
    return made


@smooth
def test_gradients(case: Case) -> None:
    check_grads(case.call, arrays(case, "float64"), differentiated(case))


@cases
@dtypes
def test_eager_arrays(case: Case, dtype: str) -> None:
    values = arrays(case, dtype)
    made = case.call(*map(NDArray, values))
    graph, outs = trace(case, dtype)
    verify(graph)
    for y, z, symbol in zip(made if isinstance(made, tuple) else (made,), oracle(case, values), outs, strict=True):
        assert y.spec == symbol.spec
        assert_close(y.numpy(), z, case.tol)


@cases
@pytest.mark.parametrize(
    ("dtype", "libraries"),
    [("float32", FASTEST), ("float64", FASTEST), ("float32", ("numpy", "ref"))],
    ids=["float32", "float64", "float32 by numpy"],
)
def test_eager_equals_compiled(
    case: Case, dtype: str, libraries: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKDL_DEBUG", "verify,guard")  # the graph's invariants; no kernel writes elsewhere
    values = arrays(case, dtype)
    graph, outs = trace(case, dtype)
    program = compile(graph, {f"y{k}": y for k, y in enumerate(outs)}, libraries=libraries)
    for _ in range(2):  # a second run must not see what the first left
        feed(program, values)
        program.run()
    for k, want in enumerate(run(case, values, dtype, EAGER)):
        assert_close(program.outputs[f"y{k}"], want, 2 * case.tol)


@smooth
def test_compiled_gradients(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKDL_DEBUG", "verify,guard")
    values = arrays(case, "float32")
    graph, outs = trace(case, "float32")
    rng = np.random.default_rng(1)
    floats = [y for y in outs if y.spec.dtype in ("float32", "complex64")]
    loss = sum(real(sum_of(y * graph.constant(rng.normal(size=y.spec.shape).astype("f")))) for y in floats)
    slopes = grad(graph, loss, [graph.sym((k, 0)) for k in differentiated(case)])
    want = evaluate(graph, {f"x{k}": v for k, v in enumerate(values)}, slopes)
    program = compile(graph, {f"d{k}": s for k, s in enumerate(slopes)})
    feed(program, values)
    program.run()
    for k, z in enumerate(want):
        assert_close(program.outputs[f"d{k}"], z, 4 * case.tol, f"gradient {k}")


def feed(program: Program, values: list[np.ndarray]) -> None:
    """Fill the program's inputs; those that nothing depends on have gone."""
    for k, v in enumerate(values):
        if f"x{k}" in program.inputs:
            program.inputs[f"x{k}"][...] = v


@pytest.mark.parametrize("case", [c for c in CASES if c.op in NOT_DIFFERENTIABLE], ids=lambda case: case.id)
def test_outputs_that_no_gradient_flows_through(case: Case) -> None:
    graph, outs = trace(case, "float32")
    floats = [y for y in outs if "float" in y.spec.dtype]
    slopes = grad(graph, sum_of(floats[0]), [graph.sym((0, 0))]) if floats else []
    assert all(graph.nodes[s.ref[0]].data is not None for s in slopes)  # zeros, as constants
