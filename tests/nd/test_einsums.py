"""einsum against NumPy's, drawn equations, gradients, compiled form, errors."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sparkdl import nd
from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.compile.pipeline import compile
from sparkdl.graph.check import check_grads
from sparkdl.graph.derive import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray
from sparkdl.nd.einsums import einsum

CASES = {
    "ij->ji": [(3, 4)],
    "ij": [(3, 4)],
    "ba": [(3, 4)],
    "ii": [(3, 3)],
    "ii->i": [(3, 3)],
    "iij->ji": [(3, 3, 2)],
    "ijij->ij": [(2, 3, 2, 3)],
    "iii": [(3, 3, 3)],
    "ij->": [(3, 4)],
    "ijk->j": [(2, 3, 4)],
    "->": [()],
    ",": [(), ()],
    "i,i": [(5,), (5,)],
    "i,j": [(3,), (4,)],
    "i,j->ji": [(3,), (4,)],
    "i,i->i": [(5,), (5,)],
    "ij,jk": [(2, 3), (3, 4)],
    "ij,jk->ki": [(2, 3), (3, 4)],
    "ij,ij->": [(3, 4), (3, 4)],
    "ij,ij->i": [(3, 4), (3, 4)],
    "bij,bjk->bik": [(2, 3, 4), (2, 4, 5)],
    "bhqd,bhkd->bhqk": [(2, 3, 4, 5), (2, 3, 6, 5)],
    "abc,cd,be->ade": [(2, 3, 4), (4, 5), (3, 2)],
    "ij,jk,kl,lm->im": [(2, 3), (3, 4), (4, 2), (2, 5)],
    "ii,i->": [(4, 4), (4,)],
    "...i->...": [(2, 3, 4)],
    "...ij,...jk->...ik": [(2, 3, 4), (4, 5)],
    "i...,i...->i...": [(2, 3, 1), (2, 1, 4)],
    "...,...": [(3, 4), (4,)],
    "a...b,b...->...a": [(2, 3, 4), (4, 3)],
    "...ii->...i": [(2, 3, 3)],
    "... i, i -> ...": [(2, 3), (3,)],
    "ij,jk->ik": [(2, 1), (3, 4)],
    "i,ij->j": [(1,), (3, 2)],
    "ij,kj->ik": [(0, 3), (2, 3)],
    "xy,yz->zx": [(2, 0), (0, 3)],
    "i,i,i->i": [(4,), (4,), (4,)],
    "Aa,aB->AB": [(2, 3), (3, 4)],
    "ab,cd,ef->": [(2, 2), (3, 1), (2, 3)],
}
CASES["Ba"] = [(2, 3)]


def drawn(shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s) for s in shapes]


@pytest.mark.parametrize("optimize", [True, False])
@pytest.mark.parametrize("equation", CASES)
def test_as_numpy(equation, optimize):
    arrays = drawn(CASES[equation])
    got = einsum(equation, *map(NDArray, arrays), optimize=optimize)
    want = np.einsum(equation, *arrays)
    assert (got.shape, got.dtype) == (want.shape, "float64")
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("equation", [e for e in CASES if 0 not in np.ravel(sum(CASES[e], ()))])
def test_gradients(equation):
    check_grads(lambda *xs: einsum(equation, *xs), drawn(CASES[equation]))


@pytest.mark.parametrize("equation", ["bij,bjk->bik", "abc,cd,be->ade", "iij->ji", "...,...", "ij,kj->ik"])
def test_compiled_is_eager(equation):
    arrays = [a.astype("f") for a in drawn(CASES[equation])]
    graph = Graph()
    xs = [graph.input(f"x{k}", Spec(a.shape)) for k, a in enumerate(arrays)]
    program = compile(graph, {"y": einsum(equation, *xs)})
    for k, a in enumerate(arrays):
        program.inputs[f"x{k}"][...] = a
    program.run()
    np.testing.assert_allclose(
        program.outputs["y"], einsum(equation, *map(NDArray, arrays)).numpy(), rtol=1e-5, atol=1e-6
    )


def test_under_a_tape():
    a, b = (NDArray(x) for x in drawn([(2, 3), (3, 4)]))
    made = grad(lambda a: einsum("ij,jk->", a, b))(a)
    np.testing.assert_allclose(made.numpy(), np.broadcast_to(b.numpy().sum(1), (2, 3)))


@st.composite
def problems(draw):
    """An equation with shapes: letters repeated, summed, kept, broadcast, and an ellipsis in some operands."""
    lengths = {k: draw(st.integers(1, 3)) for k in "abcde"}
    wide = draw(st.lists(st.integers(1, 3), max_size=2))
    terms, shapes = [], []
    for _ in range(draw(st.integers(1, 4))):
        letters = draw(st.lists(st.sampled_from("abcde"), max_size=4))
        at = draw(st.none() | st.integers(0, len(letters)))
        more = wide[draw(st.integers(0, len(wide))) :] if at is not None else []
        more = [n if draw(st.booleans()) else 1 for n in more]
        at = 0 if at is None else at
        dots = "..." if more or draw(st.booleans()) else ""
        terms.append("".join(letters[:at]) + dots + "".join(letters[at:]))
        own = [lengths[k] for k in letters]
        shapes.append((*own[:at], *more, *own[at:]))
    equation = ",".join(terms)
    if draw(st.booleans()):
        found = sorted({k for k in equation if k.isalpha()})
        kept = draw(st.permutations(found))[: draw(st.integers(0, len(found)))]
        at = draw(st.integers(0, len(kept)))
        equation += "->" + "".join(kept[:at]) + ("..." if "..." in equation else "") + "".join(kept[at:])
    return equation, shapes


@settings(max_examples=400, deadline=None)
@given(problems(), st.booleans())
def test_drawn_equations_as_numpy(problem, optimize):
    equation, shapes = problem
    arrays = [a.round(1) for a in drawn(shapes)]
    got = einsum(equation, *map(NDArray, arrays), optimize=optimize)
    want = np.einsum(equation, *arrays)
    assert got.shape == want.shape
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-9, atol=1e-9)


def test_dtypes():
    a, b = NDArray(np.arange(6, dtype="int8").reshape(2, 3)), NDArray(np.arange(3, dtype="int16"))
    assert einsum("ij,j->i", a, b).dtype == "int16"
    assert einsum("ij->i", a).dtype == "int8"
    assert einsum("ij,j", a, b).tolist() == np.einsum("ij,j", a.numpy(), b.numpy()).tolist()
    assert einsum("i,i", nd.ones(2, "float32"), nd.ones(2, "float64")).dtype == "float64"
    assert einsum("i,i", nd.ones(2, "bfloat16"), nd.ones(2, "bfloat16")).dtype == "bfloat16"
    assert einsum("i,i", np.ones(2), nd.ones(2)).item() == 2.0
    z = NDArray(np.array([1 + 2j, 3j]))
    assert einsum("i,i", z, z).item() == (z.numpy() ** 2).sum()


def test_the_smallest_product_comes_first():
    """A chain whose left-to-right order would need 10^8 elements."""
    long, thin = NDArray(np.ones((10_000, 1))), NDArray(np.ones((1, 10_000)))
    assert einsum("ij,jk,kl->il", long, thin, long).shape == (10_000, 1)


@pytest.mark.parametrize(
    ("equation", "shapes", "said"),
    [
        (
            "ij,jk->ik",
            [(2, 3), (4, 5)],
            r"'ij,jk->ik' of float64\[2,3\] and float64\[4,5\]: axes of 'j' .* Got 3 and 4",
        ),
        ("ii", [(2, 3)], "axes of 'i'"),
        ("...i,...i", [(2, 3), (4, 3)], r"axes of '\.\.\.'"),
        ("ij", [(2, 3, 4)], "'ij' names 2 axes of an array that has 3"),
        ("ijk...", [(2, 3)], "names 3 axes of an array that has 2"),
        ("ij,jk", [(2, 3)], "an operand for each of the 2 terms. Got 1"),
        ("ij", [(2, 3), (2, 3)], "an operand for each of the 1 terms. Got 2"),
        ("", [], "an operand for each"),
        ("ij->ik", [(2, 3)], "'k' of the result is in no operand"),
        ("ij->ii", [(2, 3)], "'i' of the result is there twice"),
        ("i1->i", [(2, 3)], "must be letters"),
        ("i..j->i", [(2, 3)], "must be letters"),
        ("...i...->i", [(2, 3)], "must be letters"),
        ("i->i->i", [(2,)], "must be letters"),
        ("i-i", [(2,)], "must be letters"),
        ("...i->i", [(2, 3)], r"must have '\.\.\.', too"),
    ],
)
def test_errors_name_letters_and_shapes(equation, shapes, said):
    with pytest.raises(ShapeError, match=said):
        einsum(equation, *map(NDArray, drawn(shapes)))


def test_what_is_no_equation_and_no_array():
    with pytest.raises(TypeError, match="must be a text"):
        einsum(nd.ones((2, 2)), [0, 1])
    for bad in ([1.0, 2.0], "ab", nd.asarray([True, False]), None):
        with pytest.raises(DTypeError):
            einsum("i", bad)
