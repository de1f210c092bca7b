"""Which nodes of a graph take bfloat16, by a table of ops, and in which dtypes each value is kept. Decides only."""

from dataclasses import dataclass, replace

from sparkdl.base.errors import KernelError
from sparkdl.base.spec import BFLOAT16, Spec
from sparkdl.compile.rewrite import live, users
from sparkdl.graph.graph import Graph, Node, Ref
from sparkdl.kernels import table
from sparkdl.kernels.codegen.expr import Expr
from sparkdl.nd.ops.fused import Fused
from sparkdl.nd.ops.mixed import Mixed
from sparkdl.nd.ops.shape import Reshape

FLOAT = "float32"
LOSS = "loss"  # the scope of losses: what they read stays float32


@dataclass(frozen=True)
class Rule:
    """How an op takes bfloat16.

    ports:  inputs that are bfloat16, of those that there are; the others stay as they are
    outs:   outputs that may be bfloat16
    tied:   whether those must be
    leads:  whether it is worth a cast of its inputs; else it takes bfloat16 where it comes to it
    """

    ports: tuple[int, ...]
    outs: tuple[int, ...] = (0,)
    tied: bool = False
    leads: bool = True


RULES = {
    "matmul": Rule((0, 1)),
    "linear": Rule((0, 1)),
    # weights of convolutions become bfloat16 in the reorder to the layout that oneDNN likes
    **{f"conv{n}d{end}": Rule((0,)) for n in (2, 3) for end in ("", "_bias", "_grad_input")},
    "conv2d_bias_add": Rule((0, 3), tied=True),
    **{f"conv{n}d_grad_kernel": Rule((0, 1), ()) for n in (2, 3)},
    "batch_norm": Rule((0,), tied=True, leads=False),
    "batch_norm_relu": Rule((0, 3), tied=True, leads=False),
    "batch_norm_grad": Rule((0, 1), tied=True, leads=False),
}


@dataclass(frozen=True)
class Wanted:
    """What the readers of a value ask for: some must have bfloat16, some may, some must have it as it was."""

    must: bool = False
    may: bool = False
    exact: bool = False

    def __or__(self, other: "Wanted") -> "Wanted":
        return Wanted(self.must or other.must, self.may or other.may, self.exact or other.exact)


class Decisions:
    """rules: the rule by node, of those that take bfloat16."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self._users = graph, users(graph)
        self.rules: dict[int, Rule] = {}
        reached: set[Ref] = set()
        for k in live(graph):
            reached |= self._decide(k, graph.nodes[k], reached)

    def _decide(self, k: int, node: Node, reached: set[Ref]) -> set[Ref]:
        """Enter the node if it takes bfloat16; which of its outputs come as bfloat16, or may without a cast."""
        comes = any(r in reached for r in node.ins)
        if isinstance(node.op, Fused):
            return {(k, o) for o in range(len(node.outs)) if comes and whole(node.op.expr, o)}
        if isinstance(node.op, Reshape):
            return {(k, 0)} if comes else set()
        rule = self._rule(node)
        if rule is None or not (rule.leads or any(node.ins[p] in reached for p in rule.ports)):
            return set()
        self.rules[k] = rule
        return {(k, o) for o in rule.outs}

    def _rule(self, node: Node) -> Rule | None:
        """The rule of a node, if a kernel serves it so."""
        rule = RULES.get(node.op.name) if node.op is not None else None
        if rule is None or any(s.dtype != FLOAT for s in (*map(self.graph.spec, node.ins), *node.outs)):
            return None
        rule = replace(rule, ports=tuple(p for p in rule.ports if p < len(node.ins)))
        if getattr(node.op, "ta", False):  # the sum runs over the batch: the gradient of weights
            rule = replace(rule, outs=())
        return rule if _served(node, rule, self.graph) else None

    def kept(self, ref: Ref) -> tuple[str, ...]:
        """The dtypes in which a value is written, of those its node can write."""
        node, wanted = self.graph.nodes[ref[0]], self._wanted(ref)
        rule = self.rules.get(ref[0])
        if rule is not None:
            low = ref[1] in rule.outs and (rule.tied or ((wanted.must or wanted.may) and not wanted.exact))
            return (BFLOAT16,) if low else (node.outs[ref[1]].dtype,)
        if wanted.must and isinstance(node.op, Fused) and whole(node.op.expr, ref[1]):
            return (FLOAT, BFLOAT16) if wanted.exact else (BFLOAT16,)
        return (node.outs[ref[1]].dtype,)

    def _wanted(self, ref: Ref) -> Wanted:
        found = Wanted(exact=ref in self.graph.outputs.values())
        for u in self._users.get(ref, ()):
            found |= self._by(u, self.graph.nodes[u], ref)
        return found

    def _by(self, u: int, node: Node, ref: Ref) -> Wanted:
        """What node u wants of a value."""
        if isinstance(node.op, Reshape):
            return self._wanted((u, 0))
        if u in self.rules:
            ports = {p for p, r in enumerate(node.ins) if r == ref}
            low = ports & {*self.rules[u].ports}
            return Wanted(must=bool(low), exact=low != ports)
        loop = isinstance(node.op, Fused) and LOSS not in node.label.split("+")
        return Wanted(may=loop, exact=not loop)


def whole(expr: Expr, o: int) -> bool:
    """Whether an output of a loop is an array of float32 as large as the loop."""
    root = expr.roots[o]
    return root.spec.dtype == FLOAT and not root.reduce and not expr.is_scalar(root.value)


def _served(node: Node, rule: Rule, graph: Graph) -> bool:
    """Whether a fast kernel takes the node's inputs in bfloat16; matrices with one row or column gain nothing."""
    specs = tuple(map(graph.spec, node.ins))
    if any(1 in specs[p].shape for p in (0, 1) if len(specs[p].shape) == 2):
        return False
    ins = tuple(Spec(s.shape, BFLOAT16) if p in rule.ports else s for p, s in enumerate(specs))
    assert node.op is not None
    op = Mixed(node.op, tuple(BFLOAT16 if o in rule.outs else s.dtype for o, s in enumerate(node.outs)))
    try:
        table.prepare(op, ins, op.specs(ins), ("onednn",))
    except KernelError:
        return False
    return True
