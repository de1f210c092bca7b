"""Ops as cases: what is called on which arrays, and which inputs it can be differentiated by. Data only."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sparkdl import nd
from sparkdl.nd.op import apply
from sparkdl.nd.ops import conv, gather, matmul, norm, pool, random, reduce, shape, softmax
from sparkdl.nd.ops.shape import PadAxis

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Arg:
    """An input. `fill` names how it is drawn (FILLS in test_ops.py); `dtype` "" follows the test's float dtype."""

    shape: Shape
    fill: str = "apart"
    dtype: str = ""


@dataclass(frozen=True)
class Case:
    """`call` on `args` runs the op registered as `op`. `wrt`: the inputs it is differentiated by; None: all floats.

    tol: how much coarser than usual a float32 kernel may be.
    """

    op: str
    call: Callable[..., Any]
    args: tuple[Arg, ...]
    wrt: tuple[int, ...] | None = None
    tol: float = 1.0
    label: str = ""

    @property
    def id(self) -> str:
        """Name of the test."""
        shapes = " ".join("x".join(map(str, a.shape)) or "0d" for a in self.args)
        return " ".join(filter(None, (self.op, self.label, shapes)))


# --- ops without a gradient check, and why ----------------------------------------------------------------------------

NO_CASE = {"fused": "made by the fuse pass from elementwise ops: every compiled case of theirs runs it"}
NO_GRADIENT = {  # its vjp raises TypeError
    "linear": "made by the fuse pass, after differentiation",
    "conv2d_bias": "made by the fuse pass, after differentiation",
    "conv3d_bias": "made by the fuse pass, after differentiation",
    "softmax_xent_both": "made by the fuse pass, after differentiation",
    "max_pool2d_grad": "second derivatives of pooling are not needed yet",
    "max_pool3d_grad": "second derivatives of pooling are not needed yet",
    "batch_norm_grad": "second derivatives of batch normalisation are not needed yet",
}
NOT_DIFFERENTIABLE = {  # its outputs are ints or bools
    *("argmax", "one_hot", "equal", "not_equal", "greater", "greater_equal", "less", "less_equal"),
    *("logical_and", "logical_or", "logical_not"),
}
NEVER_EMPTY = {  # refuse empty inputs, as there is nothing to answer
    *("argmax", "conv2d", "conv2d_grad_input", "conv2d_grad_kernel", "conv2d_bias"),
    *("conv3d", "conv3d_grad_input", "conv3d_grad_kernel", "conv3d_bias"),
    *("max_pool2d", "max_pool2d_grad", "avg_pool2d", "avg_pool2d_grad", "batch_norm", "batch_norm_grad"),
    *("max_pool3d", "max_pool3d_grad", "avg_pool3d", "avg_pool3d_grad"),
}

# --- elementwise ------------------------------------------------------------------------------------------------------

