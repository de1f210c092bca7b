"""Group elementwise ops, and the sums that end them, into loops: each group becomes one `Fused` op.

A group may grow as long as no path leaves it and comes back, and as long as one split of its elements into rows and
columns serves all that enters it.
"""

from dataclasses import dataclass, field
from math import prod

from sparkdl.base.spec import BFLOAT16, COMPLEX, Spec
from sparkdl.compile.rewrite import append, users
from sparkdl.graph.graph import Graph, Node, Ref
from sparkdl.kernels.codegen.expr import Expr, Instr, Place, Reduce, Root, place
from sparkdl.kernels.codegen.numba_source import COMPILED
from sparkdl.nd.ops.choice import Cast, Where
from sparkdl.nd.ops.fused import Fused
from sparkdl.nd.ops.reduce import Sum
from sparkdl.nd.ops.shape import BroadcastTo

Shape = tuple[int, ...]


@dataclass
class Group:
    """Nodes of one loop. `space` is the shape of its elements."""

    members: set[int] = field(default_factory=set)
    space: Shape = ()


def fuse_loops(graph: Graph) -> Graph:
    """The graph with every elementwise op in a Fused one."""
    return _emit(graph, _Grouping(graph).run())


class _Grouping:
    """Decides which node belongs to which group; holds the groups while it does."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.users = graph, users(graph)
        self.of: dict[int, Group] = {}

    def run(self) -> dict[int, Group]:
        for k, node in enumerate(self.graph.nodes):
            if elementwise(self.graph, node):
                self._join(k, Group({k}, node.outs[0].shape))
            elif isinstance(node.op, Sum):
                self._join_sum(k, node)
        return self.of

    def _join(self, k: int, group: Group) -> None:
        """Start with the node alone and take in the groups of its inputs, the latest first."""
        self.of[k] = group
        for near in sorted({r[0] for r in self.graph.nodes[k].ins}, reverse=True):
            other, mine = self.of.get(near), self.of[k]
            if other is not None and other is not mine:
                self._merge(mine, other)

    def _join_sum(self, k: int, node: Node) -> None:
        """A sum ends the group of its input, if it can; else it stays a kernel of its own."""
        group = self.of.get(node.ins[0][0])
        if group is not None and _reduction(node, self.graph) and group.space == self.graph.spec(node.ins[0]).shape:
            self._merge(group, Group({k}, group.space))

    def _merge(self, a: Group, b: Group) -> None:
        space = a.space if prod(b.space) == 1 else b.space
        if prod(a.space) != 1 and prod(b.space) != 1 and a.space != b.space:
            return
        union = Group(a.members | b.members, space)
        if self._repeats_sum(union) or self._feeds_on_sum(union) or self._returns(union):
            return
        if split_of(self.graph, union) is None:
            return
        for k in union.members:
            self.of[k] = union

    def _repeats_sum(self, group: Group) -> bool:
        """A sum of one number may not stand in a loop over many: it would add that number once for each."""
        summed = [self.graph.spec(self.graph.nodes[k].ins[0]) for k in self._sums(group)]
        return any(spec.size != prod(group.space) for spec in summed)

    def _feeds_on_sum(self, group: Group) -> bool:
        """A sum is known only when the loop has ended: no member may read it."""
        sums = self._sums(group)
        return any(r[0] in sums for k in group.members for r in self.graph.nodes[k].ins)

    def _sums(self, group: Group) -> set[int]:
        return {k for k in group.members if isinstance(self.graph.nodes[k].op, Sum)}

    def _returns(self, group: Group) -> bool:
        """Whether a path leaves the group and comes back."""
        last = max(group.members)
        todo = [u for k in group.members for u in self._readers(k) if u not in group.members]
        seen: set[int] = set()
        while todo:
            k = todo.pop()
            if k in group.members:
                return True
            if k in seen or min(self._block(k)) > last:
                continue
            seen |= self._block(k)
            todo += [u for m in self._block(k) for u in self._readers(m)]
        return False

    def _block(self, k: int) -> set[int]:
        return self.of[k].members if k in self.of else {k}

    def _readers(self, k: int) -> list[int]:
        return [u for o in range(len(self.graph.nodes[k].outs)) for u in self.users.get((k, o), ())]


REGISTERS = frozenset(("bool", "int64", "float32", "float64", BFLOAT16))  # what a value in a loop can be


def elementwise(graph: Graph, node: Node) -> bool:
    """Whether the loop generator knows the op, for these dtypes. Casts may read any real one and make int32."""
    if node.op is None or node.op.name not in COMPILED:
        return False
    ins, out = {graph.spec(r).dtype for r in node.ins}, node.outs[0].dtype
    if isinstance(node.op, Cast):
        return not ins & {"float16", *COMPLEX} and out in REGISTERS | {"int32"}
    if node.outs[0].dtype == "bool" or isinstance(node.op, Where):
        return ins | {out} <= REGISTERS | {"int32"}
    return ins | {out} <= REGISTERS


def _reduction(node: Node, graph: Graph) -> Reduce:
    """What kind of sum a node is, if a loop can end in it: over everything, or over leading axes."""
    shape = graph.spec(node.ins[0]).shape
    axes = node.op.axes if isinstance(node.op, Sum) else ()
    if not node.outs[0].dtype.startswith("float") or prod(shape) == 0:
        return ""
    if len(axes) == len(shape):
        return "all"
    return "rows" if axes and axes == tuple(range(len(axes))) else ""


def entering(graph: Graph, group: Group) -> list[Ref]:
    """Values that members read from outside, in order; broadcasts are looked through, loops broadcast by themselves."""
    found: dict[Ref, None] = {}
    for k in sorted(group.members):
        for ref in graph.nodes[k].ins:
            if ref[0] not in group.members:
                found[seen_through(graph, ref)] = None
    return list(found)


def seen_through(graph: Graph, ref: Ref) -> Ref:
    """The value that a broadcast repeats, where its axes line up with the broadcast's."""
    node = graph.nodes[ref[0]]
    return node.ins[0] if isinstance(node.op, BroadcastTo) else ref


