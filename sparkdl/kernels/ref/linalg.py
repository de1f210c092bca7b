"""Linear algebra by NumPy's LAPACK, in the dtype that comes; half precision in float32."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from sparkdl.base.errors import SparkdlError
from sparkdl.kernels.table import Array, Arrays, plain


class LinAlgError(SparkdlError, np.linalg.LinAlgError):
    """A matrix that has no inverse, no such decomposition, or for which none was found. A ValueError."""


def _unless(fault: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Where NumPy gives up: what the fault is, and what to do."""

    def enter(fn: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(fn)
        def tried(op: Any, *ins: Array) -> Any:
            try:
                return fn(op, *ins)
            except np.linalg.LinAlgError as error:
                raise LinAlgError(f"{op.name}: {fault}") from error

        return tried

    return enter


_SINGULAR = "the matrix is singular. nd.linalg.pinv takes such ones."
_DIVERGED = "no decomposition was found. Look for NaN and infinite elements."


@plain("inv")
@_unless(_SINGULAR)
def inv(op: Any, x: Array) -> Array:
    """A^-1."""
    return np.linalg.inv(x)


@plain("solve")
@_unless(_SINGULAR)
def solve(op: Any, a: Array, b: Array) -> Array:
    """A^-1 B."""
    return np.linalg.solve(a, b)


@plain("det")
def det(op: Any, x: Array) -> Array:
    """The determinant."""
    return np.asarray(np.linalg.det(x))


@plain("slogdet")
def slogdet(op: Any, x: Array) -> tuple[Array, Array]:
    """Sign and logarithm of the determinant."""
    sign, size = np.linalg.slogdet(x)
    return np.asarray(sign), np.asarray(size)


@plain("cofactors")
@_unless(_DIVERGED)
def cofactors(op: Any, x: Array) -> Array:
    """det(A) A^-T by U S Vh, where S^-1 det(S) are the products of all other singular values."""
    u, s, vh = np.linalg.svd(x)
    ones = np.ones_like(s[..., :1])
    before = np.concatenate([ones, np.cumprod(s, -1)[..., :-1]], -1)[..., : s.shape[-1]]
    after = np.concatenate([np.cumprod(s[..., ::-1], -1)[..., ::-1][..., 1:], ones], -1)[..., : s.shape[-1]]
    turn = np.asarray(np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    return np.asarray(turn * ((u.conj() * (before * after)[..., None, :]) @ vh.conj()))


@plain("pinv")
@_unless(_DIVERGED)
def pinv(op: Any, x: Array, rtol: Array) -> Array:
    """The pseudoinverse."""
    return np.linalg.pinv(x, rtol=rtol)


@plain("cholesky")
@_unless("the matrix must be positive definite.")
def cholesky(op: Any, x: Array) -> Array:
    """L of L L^H."""
    return np.linalg.cholesky(x)


@plain("eigh")
@_unless(_DIVERGED)
def eigh(op: Any, x: Array) -> Arrays:
    """Eigenvalues and eigenvectors."""
    return tuple(np.linalg.eigh(x))


@plain("eigvalsh")
@_unless(_DIVERGED)
def eigvalsh(op: Any, x: Array) -> Array:
    """Eigenvalues."""
    return np.linalg.eigvalsh(x)


@plain("svd")
@_unless(_DIVERGED)
def svd(op: Any, x: Array) -> Arrays:
    """U, S, Vh."""
    return tuple(np.linalg.svd(x, op.full))


@plain("svdvals")
@_unless(_DIVERGED)
def svdvals(op: Any, x: Array) -> Array:
    """Singular values."""
    return np.linalg.svdvals(x)


@plain("qr")
@_unless(_DIVERGED)
def qr(op: Any, x: Array) -> Arrays:
    """Q and R."""
    return tuple(np.linalg.qr(x, "complete" if op.complete else "reduced"))
