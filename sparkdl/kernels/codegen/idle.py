"""Where a loop changes nothing: a proof about an expression that is computed in place.

Adam leaves a parameter and both moments as they are where gradient and moments are 0: most rows of a table of
embeddings, the weights of an input that is always 0. The generated loop asks stretches of its inputs whether they are
zero, and passes over those. What is proved holds bit by bit: p - 0 is p, for -0, infinity and NaN too, while p + 0 is
not p for -0. So a zero here is +0 alone, and an instruction without a rule proves nothing: AdamW's decay changes p.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from sparkdl.kernels.codegen.expr import Expr

LONG, STRETCH = 1 << 16, 128  # elements of a loop that goes by stretches, and of each
MOST = 6  # inputs whose subsets are tried
Known = Literal["zero", "positive"] | int | None  # +0; finite and above 0; the very bits of that input; nothing


@dataclass(frozen=True)
class Idle:
    """Where all elements of `zeros` (inputs) are +0, every root has the bits of the input that it lies on.

    positive: values, one number each, of which that demands that they are finite and above 0
    """

    zeros: tuple[int, ...]
    positive: tuple[int, ...]


def idle(expr: Expr, alias: Mapping[int, int]) -> Idle | None:
    """The fewest inputs that must be zero, those written over first; None where there are none such.

    alias: which roots lie on which inputs. All but single numbers must, and be float32. One at least may hold anything:
    that nothing comes of nothing is true of most loops, and of no use.
    """
    full = [k for k, where in enumerate(expr.places) if where == "full"]
    left = [k for k, root in enumerate(expr.roots) if root.reduce or not expr.is_scalar(root.value)]
    plain = all(expr.ins[k].dtype == "float32" for k in full) and not {"row", "col"} & set(expr.places)
    if not left or not plain or len(full) > MOST or any(k not in alias for k in left):
        return None
    full.sort(key=lambda k: k not in alias.values())
    for count in range(1, len(full) + 1):
        for zeros in combinations(full, count):
            found = _proved(expr, {k: alias[k] for k in left}, zeros)
            if found is not None and not {alias[k] for k in left} <= set(zeros):
                return found
    return None


def _proved(expr: Expr, alias: Mapping[int, int], zeros: tuple[int, ...]) -> Idle | None:
    proof = _Proof(expr, zeros)
    wanted: dict[int, Known] = {k: "zero" if j in zeros else j for k, j in alias.items()}
    if any(proof.known[expr.roots[k].value] != what for k, what in wanted.items()):
        return None
    return Idle(zeros, tuple(sorted(proof.assumed)))


class _Proof:
    """What is known of each value. Single numbers are known when the loop runs: they are assumed to be positive."""

    def __init__(self, expr: Expr, zeros: tuple[int, ...]) -> None:
        self.expr = expr
        self.assumed: set[int] = set()
        self.known: list[Known] = ["zero" if k in zeros else k for k in range(len(expr.ins))]
        for instr in expr.instrs:
            if instr.op == "const":
                self.known.append(_constant(instr.const, instr.dtype))
            else:
                rule = RULES.get(instr.op)
                self.known.append(rule(self, *instr.args) if rule and instr.dtype == "float32" else None)

    def zero(self, *values: int) -> bool:
        """Whether all are +0."""
        return all(self.known[v] == "zero" for v in values)

    def positive(self, value: int) -> bool:
        """Whether it is finite and above 0; of a single number, that this will be asked."""
        if self.known[value] == "positive":
            return True
        if not self.expr.is_scalar(value) or self._is_constant(value):
            return False
        self.assumed.add(value)
        return True

    def _is_constant(self, value: int) -> bool:
        at = value - len(self.expr.ins)
        return at >= 0 and self.expr.instrs[at].op == "const"


def _constant(value: float, dtype: str) -> Known:
    kept = np.dtype(dtype).type(value) if dtype.startswith("float") else np.float64(np.nan)
    if kept == 0:
        return None if np.signbit(kept) else "zero"
    return "positive" if 0 < kept < np.inf else None


def _sum(proof: _Proof, a: int, b: int) -> Known:
    if proof.zero(a, b):
        return "zero"
    one = (proof.zero(a) and proof.positive(b)) or (proof.zero(b) and proof.positive(a))
    return "positive" if one else None


def _difference(proof: _Proof, a: int, b: int) -> Known:
    """+0 - +0 is +0."""
    return proof.known[a] if proof.zero(b) else None


def _product(proof: _Proof, a: int, b: int) -> Known:
    if proof.zero(a, b):
        return "zero"
    one = (proof.zero(a) and proof.positive(b)) or (proof.zero(b) and proof.positive(a))
    return "zero" if one else None


def _quotient(proof: _Proof, a: int, b: int) -> Known:
    return "zero" if proof.zero(a) and proof.positive(b) else None


def _kept(proof: _Proof, *values: int) -> Known:
    """Of zeros a zero."""
    return "zero" if proof.zero(*values) else None


def _root(proof: _Proof, value: int) -> Known:
    found = proof.known[value]
    return found if found in ("zero", "positive") else None


RULES: dict[str, Callable[..., Known]] = {
    "add": _sum, "subtract": _difference, "multiply": _product, "divide": _quotient, "square": _kept, "sqrt": _root,
    "absolute": _kept, "maximum": _kept, "minimum": _kept,
}  # fmt: skip