def split_of(graph: Graph, group: Group) -> int | None:
    """The number of columns that suits all inputs and sums; 0 when any does; None when none does."""
    shapes = {graph.spec(r).shape for r in entering(graph, group) if graph.spec(r).size != 1}
    shapes = {s for s in shapes if prod(s) != prod(group.space)}
    sums = {graph.nodes[k].outs[0].size for k in group.members if _reduction(graph.nodes[k], graph) == "rows"}
    if not shapes and not sums:
        return 0
    options = [prod(group.space[k:]) for k in range(len(group.space) + 1)]
    good = [c for c in options if sums <= {c} and all(place(s, group.space, c) for s in shapes)]
    return good[-1] if good else None


def _emit(graph: Graph, of: dict[int, Group]) -> Graph:
    """Write groups in the order in which all they need is there."""
    new, known, done = Graph(), dict[Ref, Ref](), set[int]()
    used = users(graph)

    def write(k: int) -> None:
        stack = [k]
        while stack:
            top = stack[-1]
            block = of[top].members if top in of else {top}
            missing = [r[0] for m in block for r in _needs(graph, m, block) if r not in known and r[0] not in done]
            if top in done:
                stack.pop()
            elif missing:
                stack += missing
            else:
                known.update(_write(graph, new, of.get(top), top, known, used))
                done.update(block)
                stack.pop()

    for k in sorted(range(len(graph.nodes)), key=lambda k: max(of[k].members) if k in of else k):
        if k not in done:
            write(k)
    new.outputs = {name: known[ref] for name, ref in graph.outputs.items()}
    return new


def _needs(graph: Graph, k: int, block: set[int]) -> list[Ref]:
    return [r for r in graph.nodes[k].ins if r[0] not in block]


