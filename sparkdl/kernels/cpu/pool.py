"""Pooling, channels last: oneDNN for float32 (numba for maxima where there is none), numpy for the rest."""

import math
from dataclasses import dataclass
from typing import Any

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._onednn_objects import Choice, Layout, choose, dims
from sparkdl.kernels.cpu._onednn_recipe import (
    DIFF_DST,
    DIFF_SRC,
    DST,
    INS,
    OUTS,
    SRC,
    WORKSPACE,
    WORKSPACE_LAYOUT,
    Recipe,
    Row,
    Slot,
    call,
    float32,
    images,
    nonempty,
    rows,
)
from sparkdl.kernels.cpu._pool_numpy import avg, avg_grad, max_grad, maximum
from sparkdl.kernels.table import Array, Arrays, Bound, Prepared, Unsupported, kernel, rowwise

_TRAINING = 64  # dnnl_forward_training
_MAX, _AVERAGE = 511, 1023  # dnnl_pooling_max, dnnl_pooling_avg_exclude_padding
_ALIGNED = "jit:sse41"  # crashes on arrays that start off a multiple of 16 bytes, as eager ones may
Shape = tuple[int, ...]


def small(op: Any, ins: Specs) -> bool:
    """Whether native kernels serve: float32, and an index that fits a byte (oneDNN takes four from 255 cells on)."""
    return ins[0].dtype == "float32" and math.prod(op.pool) < 255


@kernel("max_pool2d", "onednn", when=small)
@kernel("max_pool3d", "onednn", when=small)
def max_pool(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """x (B,S,C) -> y, where (B,S',C): oneDNN's workspace is our `where`. Numba mends the cases it gets wrong."""
    nonempty(*ins)
    say, recipe = _Pool.of(op, _MAX, ins[0], outs[0]), Recipe()
    choice = say.forward()
    slots = {SRC: Slot(INS, 0, say.x), DST: Slot(OUTS, 0, say.y), WORKSPACE: _where(choice, OUTS, outs[0])}
    recipe.run(choice, slots)
    recipe.then("mend", lambda i, o: _mended(op, i[0], o))
    return recipe.prepared()


@kernel("max_pool2d_grad", "onednn", when=small)
@kernel("max_pool3d_grad", "onednn", when=small)
def max_pool_grad(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """g, where (B,S',C) -> dx (B,S,C)."""
    nonempty(*ins)
    say, recipe = _Pool.of(op, _MAX, outs[0], ins[0]), Recipe()
    choice = say.backward()
    slots = {DIFF_DST: Slot(INS, 0, say.y), WORKSPACE: _where(choice, INS, ins[0]), DIFF_SRC: Slot(OUTS, 0, say.x)}
    recipe.run(choice, slots)
    return recipe.prepared()


@kernel("avg_pool2d", "onednn", when=float32)
@kernel("avg_pool3d", "onednn", when=float32)
def avg_pool(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """x (B,S,C) -> (B,S',C)."""
    nonempty(*ins)
    say, recipe = _Pool.of(op, _AVERAGE, ins[0], outs[0]), Recipe()
    recipe.run(say.forward(), {SRC: Slot(INS, 0, say.x), DST: Slot(OUTS, 0, say.y)})
    return recipe.prepared()


@kernel("avg_pool2d_grad", "onednn", when=float32)
@kernel("avg_pool3d_grad", "onednn", when=float32)
def avg_pool_grad(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """g (B,S',C) -> (B,S,C)."""
    nonempty(*ins)
    say, recipe = _Pool.of(op, _AVERAGE, outs[0], ins[0]), Recipe()
    recipe.run(say.backward(), {DIFF_DST: Slot(INS, 0, say.y), DIFF_SRC: Slot(OUTS, 0, say.x)})
    return recipe.prepared()


@dataclass(frozen=True)
class _Pool:
    """oneDNN's view of a pooling: algorithm, layouts of x and y, and the window's five vectors."""

    algorithm: int
    x: Layout
    y: Layout
    window: tuple[Any, ...]

    @staticmethod
    def of(op: Any, algorithm: int, x: Spec, y: Spec) -> "_Pool":
        before, after = zip(*op.padding, strict=True)
        vectors = (op.strides, op.pool, (0,) * len(op.pool), before, after)
        return _Pool(algorithm, images(x.shape), images(y.shape), tuple(dims(v) for v in vectors))

    def forward(self, hint: bool = False) -> Choice:
        """The forward primitive; `hint` when it is only wanted for the backward one."""
        given = (_TRAINING, self.algorithm, self.x, self.y, *self.window)
        return choose("pooling_forward", *given, hint=hint, avoid=_ALIGNED)

    def backward(self) -> Choice:
        """The backward primitive."""
        given = (self.algorithm, self.x, self.y, *self.window, self.forward(hint=True))
        return choose("pooling_backward", *given, avoid=_ALIGNED)


def _where(choice: Choice, place: int, y: Spec) -> Slot:
    """The second array of `place` as oneDNN's workspace. Raises Unsupported when that is not one byte a cell of y."""
    if not choice.layout(WORKSPACE_LAYOUT).same(images(y.shape, "uint8")):
        raise Unsupported("oneDNN's workspace is no index")
    return Slot(place, 1, images(y.shape, "uint8"))


def _mended(op: Any, x: Array, outs: Arrays) -> Row:
    from sparkdl.kernels.cpu._pool import max_pool_mended

    return _row(max_pool_mended, op, (x, *outs), x.shape, outs[0].shape)


@kernel("max_pool2d", "numba", when=small)
@kernel("max_pool3d", "numba", when=small)
def max_pool_numba(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """The same without oneDNN."""

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        from sparkdl.kernels.cpu._pool import max_pool

        return rows([_row(max_pool, op, (i[0], *o), ins[0].shape, outs[0].shape)])

    return Prepared(bind, detail="max_pool")


@kernel("max_pool2d_grad", "numba", when=small)
@kernel("max_pool3d_grad", "numba", when=small)
def max_pool_grad_numba(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """The same without oneDNN."""

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        from sparkdl.kernels.cpu._pool import max_pool_grad

        return rows([_row(max_pool_grad, op, (o[0], *i), outs[0].shape, ins[0].shape)])

    return Prepared(bind, detail="max_pool_grad")


def _row(code: Any, op: Any, arrays: Arrays, x: Shape, y: Shape) -> Row:
    """The numba kernels take three axes; images are volumes of depth 1."""
    flat = (1,) * (3 - len(op.pool))
    before = (0,) * len(flat) + tuple(n for n, _ in op.padding)
    sizes = (x[0], *flat, *x[1:], *flat, *y[1:-1], *flat, *op.pool, *flat, *op.strides, *before)
    return call(code, *arrays, *sizes)


for axes in ("2d", "3d"):
    kernel(f"max_pool{axes}", "numpy")(rowwise(maximum))
    kernel(f"max_pool{axes}_grad", "numpy")(rowwise(max_grad))
    kernel(f"avg_pool{axes}", "numpy")(rowwise(avg))
    kernel(f"avg_pool{axes}_grad", "numpy")(rowwise(avg_grad))
