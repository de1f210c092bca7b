"""Which kernel serves an op: rows of (op name, library), tried from the fastest library to the oracle.

A kernel is *prepared* once for given specs: it chooses an implementation and says what scratch memory it needs.
It is then *bound* to addresses: it becomes rows of native calls, or one Python call. Running it neither allocates
nor decides. This module must not know what any op means.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache, wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.errors import KernelError
from sparkdl.base.spec import NAMES, Specs
from sparkdl.kernels.choice import listing, naming
from sparkdl.kernels.threads import using

Array = NDArray[Any]
Arrays = tuple[Array, ...]

LIBRARIES = {"cpu": ("winograd", "onednn", "numba", "numpy", "ref")}
NATIVE = ("winograd", "onednn", "numba")  # of which one may choose by measurement
EAGER = ("onednn", "numpy", "ref")  # numba (and winograd, made of it) compiles on first use: too slow for one call
_HOMES = ("sparkdl.kernels.cpu", "sparkdl.kernels.ref")


class Unsupported(Exception):
    """Raised by a prepare function that has no good implementation for these specs: the next row is asked."""


@dataclass(frozen=True)
class Rows:
    """Native calls. table: int64 (n, 5), a row (function, a0, a1, a2, a3); a call returns 0 when it went well.

    `keep` holds what the addresses point at; the first `ahead` rows are those of `Prepared.still`.
    """

    table: NDArray[np.int64]
    keep: tuple[Any, ...] = ()
    ahead: int = 0


Bound = Rows | Callable[[], None]


@dataclass(frozen=True)
class Prepared:
    """A kernel for given specs. `bind(ins, outs, scratch)` ties it to arrays, which stay where they are.

    scratch:  buffers that the plan must lend while it runs; they hold nothing between runs
    inplace:  pairs (output, input) that may be the same memory
    strided:  whether inputs may be non-contiguous
    still:    inputs of which the first rows make the scratch buffers `kept`, and nothing else: where these inputs do
              not change, those rows need not run again
    detail:   the implementation's name, for `Program.explain()`
    lasting:  the same kernel for outputs and scratch that are its alone and last from run to run, zero before the
              first: it need not write again what it knows to be there
    lasts:    whether this is such a one
    """

    bind: Callable[[Arrays, Arrays, Arrays], Bound]
    scratch: Specs = ()
    inplace: tuple[tuple[int, int], ...] = ()
    strided: bool = False
    still: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()
    detail: str = ""
    lasting: "Prepared | None" = None
    lasts: bool = False
    library: str = field(default="")


Prepare = Callable[[Any, Specs, Specs], Prepared]
When = Callable[[Any, Specs], bool]
_ROWS: dict[tuple[str, str], list[tuple[When, Prepare]]] = {}
_FIRST: set[tuple[str, str]] = set()


def always(op: Any, ins: Specs) -> bool:
    """A row without a condition."""
    return True


def kernel(op: str, library: str, when: When = always, first: bool = False) -> Callable[[Prepare], Prepare]:
    """Enter a prepare function `(op, in_specs, out_specs) -> Prepared` for the op of that name.

    first: for this op, this library is asked before those that come before it elsewhere
    """

    def enter(prepare: Prepare) -> Prepare:
        if first:
            _FIRST.add((op, library))
        _ROWS.setdefault((op, library), []).append((when, prepare))
        return prepare

    return enter


def rowwise(fn: Callable[..., Any]) -> Prepare:
    """A kernel from a numpy function `fn(op, *ins) -> array or tuple of arrays`; results are copied into the outputs.

    A result of another shape than the op inferred is refused, never broadcast: that is how a wrong shape rule shows.
    """

    def prepare(op: Any, ins: Specs, outs: Specs) -> Prepared:
        def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
            def run() -> None:
                with np.errstate(all="ignore"):  # IEEE results are what is asked for, not warnings
                    made = fn(op, *i)
                    for out, value in zip(o, made if isinstance(made, tuple) else (made,), strict=True):
                        _fill(op, out, value)

            return run

        return Prepared(bind, strided=True, detail=getattr(fn, "__name__", ""))

    return prepare


PLAIN: dict[str, Callable[..., Any]] = {}
HALVES = frozenset(("float16", "bfloat16"))


def plain(name: str, moves: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a numpy function `fn(op, *ins) -> array or tuple` as the op's reference, its kernel and its eager form.

    For ops that NumPy does well enough in any dtype. Half precision comes as float32, unless it only `moves` elements:
    then the function may give views of its inputs.
    """

    def enter(fn: Callable[..., Any]) -> Callable[..., Any]:
        used = fn if moves else in_single(fn)
        PLAIN[name] = used
        for library in ("ref", "numpy"):
            kernel(name, library)(rowwise(used))
        return fn

    return enter


