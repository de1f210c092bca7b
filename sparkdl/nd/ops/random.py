"""Random ops. Their numbers come from counters: an example draws the same under a key, wherever it runs."""

import math
from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.op import Op, apply, op


@op("dropout")
class Dropout(Op):
    """y = x / (1 - rate) where a random word is at least rate * 2^32, else 0. Srivastava et al. 2014, inverted form.

    x: (B, ...)   ids: int64 (B,), the example's number in the data set   key: uint32 (2,)
    Element j of an example (flat, C order) takes word j % 4 of Philox4x32-10 at counter (id low, id high, j // 4, 0).
    """

    rate: float

    @property
    def threshold(self) -> int:
        """The least word that keeps an element; below 2^32, so that it is a word itself."""
        return min(math.ceil(self.rate * 2**32), 2**32 - 1)

    @property
    def scale(self) -> float:
        """What a kept element is multiplied by."""
        return 1.0 / (1.0 - self.rate)

    def infer(self, *ins: Spec) -> Spec:
        x, ids, key = ins
        if not 0.0 <= self.rate < 1.0:
            raise ShapeError(f"dropout: rate must be >= 0 and < 1. Got {self.rate}.")
        if not x.shape or not x.dtype.startswith("float"):
            raise ShapeError(f"dropout: x must be floats with a batch axis. Got {x}.")
        if ids != Spec(x.shape[:1], "int64") or key != Spec((2,), "uint32"):
            raise ShapeError(f"dropout: ids must be int64[{x.shape[0]}] and key uint32[2]. Got {ids} and {key}.")
        return x

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return dropout(grads[0], ins[1], ins[2], self.rate), None, None


def dropout(x: Any, ids: Any, key: Any, rate: float) -> Any:
    """Zero a share `rate` of x (B, ...), at random by example id (B,) and key (2,), and scale the rest up."""
    return apply(Dropout(rate), x, ids, key)
