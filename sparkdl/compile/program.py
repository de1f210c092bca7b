"""Program: bound kernel calls over planned memory. `run()` neither allocates nor decides."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparkdl.base.errors import KernelError, ShapeError
from sparkdl.base.spec import Spec, numpy_dtype
from sparkdl.compile.guard import Guards
from sparkdl.compile.memory import ALIGN, Place, Plan, root
from sparkdl.compile.place import Step
from sparkdl.compile.profile import Timing, profile
from sparkdl.compile.rewrite import live
from sparkdl.graph.graph import Graph, Ref
from sparkdl.kernels.table import Rows
from sparkdl.kernels.threads import count, counter, using

Array = NDArray[Any]
Call = tuple[Rows | Callable[[], None], Step]


def put(what: str, place: Array, value: Array, name: str = "") -> None:
    """Copy `value` there, however it lies in memory, of any byte order.

    Other dtypes are converted: ints to any numbers, floats to floats. Raises ShapeError naming `what` and `name` for
    the rest, and for any other shape: NumPy would stretch it.
    """
    if value.dtype is place.dtype and value.shape == place.shape:
        place[...] = value  # half the time of copyto, which asks Python code for an override first
        return
    if value.shape != place.shape:
        raise ShapeError(f"{_said(what, name)} must be {place.shape}. Got {value.shape}.")
    try:
        np.copyto(place, value, "same_kind")
    except TypeError:
        raise ShapeError(f"{_said(what, name)} must be {place.dtype}. Got {value.dtype}.") from None


def _said(what: str, name: str) -> str:
    return f"{what} {name!r}" if name else what


def aligned(nbytes: int) -> Array:
    """Zeroed bytes that start at a multiple of 64."""
    raw = np.zeros(nbytes + ALIGN, np.uint8)
    start = -raw.ctypes.data % ALIGN
    return raw[start : start + nbytes]


class Program:
    """Fill `inputs`, `run()`, read `outputs`; both map names to arrays that stay where they are.

    `fill` copies and checks; who writes into the arrays of `inputs` gets NumPy's own conversions. An output holds its
    value until the next run. Not for two threads at once. Say `stale()` when inputs that were compiled as `still` have
    changed: the next run then computes anew what depends on them alone.

    threads: what it computes with: the count of the thread of Python that made it, to which `run` turns for as long as
             it takes. Each thread of Python that runs such a program has its own pool.
    """

    def __init__(
        self,
        graph: Graph,
        plan: Plan,
        given: Mapping[str, Array],
        guards: Guards | None = None,
    ) -> None:
        self._graph, self._steps, self._plan = graph, plan.steps, plan
        self._count, self.threads = counter(), count()
        self._memory = _memory(graph, plan, given, guards)
        self.inputs = MappingProxyType({name: self._array((k, 0)) for name, k in graph.inputs().items()})
        self.outputs = {name: self._array(ref) for name, ref in graph.outputs.items()}
        for ref, target in plan.copies:
            self._alias_output(ref, target)
        still, often = _parted([] if guards else [(self._bind(step), step) for step in plan.steps])
        self._refresh, self._segments = _segments(still), self._watched(guards) if guards else _segments(often)
        self._fresh = not self._refresh

    @property
    def peak_bytes(self) -> int:
        """Bytes held for temporaries and packed gradients; inputs and constants not counted."""
        return self._plan.nbytes

    def reads(self, name: str) -> bool:
        """Whether the outputs depend on an input; one that nobody reads need not be filled."""
        at = (self._graph.inputs().get(name, -1), 0)
        used = {r for k in live(self._graph) for r in self._graph.nodes[k].ins} | set(self._graph.outputs.values())
        return at in used

    @property
    def rows(self) -> int:
        """Number of kernel calls in a run."""
        return len(self._steps)

    def fill(self, values: Mapping[str, ArrayLike]) -> None:
        """Copy arrays into inputs. Raises ShapeError naming the one that does not fit, as `put` says it."""
        for name, value in values.items():
            if name not in self.inputs:
                raise ShapeError(f"a program input must be one of {', '.join(self.inputs)}. Got {name!r}.")
            put("program input", self.inputs[name], np.asarray(value), name)

    def run(self) -> None:
        """Compute the outputs from the inputs. Raises KernelError naming the layer whose kernel failed."""
        if self._count() == self.threads:
            self._run()
        else:
            with using(self.threads):
                self._run()

    def _run(self) -> None:
        if not self._fresh:
            self._refreshed()
        for segment in self._segments:
            segment()
        self._copied_over()

    def _copied_over(self) -> None:
        for ref, target in self._plan.copies:
            np.copyto(self.inputs[target], self._array(ref))

    def stale(self) -> None:
        """Still inputs have changed."""
        self._fresh = not self._refresh

    def _refreshed(self) -> None:
        for segment in self._refresh:
            segment()
        self._fresh = True

    def explain(self) -> str:
        """A line for each kernel call: op, layer, library, implementation, shapes, output bytes."""
        return "\n".join([_HEADER, *(_explained(self._graph, k, step) for k, step in enumerate(self._steps))])

    def profile(self, runs: int = 20) -> list[Timing]:
        """Median times of the kernel calls, in the order of `explain()`, of `runs` runs call by call.

        Each call costs a microsecond more than in `run()`. What a run changes changes: a training step moves its
        parameters.
        """
        with using(self.threads):
            calls = [(step, _segments([(self._bind(step), step)])[0]) for step in self._steps]
            return profile(calls, self._copied_over, runs)

    def libraries(self) -> set[str]:
        """Which libraries serve it."""
        return {step.prepared.library for step in self._steps}

    def _alias_output(self, ref: Ref, target: str) -> None:
        for name, other in self._graph.outputs.items():
            if other == ref:
                self.outputs[name] = self.inputs[target]

    def _bind(self, step: Step) -> Rows | Callable[[], None]:
        outs, scratch = self._own(step)
        return step.prepared.bind(tuple(self._array(r) for r in step.node.ins), outs, scratch)

    def _own(self, step: Step) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """A step's outputs and scratch: what it may write."""
        outs = tuple(self._array((step.at, k)) for k in range(len(step.node.outs)))
        return outs, tuple(self._at(self._plan.scratch[step.at, k], s) for k, s in enumerate(step.prepared.scratch))

    def _watched(self, guards: Guards) -> list[Callable[[], None]]:
        """Each step by itself, under guard."""
        made = [guards.start]
        for step in self._steps:
            (segment,) = _segments([(self._bind(step), step)])
            made.append(guards.around(segment, [a for arrays in self._own(step) for a in arrays], _called(step)))
        return made

    def _array(self, ref: Ref) -> Array:
        base, shift = root(self._graph, ref)
        place = self._plan.places[base]
        return self._at(Place(place.base, place.offset + shift), self._graph.spec(ref))

    def _at(self, place: Place, spec: Spec) -> Array:
        block = self._memory[place.base]
        return block[place.offset : place.offset + spec.nbytes].view(numpy_dtype(spec.dtype)).reshape(spec.shape)


