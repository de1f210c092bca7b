"""Precision: what multiplies gets bfloat16 operands; everything else stays float32. Graph -> Graph, after `loops`.

Micikevicius et al., arXiv:1710.03740, with bfloat16 for float16, which needs no scaling of the loss (Kalamkar et al.,
arXiv:1905.12322): master weights, their gradients, statistics, losses, optimizer and state are float32; weights are
copied to bfloat16 where a product reads them, activations and their gradients lie in memory as bfloat16. A loop
computes in float32 registers and only reads and writes bfloat16.
"""

import logging
import os
from dataclasses import replace
from functools import lru_cache
from typing import get_args

from sparkdl.base.checks import Precision, describe
from sparkdl.base.errors import ConfError
from sparkdl.base.spec import BFLOAT16, Spec
from sparkdl.compile.narrow import FLOAT, LOSS, Decisions, Rule
from sparkdl.compile.rewrite import append, live
from sparkdl.graph.graph import Graph, Node, Ref
from sparkdl.kernels.codegen.expr import Expr, Root
from sparkdl.nd.ops.fused import Fused
from sparkdl.nd.ops.mixed import Mixed
from sparkdl.nd.ops.shape import Reshape

VARIABLE = "SPARKDL_BF16"
log = logging.getLogger("sparkdl")


def lower(graph: Graph) -> Graph:
    """The graph with bfloat16 where the rules say so. Inputs, outputs and state keep their dtype."""
    return _Writer(graph, Decisions(graph)).write()


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


class _Writer:
    """Writes the new graph; holds what is known of each value: its ref by dtype."""

    def __init__(self, graph: Graph, decisions: Decisions) -> None:
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
            cast, label = _cast(self.new.spec(source), dtype), self.graph.nodes[ref[0]].label
            kept[dtype] = append(self.new, Node(cast, (source,), cast.specs(()), label))[0]
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
        exact = LOSS in node.label.split("+")
        ins = tuple(self.given(r, self.graph.spec(r).dtype) if exact else self._smallest(r) for r in node.ins)
        roots = [
            (o, replace(root, spec=Spec(root.spec.shape, dtype)))
            for o, root in enumerate(expr.roots)
            for dtype in self.decisions.kept((k, o))
        ]
        made = replace(expr, ins=tuple(map(self.new.spec, ins)), roots=tuple(root for _, root in roots))
        refs = append(self.new, Node(Fused(made), ins, tuple(root.spec for _, root in roots), node.label))
        for (o, _), ref in zip(roots, refs, strict=True):
            self._enter((k, o), ref)


def _cast(spec: Spec, dtype: str) -> Fused:
    """A loop that only changes the dtype."""
    return Fused(Expr((spec,), ("full",), (), (Root(0, Spec(spec.shape, dtype)),), 1, spec.size))


@lru_cache(1)
def _absent() -> None:
    """Say it once."""
    log.warning("precision bfloat16: this CPU does not multiply it (avx512_core_bf16); programs are float32.")
