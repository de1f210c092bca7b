"""How often each number comes."""

from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.broadcast import check_kind
from sparkdl.nd.ops.choice import cast, greater_equal, less, logical_and, where
from sparkdl.nd.ops.gather import take
from sparkdl.nd.ops.index import check_arrays


@op("bincount")
class BinCount(Op):
    """y[n] = how many ids are n, or the sum of their weights.   ids: ints (K,)   weights: (K,), if any   y: (length,)

    Ids outside 0 .. length - 1 are left out. Counts are int64, sums in the dtype of the weights.
    """

    length: int

    def infer(self, *ins: Spec) -> Spec:
        check_arrays(self.name, ins[:1])
        if len(ins[0].shape) != 1 or any(s.shape != ins[0].shape for s in ins):
            raise ShapeError(f"bincount: all must have one axis of one length. Got {' and '.join(map(str, ins))}.")
        dtype = check_kind(self.name, "real floating", ins[1]).dtype if len(ins) == 2 else "int64"
        return Spec((self.length,), dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        if len(ins) == 1:
            return (None,)
        ids = cast(ins[0], "int64")
        inside = logical_and(greater_equal(ids, 0), less(ids, self.length))
        return None, where(inside, take(grads[0], ids), 0.0)


def bincount(length: int, ids: Any, weights: Any = None) -> Any:
    """Counts of 0 .. length - 1, or sums of weights."""
    return apply(BinCount(length), ids) if weights is None else apply(BinCount(length), ids, weights)
