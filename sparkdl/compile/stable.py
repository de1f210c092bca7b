"""Stable: forms of the same value that neither overflow nor cancel."""

from sparkdl.compile.match import one_more, rest_of
from sparkdl.compile.site import Site, Table
from sparkdl.graph.graph import Ref
from sparkdl.nd.ops.analysis import Exp, Expm1, Log1p, Relu, Sigmoid
from sparkdl.nd.ops.arithmetic import Absolute, Add, Minimum, Negative, Square, Subtract
from sparkdl.nd.ops.softmax import LogSoftmax, Softmax


def log_of_softmax(s: Site) -> Ref | None:
    """log(softmax(x)) -> log_softmax(x): no log of 0."""
    inner = s.made(s.ins[0], Softmax)
    return s.write(LogSoftmax(), inner[0]) if inner else None


def log_of_sigmoid(s: Site) -> Ref | None:
    """log(sigmoid(x)) -> min(x, 0) - log1p(exp(-|x|)), and log(1 - sigmoid(x)) the same of -x."""
    inner = s.made(s.ins[0], Sigmoid)
    if inner:
        return _log_sigmoid(s, inner[0])
    rest = rest_of(s, s.ins[0])
    inner = None if rest is None else s.made(rest, Sigmoid)
    return _log_sigmoid(s, s.write(Negative(), inner[0])) if inner else None


def _log_sigmoid(s: Site, x: Ref) -> Ref:
    low = s.write(Minimum(), x, s.number(0.0, s.out.dtype))
    return s.write(Subtract(), low, _log_rest(s, x))


def _log_rest(s: Site, x: Ref) -> Ref:
    """log1p(exp(-|x|))"""
    return s.write(Log1p(), s.write(Exp(), s.write(Negative(), s.write(Absolute(), x))))


def log_of_exp(s: Site) -> Ref | None:
    """log(exp(x)) -> x."""
    inner = s.made(s.ins[0], Exp)
    return inner[0] if inner else None


def log_of_one_more(s: Site) -> Ref | None:
    """log(1 + x) -> log1p(x)."""
    x = one_more(s, s.ins[0])
    return None if x is None else s.write(Log1p(), x)


def softplus(s: Site) -> Ref | None:
    """log1p(exp(x)) -> max(x, 0) + log1p(exp(-|x|)), unless x is -|y|."""
    inner = s.made(s.ins[0], Exp)
    if not inner or ((low := s.made(inner[0], Negative)) and s.made(low[0], Absolute)):
        return None
    return s.write(Add(), s.write(Relu(), inner[0]), _log_rest(s, inner[0]))


def exp_less_one(s: Site) -> Ref | None:
    """exp(x) - 1 and exp(x) + -1 -> expm1(x)."""
    pairs = [(s.ins, 1.0)] if isinstance(s.op, Subtract) else [(s.ins, -1.0), (s.ins[::-1], -1.0)]
    for (e, one), value in pairs:
        if s.constant(one) == value and s.spec(e) == s.out and (inner := s.made(e, Exp)):
            return s.write(Expm1(), inner[0])
    return None


def root_of_square(s: Site) -> Ref | None:
    """sqrt(x * x) -> |x|."""
    inner = s.made(s.ins[0], Square)
    return s.write(Absolute(), inner[0]) if inner else None


RULES: Table = {
    "log": (log_of_softmax, log_of_sigmoid, log_of_exp, log_of_one_more),
    "log1p": (softplus,),
    "subtract": (exp_less_one,),
    "add": (exp_less_one,),
    "sqrt": (root_of_square,),
}
