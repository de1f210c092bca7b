"""Cases of linear algebra. Data only; see tests/tables/ops.py."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sparkdl.base.spec import numpy_dtype
from sparkdl.nd import linalg
from sparkdl.nd.functions import conj
from sparkdl.nd.manipulation import matrix_transpose
from sparkdl.nd.op import apply
from sparkdl.nd.ops.matrices import adjoint
from sparkdl.nd.ops.solve import Cofactors
from sparkdl.nd.products import matmul
from tests.tables.case import Arg, Case, Shape

SQUARES: tuple[Shape, ...] = ((1, 1), (3, 3), (2, 3, 3), (2, 1, 2, 2), (0, 3, 3), (0, 0))
OBLONGS: tuple[Shape, ...] = ((1, 1), (3, 3), (4, 2), (2, 4), (2, 4, 3), (2, 1, 2, 3), (0, 4, 2), (3, 0), (0, 2))
SYSTEMS: tuple[tuple[Shape, Shape], ...] = (
    ((1, 1), (1,)), ((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (3, 1)), ((2, 1, 2, 2), (3, 2, 2)), ((2, 3, 3), (3,)),
    ((0, 0), (0,)), ((0, 3, 3), (3, 2)),
)  # fmt: skip
KINDS = (("", ""), ("complex", "complex"))


def _solving() -> Iterator[Case]:
    for dtype, said in KINDS:
        for shape in SQUARES:
            x = (Arg(shape, "sound", dtype),)
            for call in (linalg.inv, linalg.det, linalg.slogdet):
                yield Case(call.__name__, call, x, tol=10, label=said)
            yield Case("cofactors", lambda x: apply(Cofactors(), x), x, tol=10, label=said)
        for a, b in SYSTEMS:
            yield Case("solve", linalg.solve, (Arg(a, "sound", dtype), Arg(b, "apart", dtype)), tol=10, label=said)
        for shape in OBLONGS:
            yield Case("pinv", linalg.pinv, (Arg(shape, "sound", dtype),), tol=10, label=said)


def _decompositions() -> Iterator[Case]:
    for dtype, said in KINDS:
        for shape in SQUARES:
            x = (Arg(shape, "sound", dtype),)
            yield Case("cholesky", lambda x: linalg.cholesky(_positive(x)), x, tol=10, label=said)
            yield Case("eigh", _eigh, x, tol=20, label=said)
            yield Case("eigvalsh", lambda x: linalg.eigvalsh(x + adjoint(x)), x, tol=10, label=said)
        for shape in OBLONGS:
            x = (Arg(shape, "sound", dtype),)
            yield Case("svdvals", linalg.svdvals, x, tol=10, label=said)
            yield Case("svd", _svd, x, tol=20, label=said)
            yield Case("svd", lambda x: linalg.svd(x).S, x, tol=10, label=f"{said} full")
            yield Case("qr", linalg.qr, x, tol=20, label=said)
            yield Case("qr", lambda x: linalg.qr(x, mode="complete").R, x, tol=20, label=f"{said} complete")


def _positive(x: Any) -> Any:
    return matmul(x, adjoint(x)) + np.eye(x.spec.shape[-1], dtype=numpy_dtype(x.spec.dtype))


def _eigh(x: Any) -> tuple[Any, ...]:
    """What does not hang on the signs of vectors, or on their angles."""
    w, v = linalg.eigh(x + adjoint(x))
    return w, _mixed(v, adjoint(v))


def _svd(x: Any) -> tuple[Any, ...]:
    u, s, vh = linalg.svd(x, full_matrices=False)
    return s, _mixed(u, vh), _mixed(u, adjoint(u)), _mixed(conj(matrix_transpose(vh)), vh)


def _mixed(u: Any, vh: Any) -> Any:
    """Sums of k u_k v_k over columns and rows."""
    return matmul(u * np.arange(1, u.spec.shape[-1] + 1, dtype=numpy_dtype(u.spec.dtype)), vh)


CASES: tuple[Case, ...] = (*_solving(), *_decompositions())
