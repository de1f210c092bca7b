"""Cases of Fourier transforms. Data only; see tests/tables/ops.py."""

from collections.abc import Callable, Iterator
from typing import Any

from sparkdl.nd import fft
from tests.tables.case import Arg, Case, Shape

LINES: tuple[tuple[Shape, int, int | None, str], ...] = (  # shape, axis, n, norm
    ((1,), 0, None, "backward"), ((4,), -1, None, "backward"), ((5,), 0, None, "ortho"), ((3, 4), 0, None, "forward"),
    ((2, 3, 5), 1, None, "backward"), ((0, 4), 1, None, "ortho"), ((6,), 0, 4, "backward"), ((3, 2), 1, 5, "forward"),
    ((2, 7), 1, 1, "backward"), ((32,), 0, None, "backward"),
)  # fmt: skip


def _transforms() -> Iterator[Case]:
    for shape, axis, n, norm in LINES:
        said = f"{axis} {n} {norm}"
        for call in (fft.fft, fft.ifft, fft.rfft, fft.ihfft):
            name = "rfft" if call in (fft.rfft, fft.ihfft) else "fft"
            yield Case(name, _with(call, n, axis, norm), (Arg(shape),), label=f"{call.__name__} {said} of reals")
        for call in (fft.fft, fft.ifft, fft.irfft, fft.hfft):
            name = "irfft" if call in (fft.irfft, fft.hfft) else "fft"
            length = n or 2 * shape[axis] - (1 if norm == "backward" else 2)
            given = length if name == "irfft" else n
            args = (Arg(shape, "apart", "complex"),)
            yield Case(name, _with(call, given, axis, norm), args, label=f"{call.__name__} {said}")


def _with(call: Callable[..., Any], n: int | None, axis: int, norm: str) -> Callable[[Any], Any]:
    return lambda x: call(x, n=n, axis=axis, norm=norm)


CASES: tuple[Case, ...] = tuple(_transforms())
