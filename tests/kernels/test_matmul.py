"""matmul and linear: every library against the float64 oracle."""

import os
import subprocess
import sys

import numpy as np
import pytest

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.kernels import table
from sparkdl.kernels.cpu._onednn import library
from sparkdl.kernels.cpu.small import small
from sparkdl.nd.array import NDArray, execute
from sparkdl.nd.ops.matmul import Linear, MatMul, linear, matmul
from tests.kernels.harness import LIBRARIES, ONEDNN, agree, gradient_error, needs_onednn, normal, run, serves

SHAPES = [
    (1, 1, 1),
    (3, 4, 5),
    (64, 40, 64),
    (33, 17, 50),
    (1, 9, 6),
    (6, 9, 1),
    (5, 1, 7),
    (100, 64, 2),
    (9, 3, 9),
    (8, 1, 17),
]
EMPTY = [(0, 3, 2), (2, 0, 3), (2, 3, 0), (1, 0, 4), (0, 0, 0)]
FLAGS = [(False, False), (False, True), (True, False), (True, True)]


def operands(m, k, n, ta=False, tb=False, dtype="float32"):
    return normal((k, m) if ta else (m, k), dtype, 1), normal((n, k) if tb else (k, n), dtype, 2)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(("ta", "tb"), FLAGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_matmul_is_the_oracles(shape, ta, tb, library):
    arrays = operands(*shape, ta, tb)
    if serves(MatMul(ta, tb), arrays, library):
        agree(MatMul(ta, tb), arrays, library)


@pytest.mark.parametrize(("ta", "tb"), FLAGS)
@pytest.mark.parametrize("shape", EMPTY)
def test_empty_matrices(shape, ta, tb):
    arrays = operands(*shape, ta, tb)
    agree(MatMul(ta, tb), arrays, "numpy")
    assert execute(MatMul(ta, tb), arrays)[0].tolist() == np.zeros((shape[0], shape[2])).tolist()


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "int64"])
def test_other_dtypes_are_numpys(dtype):
    arrays = tuple((4 * a).astype(dtype) for a in operands(5, 6, 7))
    assert not serves(MatMul(), arrays, "onednn")
    np.testing.assert_array_equal(run(MatMul(), arrays, "numpy")[0], np.matmul(*arrays))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("act", ["linear", "relu"])
