"""What rules of several files look for: 1 + x, 1 - x, 1 / x, and the factors of a product."""

from sparkdl.compile.site import Site
from sparkdl.graph.graph import Ref
from sparkdl.nd.op import Op
from sparkdl.nd.ops.arithmetic import Add, Divide, Multiply, Negative, Subtract


def orders(pair: tuple[Ref, ...] | None) -> tuple[tuple[Ref, ...], ...]:
    """The inputs of an op that commutes, both ways round; none of None."""
    return (pair, pair[::-1]) if pair else ()


def one_more(s: Site, ref: Ref) -> Ref | None:
    """x of 1 + x."""
    for one, x in orders(s.made(ref, Add)):
        if s.constant(one) == 1.0 and s.spec(x) == s.spec(ref):
            return x
    return None


def one_over(s: Site, ref: Ref) -> Ref | None:
    """x of 1 / x."""
    return _after_one(s, ref, Divide)


def rest_of(s: Site, ref: Ref) -> Ref | None:
    """x of 1 - x."""
    return _after_one(s, ref, Subtract)


def _after_one(s: Site, ref: Ref, kind: type[Op]) -> Ref | None:
    inner = s.made(ref, kind)
    return inner[1] if inner and s.constant(inner[0]) == 1.0 and s.spec(inner[1]) == s.spec(ref) else None


def factors_of(s: Site) -> tuple[bool, list[Ref]]:
    """What is multiplied here, products and negatives among the factors taken apart; whether the sign turns."""
    negative, found, todo = False, list[Ref](), list(s.ins)
    while todo:
        ref = todo.pop(0)
        if inner := s.made(ref, Negative):
            negative, todo = not negative, [*inner, *todo]
        elif inner := s.made(ref, Multiply):
            todo = [*inner, *todo]
        else:
            found.append(ref)
    return negative, found
