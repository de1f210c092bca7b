"""Linear algebra against NumPy's, its gradients, and what it refuses."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sparkdl import nd
from sparkdl.base.errors import AxisError, DTypeError, ShapeError
from sparkdl.graph.check import check_grads
from sparkdl.graph.derive import grad
from sparkdl.nd import linalg
from sparkdl.nd.array import NDArray

DTYPES = ("float32", "float64", "complex64", "complex128")
rng = np.random.default_rng(0)


def drawn(shape: tuple[int, ...], dtype: str) -> Any:
    made = rng.normal(size=shape)
    return (made + 1j * rng.normal(size=shape) if "complex" in dtype else made).astype(dtype)


def positive(shape: tuple[int, ...], dtype: str) -> Any:
    x = drawn(shape, dtype)
    return (x @ x.conj().mT + np.eye(shape[-1])).astype(dtype)


def same(got: Any, want: Any, dtype: str) -> None:
    """Values, shape and dtype as NumPy's, up to rounding."""
    eps = 1e-4 if dtype in ("float32", "complex64") else 1e-10
    want = np.asarray(want)
    assert (got.shape, got.dtype) == (want.shape, want.dtype.name)
    np.testing.assert_allclose(got.numpy(), want, rtol=eps, atol=eps)


dtypes = pytest.mark.parametrize("dtype", DTYPES)
lead = pytest.mark.parametrize("lead", [(), (2,), (3, 1), (0,)], ids=str)


@dtypes
@lead
@pytest.mark.parametrize("name", ["inv", "det", "cholesky", "eigvalsh", "pinv", "svdvals", "matrix_rank"])
def test_one_result_as_numpy(name: str, lead: tuple[int, ...], dtype: str) -> None:
    x = positive((*lead, 3, 3), dtype)
    same(getattr(linalg, name)(NDArray(x)), getattr(np.linalg, name)(x), dtype)


@dtypes
@lead
def test_slogdet(lead: tuple[int, ...], dtype: str) -> None:
    x = drawn((*lead, 3, 3), dtype)
    got, want = linalg.slogdet(NDArray(x)), np.linalg.slogdet(x)
    same(got.sign, want.sign, dtype)
    same(got.logabsdet, want.logabsdet, dtype)


@dtypes
@lead
def test_eigh_rebuilds_its_matrix(lead: tuple[int, ...], dtype: str) -> None:
    x = positive((*lead, 3, 3), dtype)
    w, v = linalg.eigh(NDArray(x))
    same(w, np.linalg.eigvalsh(x), dtype)
    same((v * w[..., None, :]) @ nd.conj(v).mT, x, dtype)


@dtypes
@lead
@pytest.mark.parametrize("size", [(4, 2), (2, 4), (3, 3), (2, 0)], ids=str)
def test_svd_and_qr_rebuild_their_matrix(size: tuple[int, int], lead: tuple[int, ...], dtype: str) -> None:
    x, (m, n), k = drawn((*lead, *size), dtype), size, min(size)
    for full, (u_cols, v_rows) in ((False, (k, k)), (True, (m, n))):
        u, s, vh = linalg.svd(NDArray(x), full_matrices=full)
        assert (u.shape, s.shape, vh.shape) == ((*lead, m, u_cols), (*lead, k), (*lead, v_rows, n))
        same((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], x, dtype)
        same(nd.conj(u).mT @ u, np.broadcast_to(np.eye(u_cols, dtype=dtype), (*lead, u_cols, u_cols)), dtype)
    for mode, inner in (("reduced", k), ("complete", m)):
        q, r = linalg.qr(NDArray(x), mode=mode)
        assert (q.shape, r.shape) == ((*lead, m, inner), (*lead, inner, n))
        same(q @ r, x, dtype)
        same(r, np.triu(r.numpy()), dtype)


@dtypes
@pytest.mark.parametrize(
    ("a", "b"),
    [((3, 3), (3,)), ((2, 3, 3), (3,)), ((3, 3), (3, 4)), ((2, 1, 3, 3), (5, 3, 2)), ((0, 0), (0, 2))],
    ids=str,
)
def test_solve(a: tuple[int, ...], b: tuple[int, ...], dtype: str) -> None:
    x, y = drawn(a, dtype), drawn(b, dtype)
    same(linalg.solve(NDArray(x), NDArray(y)), np.linalg.solve(x, y), dtype)