SHAPES: tuple[Shape, ...] = ((), (1,), (0, 3), (7,), (3, 4), (2, 3, 37))
PAIRS: tuple[tuple[Shape, Shape], ...] = (
    ((), ()), ((1,), (1,)), ((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((), (3,)), ((0, 3), (3,)),
    ((2, 3, 4), (3, 1)), ((5, 37), (5, 1)),
)  # fmt: skip
UNARY = {  # op: where it is defined, and smooth
    "negative": "apart", "absolute": "apart", "sign": "apart", "floor": "apart", "square": "apart", "relu": "apart",
    "exp": "normal", "expm1": "normal", "sin": "normal", "cos": "normal", "tanh": "normal", "sigmoid": "normal",
    "erf": "normal", "log": "positive", "log1p": "positive", "sqrt": "positive", "rsqrt": "positive",
}  # fmt: skip
BINARY = {
    "add": ("normal", "normal"), "subtract": ("normal", "normal"), "multiply": ("normal", "normal"),
    "divide": ("normal", "positive"), "power": ("positive", "normal"), "maximum": ("apart", "other"),
    "minimum": ("apart", "other"),
}  # fmt: skip
COMPARE = ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal")


def _elementwise() -> Iterator[Case]:
    for name, fill in UNARY.items():
        yield from (Case(name, getattr(nd, name), (Arg(s, fill),)) for s in SHAPES)
    for name, fills in BINARY.items():
        call = getattr(nd, name)
        yield from (Case(name, call, (Arg(a, fills[0]), Arg(b, fills[1]))) for a, b in PAIRS)
    for name in COMPARE:
        call = getattr(nd, name)
        yield from (Case(name, call, (Arg(a, "digits"), Arg(b, "digits")), ()) for a, b in PAIRS)
    for name in ("logical_and", "logical_or"):
        call = getattr(nd, name)
        yield from (Case(name, call, (Arg(a, "bools", "bool"), Arg(b, "bools", "bool")), ()) for a, b in PAIRS)
    for s in SHAPES:
        yield Case("logical_not", nd.logical_not, (Arg(s, "bools", "bool"),), ())
        yield Case("where", nd.where, (Arg(s, "bools", "bool"), Arg(s), Arg(s)))
        yield Case("cast", lambda x: nd.cast(x, "int32"), (Arg(s),), (), label="to int32")
        yield Case("cast", lambda x: nd.cast(x, "float32"), (Arg(s, "digits", "int32"),), (), label="to float32")
        yield Case("cast", lambda x: nd.cast(nd.cast(x, "float64"), x.spec.dtype), (Arg(s),))
    yield Case("where", nd.where, (Arg((3, 1), "bools", "bool"), Arg((4,)), Arg(())), label="broadcast")
    yield Case("elu", nd.elu, (Arg((3, 4)),))
    yield Case("gelu", nd.gelu, (Arg((3, 4)),))
    yield Case("gelu", lambda x: nd.gelu(x, approximate=True), (Arg((3, 4)),), label="by tanh")
    yield Case("softplus", nd.softplus, (Arg((3, 4)),))
    yield Case("clip", lambda x: nd.clip(x, -0.5, 0.5), (Arg((3, 4), "normal"),))
    yield Case("isnan", nd.isnan, (Arg((3, 4)),), ())


# --- reductions -------------------------------------------------------------------------------------------------------

REDUCED: tuple[tuple[Shape, Any], ...] = (
    ((), None), ((1,), 0), ((7,), None), ((3, 4), 0), ((3, 4), 1), ((3, 4), None), ((3, 4), ()), ((2, 3, 4), 1),
    ((2, 3, 4), (0, 2)), ((2, 3, 4, 5), (1, 3)), ((600, 5), 0), ((2, 5000), -1), ((3, 1, 4), 1), ((2, 3, 5), (0, 1)),
)  # fmt: skip


def _reductions() -> Iterator[Case]:
    for name in ("sum", "mean", "max", "min"):
        for s, axis in REDUCED:
            for keep in (False, True):
                call = _reduction(getattr(reduce, name), axis, keep)
                yield Case(name, call, (Arg(s),), label=f"{axis}{' kept' if keep else ''}")
    for s, axis in (((0, 3), 0), ((3, 0), 1), ((0,), None), ((0, 3), 1)):
        yield Case("sum", _reduction(reduce.sum, axis, False), (Arg(s),), label=f"{axis}")
    yield Case("max", _reduction(reduce.max, 1, False), (Arg((0, 3)),), label="1")
    yield Case("min", _reduction(reduce.min, 1, False), (Arg((0, 3)),), label="1")
    yield Case("sum", lambda x: reduce.sum(x, 0), (Arg((3, 4), "digits", "int32"),), (), label="of ints")
    for s, axis in (((1,), 0), ((7,), 0), ((3, 4), 0), ((3, 40), 1), ((2, 3, 4), 1), ((3, 1), 1), ((4, 9, 1), 1)):
        for fill in ("apart", "digits"):  # digits have ties
            yield Case("argmax", _reduction(reduce.argmax, axis), (Arg(s, fill),), (), label=f"{axis} {fill}")


def _reduction(fn: Callable[..., Any], *rest: Any) -> Callable[[Any], Any]:
    return lambda x: fn(x, *rest)


# --- shapes -----------------------------------------------------------------------------------------------------------

ORDERS: tuple[tuple[Shape, Shape], ...] = (
    ((), ()), ((3,), (0,)), ((3, 4), (1, 0)), ((33, 18), (1, 0)), ((1, 4), (1, 0)), ((0, 3), (1, 0)),
    ((2, 3, 4), (0, 2, 1)), ((2, 3, 4), (1, 0, 2)), ((2, 3, 4), (2, 1, 0)), ((2, 3, 4, 5), (0, 3, 1, 2)),
    ((2, 3, 4, 5), (0, 2, 3, 1)), ((2, 3, 4, 5), (0, 2, 1, 3)), ((2, 3, 4, 5), (3, 1, 2, 0)),
    ((2, 3, 2, 3, 2), (4, 1, 3, 0, 2)), ((2, 1, 3), (1, 2, 0)),
)  # fmt: skip
BROADCASTS: tuple[tuple[Shape, Shape], ...] = (
    ((), (3,)), ((1,), (4,)), ((4,), (3, 4)), ((3, 1), (3, 4)), ((2, 1, 4), (2, 3, 4)), ((3, 1), (2, 3, 4)),
    ((1, 3, 1), (2, 3, 4)), ((2, 1, 3, 1), (2, 4, 3, 5)), ((1, 2, 1, 3, 1), (2, 2, 2, 3, 2)), ((1, 3), (0, 3)),
    ((3,), (0, 3)),
)  # fmt: skip


def _shapes() -> Iterator[Case]:
    for s, to in (((), (1, 1)), ((6,), (2, 3)), ((2, 3), (-1,)), ((2, 3, 4), (4, 6)), ((0, 3), (0,)), ((1,), ())):
        yield Case("reshape", _with(shape.reshape, to), (Arg(s),), label=f"{to}")
    for s, axes in ORDERS:
        yield Case("transpose", _with(shape.transpose, axes), (Arg(s),), label=f"{axes}")
    yield Case("transpose", _with(shape.transpose, (1, 0)), (Arg((3, 4), "digits", "int64"),), (), label="of int64")
    for s, to in BROADCASTS:
        yield Case("broadcast_to", _with(shape.broadcast_to, to), (Arg(s),), label=f"{to}")
    yield Case("broadcast_to", _with(shape.broadcast_to, (3, 4)), (Arg((3, 1), "bools", "bool"),), (), label="of bools")
    for axis, parts in ((0, ((3,), (2,))), (1, ((3, 4), (3, 1))), (0, ((3, 4), (0, 4), (1, 4))), (1, ((2, 3, 4),) * 3)):
        yield Case("concat", lambda *xs, at=axis: shape.concat(xs, at), tuple(map(Arg, parts)), label=f"{axis}")
    yield Case("concat", lambda *xs: shape.concat(xs, -1), (Arg((1,)),), label="of one")
    for s, axis, start, stop in (((5,), 0, 1, 4), ((3, 4), 1, 0, 2), ((3, 4), 0, 2, 3), ((2, 3, 4), 1, 1, 3)):
        yield Case("slice_axis", _with(shape.slice_axis, axis, start, stop), (Arg(s),), label=f"{axis} {start}:{stop}")
        size = s[axis]
        part = (*s[:axis], stop - start, *s[axis + 1 :])
        yield Case("pad_axis", _made(PadAxis(axis, start, size)), (Arg(part),), label=f"{axis} {start} of {size}")
    yield Case("slice_axis", _with(shape.slice_axis, 0, 2, 2), (Arg((3, 4)),), label="to nothing")
    yield Case("slice_axis", _with(shape.slice_axis, 1, 0, 1), (Arg((0, 1)),), label="of nothing")
    yield Case("slice_axis", _with(shape.slice_axis, 0, 0, 1), (Arg((1,)),), label="of one")
    yield Case("pad_axis", _made(PadAxis(0, 1, 3)), (Arg((0, 4)),), label="of nothing")
    yield Case("pad_axis", _made(PadAxis(0, 1, 2)), (Arg((1,)),), label="of one")
    for s in ((), (1,), (2, 3), (0, 2)):
        yield Case("view", lambda x, to=s: shape.view(x, 3, to), (Arg((10,)),), label=f"{s}")
    yield Case("view", lambda x: shape.view(x, 0, (0,)), (Arg((0,)),), label="of nothing")
    yield Case("view", lambda x: shape.view(x, 0, ()), (Arg((1,)),), label="of one")
    yield Case("pack", lambda *xs: shape.pack(xs, (0, 16, 32, 40), 48), tuple(map(Arg, ((3, 4), (), (0,), (8,)))))
    yield Case("pack", lambda *xs: shape.pack(xs, (5,), 6), (Arg((1,)),), label="behind a gap")


def _with(fn: Callable[..., Any], *rest: Any) -> Callable[[Any], Any]:
    return lambda x: fn(x, *rest)


def _made(record: Any) -> Callable[..., Any]:
    return lambda *xs: apply(record, *xs)


# --- softmax, gather, random ------------------------------------------------------------------------------------------


def _softmaxes() -> Iterator[Case]:
    for name in ("softmax", "log_softmax"):
        for s, axis in (((1,), 0), ((3, 4), 1), ((3, 4), 0), ((2, 3, 4), 1), ((0, 3), 1), ((2, 300), 1), ((3, 1), 1)):
            call = _with(getattr(softmax, name), axis)
            yield Case(name, call, (Arg(s, "normal"),), label=f"{axis}")
    for b, c in ((1, 1), (3, 4), (0, 3), (37, 10), (2, 3000)):
        for labels in (Arg((b,), f"below {c}", "int64"), Arg((b,), f"below {c}", "int32"), Arg((b, c), "unit")):
            yield from _xents(b, c, labels)
    yield from _xents(9, 3, Arg((9,), "around 3", "int64"), "labels outside", wrt=())


def _xents(b: int, c: int, labels: Arg, label: str = "", wrt: tuple[int, ...] | None = None) -> Iterator[Case]:
    said = f"{label or labels.dtype or 'soft'}"
    z, p, g = Arg((b, c), "normal"), Arg((b, c), "unit"), Arg((b,), "normal")
    yield Case("softmax_xent", softmax.softmax_xent, (z, labels), wrt, label=said)
    yield Case("softmax_xent_grad", softmax.softmax_xent_grad, (p, labels, g), label=said)
    yield Case("softmax_xent_both", softmax.softmax_xent_both, (z, labels, g), (), label=said)


def _gathers() -> Iterator[Case]:
    for ids in (Arg((5,), "below 4", "int64"), Arg((2, 3), "below 4", "int32"), Arg((), "below 4", "int64")):
        yield Case("take", gather.take, (Arg((4, 3)), ids), label=ids.dtype)
        yield Case("take_grad", lambda g, i: gather.take_grad(g, i, 4), (Arg((*ids.shape, 3)), ids), label=ids.dtype)
        yield Case("one_hot", lambda i: gather.one_hot(i, 4), (ids,), (), label=ids.dtype)
    outside, none, one = Arg((9,), "around 2", "int64"), Arg((0,), "below 4", "int64"), Arg((1,), "below 1", "int64")
    yield Case("take", gather.take, (Arg((2, 3)), outside), (), label="outside")
    yield Case("take_grad", lambda g, i: gather.take_grad(g, i, 2), (Arg((9, 3)), outside), label="outside")
    yield Case("one_hot", lambda i: gather.one_hot(i, 2), (outside,), (), label="outside")
    yield Case("one_hot", lambda i: gather.one_hot(i, 2, "float64"), (outside,), (), label="float64")
    for ids in (none, one):
        yield Case("take", gather.take, (Arg((1,)), ids))
        yield Case("take_grad", lambda g, i: gather.take_grad(g, i, 1), (Arg(ids.shape), ids))
        yield Case("one_hot", lambda i: gather.one_hot(i, 1), (ids,), ())
    yield Case(
        "take", gather.take, (Arg((3, 2), "digits", "int32"), Arg((4,), "below 4", "int64")), (), label="of ints"
    )


def _dropouts() -> Iterator[Case]:
    for s in ((1,), (3, 5), (2, 3, 7), (2, 1025), (0, 3), (3, 0)):
        for rate in (0.0, 0.5):
            args = (Arg(s), Arg(s[:1], "numbers", "int64"), Arg((2,), "numbers", "uint32"))
            yield Case("dropout", lambda x, i, k, r=rate: random.dropout(x, i, k, r), args, label=f"{rate}")


# --- matmul, convolution, pooling, normalisation ----------------------------------------------------------------------


def _matmuls() -> Iterator[Case]:
    for m, k, n in ((1, 1, 1), (3, 4, 5), (64, 37, 19), (0, 3, 2), (2, 0, 3)):
        for ta, tb in ((False, False), (True, False), (False, True), (True, True)):
            a, b = Arg((k, m) if ta else (m, k), "normal"), Arg((n, k) if tb else (k, n), "normal")
            call = _product(ta, tb)
            yield Case("matmul", call, (a, b), label=f"{'t' if ta else 'n'}{'t' if tb else 'n'}")
        for act in matmul.ACTIVATIONS:
            args = (Arg((m, k), "normal"), Arg((k, n), "normal"), Arg((n,), "normal"))
            yield Case("linear", lambda x, w, b, a=act: matmul.linear(x, w, b, a), args, (), label=act)


def _product(ta: bool, tb: bool) -> Callable[[Any, Any], Any]:
    return lambda a, b: matmul.matmul(a, b, ta, tb)


CONVS: tuple[tuple[Shape, Shape, dict[str, Any], Shape], ...] = (  # x, w, arguments, y
    ((1, 1, 1, 1), (1, 1, 1, 1), {}, (1, 1, 1, 1)),
    ((2, 5, 6, 3), (3, 2, 3, 4), {}, (2, 3, 5, 4)),
    ((2, 5, 6, 3), (3, 3, 3, 4), {"padding": ((1, 1), (1, 1))}, (2, 5, 6, 4)),
    ((2, 7, 6, 2), (3, 3, 2, 4), {"strides": (2, 1), "padding": ((0, 1), (2, 0))}, (2, 3, 6, 4)),
    ((2, 7, 7, 2), (2, 2, 2, 3), {"dilation": (2, 3)}, (2, 5, 4, 3)),
    ((2, 5, 5, 4), (3, 3, 2, 6), {"groups": 2}, (2, 3, 3, 6)),
    ((1, 4, 4, 3), (3, 3, 1, 3), {"groups": 3}, (1, 2, 2, 3)),
    ((1, 1, 1, 1, 1), (1, 1, 1, 1, 1), {}, (1, 1, 1, 1, 1)),
    ((2, 4, 3, 5, 3), (2, 3, 2, 3, 4), {}, (2, 3, 1, 4, 4)),
    ((1, 5, 4, 6, 2), (3, 2, 3, 2, 3), {"strides": (2, 1, 3), "padding": ((1, 0), (0, 1), (2, 1))}, (1, 2, 4, 3, 3)),
    ((1, 5, 5, 3, 2), (2, 3, 2, 2, 4), {"dilation": (3, 1, 2), "padding": ((0, 0), (1, 1), (0, 0))}, (1, 2, 5, 1, 4)),
    ((2, 3, 3, 3, 4), (2, 2, 2, 1, 8), {"groups": 4}, (2, 2, 2, 2, 8)),
)


def _convs() -> Iterator[Case]:
    for x, w, how, y in CONVS:
        said, n = " ".join(f"{k}={v}" for k, v in how.items()), len(x) - 2
        whole = {"strides": (1,) * n, "padding": ((0, 0),) * n, "dilation": (1,) * n, "groups": 1} | how
        X, W, Y = Arg(x, "normal"), Arg(w, "normal"), Arg(y, "normal")
        forward = {2: conv.conv2d, 3: conv.conv3d}[n]
        yield Case(f"conv{n}d", lambda x, w, f=forward, h=how: f(x, w, **h), (X, W), label=said)
        back = lambda g, w, h=whole, s=x: conv.conv_grad_input(g, w, s, **h)  # noqa: E731
        yield Case(f"conv{n}d_grad_input", back, (Y, W), label=said)
        back = lambda x, g, h=whole, s=w: conv.conv_grad_kernel(x, g, s, **h)  # noqa: E731
        yield Case(f"conv{n}d_grad_kernel", back, (X, Y), label=said)
        biased = {2: conv.Conv2dBias, 3: conv.Conv3dBias}[n]
        for act in matmul.ACTIVATIONS:
            call = _made(biased(**whole, act=act))
            yield Case(f"conv{n}d_bias", call, (X, W, Arg(w[-1:], "normal")), (), label=f"{act} {said}")
    steps, kernel = Arg((2, 9, 4), "normal"), Arg((3, 2, 6), "normal")
    yield Case("conv2d", lambda x, w: conv.conv1d(x, w, 2, (2, 0), 1, 2), (steps, kernel), label="of sequences")


POOLS: tuple[tuple[Shape, tuple[Any, ...], Shape], ...] = (  # x, (pool, strides, padding), y
    ((1, 1, 1, 1), ((1, 1), (1, 1)), (1, 1, 1, 1)),
    ((2, 4, 6, 3), ((2, 2), (2, 2)), (2, 2, 3, 3)),
    ((2, 5, 5, 3), ((3, 2), (2, 1)), (2, 2, 4, 3)),
    ((2, 5, 6, 3), ((3, 3), (2, 2), ((1, 1), (0, 1))), (2, 3, 3, 3)),
    ((1, 17, 17, 1), ((17, 17), (1, 1)), (1, 1, 1, 1)),  # more than 255 cells
    ((1, 1, 1, 1, 1), ((1, 1, 1), (1, 1, 1)), (1, 1, 1, 1, 1)),
    ((2, 4, 3, 5, 3), ((2, 3, 2), (2, 1, 1)), (2, 2, 1, 4, 3)),
    ((2, 3, 5, 4, 2), ((2, 3, 3), (1, 2, 1), ((1, 0), (1, 1), (0, 2))), (2, 3, 3, 4, 2)),
)


def _pools() -> Iterator[Case]:
    for x, how, y in POOLS:
        said, n = f"{how}", len(x) - 2
        whole = (*how, ((0, 0),) * n)[:3]
        cells = math.prod(how[0])
        largest, mean = {2: (pool.max_pool2d, pool.avg_pool2d), 3: (pool.max_pool3d, pool.avg_pool3d)}[n]
        yield Case(f"max_pool{n}d", lambda x, f=largest, h=how: f(x, *h), (Arg(x),), label=said)
        yield Case(f"avg_pool{n}d", lambda x, f=mean, h=how: f(x, *h), (Arg(x),), label=said)
        back = lambda g, h=whole, s=x: pool.avg_pool_grad(g, s, *h)  # noqa: E731
        yield Case(f"avg_pool{n}d_grad", back, (Arg(y),), label=said)
        if len(how) == 2:  # with padding, not every index is a cell of the image
            back = lambda g, k, h=whole, s=x: pool.max_pool_grad(g, k, s, *h)  # noqa: E731
            where = Arg(y, f"below {cells}", "uint8" if cells <= 255 else "int32")
            yield Case(f"max_pool{n}d_grad", back, (Arg(y), where), (), label=said)


def _norms() -> Iterator[Case]:
    for s in ((4, 3), (8, 1), (2, 3, 4, 5), (64, 16)):
        x, c, positive = Arg(s, "normal"), Arg(s[-1:], "normal"), Arg(s[-1:], "positive")
        yield Case("batch_norm", norm.batch_norm, (x, positive, c), tol=4)
        yield Case("batch_norm_grad", norm.batch_norm_grad, (x, x, positive, c, positive), (), tol=4)
    one = (Arg((1, 1), "normal"), Arg((1,), "positive"), Arg((1,), "normal"))
    yield Case("batch_norm", norm.batch_norm, one, (1, 2), label="of one")  # x has no influence, but for rounding
    yield Case("batch_norm_grad", norm.batch_norm_grad, (one[0], *one, one[1]), (), label="of one")


CASES: tuple[Case, ...] = (
    *_elementwise(), *_reductions(), *_shapes(), *_softmaxes(), *_gathers(), *_dropouts(), *_matmuls(), *_convs(),
    *_pools(), *_norms(),
)  # fmt: skip
