"""Precision: what multiplies gets bfloat16 operands; everything else stays float32. Graph -> Graph, after `loops`.

Micikevicius et al., arXiv:1710.03740, with bfloat16 for float16, which needs no scaling of the loss (Kalamkar et al.,
arXiv:1905.12322): master weights, their gradients, statistics, losses, optimizer and state are float32; weights are
copied to bfloat16 where a product reads them, activations and their gradients lie in memory as bfloat16. A loop
computes in float32 registers and only reads and writes bfloat16.
"""

import logging
import os
from dataclasses import dataclass, replace
from typing import get_args

from sparkdl.base.checks import Precision, describe
from sparkdl.base.errors import ConfError, KernelError
from sparkdl.base.spec import BFLOAT16, Spec
from sparkdl.compile.rewrite import append, live, users
from sparkdl.graph.graph import Graph, Node, Ref
from sparkdl.kernels import table
from sparkdl.kernels.codegen.expr import Expr, Root
from sparkdl.nd.ops.fused import Fused
from sparkdl.nd.ops.mixed import Mixed
from sparkdl.nd.ops.shape import Reshape

VARIABLE = "SPARKDL_BF16"
FLOAT = "float32"
LOSS = "loss"  # the scope of losses: what only they read stays float32
log = logging.getLogger("sparkdl")


@dataclass(frozen=True)
class Rule:
    """How an op takes bfloat16.

    ports:  inputs that are bfloat16; the others stay as they are
    outs:   outputs that may be bfloat16
    tied:   whether those must be
    leads:  whether it is worth a cast of its inputs; else it takes bfloat16 where it comes to it
    """

    ports: tuple[int, ...]
    outs: tuple[int, ...] = (0,)
    tied: bool = False
    leads: bool = True


_ACTIVATION, _WEIGHT_GRADIENT = Rule((0,)), Rule((0, 1), ())
RULES = {
    "matmul": Rule((0, 1)),
    "linear": Rule((0, 1)),
    **{f"conv{n}d{end}": _ACTIVATION for n in (2, 3) for end in ("", "_bias", "_grad_input")},
    **{f"conv{n}d_grad_kernel": _WEIGHT_GRADIENT for n in (2, 3)},
    "batch_norm": Rule((0,), tied=True, leads=False),
    "batch_norm_grad": Rule((0, 1), tied=True, leads=False),
}


def lower(graph: Graph) -> Graph:
    """The graph with bfloat16 where the rules say so. Inputs, outputs and state keep their dtype."""
    return _Writer(graph, _Decisions(graph)).write()


def check_precision(value: str) -> str:
    """`value`. Raises ConfError when it is no precision."""
    if value not in get_args(Precision):
        raise ConfError(f"precision must be {describe(Precision)}. Got {value!r}.")
    return value


def available() -> bool:
    """Whether programs can have bfloat16 here; where not, one line is logged and they are float32.

    Raises ConfError where $SPARKDL_BF16 is "require".
    """
    from sparkdl.kernels.cpu._onednn import multiplies_bfloat16

    said = os.environ.get(VARIABLE, "")
    if said not in ("", "require"):
        raise ConfError(f"{VARIABLE} must be 'require' or unset. Got {said!r}.")
    if multiplies_bfloat16():
        return True
    if said:
        raise ConfError(f"{VARIABLE}=require: this machine has no oneDNN that multiplies bfloat16 (avx512_core_bf16).")
    _absent()
    return False