def _write(
    graph: Graph, new: Graph, group: Group | None, k: int, known: dict[Ref, Ref], used: dict[Ref, list[int]]
) -> dict[Ref, Ref]:
    if group is None:
        node = graph.nodes[k]
        refs = append(new, Node(node.op, tuple(known[r] for r in node.ins), node.outs, node.label, node.data))
        return {(k, o): ref for o, ref in enumerate(refs)}
    return _Loop(graph, new, group, known, used).write()


class _Loop:
    """Writes one group as a Fused node; holds the numbering of its values while it does."""

    def __init__(
        self, graph: Graph, new: Graph, group: Group, known: dict[Ref, Ref], used: dict[Ref, list[int]]
    ) -> None:
        self.graph, self.new, self.group, self.known, self.used = graph, new, group, known, used
        split = split_of(graph, group)
        self.size = prod(group.space)
        self.cols = split or (self.size if split == 0 else group.space[-1] if group.space else 1)
        self.ins: list[Ref] = []
        self.places: list[Place] = []
        self.number: dict[Ref, int] = {}
        self.instrs: list[Instr] = []
        self.literals: dict[Ref, float] = {}

    def write(self) -> dict[Ref, Ref]:
        members = sorted(self.group.members)
        reads = [r for k in members for r in self.graph.nodes[k].ins if r[0] not in self.group.members]
        for ref in dict.fromkeys(reads):
            self._enter(ref)
        for ref, value in self.literals.items():
            self._instr(ref, "const", (), self.graph.spec(ref).dtype, True, value)
        for k in members:
            self._member(k)
        return self._finish(members)

    def _enter(self, ref: Ref) -> None:
        """Number an outside value: a literal, or an input at its place in the loop space."""
        source = seen_through(self.graph, ref)
        data = self.graph.nodes[source[0]].data
        if data is not None and data.size == 1 and data.dtype.kind == "f":
            self.literals[ref] = float(data.reshape(()))
            return
        where = place(self.graph.spec(source).shape, self.group.space, self.cols)
        given = self.known[source]
        if where is None:
            given = append(
                self.new,
                Node(BroadcastTo(self.group.space), (given,), (Spec(self.group.space, self.graph.spec(source).dtype),)),
            )[0]
            where = "full"
        if given in self.ins:
            self.number[ref] = self.ins.index(given)
            return
        self.number[ref] = len(self.ins)
        self.ins.append(given)
        self.places.append(where)

    def _member(self, k: int) -> None:
        node = self.graph.nodes[k]
        if isinstance(node.op, Sum):
            return
        assert node.op is not None
        args = tuple(self.number[r] for r in node.ins)
        self._instr((k, 0), node.op.name, args, node.outs[0].dtype, node.outs[0].size == 1)

    def _instr(self, ref: Ref, op: str, args: tuple[int, ...], dtype: str, scalar: bool, const: float = 0.0) -> None:
        self.number[ref] = len(self.ins) + len(self.instrs)
        self.instrs.append(Instr(op, args, dtype, scalar, const))

    def _finish(self, members: list[int]) -> dict[Ref, Ref]:
        kept = [k for k in members if self._leaves(k)]
        roots = tuple(self._root(k) for k in kept)
        specs = tuple(self.new.spec(r) for r in self.ins)
        rows = self.size // self.cols if self.cols else 0
        expr = Expr(specs, tuple(self.places), tuple(self.instrs), roots, rows, self.cols)
        label = "+".join(dict.fromkeys(self.graph.nodes[k].label for k in members if self.graph.nodes[k].label))
        refs = append(self.new, Node(Fused(expr), tuple(self.ins), tuple(r.spec for r in roots), label))
        return {(k, 0): ref for k, ref in zip(kept, refs, strict=True)}

    def _leaves(self, k: int) -> bool:
        """Whether the value is needed after the loop."""
        outside = any(u not in self.group.members for u in self.used.get((k, 0), ()))
        return outside or (k, 0) in self.graph.outputs.values()

    def _root(self, k: int) -> Root:
        node = self.graph.nodes[k]
        if isinstance(node.op, Sum):
            return Root(self.number[node.ins[0]], node.outs[0], _reduction(node, self.graph))
        return Root(self.number[(k, 0)], node.outs[0])
