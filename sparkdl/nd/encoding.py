"""Numbers of classes as vectors."""

from typing import Any

from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import KINDS
from sparkdl.nd.dtypes import name_of
from sparkdl.nd.elementwise import array
from sparkdl.nd.indexing import one_axis
from sparkdl.nd.manipulation import moveaxis
from sparkdl.nd.ops import gather


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = "float32") -> Any:
    """1 at the class that x names, else 0, along a new axis; Keras's `ops.one_hot`. It has no gradient.

    x:     ints of any shape; one outside of 0 .. num_classes - 1 gives zeros
    axis:  where the classes lie in the result
    dtype: that of the result

    >>> from sparkdl.nd.array import NDArray
    >>> one_hot(NDArray([2, 0, -1]), 3)
    NDArray([[0., 0., 1.],
             [1., 0., 0.],
             [0., 0., 0.]], dtype=float32, device=cpu)
    """
    x = array("one_hot", x)
    if x.spec.dtype not in KINDS["integer"]:
        raise DTypeError(f"one_hot: x must be ints. Got {x.spec}; cast it first.")
    if not isinstance(num_classes, int) or isinstance(num_classes, bool) or num_classes < 1:
        raise ShapeError(f"one_hot: num_classes must be an int >= 1. Got {num_classes!r}.")
    at = one_axis("one_hot", axis, len(x.spec.shape) + 1)
    return moveaxis(gather.one_hot(x, num_classes, name_of(dtype)), -1, at)