class _Decisions:
    """Which nodes take bfloat16, and in which dtypes each value is kept. Holds the graph while it decides."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.users = graph, users(graph)
        self.rules: dict[int, Rule] = {}
        reached: set[Ref] = set()
        for k in live(graph):
            reached |= self._decide(k, graph.nodes[k], reached)

    def _decide(self, k: int, node: Node, reached: set[Ref]) -> set[Ref]:
        """Enter the node if it takes bfloat16; which of its outputs may be, without a cast."""
        comes = any(r in reached for r in node.ins)
        if isinstance(node.op, Fused):
            return {(k, o) for o in range(len(node.outs)) if comes and _whole(node.op.expr, o)}
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
        if getattr(node.op, "ta", False):  # the sum runs over the batch: the gradient of weights
            rule = replace(rule, outs=())
        return rule if _served(node, rule, self.graph) else None

    def kept(self, ref: Ref) -> tuple[str, ...]:
        """The dtypes in which a value is written, of those its node can write."""
        node = self.graph.nodes[ref[0]]
        must, may, exact = self._wanted(ref)
        if ref[0] in self.rules:
            rule = self.rules[ref[0]]
            low = ref[1] in rule.outs and (rule.tied or ((must or may) and not exact))
            return (BFLOAT16,) if low else (node.outs[ref[1]].dtype,)
        if must and isinstance(node.op, Fused) and _whole(node.op.expr, ref[1]):
            return (FLOAT, BFLOAT16) if exact else (BFLOAT16,)
        return (node.outs[ref[1]].dtype,)

    def _wanted(self, ref: Ref) -> tuple[bool, bool, bool]:
        """Whether some reader must have bfloat16, some may, some must have the value as it was."""
        must, may, exact = False, False, ref in self.graph.outputs.values()
        for u in self.users.get(ref, ()):
            node = self.graph.nodes[u]
            if isinstance(node.op, Reshape):
                further = self._wanted((u, 0))
                must, may, exact = must or further[0], may or further[1], exact or further[2]
            elif u in self.rules:
                ports = {p for p, r in enumerate(node.ins) if r == ref}
                must, exact = must or bool(ports & {*self.rules[u].ports}), exact or bool(ports - {*self.rules[u].ports})
            else:
                loop = isinstance(node.op, Fused) and LOSS not in node.label.split("+")
                may, exact = may or loop, exact or not loop
        return must, may, exact


class _Writer:
    """Writes the new graph; holds what is known of each value: its ref by dtype."""

    def __init__(self, graph: Graph, decisions: _Decisions) -> None:
        self.graph, self.decisions, self.new = graph, decisions, Graph()
        self.known: dict[Ref, dict[str, Ref]] = {}

    def write(self) -> Graph:
        for k in live(self.graph):
            self._node(k, self.graph.nodes[k])
        self.new.outputs = {n: self.given(r, self.graph.spec(r).dtype) for n, r in self.graph.outputs.items()}
        return self.new

    def given(self, ref: Ref, dtype: str) -> Ref:
        """A value in a dtype, by a cast where it is not kept so."""
        kept = self.known[ref]
        if dtype not in kept:
            source = next(iter(kept.values()))
            spec = self.new.spec(source)
            cast = _cast(spec, dtype)
            kept[dtype] = append(self.new, Node(cast, (source,), cast.specs((spec,)), self.graph.nodes[ref[0]].label))[0]
        return kept[dtype]

    def _smallest(self, ref: Ref) -> Ref:
        kept = self.known[ref]
        return kept.get(BFLOAT16) or next(iter(kept.values()))

    def _node(self, k: int, node: Node) -> None:
        if k in self.decisions.rules:
            self._mixed(k, node, self.decisions.rules[k])
        elif isinstance(node.op, Fused):
            self._loop(k, node, node.op.expr)
        elif isinstance(node.op, Reshape):
            source = self._smallest(node.ins[0])
            spec = Spec(node.outs[0].shape, self.new.spec(source).dtype)
            self._enter((k, 0), append(self.new, Node(node.op, (source,), (spec,), node.label))[0])
        else:
            ins = tuple(self.given(r, self.graph.spec(r).dtype) for r in node.ins)
            for o, ref in enumerate(append(self.new, Node(node.op, ins, node.outs, node.label, node.data))):
                self._enter((k, o), ref)

    def _enter(self, ref: Ref, made: Ref) -> None:
        self.known.setdefault(ref, {})[self.new.spec(made).dtype] = made

    def _mixed(self, k: int, node: Node, rule: Rule) -> None:
        ins = tuple(self.given(r, BFLOAT16 if p in rule.ports else FLOAT) for p, r in enumerate(node.ins))
        dtypes = tuple(self.decisions.kept((k, o))[0] for o in range(len(node.outs)))
        assert node.op is not None
        op = Mixed(node.op, dtypes)
        outs = op.specs(tuple(map(self.new.spec, ins)))
        for o, ref in enumerate(append(self.new, Node(op, ins, outs, node.label))):
            self._enter((k, o), ref)

    def _loop(self, k: int, node: Node, expr: Expr) -> None:
        """The loop over what is kept; a value wanted in two dtypes is written twice."""
        ins = tuple(self._smallest(r) for r in node.ins)
        roots = [
            (o, replace(root, spec=Spec(root.spec.shape, dtype)))
            for o, root in enumerate(expr.roots)
            for dtype in self.decisions.kept((k, o))
        ]
        made = replace(expr, ins=tuple(map(self.new.spec, ins)), roots=tuple(root for _, root in roots))
        refs = append(self.new, Node(Fused(made), ins, tuple(root.spec for _, root in roots), node.label))
        for (o, _), ref in zip(roots, refs, strict=True):
            self._enter((k, o), ref)


def _whole(expr: Expr, o: int) -> bool:
    """Whether an output of a loop is an array of float32 as large as the loop."""
    root = expr.roots[o]
    return root.spec.dtype == FLOAT and not root.reduce and not expr.is_scalar(root.value)


def _cast(spec: Spec, dtype: str) -> Fused:
    """A loop that only changes the dtype."""
    return Fused(Expr((spec,), ("full",), (), (Root(0, Spec(spec.shape, dtype)),), 1, spec.size))


def _served(node: Node, rule: Rule, graph: Graph) -> bool:
    """Whether a fast kernel takes the node's inputs in bfloat16; matrices with one row or column gain nothing."""
    specs = tuple(map(graph.spec, node.ins))
    if any(1 in specs[p].shape for p in (0, 1) if len(specs[p].shape) == 2):
        return False
    ins = tuple(Spec(s.shape, BFLOAT16) if p in rule.ports else s for p, s in enumerate(specs))
    dtypes = tuple(BFLOAT16 if o in rule.outs else s.dtype for o, s in enumerate(node.outs))
    assert node.op is not None
    try:
        table.prepare(Mixed(node.op, dtypes), ins, Mixed(node.op, dtypes).specs(ins), ("onednn",))
    except KernelError:
        return False
    return True


def _absent() -> None:
    global _said
    if not _said:
        log.warning("precision bfloat16: this CPU does not multiply it (avx512_core_bf16); programs are float32.")
    _said = True


_said = False
