"""Rows of the convolution family."""

from benchmarks.workloads import Workload

WORKLOADS: tuple[Workload, ...] = ()