def eager(name: str) -> Callable[..., Any] | None:
    """The function of NumPy that an op is, if it is one."""
    load()
    return PLAIN.get(name)


def in_single(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with half precision given as float32."""

    @wraps(fn)
    def widened(op: Any, *ins: Array) -> Any:
        return fn(op, *[x.astype(np.float32) if NAMES[x.dtype] in HALVES else x for x in ins])

    return widened


def _fill(op: Any, out: Array, value: Any) -> None:
    if np.shape(value) != out.shape:
        raise KernelError(f"{op.name}: the kernel made shape {np.shape(value)}, the op inferred {out.shape}.")
    out[...] = value


@lru_cache(8192)
def prepare(
    op: Any, ins: Specs, outs: Specs, libraries: tuple[str, ...] = LIBRARIES["cpu"], threads: int = 1, choice: str = ""
) -> Prepared:
    """The first kernel that serves. It is to be bound and run with that many threads.

    choice: one of `choices`, to have that kernel and no other. Raises KernelError when none serves.
    """
    load()
    library, _, implementation = choice.partition(":")
    with using(threads), naming(implementation if choice else None):
        return _chosen(op, ins, outs, (library,) if choice else libraries)


def choices(op: Any, ins: Specs, outs: Specs, libraries: tuple[str, ...], threads: int = 1) -> dict[str, Prepared]:
    """All native kernels that serve, by the choice that `prepare` takes; each implementation once."""
    found: dict[str, Prepared] = {}
    for library in (name for name in libraries if name in NATIVE):
        with listing() as names:
            _try(found, library, op, ins, outs, libraries, threads)
        for name in dict.fromkeys(names):
            _try(found, f"{library}:{name}", op, ins, outs, libraries, threads)
    return found


def _try(found: dict[str, Prepared], choice: str, *given: Any) -> None:
    try:
        made = prepare.__wrapped__(*given, choice)
    except KernelError:
        return
    if all((made.library, made.detail) != (other.library, other.detail) for other in found.values()):
        found[choice] = made


def _chosen(op: Any, ins: Specs, outs: Specs, libraries: tuple[str, ...]) -> Prepared:
    for library in sorted(libraries, key=lambda name: (op.name, name) not in _FIRST):
        for when, make in _ROWS.get((op.name, library), ()):
            if when(op, ins):
                try:
                    return replace(make(op, ins, outs), library=library)
                except Unsupported:
                    continue
    raise KernelError(f"no kernel for {op.name} with inputs {', '.join(map(str, ins))} in {', '.join(libraries)}")


@lru_cache(1)
def load() -> None:
    """Import the kernel files, once. Each enters its rows."""
    for home in _HOMES:
        package = importlib.import_module(home)
        for module in pkgutil.iter_modules(package.__path__):
            if not module.name.startswith("_"):
                importlib.import_module(f"{home}.{module.name}")


def coverage() -> set[tuple[str, str]]:
    """All (op name, library) that have a kernel."""
    load()
    return set(_ROWS)
