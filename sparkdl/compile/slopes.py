"""Slopes: the stable forms of what differentiation wrote for `stable.py`'s values.

A probability that rounds to 0 makes 0 * (1 / 0) of a gradient that is finite: the rules take both away, and leave a
factor that is NaN where they are.
"""

from sparkdl.compile.match import factors_of, one_more, one_over, orders, rest_of
from sparkdl.compile.site import Site, Table
from sparkdl.graph.graph import Ref
from sparkdl.nd.ops.analysis import Exp, Sigmoid
from sparkdl.nd.ops.arithmetic import Multiply, Negative, Subtract
from sparkdl.nd.ops.reduce import Sum
from sparkdl.nd.ops.softmax import Softmax


def slope_of_log_sigmoid(s: Site) -> Ref | None:
    """In a product, with p = sigmoid(x): p (1 - p) (1 / p) -> sigmoid(-x), and p (1 - p) (1 / (1 - p)) -> p."""
    negative, factors = factors_of(s)
    for p in factors:
        inner = s.made(p, Sigmoid)
        rest = next((r for r in factors if rest_of(s, r) == p), None)
        over = next((q for q in factors if one_over(s, q) in (p, rest)), None)
        if inner and rest is not None and over is not None:
            made = s.write(Sigmoid(), s.write(Negative(), inner[0])) if one_over(s, over) == p else p
            return _product(s, negative, [*_without(factors, p, rest, over), made])
    return None


def slope_of_softplus(s: Site) -> Ref | None:
    """exp(x) * (1 / (1 + exp(x))) in a product -> sigmoid(x)."""
    negative, factors = factors_of(s)
    for q in factors:
        under = one_over(s, q)
        e = None if under is None else one_more(s, under)
        if e is not None and e in factors and (inner := s.made(e, Exp)):
            return _product(s, negative, [*_without(factors, e, q), s.write(Sigmoid(), inner[0])])
    return None


def slope_of_log_softmax(s: Site) -> Ref | None:
    """p (d - sum(d p)) with p = softmax(x) and d = g (1 / p) -> g - p sum(g)."""
    for p, rest in (s.ins, s.ins[::-1]):
        pair = s.made(rest, Subtract) if s.made(p, Softmax) else None
        total = s.made(pair[1], Sum) if pair else None
        if pair and total and sorted(s.made(total[0], Multiply) or ()) == sorted((pair[0], p)):
            for g, q in orders(s.made(pair[0], Multiply)):
                if one_over(s, q) == p and s.spec(p) == s.out:
                    g = s.spread(g)
                    return s.write(Subtract(), g, s.write(Multiply(), p, s.write(s.op_of(pair[1]), g)))
    return None


def _without(factors: list[Ref], *gone: Ref) -> list[Ref]:
    left = list(factors)
    for ref in gone:
        left.remove(ref)
    return left


def _product(s: Site, negative: bool, factors: list[Ref]) -> Ref:
    """The factors one after another, in the node's own shape."""
    made = factors[0]
    for ref in factors[1:]:
        made = s.write(Multiply(), made, ref)
    return s.spread(s.write(Negative(), made) if negative else made)


RULES: Table = {"multiply": (slope_of_log_softmax, slope_of_log_sigmoid, slope_of_softplus)}