@pytest.mark.parametrize("shape", SHAPES)
def test_linear_is_the_oracles(shape, act, library):
    arrays = (*operands(*shape), normal(shape[2:], seed=3))
    if serves(Linear(act), arrays, library):
        agree(Linear(act), arrays, library)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("shape", [(5, 6, 7), (1, 6, 7), (5, 6, 1), (9, 6, 7), (9, 6, 20)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_flow_through_linear(shape, bad, library):
    """oneDNN's own relu would make 0 of NaN."""
    x, w = operands(*shape)
    x[0, 2] = bad
    arrays = (x, w, normal(shape[2:], seed=3))
    if serves(Linear("relu"), arrays, library):
        agree(Linear("relu"), arrays, library)


@pytest.mark.parametrize("library", [ONEDNN, "numpy"])
def test_unaligned_memory(library):
    agree(MatMul(), operands(133, 67, 50), library, shift=4)


@pytest.mark.parametrize("shape", [(33, 17, 50), (9, 5, 3)])
def test_unaligned_memory_of_small_products(shape):
    agree(MatMul(), operands(*shape), "numba", shift=4)


@pytest.mark.parametrize(("ta", "tb"), FLAGS)
def test_small_products_are_left_to_numba(ta, tb):
    """In tiles: above a row's worth of columns, at it, below it, and with a remainder of rows."""
    for shape in [(64, 40, 64), (8, 1, 16), (9, 7, 17), (11, 3, 15), (8, 2, 2)]:
        arrays = operands(*shape, ta, tb)
        specs = tuple(Spec(a.shape) for a in arrays)
        if not tb or shape[1] * shape[2] <= 32 * shape[0]:
            assert table.prepare(MatMul(ta, tb), specs, MatMul(ta, tb).specs(specs)).library == "numba"
            agree(MatMul(ta, tb), arrays, "numba")


@pytest.mark.parametrize(
    ("shape", "tb"), [((7, 8, 8), False), ((64, 64, 65), False), ((64, 64, 10), False), ((8, 32, 9), True)]
)
def test_what_is_not_small_is_onednns(shape, tb):
    specs = tuple(Spec(a.shape) for a in operands(*shape, tb=tb))
    assert not small(MatMul(tb=tb), specs)


def test_products_with_a_vector_are_left_to_numba():
    for shape in [(1, 9, 6), (6, 9, 1)]:
        arrays = operands(*shape)
        specs = tuple(Spec(a.shape) for a in arrays)
        assert table.prepare(MatMul(), specs, MatMul().specs(specs)).library == "numba"
        assert not serves(MatMul(), arrays, "onednn")


@pytest.mark.parametrize(("ta", "tb"), FLAGS)
def test_the_gradient(ta, tb):
    assert gradient_error(MatMul(ta, tb), operands(4, 5, 6, ta, tb)) < 1e-7


@pytest.mark.parametrize("shape", [(512, 300, 136), (150, 700, 1024), (128, 1, 512), (1024, 9, 64)])
def test_blocks_of_our_own(shape):
    agree(MatMul(True), operands(*shape, True), "numba", shift=4)


@pytest.mark.parametrize("shape", [(200, 300, 512), (131, 7, 1024), (128, 1, 512)])
def test_blocks_of_rows(shape):
    x, w = operands(*shape)
    agree(MatMul(), (x, w), "numba", shift=4)
    for act in ("linear", "relu"):
        agree(Linear(act), (x, w, normal(shape[2:], seed=3)), "numba", shift=4)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_stay_in_their_column(bad):
    a, b = operands(512, 20, 64, True)
    a[3, 7] = bad
    y = run(MatMul(True), (a, b), "numba")[0]
    assert not np.isfinite(y[7]).any() and np.isfinite(np.delete(y, 7, 0)).all()


FORMS = """
import numpy as np
from sparkdl.base.spec import Spec
from sparkdl.kernels import table
from sparkdl.nd.ops.matmul import Linear, MatMul
from tests.kernels.harness import agree, normal
for op, x, w in (
    (MatMul(), (32, 300), (300, 512)),
    (Linear("relu"), (128, 300), (300, 1024)),
    (Linear("relu"), (128, 30), (30, 520)),
    (Linear(), (17, 256), (256, 512)),
    (MatMul(True), (300, 256), (300, 72)),
    (MatMul(True), (32, 512), (32, 136)),
    (MatMul(False, True), (32, 512), (200, 512)),
):
    arrays = [normal(s, seed=k) for k, s in enumerate((x, w, w[1:])[: 2 + (op.name == "linear")])]
    specs = tuple(Spec(a.shape) for a in arrays)
    made = table.prepare(op, specs, op.specs(specs))
    agree(op, arrays, made.library, rtol=1e-4)
    print(made.library, made.detail)
"""
AVX2 = ["numba blocks", "numba blocks relu", "gemm:jit:f32 relu", *["gemm:jit:f32"] * 2, "numba blocks", "gemm:jit:f32"]
AVX512 = ["gemm:jit:f32", "gemm:jit:f32 relu", "brg:avx512_core relu", *["gemm:jit:f32"] * 2, *["brg:avx512_core"] * 2]


@needs_onednn
@pytest.mark.parametrize(("isa", "forms"), [("AVX2", AVX2), ("AVX512_CORE", AVX512)])
def test_forms_of_products(isa, forms):
    """The tables of _onednn_products, and that each form is right."""
    if not reaches(isa):
        pytest.skip(f"no {isa} here")
    env = os.environ | {"ONEDNN_MAX_CPU_ISA": isa}
    done = subprocess.run([sys.executable, "-c", FORMS], env=env, capture_output=True, text=True)
    assert done.stdout.splitlines() == [f if f.startswith("numba") else f"onednn {f}" for f in forms], done.stderr


def reaches(isa):
    """Whether oneDNN has that instruction set here: the bits of dnnl_cpu_isa_avx2 or _avx512_core."""
    bits = {"AVX2": 0x7, "AVX512_CORE": 0x27}[isa]
    return int(library().functions.dnnl_get_effective_cpu_isa()) & bits == bits


def test_the_gradient_checker_sees_an_error_of_a_thousandth(monkeypatch):
    right = MatMul.vjp
    monkeypatch.setattr(MatMul, "vjp", lambda *a: tuple(g * 1.001 for g in right(*a)))
    assert gradient_error(MatMul(), operands(4, 5, 6)) > 5e-4


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ShapeError, match=r"3 is not 4.*float32\[2,3\] and float32\[4,5\]"):
        matmul(NDArray(np.zeros((2, 3), "f")), NDArray(np.zeros((4, 5), "f")))
    with pytest.raises(ShapeError, match=r"float32\[2,3\] and float64\[3,5\]"):
        matmul(NDArray(np.zeros((2, 3), "f")), NDArray(np.zeros((3, 5))))
    with pytest.raises(ShapeError, match=r"b must be float32\[5\].*Got float32\[4\]"):
        linear(*(NDArray(np.zeros(s, "f")) for s in ((2, 3), (3, 5), (4,))))
    with pytest.raises(ShapeError, match="act must be one of linear, relu"):
        linear(*(NDArray(np.zeros(s, "f")) for s in ((2, 3), (3, 5), (5,))), act="gelu")


def test_a_fused_op_has_no_gradient():
    with pytest.raises(TypeError, match="linear has no gradient"):
        Linear("relu").vjp((None,), (None,), None, None, None)
