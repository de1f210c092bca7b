"""Finds and loads oneDNN 3 (https://uxlfoundation.github.io/oneDNN), whose C interface we call through ctypes.

Looked for in this order: $SPARKDL_ONEDNN (a path, or "off"), the wheel onednn-cpu-gomp, the conda prefix, the system.
Where there is none, `library()` raises Unsupported, numpy and numba serve instead, and one line is logged.
Its OpenMP is the one pool of threads that all kernels share: see `kernels/threads.py`.
"""

import ctypes
import importlib.metadata
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sparkdl.base.errors import KernelError
from sparkdl.kernels.table import Unsupported
from sparkdl.kernels.threads import default_threads

VARIABLE = "SPARKDL_ONEDNN"
NAME = {"darwin": "libdnnl.3.dylib", "win32": "dnnl.dll"}.get(sys.platform, "libdnnl.so.3")
WHEEL = "onednn-cpu-gomp"
MAJOR = 3
_CPU, _IN_ORDER = 1, 1  # dnnl_cpu, dnnl_stream_in_order
_AVX512_CORE_BF16 = 0xE7  # dnnl_cpu_isa_avx512_core_bf16; better ones have more bits
_WAITING, _SPINS = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"), "1000"
_PAUSE_HARD = 2  # omp_pause_hard: give back the threads
log = logging.getLogger("sparkdl")


class _Version(ctypes.Structure):
    """dnnl_version_t."""

    _fields_ = (
        ("major", ctypes.c_int),
        ("minor", ctypes.c_int),
        ("patch", ctypes.c_int),
        ("hash", ctypes.c_char_p),
        ("cpu_runtime", ctypes.c_uint),
        ("gpu_runtime", ctypes.c_uint),
    )


@dataclass(frozen=True)
class Library:
    """oneDNN, loaded: its functions, one CPU engine and one stream for the process."""

    functions: ctypes.CDLL
    engine: ctypes.c_void_p
    stream: int
    version: tuple[int, int, int]
    execute: int  # address of dnnl_primitive_execute, for rows

    def call(self, name: str, *args: object) -> int:
        """Call a function that returns a status."""
        return int(getattr(self.functions, name)(*args))

    def need(self, name: str, *args: object) -> None:
        """Call a function that must succeed. Raises KernelError when it does not."""
        status = self.call(name, *args)
        if status:
            raise KernelError(f"oneDNN: {name} returned status {status}")


def library() -> Library:
    """oneDNN, loaded on the first call.

    Raises Unsupported where there is none, KernelError when the one demanded does not load.
    """
    found = _once()
    if found is None:
        raise Unsupported("no oneDNN")
    return found


def multiplies_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16, as oneDNN sees it: avx512_core_bf16 or better (DNNL_MAX_CPU_ISA heeded)."""
    try:
        isa = int(library().functions.dnnl_get_effective_cpu_isa())
    except Unsupported:
        return False
    return isa & _AVX512_CORE_BF16 == _AVX512_CORE_BF16


@lru_cache(1)
def _once() -> Library | None:
    demanded = os.environ.get(VARIABLE, "")
    if demanded == "off":
        _absent(f"{VARIABLE}=off")
        return None
    threads = default_threads()
    if demanded:
        return _demanded(demanded, threads)
    tried = []
    for place in candidates():
        try:
            return _load(place, threads)
        except (OSError, KernelError) as error:
            tried.append(str(error))
    _absent("; ".join(tried))
    return None


def _absent(why: str) -> None:
    log.warning("oneDNN is not used (%s): slower numpy and numba kernels serve. pip install %s", why, WHEEL)


def _demanded(path: str, threads: int) -> Library:
    try:
        return _load(path, threads)
    except OSError as error:
        raise KernelError(f"{VARIABLE} must be 'off' or the path of oneDNN {MAJOR}. Got {path!r}: {error}") from error


def candidates() -> Iterator[str]:
    """Where oneDNN may lie, best first; existing files, then the bare name for the system's loader."""
    folders = [Path(sys.prefix) / "lib", *(Path(p) / "lib" for p in (os.environ.get("CONDA_PREFIX"),) if p)]
    files = [folders[0] / NAME, *_of_wheel(), *(folder / NAME for folder in folders[1:])]
    yield from dict.fromkeys(str(f) for f in files if f.exists())
    yield NAME


def _of_wheel() -> list[Path]:
    """The wheel's own record of where it put the library: right for --target and --user installs too."""
    try:
        files = importlib.metadata.files(WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [Path(str(f.locate())) for f in files if f.name == NAME]


def _load(path: str, threads: int) -> Library:
    functions = _open(path, threads)
    if not hasattr(functions, "dnnl_version"):
        raise KernelError(f"{path} is not oneDNN")
    version = _version(functions)
    if version[0] != MAJOR:
        raise KernelError(f"{path} is oneDNN {'.'.join(map(str, version))}, needed is {MAJOR}.x")
    _tame_openmp(functions, threads)
    _declare(functions)
    engine, stream = ctypes.c_void_p(), ctypes.c_void_p()
    address = ctypes.cast(functions.dnnl_primitive_execute, ctypes.c_void_p).value or 0
    made = Library(functions, engine, 0, version, address)
    made.need("dnnl_engine_create", ctypes.byref(engine), _CPU, ctypes.c_size_t(0))
    made.need("dnnl_stream_create", ctypes.byref(stream), engine, _IN_ORDER)
    return Library(functions, engine, stream.value or 0, version, address)


def _open(path: str, threads: int) -> ctypes.CDLL:
    """Load with OpenMP's settings as we want them: it reads them at its own load, as defaults of all threads to come.

    A thread that waits spins some 20 us, then sleeps, unless OMP_WAIT_POLICY or GOMP_SPINCOUNT say otherwise. libgomp
    would spin 5 ms, which on a busy core its partner then lacks: a step of 3 ms took 38 to 104, and so takes 4. Where a
    libgomp.so.1 is there already (import torch loads its own) it has read its settings: export one before the start.
    """
    given = {"OMP_NUM_THREADS": str(threads)}
    if not any(name in os.environ for name in _WAITING):
        given[_WAITING[0]] = _SPINS
    with _exported(given):
        return ctypes.CDLL(path)


@contextmanager
def _exported(given: dict[str, str]) -> Iterator[None]:
    """Environment variables for the length of a block."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _version(functions: ctypes.CDLL) -> tuple[int, int, int]:
    functions.dnnl_version.restype = ctypes.POINTER(_Version)
    said = functions.dnnl_version().contents
    return said.major, said.minor, said.patch


def _tame_openmp(functions: ctypes.CDLL, threads: int) -> None:
    """Set this thread's count, and give threads back before a fork: libgomp hangs in a child forked beside its pool."""
    if hasattr(functions, "omp_set_num_threads"):
        functions.omp_set_num_threads(threads)
    pause = getattr(functions, "omp_pause_resource_all", None)
    if pause is not None and hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lambda: pause(_PAUSE_HARD))


def _declare(functions: ctypes.CDLL) -> None:
    """Types of the few functions that do not return a status, and of those that take plain addresses."""
    pointer = ctypes.c_void_p
    functions.dnnl_primitive_desc_query_md.restype = pointer
    functions.dnnl_primitive_desc_query_md.argtypes = [pointer, ctypes.c_int, ctypes.c_int]
    functions.dnnl_memory_desc_get_size.restype = ctypes.c_size_t