def _memory(graph: Graph, plan: Plan, given: Mapping[str, Array], guards: Guards | None) -> dict[str, Array]:
    """All memory of a program, as bytes."""
    new = guards.block if guards else aligned
    arena = guards.block(plan.arena, temporary=True) if guards else aligned(plan.arena)
    memory = {"arena": arena} | {name: new(n) for name, n in plan.kept.items()}
    written = {p.base for ref, p in plan.places.items() if graph.nodes[ref[0]].op is not None}
    written |= {f"in:{target}" for _, target in plan.copies}
    for name, k in graph.inputs().items():
        spec, base = graph.nodes[k].outs[0], f"in:{name}"
        memory[base] = _given(name, given[name], spec, base in written) if name in given else new(spec.nbytes)
        if guards and name in given:
            guards.watch(memory[base])
    for k, node in enumerate(graph.nodes):
        if node.data is not None:
            memory[f"const:{k}"] = new(node.data.nbytes)
            memory[f"const:{k}"][:] = np.frombuffer(node.data.tobytes(), np.uint8)
    return memory


def _given(name: str, array: Array, spec: Spec, written: bool) -> Array:
    """The caller's array as bytes. Raises ShapeError when kernels could not use it as it lies."""
    if Spec(array.shape, array.dtype.name) != spec:
        raise ShapeError(f"program input {name!r} must be {spec}. Got {array.dtype}{list(array.shape)}.")
    if not array.flags.c_contiguous or array.ctypes.data % ALIGN:
        raise ShapeError(f"program input {name!r} must be C-contiguous and start at a multiple of {ALIGN} bytes.")
    if not array.dtype.isnative or (written and not array.flags.writeable):
        raise ShapeError(f"program input {name!r} must be of this machine's byte order, and writeable where written.")
    return array.reshape(-1).view(np.uint8)


def _parted(bound: list[Call]) -> tuple[list[Call], list[Call]]:
    """What runs when the program is refreshed, and what runs each time."""
    still = [(call, step) for call, step in bound if step.still]
    often: list[Call] = []
    for call, step in bound:
        if step.packed and isinstance(call, Rows):
            still.append((replace(call, table=call.table[: call.ahead]), step))
            often.append((replace(call, table=call.table[call.ahead :]), step))
        elif not step.still:
            often.append((call, step))
    return still, often


def _segments(bound: list[Call]) -> list[Callable[[], None]]:
    """Native rows that follow one another become one table; Python kernels stand between."""
    out: list[Callable[[], None]] = []
    run: list[tuple[Rows, Step]] = []
    for call, step in bound:
        if isinstance(call, Rows):
            run.append((call, step))
            continue
        out += [_Native(run)] if run else []
        run = []
        out.append(call)
    return out + ([_Native(run)] if run else [])


class _Native:
    """A table of native calls."""

    def __init__(self, run: list[tuple[Rows, Step]]) -> None:
        from sparkdl.kernels.cpu._loop import loop

        self._keep = [rows for rows, _ in run]
        self._owner = [step for rows, step in run for _ in rows.table]
        self._table = np.ascontiguousarray(np.concatenate([rows.table for rows in self._keep]))
        self._run = loop().over(self._table)

    def __call__(self) -> None:
        failed = self._run()
        if failed:
            raise KernelError(f"{_called(self._owner[failed - 1])} failed")


def _called(step: Step) -> str:
    """What errors call a step: "relu of dense_1 in numba"."""
    where = f" of {step.node.label}" if step.node.label else ""
    return f"{step.node.op.name if step.node.op else ''}{where} in {step.prepared.library}"


_HEADER = f"{'#':>3}  {'op':<22} {'layer':<26} {'library':<7} {'out bytes':>11}  shapes, implementation"


def _explained(graph: Graph, k: int, step: Step) -> str:
    ins = " ".join(str(graph.spec(r)) for r in step.node.ins)
    outs = " ".join(map(str, step.node.outs))
    nbytes = sum(s.nbytes for s in step.node.outs)
    name = step.node.op.name if step.node.op else ""
    once = "  once" if step.still else "  packed" if step.packed else ""
    slow = "  SLOW: reference kernel" if step.prepared.library == "ref" else ""
    return (
        f"{k:>3}  {name:<22} {step.node.label[:26]:<26} {step.prepared.library:<7} {nbytes:>11}  "
        f"{ins} -> {outs}  {step.prepared.detail}{once}{slow}"
    )
