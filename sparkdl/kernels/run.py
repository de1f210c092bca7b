"""Runs one bound kernel: what eager arrays do, and tests of single kernels."""

from sparkdl.kernels.table import Bound, Rows


def run_bound(bound: Bound) -> None:
    """Run it now. Raises KernelError when a native call reports a failure."""
    if isinstance(bound, Rows):
        from sparkdl.kernels.cpu._loop import run_rows  # loads numba: only when native code is to run

        run_rows(bound)
    else:
        bound()
