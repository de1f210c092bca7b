"""Define by run: the gradients that a tape finds on arrays are those of the graph, for every op."""

from typing import Any

import numpy as np

import sparkdl
from sparkdl import nd
from sparkdl.graph.check import evaluate
from sparkdl.graph.grad import grad
from sparkdl.nd.array import NDArray
from tests.conformance.ops import arrays, assert_close, trace
from tests.conformance.test_ops import differentiated, smooth
from tests.tables.ops import Case


def weighted(outs: tuple, weights: dict) -> Any:
    """A real loss that all outputs go into."""
    parts = [nd.sum(nd.real(outs[k] * 1.0) * w) for k, w in weights.items()]
    return sum(parts[1:], start=parts[0])


@smooth
def test_gradients_on_arrays(case: Case) -> None:
    values, wrt = arrays(case, "float64"), differentiated(case)
    graph, outs = trace(case, "float64")
    rng = np.random.default_rng(1)
    floats = [k for k, y in enumerate(outs) if y.spec.dtype in ("float64", "complex128")]
    weights = {k: np.asarray(rng.normal(size=outs[k].spec.shape)) for k in floats}
    slopes = grad(graph, weighted(outs, weights), [graph.sym((k, 0)) for k in wrt])
    want = evaluate(graph, {f"x{k}": v for k, v in enumerate(values)}, slopes)

    def loss(*chosen: Any) -> Any:
        given = dict(zip(wrt, chosen, strict=True))
        made = case.call(*(given.get(k, NDArray(v)) for k, v in enumerate(values)))
        return weighted(made if isinstance(made, tuple) else (made,), weights)

    found = sparkdl.grad(loss, range(len(wrt)))(*(NDArray(values[k]) for k in wrt))
    for k, g, z in zip(wrt, found, want, strict=True):
        assert g.spec == graph.spec((k, 0))
        assert_close(g.numpy(), z, 100 * case.tol, f"gradient {k}")