@dtypes
@pytest.mark.parametrize("order", ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
@pytest.mark.parametrize("keep", [False, True])
def test_matrix_norm(order: Any, keep: bool, dtype: str) -> None:
    for shape in ((3, 2), (2, 2, 4), (0, 2, 3)):
        x = drawn(shape, dtype)
        got = linalg.matrix_norm(NDArray(x), ord=order, keepdims=keep)
        same(got, np.linalg.matrix_norm(x, ord=order, keepdims=keep), dtype)


@pytest.mark.parametrize("order", ["fro", "nuc", 1, 2, np.inf])
def test_norms_of_nothing_are_0(order: Any) -> None:
    assert linalg.matrix_norm(nd.zeros((0, 0)), ord=order).item() == 0
    assert linalg.vector_norm(nd.zeros(0), ord=np.inf).item() == 0
    with pytest.raises(ShapeError, match="empty"):
        linalg.matrix_norm(nd.zeros((0, 0)), ord=-2)


@dtypes
@pytest.mark.parametrize("order", [2, 1, 0, 3, 2.5, 0.5, -1, -2, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (2, 1)], ids=str)
@pytest.mark.parametrize("keep", [False, True])
def test_vector_norm(order: float, axis: Any, keep: bool, dtype: str) -> None:
    x = drawn((2, 3, 4), dtype)
    got = linalg.vector_norm(NDArray(x), axis=axis, ord=order, keepdims=keep)
    same(got, np.linalg.vector_norm(x, axis=axis, ord=order, keepdims=keep), dtype)


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int8", "uint64"])
@pytest.mark.parametrize("offset", [-9, -3, -1, 0, 2, 9])
@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (2, 3, 3), (0, 3), (2, 0)], ids=str)
def test_diagonal_and_trace(shape: tuple[int, ...], offset: int, dtype: str) -> None:
    x = (10 * rng.normal(size=shape)).astype(dtype)
    same(linalg.diagonal(NDArray(x), offset=offset), np.linalg.diagonal(x, offset=offset), dtype)
    same(linalg.trace(NDArray(x), offset=offset), np.linalg.trace(x, offset=offset), dtype)
    strided = NDArray(np.asarray(x, order="F"))
    same(linalg.diagonal(strided, offset=offset), np.linalg.diagonal(x, offset=offset), dtype)


def test_a_diagonal_is_a_view_and_a_trace_takes_a_dtype() -> None:
    x = nd.zeros((2, 3, 4))
    assert np.shares_memory(linalg.diagonal(x, offset=1).numpy(), x.numpy())
    assert linalg.trace(nd.ones((2, 2), "int8"), dtype="float64").spec == nd.asarray(2.0, dtype="float64").spec


@pytest.mark.parametrize(
    ("a", "b", "axis"),
    [((3,), (3,), -1), ((2, 3), (3,), -1), ((3, 2), (3, 1), 0), ((4, 1, 3), (2, 3), -1), ((2, 3, 4), (3, 4), -2)],
    ids=str,
)
def test_cross(a: tuple[int, ...], b: tuple[int, ...], axis: int) -> None:
    x, y = drawn(a, "float64"), drawn(b, "complex128")
    same(linalg.cross(NDArray(x), NDArray(y), axis=axis), np.linalg.cross(x, y, axis=axis), "float64")


@dtypes
@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, -1, -4])
def test_matrix_power(n: int, dtype: str) -> None:
    x = positive((2, 3, 3), dtype) / 4
    want = np.linalg.matrix_power(x.astype("complex128" if "complex" in dtype else "float64"), n).astype(dtype)
    got = linalg.matrix_power(NDArray(x), n)
    same(got / np.abs(want).max(), want / np.abs(want).max(), dtype)


