"""A case of an op: what is called on which arrays. Data only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Arg:
    """An input. `fill` names how it is drawn (FILLS in tests/conformance/ops.py).

    `dtype` "" follows the test's float dtype, "complex" is the complex one of that precision.
    """

    shape: Shape
    fill: str = "apart"
    dtype: str = ""


@dataclass(frozen=True)
class Case:
    """`call` on `args` runs the op registered as `op`. `wrt`: the inputs it is differentiated by; None: all floats.

    tol: how much coarser than usual a float32 kernel may be.
    """

    op: str
    call: Callable[..., Any]
    args: tuple[Arg, ...]
    wrt: tuple[int, ...] | None = None
    tol: float = 1.0
    label: str = ""

    @property
    def id(self) -> str:
        """Name of the test."""
        shapes = " ".join("x".join(map(str, a.shape)) or "0d" for a in self.args)
        return " ".join(filter(None, (self.op, self.label, shapes)))
