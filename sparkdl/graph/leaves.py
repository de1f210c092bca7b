"""The leaves of what users give and return: arrays and what stands for them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparkdl.base.spec import KINDS, Spec, numpy_dtype
from sparkdl.base.tree import LEAF, Tree, flatten, named, unflatten
from sparkdl.nd.array import NDArray, wrap


def leaf(who: str, path: str, x: Any) -> Any:
    """An array or a symbol as it is, a NumPy array or a number as an array. Raises TypeError for anything else."""
    if hasattr(x, "spec"):
        return x
    if isinstance(x, np.ndarray | np.generic | int | float | complex):
        return NDArray(x)
    raise TypeError(f"{who}: {path} must be an array, or tuples, lists, dicts of arrays. Got {type(x).__name__}.")


def is_value(x: Any) -> bool:
    """Whether it is an array or stands for one."""
    return hasattr(x, "spec")


def is_float(x: Any) -> bool:
    """Whether it has derivatives: floats and complex numbers."""
    return x.spec.dtype in KINDS["floating"]


def zeros(spec: Spec) -> NDArray:
    """An array of zeros."""
    return wrap(np.zeros(spec.shape, numpy_dtype(spec.dtype)))


def or_zeros(g: Any, x: Any) -> Any:
    """A gradient by x, zeros where there is none."""
    return zeros(x.spec) if g is None else g


@dataclass
class Flat:
    """A function of trees as one of lists; `built` is how its last result was built."""

    who: str
    f: Callable[..., Any]
    structure: Tree
    built: Tree = LEAF

    def __call__(self, *values: Any) -> list[Any]:
        made = self.f(*unflatten(self.structure, values))
        self.built = flatten(made)[1]
        return [leaf(self.who, f"the function's {path}", y) for path, y in named(made, "result")]
