"""Memory: where every value lies. Temporaries share one arena by the time they live; a run allocates nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sparkdl.base.spec import ITEMSIZE, Spec
from sparkdl.compile.place import Step
from sparkdl.compile.schedule import readers
from sparkdl.graph.graph import Graph, Ref
from sparkdl.nd.ops.shape import Pack, View

ALIGN = 64


@dataclass(frozen=True, slots=True)
class Place:
    """A position: `base` is "arena", "in:label", "const:node", "keep:node" or "still"; `offset` in bytes.

    What lies in the last two stays from run to run, and is zero before the first.
    """

    base: str
    offset: int = 0


@dataclass
class Plan:
    """Places of values and scratch (by node and number there); sizes of the memory they lie in.

    `steps` are those planned for, in their lasting form where their memory lasts. `copies` are (from, to) at the end
    of a run.
    """

    steps: list[Step] = field(default_factory=list)
    places: dict[Ref, Place] = field(default_factory=dict)
    scratch: dict[tuple[int, int], Place] = field(default_factory=dict)
    arena: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    copies: list[tuple[Ref, str]] = field(default_factory=list)

    @property
    def nbytes(self) -> int:
        """Bytes of temporaries and of packed gradients."""
        return self.arena + sum(self.kept.values())


@dataclass
class _Life:
    """When a piece of the arena is in use: from step `start` to step `stop`, both included."""

    nbytes: int
    start: int
    stop: int


def plan(graph: Graph, steps: list[Step], donate: Mapping[str, str], reuse: bool = True, gap: int = 0) -> Plan:
    """Places for all values of `graph`, whose nodes run as `steps` in order.

    Without `reuse` none share memory, and `gap` bytes, a multiple of 64, lie between them.
    """
    out = Plan()
    _fixed(graph, out)
    _donated(graph, steps, donate, out)
    _packed(graph, steps, out)
    out.steps = steps = [_lasting(graph, step, out) for step in steps]
    _still(graph, steps, out)
    lives, owner = _lives(graph, steps, out)
    if not reuse:
        lives = {key: _Life(life.nbytes + gap, 0, len(steps)) for key, life in lives.items()}
    offsets, out.arena = _fit(lives)
    for ref, root in owner.items():
        out.places[ref] = Place("arena", offsets[root])
    for step in steps:
        for k in range(len(step.prepared.scratch)):
            if (step.at, k) not in out.scratch:
                out.scratch[(step.at, k)] = Place("arena", offsets[("scratch", step.at, k)])
    return out


def root(graph: Graph, ref: Ref) -> tuple[Ref, int]:
    """The value whose memory a ref shares through views and reshapes, and the byte offset in it."""
    offset = 0
    while (op := graph.nodes[ref[0]].op) is not None and op.alias:
        offset += op.offset * ITEMSIZE[graph.spec(ref).dtype] if isinstance(op, View) else 0
        ref = graph.nodes[ref[0]].ins[0]
    return ref, offset


def _fixed(graph: Graph, out: Plan) -> None:
    """Inputs and constants have memory of their own; the result of a pack stays from run to run, for its gaps."""
    for k, node in enumerate(graph.nodes):
        if node.op is None:
            out.places[(k, 0)] = Place(f"in:{node.label}" if node.data is None else f"const:{k}")
        elif isinstance(node.op, Pack):
            out.places[(k, 0)] = Place(f"keep:{k}")
            out.kept[f"keep:{k}"] = node.outs[0].nbytes


def _donated(graph: Graph, steps: list[Step], donate: Mapping[str, str], out: Plan) -> None:
    """An output that replaces an input is computed right there when its kernel allows, else copied at the end."""
    by_node = {step.at: (n, step) for n, step in enumerate(steps)}
    inputs = graph.inputs()
    for name, target in donate.items():
        ref, _ = root(graph, graph.outputs[name])
        if (
            ref[0] in by_node
            and ref not in out.places
            and _may_replace(graph, steps, by_node[ref[0]], ref, inputs[target])
        ):
            out.places[ref] = Place(f"in:{target}")
        else:
            out.copies.append((graph.outputs[name], target))


def _may_replace(graph: Graph, steps: list[Step], writer: tuple[int, Step], ref: Ref, target: int) -> bool:
    n, step = writer
    order = {s.at: k for k, s in enumerate(steps)}
    others = readers(graph, target) - {step.at}
    if graph.spec(ref) != graph.nodes[target].outs[0] or any(order.get(k, -1) > n for k in others):
        return False
    if step.at not in readers(graph, target):
        return True
    return any((ref[1], j) in step.prepared.inplace and r == (target, 0) for j, r in enumerate(step.node.ins))


def _packed(graph: Graph, steps: list[Step], out: Plan) -> None:
    """Parts of a pack are computed in their slice of it."""
    runs = {step.at for step in steps}
    for step in steps:
        if not isinstance(step.node.op, Pack):
            continue
        for part, offset in zip(step.node.ins, step.node.op.offsets, strict=True):
            ref, shift = root(graph, part)
            if (
                ref[0] in runs
                and ref not in out.places
                and shift == 0
                and graph.spec(ref).size == graph.spec(part).size
            ):
                at = offset * ITEMSIZE[graph.spec(part).dtype]
                if at % ALIGN == 0:
                    out.places[ref] = Place(f"keep:{step.at}", at)


def _lasting(graph: Graph, step: Step, out: Plan) -> Step:
    """The step in its lasting form, if nobody else ever writes where its outputs lie: in packs that stay inside.

    A pack that leaves the program is the caller's, who may have changed it.
    """
    asked = {out.places.get(root(graph, r)[0], Place("arena")).base for r in graph.outputs.values()}
    bases = {out.places.get((step.at, k), Place("arena")).base for k in range(len(step.node.outs))}
    if step.prepared.lasting is None or not all(b.startswith("keep:") for b in bases) or bases & asked:
        return step
    return replace(step, prepared=replace(step.prepared.lasting, library=step.prepared.library, lasts=True))


def _still(graph: Graph, steps: list[Step], out: Plan) -> None:
    """What lasts from refresh to refresh has memory of its own: values that other steps read, and packed inputs."""
    asked = {root(graph, r)[0] for step in steps if not step.still for r in step.node.ins}
    asked |= {root(graph, r)[0] for r in graph.outputs.values()}
    for step in steps:
        for k, spec in enumerate(step.node.outs):
            if step.still and (step.at, k) in asked and (step.at, k) not in out.places:
                out.places[(step.at, k)] = _own(out, spec)
        for k in _kept(step):
            out.scratch[(step.at, k)] = _own(out, step.prepared.scratch[k])


def _kept(step: Step) -> tuple[int, ...]:
    """Scratch buffers that last, by their number."""
    if step.prepared.lasts:
        return tuple(range(len(step.prepared.scratch)))
    return step.prepared.kept if step.packed else ()


def _own(out: Plan, spec: Spec) -> Place:
    at = out.kept.get("still", 0)
    out.kept["still"] = at + _padded(spec.nbytes)
    return Place("still", at)


def _lives(graph: Graph, steps: list[Step], out: Plan) -> tuple[dict[object, _Life], dict[Ref, object]]:
    """Life spans of what goes to the arena; an output may take over the memory of an input that dies with it."""
    last = _last_use(graph, steps)
    lives: dict[object, _Life] = {}
    owner: dict[Ref, object] = {}
    for n, step in enumerate(steps):
        taken: set[object] = set()
        for k, spec in enumerate(step.node.outs):
            ref = (step.at, k)
            if ref in out.places:
                continue
            heir = _inherited(graph, step, n, k, owner, last, lives, taken)
            if heir is None:
                owner[ref], lives[ref] = ref, _Life(_padded(spec.nbytes), n, last.get(ref, n))
            else:
                taken.add(heir)
                owner[ref], lives[heir].stop = heir, last.get(ref, n)
        for k, spec in enumerate(step.prepared.scratch):
            if (step.at, k) not in out.scratch:
                lives[("scratch", step.at, k)] = _Life(_padded(spec.nbytes), n, n)
    return lives, owner


def _last_use(graph: Graph, steps: list[Step]) -> dict[Ref, int]:
    last = {root(graph, r)[0]: n for n, step in enumerate(steps) for r in step.node.ins}
    for ref in graph.outputs.values():
        last[root(graph, ref)[0]] = len(steps)
    return last


def _inherited(
    graph: Graph, step: Step, n: int, k: int, owner: Mapping[Ref, object], last: Mapping[Ref, int],
    lives: Mapping[object, _Life], taken: set[object],
) -> object | None:  # fmt: skip
    spec: Spec = step.node.outs[k]
    for out, j in step.prepared.inplace:
        ref, shift = root(graph, step.node.ins[j])
        if out != k or ref not in owner or shift or graph.spec(ref).nbytes != spec.nbytes:
            continue
        # x * x may go over x, conv(x) + x not
        also = {i for i, r in enumerate(step.node.ins) if root(graph, r)[0] == ref}
        if not {(k, i) for i in also} <= {*step.prepared.inplace}:
            continue
        if last[ref] == n and lives[owner[ref]].stop == n and owner[ref] not in taken:
            return owner[ref]
    return None


def _padded(nbytes: int) -> int:
    return max(-(-nbytes // ALIGN) * ALIGN, ALIGN)


def _fit(lives: Mapping[object, _Life]) -> tuple[dict[object, int], int]:
    """Offsets: the largest first, each at the lowest place that is free all its life."""
    placed: list[tuple[int, _Life]] = []
    offsets: dict[object, int] = {}
    for key, life in sorted(lives.items(), key=lambda item: -item[1].nbytes):
        at = 0
        for start, other in placed:
            if (
                other.start <= life.stop
                and life.start <= other.stop
                and at + life.nbytes > start
                and start + other.nbytes > at
            ):
                at = start + other.nbytes
        offsets[key] = at
        placed.append((at, life))
        placed.sort(key=lambda item: item[0])
    return offsets, max((at + life.nbytes for at, life in placed), default=0)
