"""Recurrent networks: for float32, tanh and sigmoid, one oneDNN product and one numba cell a step; NumPy for the rest.

The recurrent kernel is packed once in a run, and its transpose once on the way back. All steps are native rows. The
products of all steps at once (with the inputs, and for the gradients of both kernels) are ops of their own.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._onednn_packed import Form, Packed
from sparkdl.kernels.cpu._onednn_recipe import Row, call, float32, rows
from sparkdl.kernels.cpu._rows import compiled
from sparkdl.kernels.ref import rnn as ref
from sparkdl.kernels.table import Array, Arrays, Bound, Prepared, kernel, rowwise

Steps = Callable[[Any, Packed, Arrays, Arrays, Arrays], Iterator[Row]]


def usual(op: Any, ins: Specs) -> bool:
    """What the cells compute: float32, tanh and sigmoid."""
    return float32(op, ins) and op.act == "tanh" and op.gate == "sigmoid"


@kernel("lstm", "onednn", when=usual)
def lstm(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """z (T,B,4H), u (H,4H) -> last, all h, all c, gates."""
    (_, b, wide), h = ins[0].shape, ins[1].shape[0]
    return _prepared(op, Form(b, h, wide, add=True), ins[0], _lstm, Spec((h,)), inplace=(3, 0))


@kernel("lstm_grad", "onednn", when=usual)
def lstm_grad(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """gates (T,B,4H), c (T,B,H), u (H,4H), gradients of h -> dz (T,B,4H)."""
    _, b, h = ins[1].shape
    state = Spec((b, h))
    return _prepared(op, Form(b, 4 * h, h, turned=True), ins[0], _lstm_back, Spec((h,)), state, state, inplace=(0, 0))


@kernel("gru", "onednn", when=usual)
def gru(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """z (T,B,3H), u (H,3H), v (3H,) -> last, all h, all n, gates."""
    (_, b, wide), h = ins[0].shape, ins[1].shape[0]
    return _prepared(op, Form(b, h, wide, bias=True), ins[0], _gru, Spec((h,)), Spec((b, wide)), inplace=(3, 0))


@kernel("gru_grad", "onednn", when=usual)
def gru_grad(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """gates (T,B,3H), n (T,B,H), h (T,B,H), u (H,3H), gradients of h -> dz, dq (T,B,3H)."""
    _, b, h = ins[1].shape
    form = Form(b, 3 * h, h, turned=True, add=True)
    return _prepared(op, form, ins[0], _gru_back, Spec((h,)), Spec((b, h)), inplace=(0, 0))


@kernel("simple_rnn", "onednn", when=usual)
def simple_rnn(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """z (T,B,H), u (H,H) -> last, all h."""
    _, b, h = ins[0].shape
    return _prepared(op, Form(b, h, h, add=True), ins[0], _simple, inplace=(1, 0))


@kernel("simple_rnn_grad", "onednn", when=usual)
def simple_rnn_grad(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """h (T,B,H), u (H,H), gradients of h -> dz (T,B,H)."""
    _, b, h = ins[0].shape
    return _prepared(op, Form(b, h, h, turned=True), ins[0], _simple_back, Spec((b, h)))


def _prepared(
    op: Any, form: Form, z: Spec, steps: Steps, *scratch: Spec, inplace: tuple[int, int] | None = None
) -> Prepared:
    """A kernel whose steps share one packed product. Its scratch follows that of the product."""
    product = Packed(form)

    def bind(i: Arrays, o: Arrays, s: Arrays) -> Bound:
        return rows(list(steps(op, product, i, o, s)), i, o, s)

    said = f"{product.name} {form.m}x{form.k}x{form.n}, cells, {z.shape[0]} steps"
    return Prepared(bind, (*product.scratch, *scratch), (inplace,) if inplace else (), detail=said)


def _lstm(op: Any, product: Packed, ins: Arrays, outs: Arrays, scratch: Arrays) -> Iterator[Row]:
    (z, u), (last, hs, cs, gates), (*pack, zeros) = ins, outs, scratch
    yield from _moved(z, gates)
    yield from product.fill(u, pack)
    yield _start(zeros)
    for t, before in _times(op, z):
        if before is not None:
            yield product.times(hs[before], u, gates[t], pack)
        yield _cell("lstm", gates[t], *_state(cs, before, zeros), cs[t], hs[t], *last.shape)
    yield _start(last, hs[t])


def _lstm_back(op: Any, product: Packed, ins: Arrays, outs: Arrays, scratch: Arrays) -> Iterator[Row]:
    (gates, cs, u, *given), (dz,), (*pack, zeros, dh, dc) = ins, outs, scratch
    yield from _moved(gates, dz)
    yield from product.fill(u, pack)
    yield from (_start(zeros), _start(dc), _start(dh, _last(op, given)))
    for t, before in reversed(_times(op, cs)):
        yield _cell("lstm_back", dz[t], *_state(cs, before, zeros), cs[t], _each(op, given, t), dh, dc, *dh.shape)
        if before is not None:
            yield product.times(dz[t], u, dh, pack)


def _gru(op: Any, product: Packed, ins: Arrays, outs: Arrays, scratch: Arrays) -> Iterator[Row]:
    (z, u, v), (last, hs, ns, gates), (*pack, zeros, q) = ins, outs, scratch
    yield from _moved(z, gates)
    yield from product.fill(u, pack)
    yield from (_start(zeros), _cell("spread", q, v, *q.shape))
    for t, before in _times(op, z):
        if before is not None:
            yield product.times(hs[before], u, q, pack, v)
        yield _cell("gru", gates[t], q, *_state(hs, before, zeros), ns[t], hs[t], *last.shape)
    yield _start(last, hs[t])


def _gru_back(op: Any, product: Packed, ins: Arrays, outs: Arrays, scratch: Arrays) -> Iterator[Row]:
    (gates, ns, hs, u, *given), (dz, dq), (*pack, zeros, dh) = ins, outs, scratch
    yield from _moved(gates, dz)
    yield from product.fill(u, pack)
    yield from (_start(zeros), _start(dh, _last(op, given)))
    for t, before in reversed(_times(op, hs)):
        each = _each(op, given, t)
        yield _cell("gru_back", dz[t], dq[t], *_state(hs, before, zeros), ns[t], each, dh, *dh.shape)
        if before is not None:
            yield product.times(dq[t], u, dh, pack)


def _simple(op: Any, product: Packed, ins: Arrays, outs: Arrays, scratch: Arrays) -> Iterator[Row]:
    (z, u), (last, hs), pack = ins, outs, scratch
    yield from _moved(z, hs)
    yield from product.fill(u, pack)
    for t, before in _times(op, z):
        if before is not None:
            yield product.times(hs[before], u, hs[t], pack)
        yield _cell("simple", hs[t], last.size)
    yield _start(last, hs[t])


def _simple_back(op: Any, product: Packed, ins: Arrays, outs: Arrays, scratch: Arrays) -> Iterator[Row]:
    (hs, u, *given), (dz,), (*pack, dh) = ins, outs, scratch
    yield from product.fill(u, pack)
    yield _start(dh, _last(op, given))
    for t, before in reversed(_times(op, hs)):
        yield _cell("simple_back", hs[t], dz[t], _each(op, given, t), dh, dh.size)
        if before is not None:
            yield product.times(dz[t], u, dh, pack)


def _times(op: Any, z: Array) -> list[tuple[int, int | None]]:
    """Each step's time and that of the step before it, None at the first."""
    order = list(op.order(len(z)))
    return list(zip(order, [None, *order], strict=False))


