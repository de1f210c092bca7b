"""Ops as cases: what is called on which arrays, and which inputs it can be differentiated by. Data only."""

import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from sparkdl import nd
from sparkdl.nd import indexing, reductions
from sparkdl.nd.array import NDArray
from sparkdl.nd.op import apply
from sparkdl.nd.ops import (
    attention,
    batched,
    choice,
    conv,
    gather,
    layernorm,
    matmul,
    norm,
    pool,
    random,
    reduce,
    rnn,
    shape,
    sigmoid,
    softmax,
    sparse,
)
from sparkdl.nd.ops.complexes import Complex
from sparkdl.nd.ops.index import GetItemGrad
from sparkdl.nd.ops.mixed import Mixed
from sparkdl.nd.ops.shape import PadAxis
from tests.tables import fft, linalg, loops, random as draws, sorting
from tests.tables.case import Arg, Case, Shape

FAMILIES = (draws, fft, linalg, loops, sorting)  # files of cases besides this one

# --- ops without a gradient check, and why ----------------------------------------------------------------------------

NO_CASE = {"fused": "made by the fuse pass from elementwise ops: every compiled case of theirs runs it"}
NO_GRADIENT = {  # its vjp raises TypeError
    "linear": "made by the fuse pass, after differentiation",
    "mixed": "made by the precision pass, after differentiation",
    "conv2d_bias": "made by the fuse pass, after differentiation",
    "conv3d_bias": "made by the fuse pass, after differentiation",
    "conv2d_bias_add": "made by the fuse pass, after differentiation",
    "batch_norm_relu": "made by the fuse pass, after differentiation",
    "softmax_xent_both": "made by the fuse pass, after differentiation",
    "max_pool2d_grad": "second derivatives of pooling are not needed yet",
    "max_pool3d_grad": "second derivatives of pooling are not needed yet",
    "batch_norm_grad": "second derivatives of batch normalisation are not needed yet",
    "lstm_grad": "second derivatives of recurrent networks are not needed yet",
    "gru_grad": "second derivatives of recurrent networks are not needed yet",
    "simple_rnn_grad": "second derivatives of recurrent networks are not needed yet",
    "layer_norm_residual": "made by the fuse pass, after differentiation",
    "sigmoid_xent_both": "made by the fuse pass, after differentiation",
    "layer_norm_grad": "second derivatives of normalisation are not needed yet",
    "group_norm_grad": "second derivatives of normalisation are not needed yet",
    "attention_grad": "second derivatives of attention are not needed yet",
    "sigmoid_xent_grad": "second derivatives of the loss are not needed yet",
    **{op: why for family in FAMILIES for op, why in getattr(family, "NO_GRADIENT", {}).items()},
}
NOT_DIFFERENTIABLE = {  # its outputs are ints or bools
    *("argmax", "one_hot", "equal", "not_equal", "greater", "greater_equal", "less", "less_equal"),
    *("logical_and", "logical_or", "logical_xor", "logical_not", "all", "any"),
    *("isfinite", "isinf", "isnan", "signbit", "floor_divide", "floor", "ceil", "trunc", "round"),
    *("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "bitwise_invert"),
    *(op for family in FAMILIES for op in getattr(family, "NOT_DIFFERENTIABLE", ())),
}
NEVER_EMPTY = {  # refuse empty inputs, as there is nothing to answer
    *("layer_norm", "layer_norm_grad", "layer_norm_residual", "group_norm", "group_norm_grad"),
    *("attention", "attention_grad"),
    *("argmax", "conv2d", "conv2d_grad_input", "conv2d_grad_kernel", "conv2d_bias"),
    *("conv3d", "conv3d_grad_input", "conv3d_grad_kernel", "conv3d_bias"),
    *("max_pool2d", "max_pool2d_grad", "avg_pool2d", "avg_pool2d_grad", "batch_norm", "batch_norm_grad"),
    *("batch_norm_relu", "conv2d_bias_add"),
    *("max_pool3d", "max_pool3d_grad", "avg_pool3d", "avg_pool3d_grad"),
    *("lstm", "lstm_grad", "gru", "gru_grad", "simple_rnn", "simple_rnn_grad"),
    *(op for family in FAMILIES for op in getattr(family, "NEVER_EMPTY", ())),
}
# elements of the first input, where the smallest case of an op has more than one
SMALLEST = {"lstm": 4, "lstm_grad": 4, "gru": 3, "gru_grad": 3, **draws.SMALLEST}

# --- elementwise ------------------------------------------------------------------------------------------------------

SHAPES: tuple[Shape, ...] = ((), (1,), (0, 3), (7,), (3, 4), (2, 3, 37))
PAIRS: tuple[tuple[Shape, Shape], ...] = (
    ((), ()), ((1,), (1,)), ((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 1), (1, 4)), ((), (3,)), ((0, 3), (3,)),
    ((2, 3, 4), (3, 1)), ((5, 37), (5, 1)),
)  # fmt: skip
UNARY = {  # op: where it is defined, and smooth
    "negative": "apart", "absolute": "apart", "square": "apart", "relu": "apart",
    "exp": "normal", "expm1": "normal", "sin": "normal", "cos": "normal", "tanh": "normal", "sigmoid": "normal",
    "erf": "normal", "log": "positive", "log1p": "positive", "sqrt": "positive", "rsqrt": "positive",
    "log2": "positive", "log10": "positive", "tan": "inner", "asin": "inner", "acos": "inner", "atan": "normal",
    "sinh": "normal", "cosh": "normal", "asinh": "normal", "acosh": "above", "atanh": "inner",
}  # fmt: skip
BINARY = {
    "add": ("normal", "normal"), "subtract": ("normal", "normal"), "multiply": ("normal", "normal"),
    "divide": ("normal", "positive"), "power": ("positive", "normal"), "maximum": ("apart", "other"),
    "minimum": ("apart", "other"), "remainder": ("negative", "above"), "hypot": ("apart", "other"),
    "atan2": ("apart", "other"), "logaddexp": ("normal", "normal"), "copysign": ("apart", "other"),
}  # fmt: skip
CONSTANT = ("sign", "floor", "ceil", "trunc", "round")  # almost everywhere: no gradient flows
BITS = ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift")
TESTS = ("isfinite", "isinf", "isnan", "signbit")
COMPARE = ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal")


def _elementwise() -> Iterator[Case]:
    for name, fill in UNARY.items():
        yield from (Case(name, _public(name), (Arg(s, fill),)) for s in SHAPES)
    for name in (*CONSTANT, *TESTS):
        yield from (Case(name, _public(name), (Arg(s),), ()) for s in SHAPES)
    yield from (Case(name, _public(name), (Arg((4,), "odd"),), (), label="of odd ones") for name in TESTS)
    for name, fills in BINARY.items():
        call = _public(name)
        yield from (Case(name, call, (Arg(a, fills[0]), Arg(b, fills[1]))) for a, b in PAIRS)
    for name in COMPARE:
        call = getattr(nd, name)
        yield from (Case(name, call, (Arg(a, "digits"), Arg(b, "digits")), ()) for a, b in PAIRS)
    for a, b in PAIRS:
        yield Case("floor_divide", nd.floor_divide, (Arg(a), Arg(b, "positive")), ())
        yield Case("nextafter", nd.nextafter, (Arg(a), Arg(b, "other")), ())
        yield Case("nextafter", lambda x, y: 1.0 * nd.nextafter(x, y), (Arg(a), Arg(b, "other")), (0,), label="slope")
        yield from (Case(n, getattr(nd, n), (Arg(a, "digits", "int32"), Arg(b, "digits", "int32")), ()) for n in BITS)
    for s in SHAPES:
        yield Case("bitwise_invert", nd.bitwise_invert, (Arg(s, "digits", "uint8"),), ())
    for name in ("logical_and", "logical_or", "logical_xor"):
        call = getattr(nd, name)
        yield from (Case(name, call, (Arg(a, "bools", "bool"), Arg(b, "bools", "bool")), ()) for a, b in PAIRS)
    for s in SHAPES:
        yield Case("logical_not", nd.logical_not, (Arg(s, "bools", "bool"),), ())
        yield Case("where", nd.where, (Arg(s, "bools", "bool"), Arg(s), Arg(s)))
        yield Case("cast", lambda x: choice.cast(x, "int32"), (Arg(s),), (), label="to int32")
        yield Case("cast", lambda x: choice.cast(x, "float32"), (Arg(s, "digits", "int32"),), (), label="to float32")
        yield Case("cast", lambda x: choice.cast(choice.cast(x, "float64"), x.spec.dtype), (Arg(s),))
        yield Case(
            "cast", lambda x: choice.cast(choice.cast(x, "bfloat16"), x.spec.dtype), (Arg(s),), (), label="by bfloat16"
        )
        yield Case("cast", lambda x: choice.cast(x, "bfloat16"), (Arg(s),), (), label="to bfloat16")
        yield Case(
            "cast", lambda x: choice.cast(x, "float32"), (Arg(s, "apart", "bfloat16"),), (), label="from bfloat16"
        )
    yield Case("where", nd.where, (Arg((3, 1), "bools", "bool"), Arg((4,)), Arg(())), label="broadcast")
    yield Case("elu", nd.elu, (Arg((3, 4)),))
    yield Case("gelu", nd.gelu, (Arg((3, 4)),))
    yield Case("gelu", lambda x: nd.gelu(x, approximate=True), (Arg((3, 4)),), label="by tanh")
    yield Case("softplus", nd.softplus, (Arg((3, 4)),))
    yield Case("clip", lambda x: nd.clip(x, -0.5, 0.5), (Arg((3, 4), "normal"),))
    yield Case("isnan", nd.isnan, (Arg((3, 4)),), ())


def _complexes() -> Iterator[Case]:
    """Complex numbers made of two reals, and taken apart again."""
    for a, b in PAIRS:
        args = (Arg(a, "apart"), Arg(b, "other"))
        yield Case("complex", lambda x, y: nd.real(_z(x, y) * _z(y, y)), args)
        yield Case("real", lambda x, y: nd.real(_z(x, y)), args)
        yield Case("imag", lambda x, y: nd.imag(nd.exp(_z(x, y))), args, tol=4)
        yield Case("conj", lambda x, y: nd.imag(nd.conj(_z(x, y)) * _z(y, x)), args)
        yield Case("absolute", lambda x, y: nd.abs(_z(x, y)), args, label="of complex")
        yield Case("sign", lambda x, y: nd.imag(nd.sign(_z(x, y))), args, label="of complex")
        for name in ("sqrt", "log", "sin", "tanh", "square", "atan", "asinh"):
            call = getattr(nd, name)
            yield Case(name, lambda x, y, f=call: nd.real(f(_z(x, y))), args, tol=20, label="of complex")
        yield Case("divide", lambda x, y: nd.real(_z(x, y) / _z(y, x)), args, tol=4, label="of complex")
        yield Case("power", lambda x, y: nd.imag(_z(x, y) ** _z(y, x)), args, tol=1000, label="of complex")


def _z(x: Any, y: Any) -> Any:
    return apply(Complex(), x, y)


def _public(name: str) -> Callable[..., Any]:
    return getattr(nd, {"absolute": "abs", "power": "pow"}.get(name, name))


# --- reductions -------------------------------------------------------------------------------------------------------

REDUCED: tuple[tuple[Shape, Any], ...] = (
    ((), None), ((1,), 0), ((7,), None), ((3, 4), 0), ((3, 4), 1), ((3, 4), None), ((3, 4), ()), ((2, 3, 4), 1),
    ((2, 3, 4), (0, 2)), ((2, 3, 4, 5), (1, 3)), ((600, 5), 0), ((2, 5000), -1), ((3, 1, 4), 1), ((2, 3, 5), (0, 1)),
)  # fmt: skip


def _reductions() -> Iterator[Case]:
    for s, axis in ((s, axis) for s, axis in REDUCED if math.prod(s) < 1000):
        for keep in (False, True):
            yield Case(
                "prod", _reduction(reductions.prod, axis, keep), (Arg(s, "positive"),), label=f"{axis} {keep}", tol=4
            )
    for name in ("sum", "mean", "max", "min"):
        for s, axis in REDUCED:
            for keep in (False, True):
                call = _reduction(getattr(reductions, name), axis, keep)
                yield Case(name, call, (Arg(s),), label=f"{axis}{' kept' if keep else ''}")
    for s, axis in (((0, 3), 0), ((3, 0), 1), ((0,), None), ((0, 3), 1)):
        yield Case("sum", _reduction(reduce.sum, axis, False), (Arg(s),), label=f"{axis}")
    for s, axis in (((), None), ((1,), 0), ((3, 4), 1), ((0, 3), 0), ((0,), None)):
        yield Case("all", _reduction(reductions.all, axis, False), (Arg(s, "bools", "bool"),), (), label=f"{axis}")
        yield Case("any", _reduction(reductions.any, axis, True), (Arg(s, "bools", "bool"),), (), label=f"{axis}")
    yield Case("prod", _reduction(reductions.prod, 0, False), (Arg((0, 3)),), label="of nothing")
    yield Case("prod", lambda x: reductions.prod(x * (x > 0.0)), (Arg((2,)),), label="one is 0")
    yield Case("max", _reduction(reduce.max, 1, False), (Arg((0, 3)),), label="1")
    yield Case("min", _reduction(reduce.min, 1, False), (Arg((0, 3)),), label="1")
    yield Case("sum", lambda x: reduce.sum(x, 0), (Arg((3, 4), "digits", "int32"),), (), label="of ints")
    for s, axis in (((1,), 0), ((7,), 0), ((3, 4), 0), ((3, 40), 1), ((2, 3, 4), 1), ((3, 1), 1), ((4, 9, 1), 1)):
        for fill in ("apart", "digits"):  # digits have ties
            yield Case("argmax", _reduction(reduce.argmax, axis), (Arg(s, fill),), (), label=f"{axis} {fill}")


def _reduction(fn: Callable[..., Any], *rest: Any) -> Callable[[Any], Any]:
    if fn.__module__ == "sparkdl.nd.reductions":
        return lambda x: fn(x, axis=rest[0], keepdims=rest[1])
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


INDEXED: tuple[tuple[Shape, Any], ...] = (
    ((), None), ((1,), 0), ((5,), slice(1, 4)), ((5,), slice(None, None, -2)), ((3, 4), (0, slice(2))),
    ((3, 4), (Ellipsis, None, -1)), ((2, 3, 4), (slice(None), 1, slice(None, None, 3))), ((3, 4), (slice(2, 2),)),
    ((0, 4), (slice(None), 1)), ((3, 4), (np.array([0, 2, 0]),)), ((3, 4), (slice(None), np.array([[0], [3]]))),
    ((2, 3, 4), (np.array([0, 1]), slice(None), np.array([1, 1]))), ((2, 3, 4), (0, np.array([1, -1]))),
    ((3, 4), (np.array([], np.int64),)), ((2, 3), (np.array([[True, False, True], [False, False, True]]),)),
)  # fmt: skip


def _indices() -> Iterator[Case]:
    for s, key in INDEXED:
        shape = np.empty(s)[key].shape
        yield Case("getitem", lambda x, k=key: indexing.getitem(x, k), (Arg(s),), label=f"{key}")
        back = lambda g, k=key, to=s: _back(g, k, to)  # noqa: E731
        yield Case("getitem_grad", back, (Arg(shape),), label=f"{key}")
        picked = [k for k in (key if isinstance(key, tuple) else (key,)) if isinstance(k, np.ndarray)]
        if all(len(np.unique(k)) == k.size for k in picked):
            yield Case("setitem", lambda x, v, k=key: indexing.put(x, k, v), (Arg(s), Arg(shape)), label=f"{key}")


def _back(g: Any, key: Any, shape: Shape) -> Any:
    parsed, arrays = indexing.parse(NDArray(np.empty(shape)), key)
    return apply(GetItemGrad(parsed, shape), g, *arrays)


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
    ((2, 12, 12, 32), (3, 3, 32, 32), {"padding": ((1, 1), (1, 1))}, (2, 12, 12, 32)),  # by tiles
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
        if n == 2:
            args = (X, W, Arg(w[-1:], "normal"), Y)
            yield Case("conv2d_bias_add", _made(conv.Conv2dBiasAdd(**whole)), args, (), label=said)
    steps, kernel = Arg((2, 9, 4), "normal"), Arg((3, 2, 6), "normal")
    yield Case("conv2d", lambda x, w: conv.conv1d(x, w, 2, (2, 0), 1, 2), (steps, kernel), label="of sequences")


def _mixeds() -> Iterator[Case]:
    low, exact = ("bfloat16",), ("float32",)
    for m, k, n in ((1, 1, 1), (3, 4, 5), (64, 37, 19), (0, 3, 2)):
        for (ta, tb), outs in product(((False, False), (True, False), (False, True)), (low, exact)):
            a, b = _low((k, m) if ta else (m, k)), _low((n, k) if tb else (k, n))
            call = _made(Mixed(matmul.MatMul(ta, tb), outs))
            yield Case("mixed", call, (a, b), (), label=f"matmul {ta} {tb} {outs[0]}")
        for act, outs in product(matmul.ACTIVATIONS, (low, exact)):
            args = (_low((m, k)), _low((k, n)), Arg((n,), "normal", "float32"))
            yield Case("mixed", _made(Mixed(matmul.Linear(act), outs)), args, (), label=f"linear {act} {outs[0]}")
    x, w, y = (2, 5, 6, 16), (3, 3, 16, 32), (2, 5, 6, 32)
    same = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    kernel, bias = Arg(w, "normal", "float32"), Arg(w[3:], "normal", "float32")
    for outs, tol in ((low, 1), (exact, 800)):  # the kernel's weights are rounded to 8 bits
        said = outs[0]
        yield Case("mixed", _made(Mixed(conv.Conv2d(*same), outs)), (_low(x), kernel), (), tol, f"conv2d {said}")
        made = _made(Mixed(conv.Conv2dBias(*same, act="relu"), outs))
        yield Case("mixed", made, (_low(x), kernel, bias), (), tol, f"conv2d_bias {said}")
        made = _made(Mixed(conv.Conv2dBiasAdd(*same), low))
        yield Case("mixed", made, (_low(x), kernel, bias, _low(y)), (), tol, "conv2d_bias_add")
        made = _made(Mixed(conv.Conv2dGradInput(*same, x_shape=x), outs))
        yield Case("mixed", made, (_low(y), kernel), (), tol, f"conv2d_grad_input {said}")
    made = _made(Mixed(conv.Conv2dGradKernel(*same, w_shape=w), exact))
    yield Case("mixed", made, (_low(x), _low(y)), (), label="conv2d_grad_kernel")
    c, positive = Arg((16,), "normal", "float32"), Arg((16,), "positive", "float32")
    made = _made(Mixed(norm.BatchNorm(), (*low, *exact, *exact)))
    yield Case("mixed", made, (_low(x), positive, c), (), tol=4, label="batch_norm")
    made = _made(Mixed(norm.BatchNormRelu(), (*low, *exact, *exact)))
    yield Case("mixed", made, (_low(x), positive, c), (), tol=4, label="batch_norm_relu")
    yield Case("mixed", made, (_low(x), positive, c, _low(x)), (), tol=8, label="batch_norm_relu of a sum")
    made = _made(Mixed(norm.BatchNormGrad(), (*low, *exact, *exact)))
    yield Case("mixed", made, (_low(x), _low(x), positive, c, positive), (), tol=4, label="batch_norm_grad")


def _low(shape: Shape) -> Arg:
    return Arg(shape, "normal", "bfloat16")


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
        yield Case("batch_norm_relu", norm.batch_norm_relu, (x, positive, c), (), tol=4)
        yield Case("batch_norm_relu", norm.batch_norm_relu, (x, positive, c, x), (), tol=4, label="of a sum")
    one = (Arg((1, 1), "normal"), Arg((1,), "positive"), Arg((1,), "normal"))
    yield Case("batch_norm_relu", norm.batch_norm_relu, one, (), label="of one")
    yield Case("batch_norm", norm.batch_norm, one, (1, 2), label="of one")  # x has no influence, but for rounding
    yield Case("batch_norm_grad", norm.batch_norm_grad, (one[0], *one, one[1]), (), label="of one")


# --- within an example: layer and group normalisation, attention ------------------------------------------------------


def _layernorms() -> Iterator[Case]:
    for s in ((4, 3), (2, 3, 37), (300, 8)):
        x, c, positive, row = Arg(s, "normal"), Arg(s[-1:], "normal"), Arg(s[-1:], "positive"), Arg(s[:-1], "positive")
        yield Case("layer_norm", layernorm.layer_norm, (x, positive, c), tol=4)
        yield Case("layer_norm_residual", layernorm.layer_norm_residual, (x, x, positive, c), (), tol=4)
        yield Case("layer_norm_grad", layernorm.layer_norm_grad, (x, x, positive, row, row), (), tol=4)
    for s, groups in (((2, 3, 4), 2), ((3, 6), 3), ((2, 5, 3, 40), 4), ((2, 7, 3), 1)):
        x, c, positive, of = (
            Arg(s, "normal"),
            Arg(s[-1:], "normal"),
            Arg(s[-1:], "positive"),
            Arg((s[0], groups), "unit"),
        )
        norm_, back = _grouped(layernorm.group_norm, groups), _grouped(layernorm.group_norm_grad, groups)
        yield Case("group_norm", norm_, (x, positive, c), tol=4, label=f"{groups}")
        yield Case("group_norm_grad", back, (x, x, positive, of, of), (), tol=4, label=f"{groups}")
    x, c = Arg((1, 1), "normal"), Arg((1,), "positive")
    yield Case("layer_norm", layernorm.layer_norm, (x, c, c), (1, 2), label="of one")
    yield Case("layer_norm_residual", layernorm.layer_norm_residual, (x, x, c, c), (), label="of one")
    yield Case("layer_norm_grad", layernorm.layer_norm_grad, (x, x, c, c, c), (), label="of one")
    yield Case("group_norm", _grouped(layernorm.group_norm, 1), (x, c, c), (1, 2), label="of one")
    yield Case("group_norm_grad", _grouped(layernorm.group_norm_grad, 1), (x, x, c, x, x), (), label="of one")


def _grouped(fn: Callable[..., Any], groups: int) -> Callable[..., Any]:
    return lambda *xs: fn(*xs, groups)


def _attentions() -> Iterator[Case]:
    for lead in ((1,), (2, 3), (0,)):
        for ta, tb in ((False, False), (True, False), (False, True), (True, True)):
            m, k, n = (1, 1, 1) if lead == (1,) else (4, 5, 3)
            a, b = (
                Arg((*lead, *((k, m) if ta else (m, k))), "normal"),
                Arg((*lead, *((n, k) if tb else (k, n))), "normal"),
            )
            call = lambda a, b, ta=ta, tb=tb: batched.batch_matmul(a, b, ta, tb)  # noqa: E731
            yield Case("batch_matmul", call, (a, b), label=f"{'t' if ta else 'n'}{'t' if tb else 'n'}")
    for b, t, s, h, d, e in ((1, 1, 1, 1, 1, 1), (2, 3, 5, 2, 4, 3), (2, 70, 33, 3, 16, 16), (3, 4, 4, 1, 2, 2)):
        q, k, v = Arg((b, t, h, d), "normal"), Arg((b, s, h, d), "normal"), Arg((b, s, h, e), "normal")
        mask = Arg((b, t, s), "bools", "bool")
        yield Case("attention", attention.attention, (q, k, v), tol=2)
        yield Case("attention", lambda *xs: attention.attention(*xs, scale=-0.7), (q, k, v), tol=2, label="scale < 0")
        yield Case("attention", lambda *xs: attention.attention(*xs, causal=True), (q, k, v), tol=2, label="causal")
        yield Case("attention", attention.attention, (q, k, v, mask), tol=2, label="masked")
        both = lambda *xs: attention.attention(*xs, causal=True)  # noqa: E731
        yield Case("attention", both, (q, k, v, mask), tol=2, label="causal and masked")
        given = Arg((b, t, h, e), "normal"), q, k, v, Arg((b, h, t, s), "unit")
        yield Case("attention_grad", lambda *xs: attention.attention_grad(*xs, 0.5), given, (), tol=2)


# --- sparse rows, binary cross-entropy --------------------------------------------------------------------------------


def _sparse() -> Iterator[Case]:
    for b, i, o, n, ids in (
        (3, 4, 5, 9, "int64"),
        (5, 40, 37, 60, "int32"),
        (1, 1, 1, 1, "int64"),
        (0, 3, 2, 0, "int64"),
    ):
        csr = Arg((b + 1,), f"ends {n}", ids), Arg((n,), f"below {i}", ids), Arg((n,), "normal")
        g, w = Arg((b, o), "normal"), Arg((i, o), "normal")
        back = lambda *xs, i=i: sparse.csr_matmul_grad(*xs, i)  # noqa: E731
        yield Case("csr_matmul", sparse.csr_matmul, (*csr, w), label=ids)
        yield Case("csr_matmul_grad", back, (*csr, g), label=ids)
        yield Case("csr_dots", sparse.csr_dots, (*csr[:2], g, w), label=ids)
    odd = Arg((5,), "around 9", "int64"), Arg((9,), "around 4", "int64"), Arg((9,), "normal")
    g, w = Arg((4, 3), "normal"), Arg((4, 3), "normal")
    yield Case("csr_matmul", sparse.csr_matmul, (*odd, w), (), label="ends and indices outside")
    yield Case("csr_matmul_grad", lambda *xs: sparse.csr_matmul_grad(*xs, 4), (*odd, g), (), label="outside")
    yield Case("csr_dots", sparse.csr_dots, (*odd[:2], g, w), (), label="outside")


def _sigmoids() -> Iterator[Case]:
    for b, c in ((1, 1), (3, 4), (0, 3), (2, 2000)):
        z, p, g = Arg((b, c), "normal"), Arg((b, c), "unit"), Arg((b,), "normal")
        csr = Arg((b + 1,), f"ends {2 * b}", "int64"), Arg((2 * b,), f"below {c}", "int64"), Arg((2 * b,), "unit")
        for targets, wrt, said in (((p,), None, "dense"), (csr, (0,), "sparse")):
            yield Case("sigmoid_xent", sigmoid.sigmoid_xent, (z, *targets), wrt, label=said)
            yield Case("sigmoid_xent_grad", _with_targets(sigmoid.sigmoid_xent_grad), (p, *targets, g), (), label=said)
            yield Case("sigmoid_xent_both", _with_targets(sigmoid.sigmoid_xent_both), (z, *targets, g), (), label=said)
            total = _with_targets(sigmoid.sigmoid_xent_both, True)
            yield Case("sigmoid_xent_both", total, (z, *targets, g), (), label=f"{said}, total")
            whole, bias = _made(sigmoid.SigmoidXentBoth(True, True)), Arg((c,), "normal")
            yield Case("sigmoid_xent_both", whole, (z, *targets, g, bias), (), label=f"{said}, bias")
    z, g, ends = Arg((3, 4), "normal"), Arg((3,), "normal"), Arg((4,), "ends 6", "int64")
    odd = ends, Arg((6,), "around 4", "int64"), Arg((6,), "unit")
    yield Case("sigmoid_xent", sigmoid.sigmoid_xent, (z, *odd), (), label="outside")
    yield Case("sigmoid_xent_both", _with_targets(sigmoid.sigmoid_xent_both), (z, *odd, g), (), label="outside")


def _with_targets(fn: Callable[..., Any], *more: Any) -> Callable[..., Any]:
    return lambda x, *rest: fn(x, rest[:-1], rest[-1], *more)


RECURRENT: tuple[tuple[Shape, str, str, bool], ...] = (  # (T, B, H), act, gate, backwards
    ((1, 1, 1), "tanh", "sigmoid", False),
    ((1, 3, 2), "tanh", "sigmoid", True),
    ((4, 1, 3), "tanh", "sigmoid", False),
    ((5, 3, 4), "tanh", "sigmoid", True),
    ((3, 17, 40), "tanh", "sigmoid", False),
    ((4, 2, 3), "elu", "tanh", False),
    ((3, 2, 3), "linear", "sigmoid", True),
)


def _recurrents() -> Iterator[Case]:
    for (t, b, h), act, gate, back in RECURRENT:
        said, how = f"{act} {gate}{' backwards' if back else ''}", (act, gate, back)
        states, last = Arg((t, b, h), "normal"), Arg((b, h), "normal")
        z = {n: Arg((t, b, n * h), "normal") for n in (1, 3, 4)}
        u = {n: Arg((h, n * h), "unit") for n in (1, 3, 4)}
        yield Case("lstm", lambda z, u, k=how: rnn.lstm(z, u, *k), (z[4], u[4]), label=said, tol=4)
        yield Case("gru", lambda z, u, v, k=how: rnn.gru(z, u, v, *k), (z[3], u[3], Arg((3 * h,))), label=said, tol=4)
        yield Case("simple_rnn", lambda z, u, k=how: rnn.simple_rnn(z, u, k[0], k[2]), (z[1], u[1]), label=said, tol=4)
        gates = {n: Arg((t, b, n * h), "unit") for n in (3, 4)}
        for which, given in (((True, True), (last, states)), ((True, False), (last,)), ((False, True), (states,))):
            kinds = (rnn.LstmGrad, rnn.GruGrad, rnn.SimpleRnnGrad)
            lstm, gru, simple = (_made(kind(*how, *which)) for kind in kinds)
            name = f"{said} of {' and '.join(n for n, w in zip(('last', 'each'), which, strict=True) if w)}"
            yield Case("lstm_grad", lstm, (gates[4], states, u[4], *given), (), label=name, tol=4)
            yield Case("gru_grad", gru, (gates[3], states, states, u[3], *given), (), label=name, tol=4)
            yield Case("simple_rnn_grad", simple, (states, u[1], *given), (), label=name, tol=4)


CASES: tuple[Case, ...] = (
    *_elementwise(), *_complexes(), *_reductions(), *_shapes(), *_indices(),
    *_softmaxes(), *_gathers(), *_dropouts(), *_matmuls(), *_convs(),
    *_pools(), *_norms(), *_mixeds(), *_recurrents(),
    *_layernorms(), *_attentions(), *_sparse(), *_sigmoids(),
    *(case for family in FAMILIES for case in family.CASES),
)  # fmt: skip
