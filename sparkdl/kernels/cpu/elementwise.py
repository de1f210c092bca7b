"""Elementwise ops one at a time, by NumPy in their own dtype: for eager arrays. Programs use `fused`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from sparkdl.base.spec import Specs
from sparkdl.kernels.ref.elementwise import FUNCTIONS
from sparkdl.kernels.table import Arrays, Bound, Prepared, kernel


def _prepare(fn: Callable[..., Any]) -> Callable[[Any, Specs, Specs], Prepared]:
    def prepare(op: Any, ins: Specs, outs: Specs) -> Prepared:
        def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
            def run() -> None:
                with np.errstate(all="ignore"):
                    if isinstance(fn, np.ufunc):
                        fn(*i, out=o[0], casting="unsafe")
                    else:
                        o[0][...] = fn(*i)

            return run

        return Prepared(bind, strided=True)

    return prepare


for _name, _fn in FUNCTIONS.items():
    kernel(_name, "numpy")(_prepare(_fn))