def _state(states: Array, before: int | None, zeros: Array) -> tuple[Array, int]:
    """What a step starts from, and the bytes from row to row."""
    return (zeros, 0) if before is None else (states[before], states.strides[1])


def _last(op: Any, given: list[Array]) -> Array | int:
    """The gradient of the last state, or no address."""
    return given[0] if op.last else 0


def _each(op: Any, given: list[Array], t: int) -> Array | int:
    """The gradient of state t, or no address."""
    return given[-1][t] if op.each else 0


def _moved(source: Array, target: Array) -> Iterator[Row]:
    """Copy, unless both are the same memory: the cells work in place."""
    if source.ctypes.data != target.ctypes.data:
        yield _start(target, source)


def _start(y: Array, x: Array | int = 0) -> Row:
    """y = x, or zeros."""
    return _cell("start", y, x, y.size)


def _cell(function: str, *arguments: Any) -> Row:
    return call(compiled("rnn", function), *arguments)


def _in_own_dtype(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The reference's formulas in the array's own dtype: a few NumPy calls a step."""

    def run(op: Any, *ins: Array) -> Any:
        return fn(op, *ins, dtype=ins[0].dtype)

    run.__name__ = f"NumPy, {fn.__name__} step by step"
    return run


for _fn in (ref.lstm, ref.lstm_grad, ref.gru, ref.gru_grad, ref.simple_rnn, ref.simple_rnn_grad):
    kernel(_fn.__name__, "numpy")(rowwise(_in_own_dtype(_fn)))
