"""Compile on demand: a function of arrays becomes a program when it is called, one for each kind of arguments."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import update_wrapper
from types import MethodType
from typing import Any

import numpy as np

from sparkdl.base.errors import ConfError
from sparkdl.base.tree import Tree, flatten, named, unflatten
from sparkdl.compile import pipeline
from sparkdl.compile.arguments import Call, Static, taken
from sparkdl.compile.precision import check_precision
from sparkdl.compile.program import Program
from sparkdl.graph.graph import RANKS, Graph, Sym
from sparkdl.graph.tape import Var
from sparkdl.graph.trace import is_tracing, tracing
from sparkdl.kernels.threads import check_threads
from sparkdl.nd.array import NDArray, wrap

Function = Callable[..., Any]
log = logging.getLogger("sparkdl")


def compile(  # noqa: A001
    f: Function | None = None,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    threads: int | None = None,
    precision: str = "float32",
    cache_size: int = 64,
) -> Any:
    """A function that does what `f` does, as one program. Also a decorator, with or without arguments.

    f takes and gives arrays, and tuples, lists and dicts of them (None counts as empty). It is run once on symbols for
    each kind of arguments, *traced*; what it does to them becomes the program, gradients (`sparkdl.grad`) with it.

    static_argnums, static_argnames: arguments that are no arrays: any objects with a hash, of which the program is made
    threads:    that programs compute with, $SPARKDL_THREADS or 1 by default
    precision:  "bfloat16" for products on bfloat16 where the CPU has it
    cache_size: how many programs are kept; of more, that which was used longest ago is dropped

    When it is traced: the first time with these shapes and dtypes, this structure of the arguments, and these values of
    static arguments. Python numbers and texts are static too, so that they mean what they mean elsewhere: in arithmetic
    they take the dtype of the array beside them, and `if` and `range` may ask them. A number that changes from call to
    call makes a new program each time: give it as an array, `nd.asarray(rate)`. `traces` counts.

    Called while another function is traced, or with values that are being differentiated, `f` runs as it is: it becomes
    part of what is outside. So `sparkdl.grad(compiled)` is right, and `compile(grad(f))` fast.

    Only what is returned comes out. What f prints, or changes, happens when it is traced and not again; arrays that it
    takes from outside are part of the program as they were then. Results are arrays of their own. May be called by
    several threads; calls of one program wait for one another.

    Raises TypeError for arguments and results that are no arrays, and where f asks a symbol for its number (`if`,
    `float`, NumPy): `sparkdl.cond`, `scan`, `while_loop` and `nd.where` take their place.

    >>> from sparkdl import nd
    >>> double = compile(lambda x: x + x)
    >>> double(nd.asarray([1.0, 2.0])), double.traces
    (NDArray([2., 4.], dtype=float32, device=cpu), 1)
    """
    how = {"threads": check_threads(threads), "precision": check_precision(precision)}
    if isinstance(cache_size, bool) or not isinstance(cache_size, int) or cache_size < 1:
        raise ConfError(f"compile: cache_size must be an int >= 1. Got {cache_size!r}.")
    numbers = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    static = Static(numbers, names)
    if f is None:
        return lambda g: Compiled(_callable(g), static, how, cache_size)
    return Compiled(_callable(f), static, how, cache_size)


def _callable(f: Any) -> Function:
    if not callable(f):
        raise TypeError(f"compile: a function must be given. Got {type(f).__name__}; options go by name.")
    return f  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Entry:
    """A program, and how its results are built."""

    program: Program
    structure: Tree
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, arrays: Sequence[NDArray]) -> Any:
        """The results, in memory of their own."""
        places, outs = self.program.inputs.values(), self.program.outputs.values()
        with self.lock:
            for place, x in zip(places, arrays, strict=True):
                place[...] = x.numpy()
            self.program.run()
            made = [wrap(y.copy()) for y in outs]
        return unflatten(self.structure, made)


class Compiled:
    """What `compile` gives. `traces` counts how often the function was traced, `len` tells the programs there are."""

    def __init__(self, f: Function, static: Static, how: dict[str, Any], cache_size: int) -> None:
        self.traces = 0
        self._name = getattr(f, "__name__", type(f).__name__)
        self._f, self._static, self._how, self._size = f, static, how, cache_size
        self._programs: OrderedDict[Hashable, Entry] = OrderedDict()
        self._lock, self._making = threading.Lock(), threading.RLock()
        update_wrapper(self, f)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        call = taken(self._name, self._static, args, kwargs)
        if call.symbolic or is_tracing():
            return self._inline(call)
        try:
            entry = self._entry(call)
        except _Differentiated:
            return self._inline(call)
        return entry(call.arrays)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __len__(self) -> int:
        return len(self._programs)

    def __bool__(self) -> bool:
        return True

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """The program for such arguments, to look at: `explain()`, `profile()`. Made if it is not there."""
        return self._entry(taken(self._name, self._static, args, kwargs)).program

    def clear(self) -> None:
        """Drop all programs, so that arrays from outside are looked at again."""
        with self._lock:
            self._programs.clear()

    def _inline(self, call: Call) -> Any:
        args, kwargs = call.built(call.arrays)
        return self._f(*args, **kwargs)

    def _entry(self, call: Call) -> Entry:
        entry = self._found(call.key)
        if entry is None:
            with self._making:
                entry = self._found(call.key) or self._made(call)
        return entry

    def _found(self, key: Hashable) -> Entry | None:
        with self._lock:
            entry = self._programs.get(key)
            if entry is not None:
                self._programs.move_to_end(key)
            return entry

    def _made(self, call: Call) -> Entry:
        graph, outputs, structure = self._traced(call)
        entry = Entry(pipeline.compile(graph, outputs, **self._how), structure)
        with self._lock:
            self._programs[call.key] = entry
            if len(self._programs) > self._size:
                self._programs.popitem(last=False)
                _dropped(self._name, self._size)
        return entry

    def _traced(self, call: Call) -> tuple[Graph, dict[str, Sym], Tree]:
        self.traces += 1
        graph = Graph(rank=next(RANKS))
        graph.foreign = _Constants(graph)
        args, kwargs = call.built([graph.input(str(k), x.spec) for k, x in enumerate(call.arrays)])
        with tracing(graph):
            made = self._f(*args, **kwargs)
            outs = [graph.take(_result(self._name, path, y)) for path, y in named(made, "its result")]
        return graph, {str(k): y for k, y in enumerate(outs)}, flatten(made)[1]


class _Differentiated(TypeError):
    """The traced function uses a value from outside that is being differentiated."""


class _Constants:
    """Values from outside in a graph: arrays become constants, each once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[int, tuple[NDArray, Sym]] = {}

    def __call__(self, value: Any) -> Sym:
        if isinstance(value, Var):
            raise _Differentiated(f"compile: {value!r} is being differentiated: give it as an argument.")
        if not isinstance(value, NDArray):
            raise TypeError(f"compile: {value!r} belongs to another trace, and cannot be used here or after it.")
        if id(value) not in self._known:
            self._known[id(value)] = value, self._graph.constant(value.numpy())
        return self._known[id(value)][1]


def _result(who: str, path: str, y: Any) -> Any:
    if hasattr(y, "spec"):
        return y
    if isinstance(y, np.ndarray | np.generic):
        return NDArray(y)
    raise TypeError(
        f"compile: {who} must return arrays, or tuples, lists, dicts of them. Got {path}: {type(y).__name__}."
    )


_SAID: set[str] = set()


def _dropped(name: str, size: int) -> None:
    """Once for a name: programs come and go, and why that may be."""
    if name not in _SAID:
        _SAID.add(name)
        log.warning(
            "compile: %s has been called with more than %d kinds of arguments; programs are dropped and made again. "
            "Python numbers are part of a program: give those that change as arrays.",
            name,
            size,
        )