def test_ranks_and_pseudoinverses_of_singular_matrices() -> None:
    x = np.stack([np.ones((3, 4)), np.zeros((3, 4)), np.eye(3, 4) * [1, 0.1, 0.01, 0]])
    assert linalg.matrix_rank(NDArray(x)).tolist() == [1, 0, 3]
    assert linalg.matrix_rank(NDArray(x), rtol=0.05).tolist() == [1, 0, 2]
    assert linalg.matrix_rank(NDArray(x), rtol=nd.asarray([0.0, 0.0, 0.5])).tolist()[1:] == [0, 1]
    same(linalg.pinv(NDArray(x)), np.linalg.pinv(x), "float64")
    same(linalg.pinv(NDArray(x), rtol=0.05), np.linalg.pinv(x, rtol=0.05), "float64")
    assert linalg.matrix_rank(nd.zeros((2, 0, 3))).tolist() == [0, 0]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_computed_in_float32(dtype: str) -> None:
    x = nd.astype(nd.asarray(positive((3, 3), "float32")), dtype)
    for made in (linalg.inv(x), linalg.eigh(x).eigenvectors, linalg.svd(x).S, linalg.pinv(x), linalg.cholesky(x)):
        assert made.dtype == dtype
    assert linalg.matrix_norm(nd.full((30, 30), 1000.0, dtype=dtype), ord=2).spec.dtype == dtype
    same(linalg.vector_norm(nd.full((4,), 20000.0, dtype="float16")), np.float16(40000), "float32")
    want = np.linalg.inv(x.numpy().astype("float32"))
    np.testing.assert_allclose(linalg.inv(x).numpy().astype("float32"), want, atol=0.01)


def test_cholesky_upwards() -> None:
    x = positive((2, 3, 3), "complex128")
    same(linalg.cholesky(NDArray(x), upper=True), np.linalg.cholesky(x, upper=True), "complex128")


def test_results_have_names() -> None:
    x = NDArray(np.eye(2))
    assert linalg.eigh(x)._fields == ("eigenvalues", "eigenvectors")
    assert linalg.qr(x)._fields == ("Q", "R")
    assert linalg.slogdet(x)._fields == ("sign", "logabsdet")
    assert linalg.svd(x)._fields == ("U", "S", "Vh")
    assert linalg is nd.linalg and set(dir(linalg)) >= set(linalg.__all__)


def test_names_of_the_main_namespace() -> None:
    assert all(getattr(linalg, n) is getattr(nd, n) for n in ("matmul", "outer", "tensordot", "vecdot"))
    assert linalg.matrix_transpose is nd.matrix_transpose


# --- gradients of what the tables of ops do not have ------------------------------------------------------------------

X, S = drawn((2, 3, 4), "float64"), positive((2, 3, 3), "float64")
Z, SINGULAR = drawn((2, 3, 4), "complex128"), np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0])


@pytest.mark.parametrize("x", [X, Z], ids=["real", "complex"])
@pytest.mark.parametrize(
    "call",
    [
        *(lambda x, k=k: linalg.matrix_norm(x, ord=k) for k in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)),
        *(lambda x, k=k: linalg.vector_norm(x, axis=1, ord=k) for k in (2, 1, 3, -1, np.inf, -np.inf)),
        lambda x: linalg.diagonal(x, offset=1),
        linalg.trace,
        lambda x: linalg.cross(x, x[..., ::-1] * x, axis=-2),
        lambda x: linalg.matrix_power(x @ x.mT, 3),
        lambda x: linalg.matrix_power(x @ x.mT, -2),
        lambda x: linalg.cholesky(x @ nd.conj(x).mT, upper=True),
        lambda x: linalg.outer(x[0, 0], x[0, 1]),
        lambda x: linalg.vecdot(x, x * x, axis=0),
        lambda x: linalg.tensordot(x, x, axes=([0, 1], [0, 1])),
    ],
)
def test_gradients(call: Callable[[Any], Any], x: Any) -> None:
    check_grads(call, [x], rtol=1e-6)


def test_second_derivatives() -> None:
    for call in (linalg.inv, linalg.det, linalg.cholesky, linalg.eigvalsh, linalg.svdvals, linalg.pinv):
        slope = grad(lambda x, f=call: nd.sum(nd.sin(f(_symmetric(x)))))
        check_grads(slope, [S[0]], rtol=1e-5)


def _symmetric(x: Any) -> Any:
    return (x + x.mT) * 0.5


def test_the_determinant_of_a_singular_matrix_has_a_gradient() -> None:
    check_grads(linalg.det, [SINGULAR])
    check_grads(linalg.det, [np.stack([SINGULAR, np.diag([1.0, 2.0, 0.0])])])
    assert grad(linalg.det)(nd.zeros((3, 3))).tolist() == np.zeros((3, 3)).tolist()


def test_the_pseudoinverse_of_a_singular_matrix_has_a_gradient() -> None:
    for m, n in ((3, 4), (4, 3)):
        u, v = drawn((m, 2), "float64"), drawn((2, n), "float64")
        check_grads(lambda u, v: linalg.pinv(u @ v, rtol=1e-8), [u, v], rtol=1e-5)


