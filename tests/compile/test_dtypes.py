"""Programs in every dtype give what eager arrays give, wrapped integers included."""

import numpy as np
import pytest

from sparkdl import nd
from sparkdl.base.spec import KINDS, Spec, numpy_dtype
from sparkdl.compile.pipeline import compile
from sparkdl.graph.graph import Graph, Sym
from tests.nd.test_elementwise import BINARY, UNARY, drawn


def program(fn, arrays, libraries):
    graph = Graph()
    out = fn(*(graph.input(f"x{k}", Spec(a.shape, a.dtype.name)) for k, a in enumerate(arrays)))
    out = out if isinstance(out, Sym) else graph.constant(out.numpy())  # the answer hangs on the dtype alone
    made = compile(graph, {"y": out}, libraries=libraries)
    for k, a in enumerate(arrays):
        if f"x{k}" in made.inputs:
            made.inputs[f"x{k}"][...] = a
    made.run()
    return made.outputs["y"]


@pytest.mark.parametrize(
    ("name", "dtype"), [(n, d) for table in (UNARY, BINARY) for n, dtypes in table.items() for d in dtypes]
)
def test_each_function(name, dtype):
    arrays = [drawn(dtype, k) for k in range(2 if name in BINARY else 1)]
    eager = getattr(nd, name)(*map(nd.asarray, arrays))
    made = program(getattr(nd, name), arrays, ("numpy", "ref"))
    assert made.dtype == eager.dtype
    np.testing.assert_array_equal(made, eager.numpy())


@pytest.mark.parametrize("dtype", sorted(KINDS["numeric"]))
def test_a_chain(dtype):
    def chain(a, b):
        c = (a + b) * b - a
        return nd.where(c == a, b, c * c + nd.abs(b) if dtype not in KINDS["complex floating"] else c)

    draw = np.random.default_rng(0)
    high = 120 if dtype in KINDS["integer"] else 2
    arrays = [draw.integers(0, high, (5, 7)).astype(numpy_dtype(dtype)) for _ in range(2)]
    want = chain(*map(nd.asarray, arrays))
    got = program(chain, arrays, ("onednn", "numba", "numpy", "ref"))
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want.numpy())


@pytest.mark.parametrize("given", sorted(KINDS["any"] - KINDS["complex floating"]))
@pytest.mark.parametrize("wanted", ["bool", "int32", "int64", "float32", "float64", "float16", "uint8"])
def test_casts(given, wanted):
    values = np.array([[0, 1, 3]]).astype(numpy_dtype(given))
    got = program(lambda x: nd.astype(x, wanted), [values], ("onednn", "numba", "numpy", "ref"))
    np.testing.assert_array_equal(got, values.astype(numpy_dtype(wanted)))
