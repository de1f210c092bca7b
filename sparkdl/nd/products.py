"""Products of vectors, matrices and tensors."""

import math
from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import KINDS
from sparkdl.nd.elementwise import array, binary, into
from sparkdl.nd.indexing import one_axis
from sparkdl.nd.manipulation import expand_dims, moveaxis, squeeze
from sparkdl.nd.ops import batched, matmul as ops, shape
from sparkdl.nd.ops.broadcast import broadcast, check_kind
from sparkdl.nd.promote import operands


def matmul(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """Products of matrices.   x1: (..., M, K) or (K,)   x2: (..., K, N) or (K,)   result: (..., M, N)

    Leading axes broadcast. A vector is a row on the left and a column on the right, and its axis is not in the result.

    >>> from sparkdl.nd.array import NDArray
    >>> matmul(NDArray([[1.0, 2.0]]), NDArray([[3.0], [4.0]]))
    NDArray([[11.]], dtype=float32, device=cpu)
    """
    a, b = operands("matmul", x1, x2)
    for x in (a, b):
        check_kind("matmul", "numeric", array("matmul", x).spec)
    if not a.spec.shape or not b.spec.shape:
        raise ShapeError(f"matmul: both must have axes; numbers go by `*`. Got {a.spec} and {b.spec}.")
    row, column = len(a.spec.shape) == 1, len(b.spec.shape) == 1
    made = _matrices(expand_dims(a, axis=0) if row else a, expand_dims(b, axis=1) if column else b)
    made = squeeze(made, axis=-2) if row else made
    return into(squeeze(made, axis=-1) if column else made, out)


def _matrices(a: Any, b: Any) -> Any:
    if len(a.spec.shape) == 2 and len(b.spec.shape) == 2:
        return ops.matmul(a, b)
    lead = broadcast("matmul", a.spec.shape[:-2], b.spec.shape[:-2])
    if len(b.spec.shape) == 2 and a.spec.shape[-1] == b.spec.shape[0]:  # one product of many rows
        rows = shape.reshape(a, (math.prod(a.spec.shape[:-1]), a.spec.shape[-1]))
        return shape.reshape(ops.matmul(rows, b), (*a.spec.shape[:-1], b.spec.shape[1]))
    wide = (shape.broadcast_to(x, (*lead, *x.spec.shape[-2:])) for x in (a, b))
    return batched.batch_matmul(*wide)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1, out: Any = None) -> Any:
    """Sums of conj(x1) x2 along `axis`, counted from the end in both; the other axes broadcast."""
    from sparkdl.nd.functions import conj

    a, b = operands("vecdot", array("vecdot", x1), array("vecdot", x2))
    shortest = min(len(a.spec.shape), len(b.spec.shape))
    at = one_axis("vecdot", axis, shortest) - shortest if axis < 0 else axis - shortest
    if at >= 0 or a.spec.shape[at] != b.spec.shape[at]:
        raise ShapeError(f"vecdot: axis {axis} must be one of both and of one length. Got {a.spec} and {b.spec}.")
    a, b = moveaxis(a, at, -1), moveaxis(b, at, -1)
    product = matmul(
        expand_dims(conj(a) if a.spec.dtype in KINDS["complex floating"] else a, axis=-2), expand_dims(b, axis=-1)
    )
    return into(squeeze(squeeze(product, axis=-1), axis=-1), out)


def tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    """Sums of products over `axes` of both: the last and first so many, or two lists of axes.

    The result has the other axes of x1, then those of x2.
    """
    a, b = operands("tensordot", array("tensordot", x1), array("tensordot", x2))
    check_kind("tensordot", "numeric", a.spec)
    left, right = _contracted(axes, a.spec.shape, b.spec.shape)
    rows = [k for k in range(len(a.spec.shape)) if k not in left]
    cols = [k for k in range(len(b.spec.shape)) if k not in right]
    lengths = [a.spec.shape[k] for k in rows], [b.spec.shape[k] for k in cols]
    inner = math.prod(a.spec.shape[k] for k in left)
    first = shape.reshape(shape.transpose(a, (*rows, *left)), (math.prod(lengths[0]), inner))
    second = shape.reshape(shape.transpose(b, (*right, *cols)), (inner, math.prod(lengths[1])))
    return shape.reshape(ops.matmul(first, second), (*lengths[0], *lengths[1]))


def _contracted(axes: Any, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[list[int], list[int]]:
    if isinstance(axes, int):
        if not 0 <= axes <= min(len(a), len(b)):
            raise ShapeError(f"tensordot: axes must be within 0 .. {min(len(a), len(b))}. Got {axes}.")
        left, right = list(range(len(a) - axes, len(a))), list(range(axes))
    else:
        left = [one_axis("tensordot", k, len(a)) for k in axes[0]]
        right = [one_axis("tensordot", k, len(b)) for k in axes[1]]
    if [a[k] for k in left] != [b[k] for k in right] or len(set(left)) != len(left) or len(set(right)) != len(right):
        raise ShapeError(f"tensordot: the axes {axes} of {a} and {b} must be distinct and agree in length.")
    return left, right


def outer(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """All products of two vectors.   x1: (M,)   x2: (N,)   result: (M, N)"""
    from sparkdl.nd.ops.arithmetic import Multiply

    a, b = array("outer", x1), array("outer", x2)
    if len(a.spec.shape) != 1 or len(b.spec.shape) != 1:
        raise ShapeError(f"outer: both must be vectors. Got {a.spec} and {b.spec}.")
    return binary(Multiply(), expand_dims(a, axis=1), expand_dims(b, axis=0), out)


def dot(x1: Any, x2: Any, /, *, out: Any = None) -> Any:
    """NumPy's: of vectors the sum of products, of matrices their product, else over the last axis of x1 and the last
    but one of x2."""
    a, b = array("dot", x1), array("dot", x2)
    if not a.spec.shape or not b.spec.shape:
        return into(a * b, out)
    return into(tensordot(a, b, axes=([-1], [max(len(b.spec.shape) - 2, 0)])), out)
