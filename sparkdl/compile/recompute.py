"""Recompute: what the gradient needs of the forward pass is computed again instead of kept. Memory for time.

Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174: the forward pass is cut into segments;
only values that cross a cut are kept, and the gradient of a segment first runs the segment again from them. The last
segment is kept, for its gradient comes at once. The same kernels get the same numbers, so that results are the same
bits; random ops draw by counters and draw the same.
"""

from collections.abc import Callable, Sequence

from sparkdl.base.errors import ConfError
from sparkdl.compile.memory import root
from sparkdl.compile.rewrite import append, live
from sparkdl.graph.graph import Graph, Node, Ref

SEGMENTS = (2, 3, 4, 6, 8, 12, 16, 24, 32)
Peak = Callable[[Graph], int]


def recompute(graph: Graph, budget: int, peak: Peak, forward: str = "loss") -> Graph:
    """A graph of the same outputs whose `peak` is at most `budget` bytes, with little computed twice.

    The forward pass is all that stands up to the node of the output `forward`. Runs last of all passes: others would
    merge the copies again. Raises ConfError when no number of segments gets below the budget.
    """
    found = least = peak(graph)
    if found <= budget:
        return graph
    if forward not in graph.outputs:
        raise ConfError(f"memory_budget: needs an output {forward!r}, up to which values are computed again.")
    for count in SEGMENTS:
        cuts = _cuts(graph, graph.outputs[forward][0], count)
        least = min(least, peak(again(graph, cuts)))
        if least <= budget:
            return _fewest(graph, cuts, budget, peak)
    must = f"must be at least {least} bytes for this program, which takes {found} without"
    raise ConfError(f"memory_budget: {must}. Got {budget}.")


def again(graph: Graph, cuts: Sequence[int]) -> Graph:
    """The graph with all that lies before the last cut computed again where it is read after the forward pass.

    cuts: node numbers, ascending, the last one the last of the forward pass; a segment ends before each.
    """
    kept = {ref for cut in cuts for ref in _crossing(graph, cut, cuts[-1])}
    return _Writer(graph, kept, cuts[-2] if len(cuts) > 1 else 0, cuts[-1]).write()


def _fewest(graph: Graph, cuts: list[int], budget: int, peak: Peak) -> Graph:
    """The first segments are held longest: as few of them as do, computed again."""
    low, high = 1, len(cuts) - 1  # `high` segments are enough
    while low < high:
        middle = (low + high) // 2
        enough = peak(again(graph, [*cuts[:middle], cuts[-1]])) <= budget
        low, high = (low, middle) if enough else (middle + 1, high)
    return again(graph, [*cuts[:high], cuts[-1]])


def _cuts(graph: Graph, last: int, count: int) -> list[int]:
    """Where to cut the forward pass 0 .. last into `count` pieces of like size, at the narrowest place near by."""
    sizes = [_kept_bytes(graph, k) if k <= last else 0 for k in range(len(graph.nodes))]
    total, at, sums = sum(sizes), 0, []
    for size in sizes:
        at += size
        sums.append(at)
    found = []
    for k in range(1, count):
        low, high = ((k + d) * total / count for d in (-0.5, 0.5))
        near = [n for n in range(1, last) if low <= sums[n - 1] <= high]
        if near:
            found.append(min(near, key=lambda n: (_width(graph, n, last), abs(sums[n - 1] - k * total / count))))
    return [*sorted(set(found)), last]


def _kept_bytes(graph: Graph, k: int) -> int:
    node = graph.nodes[k]
    return 0 if node.op is None or node.op.alias else sum(s.nbytes for s in node.outs)


def _width(graph: Graph, cut: int, last: int) -> int:
    return sum(graph.spec(r).nbytes for r in _crossing(graph, cut, last))


def _crossing(graph: Graph, cut: int, last: int) -> set[Ref]:
    """Values made before the node `cut` that the forward pass reads from there on."""
    reads = (r for k in range(cut, last + 1) for r in graph.nodes[k].ins)
    return {r for r in (root(graph, r)[0] for r in reads) if r[0] < cut and graph.nodes[r[0]].op is not None}


class _Writer:
    """Writes the new graph; holds which value is known under which ref, before and after the forward pass."""

    def __init__(self, graph: Graph, kept: set[Ref], cut: int, last: int) -> None:
        self.graph, self.kept, self.cut, self.last = graph, kept, cut, last
        self.new = Graph()
        self.known: dict[Ref, Ref] = {}
        self.copies: dict[Ref, Ref] = {}

    def write(self) -> Graph:
        for k in live(self.graph):
            ins = self.graph.nodes[k].ins
            self._put(k, tuple(map(self._late if k > self.last else self.known.__getitem__, ins)), self.known)
        self.new.outputs = {name: self.known[ref] for name, ref in self.graph.outputs.items()}
        return self.new

    def _put(self, k: int, ins: tuple[Ref, ...], into: dict[Ref, Ref]) -> None:
        node = self.graph.nodes[k]
        refs = append(self.new, Node(node.op, ins, node.outs, node.label, node.data))
        into.update({(k, o): ref for o, ref in enumerate(refs)})

    def _late(self, ref: Ref) -> Ref:
        """The value for a reader after the forward pass: kept, or computed again on first demand."""
        todo = [ref]
        while todo:
            at = todo[-1]
            if self._stays(at) or at in self.copies:
                todo.pop()
                continue
            missing = [r for r in self.graph.nodes[at[0]].ins if not self._stays(r) and r not in self.copies]
            if missing:
                todo += missing
            else:
                self._put(at[0], tuple(map(self._seen, self.graph.nodes[at[0]].ins)), self.copies)
        return self._seen(ref)

    def _seen(self, ref: Ref) -> Ref:
        return self.known[ref] if self._stays(ref) else self.copies[ref]

    def _stays(self, ref: Ref) -> bool:
        base = root(self.graph, ref)[0]
        return base in self.kept or base[0] >= self.cut or self.graph.nodes[base[0]].op is None
