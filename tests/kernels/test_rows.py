"""What the CPU kernels share: numba is loaded late, and its absence is no fault."""

import subprocess
import sys

import numpy as np
import pytest

from sparkdl.base.spec import Spec
from sparkdl.kernels import table
from sparkdl.kernels.cpu import _rows
from sparkdl.kernels.cpu._groups import alternating, merged
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.softmax import Softmax, softmax


def test_loading_the_kernels_loads_no_numba() -> None:
    code = "import sys; from sparkdl.kernels import table; table.load(); sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_eager_arrays_load_no_numba() -> None:
    code = "import sys; from sparkdl import nd; nd.softmax(nd.asarray([1.0]) + 1.0); sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_numba_numpy_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    for present, library in ((False, "numpy"), (True, "numba")):
        monkeypatch.setattr(_rows, "_present", lambda answer=present: answer)
        table.prepare.cache_clear()
        assert table.prepare(Softmax(), (Spec((2, 3)),), (Spec((2, 3)),)).library == library


def test_results_of_special_values_raise_no_warnings() -> None:
    assert np.isnan(softmax(NDArray([np.inf, 1.0])).numpy()).all()


@pytest.mark.parametrize(
    ("shape", "marked", "found"),
    [
        ((), (), (1, 1, 1, 1)), ((2, 3), (0, 1), (1, 1, 2, 3)), ((2, 3), (1, 0), (1, 2, 3, 1)),
        ((2, 3, 4), (0, 1, 0), (2, 3, 4, 1)), ((2, 3, 4), (1, 0, 1), (1, 2, 3, 4)),
        ((2, 3, 4), (1, 1, 1), (1, 1, 1, 24)),
        ((2, 3, 4, 5), (0, 1, 0, 1), (2, 3, 4, 5)), ((2, 3, 4, 5), (1, 0, 1, 0), None),
        ((1, 3, 1), (1, 0, 1), (1, 1, 3, 1)),
    ],
)  # fmt: skip
def test_alternating_axes(shape, marked, found) -> None:
    assert alternating(shape, tuple(map(bool, marked))) == found


@pytest.mark.parametrize(
    ("shape", "axes", "found"),
    [
        ((2, 3), (1, 0), ((2, 3), (1, 0))), ((2, 3, 4), (0, 1, 2), ((24,), (0,))),
        ((2, 3, 4), (1, 2, 0), ((2, 12), (1, 0))),
        ((2, 1, 4), (2, 1, 0), ((2, 4), (1, 0))), ((1, 1), (1, 0), ((), ())),
        ((2, 3, 4), (2, 1, 0), ((2, 3, 4), (2, 1, 0))),
    ],
)  # fmt: skip
def test_merged_transpositions(shape, axes, found) -> None:
    assert merged(shape, axes) == found