def test_norms_of_zeros_have_a_gradient() -> None:
    for order in (2, 1, 3, np.inf):
        assert grad(lambda x, k=order: linalg.vector_norm(x, ord=k))(nd.zeros(3)).tolist() == [0, 0, 0]
    assert grad(linalg.matrix_norm)(nd.zeros((1, 2))).tolist() == [[0, 0]]


def test_gradients_that_are_refused() -> None:
    x = NDArray(drawn((4, 3), "float64"))
    with pytest.raises(TypeError, match="full_matrices=False"):
        grad(lambda x: nd.sum(linalg.svd(x).U))(x)
    with pytest.raises(TypeError, match="take 'reduced'"):
        grad(lambda x: nd.sum(linalg.qr(x, mode="complete").Q))(x)
    with pytest.raises(linalg.LinAlgError, match="singular"):
        grad(lambda x: linalg.slogdet(x).logabsdet)(nd.zeros((2, 2)))


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "cholesky", "eigh", "eigvalsh"])
def test_square_matrices_of_floats(name: str) -> None:
    call = getattr(linalg, name)
    with pytest.raises(ShapeError, match=rf"{name}: x must be square matrices .* Got float32\[2,3\]"):
        call(nd.zeros((2, 3)))
    with pytest.raises(ShapeError, match=r"Got float32\[2\]"):
        call(nd.zeros(2))
    with pytest.raises(DTypeError, match=rf"{name}: dtype must be a floating. Got int64"):
        call(nd.asarray([[1, 2], [3, 4]]))
    with pytest.raises(DTypeError, match="must be an array"):
        call([[1.0]])


@pytest.mark.parametrize("name", ["svd", "svdvals", "qr", "pinv", "matrix_norm", "matrix_rank"])
def test_matrices_of_floats(name: str) -> None:
    with pytest.raises(ShapeError, match=r"must be matrices \(..., M, N\). Got float32\[2\]"):
        getattr(linalg, name)(nd.zeros(2))
    with pytest.raises(DTypeError, match=r"must be a floating. Got bool"):
        getattr(linalg, name)(nd.zeros((2, 2), "bool"))


def test_matrices_without_a_result() -> None:
    for call in (linalg.inv, lambda x: linalg.solve(x, nd.ones(2))):
        with pytest.raises(linalg.LinAlgError, match="the matrix is singular"):
            call(nd.ones((2, 2)))
    with pytest.raises(np.linalg.LinAlgError, match="cholesky: the matrix must be positive definite"):
        linalg.cholesky(nd.asarray([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(ValueError, match=r"svd: no decomposition was found. Look for NaN"):
        linalg.svd(nd.full((2, 2), float("nan")))


def test_shapes_that_do_not_fit() -> None:
    x = nd.ones((3, 3))
    with pytest.raises(ShapeError, match=r"solve: x2 must be \(3,\) or \(..., 3, K\) .* Got float32\[2\]"):
        linalg.solve(x, nd.ones(2))
    with pytest.raises(ShapeError, match="must broadcast"):
        linalg.solve(nd.ones((2, 3, 3)), nd.ones((4, 3, 1)))
    with pytest.raises(ShapeError, match="length 3 in both"):
        linalg.cross(nd.ones(3), nd.ones(2))
    with pytest.raises(AxisError):
        linalg.cross(nd.ones(3), nd.ones((2, 3)), axis=1)
    with pytest.raises(ShapeError, match="diagonal"):
        linalg.diagonal(nd.ones(3))
    with pytest.raises(ShapeError, match="rtol must broadcast"):
        linalg.pinv(x, rtol=nd.ones((2, 1)))


def test_orders_and_modes_that_are_not() -> None:
    x = nd.ones((3, 3))
    with pytest.raises(ValueError, match="ord must be 'fro'"):
        linalg.matrix_norm(x, ord=3)
    with pytest.raises(ValueError, match="ord must be a number"):
        linalg.vector_norm(x, ord="fro")
    with pytest.raises(ValueError, match="mode must be"):
        linalg.qr(x, mode="full")
    with pytest.raises(DTypeError, match="vector_norm"):
        linalg.vector_norm(nd.asarray([1, 2]))
    with pytest.raises(DTypeError, match="trace"):
        linalg.trace(nd.zeros((2, 2), "bool"))
    with pytest.raises(TypeError, match="n must be an int"):
        linalg.matrix_power(x, 1.5)
    with pytest.raises(TypeError, match="offset must be an int"):
        linalg.trace(x, offset=0.5)
