"""Ops that pick rows by index: table lookup, its scatter-add gradient, and one-hot rows."""

from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op


@op("take")
class Take(Op):
    """y[k] = table[ids[k]].   table: (N, ...)   ids: int (K...)   y: (K..., ...)

    Negative indices do not wrap. A row for an index outside 0 .. N-1 is NaN, or 0 in tables of ints.
    """

    def infer(self, *ins: Spec) -> Spec:
        table, ids = ins
        _check_ids(self.name, ids)
        if not table.shape:
            raise ShapeError(f"take: the table must have rows. Got {table}.")
        return Spec((*ids.shape, *table.shape[1:]), table.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return take_grad(grads[0], ins[1], ins[0].spec.shape[0]), None


@op("take_grad")
class TakeGrad(Op):
    """y[n] = sum of g[k] over the k with ids[k] = n.   g: (K..., ...)   ids: int (K...)   y: (rows, ...)

    Indices outside 0 .. rows-1 add nothing.
    """

    rows: int

    def infer(self, *ins: Spec) -> Spec:
        g, ids = ins
        _check_ids(self.name, ids)
        if g.shape[: len(ids.shape)] != ids.shape:
            raise ShapeError(f"take_grad: g must begin with the shape of ids, {ids.shape}. Got {g}.")
        return Spec((self.rows, *g.shape[len(ids.shape) :]), g.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        ids = ins[1]
        return _known_rows(take(grads[0], ids), ids, self.rows), None


@op("one_hot")
class OneHot(Op):
    """y[k, c] = 1 where c = ids[k], else 0.   ids: int (K...)   y: (K..., depth). An index outside gives zeros."""

    depth: int
    dtype: str = "float32"

    def infer(self, *ins: Spec) -> Spec:
        _check_ids(self.name, ins[0])
        return Spec((*ins[0].shape, self.depth), self.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None,)


def take(table: Any, ids: Any) -> Any:
    """Rows of `table` (N, ...) by index.

    >>> from sparkdl.nd.array import NDArray
    >>> import numpy as np
    >>> take(NDArray([[1.0, 2.0], [3.0, 4.0]]), NDArray(np.array([1, 0, 1])))
    NDArray([[3., 4.], [1., 2.], [3., 4.]], dtype=float32, device=cpu)
    """
    return apply(Take(), table, ids)


def take_grad(g: Any, ids: Any, n: int) -> Any:
    """Rows of `g` added up by index into `n` rows: the gradient of `take`."""
    return apply(TakeGrad(n), g, ids)


def one_hot(ids: Any, depth: int, dtype: str = "float32") -> Any:
    """Rows of zeros with a 1 at each index.

    >>> from sparkdl.nd.array import NDArray
    >>> import numpy as np
    >>> one_hot(NDArray(np.array([1, 0])), 3)
    NDArray([[0., 1., 0.], [1., 0., 0.]], dtype=float32, device=cpu)
    """
    return apply(OneHot(depth, dtype), ids)


def _check_ids(who: str, ids: Spec) -> None:
    if "int" not in ids.dtype:
        raise ShapeError(f"{who}: indices must be ints. Got {ids}; cast them first.")


def _known_rows(taken: Any, ids: Any, rows: int) -> Any:
    """`taken` with zeros instead of NaN where the index is outside: such rows had no part in the sum."""
    from sparkdl.nd.ops.choice import cast, greater_equal, less, logical_and, where
    from sparkdl.nd.ops.shape import reshape

    ids = cast(ids, "int64")  # that can be compared with any count
    inside = logical_and(greater_equal(ids, 0), less(ids, rows))
    tail = (1,) * (len(taken.spec.shape) - len(ids.spec.shape))
    return where(reshape(inside, (*ids.spec.shape, *tail)), taken, 0.0)
