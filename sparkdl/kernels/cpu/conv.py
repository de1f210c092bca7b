"""Convolutions: oneDNN for float32 and bfloat16, patches and BLAS through numpy for the rest.

Activations are channels last on both sides. Weights are plain (K,C/groups,O) at rest; oneDNN gets them in the
layout it likes best, by a reorder before (or for their gradient behind) the convolution, whose cost is small.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._calls import Calls, in_order
from sparkdl.kernels.cpu._onednn_objects import Choice, Layout, choose, dims, free, plain
from sparkdl.kernels.cpu._onednn_recipe import (
    BIAS,
    DIFF_DST,
    DIFF_SRC,
    DIFF_WEIGHTS,
    DIFF_WEIGHTS_LAYOUT,
    DST,
    INS,
    OUTS,
    SRC,
    WEIGHTS,
    WEIGHTS_LAYOUT,
    Recipe,
    Slot,
    call,
    images,
    multiplied,
    nonempty,
)
from sparkdl.kernels.cpu._patches import Geometry, patches
from sparkdl.kernels.cpu._rows import compiled
from sparkdl.kernels.table import Arrays, Bound, Prepared, Unsupported, kernel

_TRAINING, _DIRECT = 64, 1  # dnnl_forward_training, dnnl_convolution_direct
_SLOW = "brgconv_strided"  # oneDNN 3.2's first choice for strided gradients, 1.3 to 2.6 times slower than the next


@dataclass(frozen=True)
class _Layouts:
    """oneDNN's view of a convolution: layouts of x, w at rest, w as it likes, y; and the window's four vectors.

    hinted:    layouts of x, w, y that all have the dtype computed in, for the forward hint
    gradient:  the layout of dw as it likes
    """

    x: Layout
    rest: Layout
    liked: Layout
    y: Layout
    window: tuple[Any, ...]
    hinted: tuple[Layout, Layout, Layout]
    gradient: Layout

    def forward(self, bias: Layout | None, add: bool = False) -> Choice:
        """The forward primitive; with `add`, its result is added to what lies in y."""
        given = (_TRAINING, _DIRECT, self.x, self.liked, bias, self.y, *self.window)
        return choose("convolution_forward", *given, add=add)

    def hint(self) -> Choice:
        """A forward primitive that is only wanted for a backward one."""
        x, w, y = self.hinted
        return choose("convolution_forward", _TRAINING, _DIRECT, x, w, None, y, *self.window, hint=True)

    def backward(self, kind: str, *layouts: Layout | None) -> Choice:
        """A backward primitive."""
        given = (_DIRECT, *layouts, *self.window, self.hint())
        try:
            return choose(f"convolution_backward_{kind}", *given, avoid=_SLOW)
        except Unsupported:
            return choose(f"convolution_backward_{kind}", *given)


def _layouts(op: Any, x: Spec, w: Spec, y: Spec, dtype: str) -> _Layouts:
    """dtype: computed in. A float32 w at rest becomes bfloat16 as it is reordered."""
    nonempty(x, w, y)
    *cells, c, o = w.shape
    steps = [o * c * math.prod(cells[k + 1 :]) for k in range(len(cells))]
    shape, strides = [o // op.groups, c, *cells], [1, o, *steps]
    if op.groups > 1:
        shape, strides = [op.groups, *shape], [o // op.groups, *strides]
    before, after = zip(*op.padding, strict=True)
    window = tuple(dims(v) for v in (op.strides, [d - 1 for d in op.dilation], before, after))
    liked = free(shape, dtype)
    hinted = images(x.shape, dtype), liked, images(y.shape, dtype)
    given, made = images(x.shape, x.dtype), images(y.shape, y.dtype)
    return _Layouts(given, plain(shape, strides, w.dtype), liked, made, window, hinted, free(shape, w.dtype))


@kernel("conv2d", "onednn", when=multiplied)
@kernel("conv3d", "onednn", when=multiplied)
def conv(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """x (B,S,C), w (K,C/groups,O) -> (B,S',O)."""
    return _forward(op, ins, outs).prepared()


@kernel("conv2d_bias", "onednn", when=multiplied)
@kernel("conv3d_bias", "onednn", when=multiplied)
def conv_bias(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """act(conv(x, w) + b)."""
    recipe = _forward(op, ins, outs)
    recipe.activate(op.act)
    return recipe.prepared()


@kernel("conv2d_bias_add", "onednn", when=multiplied)
def conv_bias_add(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """act(conv(x, w) + b + r): in r's memory where that is free, else in a copy."""
    if ins[3] != outs[0]:
        raise Unsupported("r has another dtype")
    recipe = _forward(op, ins, outs)
    recipe.activate(op.act)
    return replace(recipe.prepared(), inplace=((0, 3),))


def _forward(op: Any, ins: Specs, outs: Specs) -> Recipe:
    say, recipe = _layouts(op, ins[0], ins[1], outs[0], ins[0].dtype), Recipe()
    bias = plain(ins[2].shape, dtype=ins[2].dtype) if len(ins) > 2 else None
    choice = say.forward(bias, add=len(ins) == 4)
    if len(ins) == 4:
        recipe.then("copy", lambda i, o: call(compiled("shape", "moved"), i[3], o[0], o[0].nbytes))
    w = recipe.copied(Slot(INS, 1, say.rest), choice.layout(WEIGHTS_LAYOUT))
    slots = {SRC: Slot(INS, 0, say.x), WEIGHTS: w, DST: Slot(OUTS, 0, say.y)}
    recipe.run(choice, slots if bias is None else {**slots, BIAS: Slot(INS, 2, bias)})
    return recipe


@kernel("conv2d_grad_input", "onednn", when=multiplied)
@kernel("conv3d_grad_input", "onednn", when=multiplied)
def conv_grad_input(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """g (B,S',O), w (K,C/groups,O) -> (B,S,C)."""
    say, recipe = _layouts(op, outs[0], ins[1], ins[0], ins[0].dtype), Recipe()
    choice = say.backward("data", say.x, say.liked, say.y)
    w = recipe.copied(Slot(INS, 1, say.rest), choice.layout(WEIGHTS_LAYOUT))
    recipe.run(choice, {DIFF_DST: Slot(INS, 0, say.y), WEIGHTS: w, DIFF_SRC: Slot(OUTS, 0, say.x)})
    return recipe.prepared()


@kernel("conv2d_grad_kernel", "onednn", when=multiplied)
@kernel("conv3d_grad_kernel", "onednn", when=multiplied)
def conv_grad_kernel(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """x (B,S,C), g (B,S',O) -> (K,C/groups,O)."""
    say, recipe = _layouts(op, ins[0], outs[0], ins[1], ins[0].dtype), Recipe()
    choice = say.backward("weights", say.x, say.gradient, None, say.y)
    made, due = choice.layout(DIFF_WEIGHTS_LAYOUT), Slot(OUTS, 0, say.rest)
    dw = due if made.same(say.rest) else recipe.buffer(made)
    recipe.run(choice, {SRC: Slot(INS, 0, say.x), DIFF_DST: Slot(INS, 1, say.y), DIFF_WEIGHTS: dw})
    if dw is not due:
        recipe.reorder(dw, due)
    return recipe.prepared()


def _numpy(geometry: Geometry, make: Callable[[Geometry, Arrays, Arrays, Arrays], Calls], *more: Spec) -> Prepared:
    """A kernel of a few numpy calls a chunk; `make` ties them to arrays."""

    def bind(ins: Arrays, outs: Arrays, scratch: Arrays) -> Bound:
        return in_order(make(geometry, ins, outs, scratch))

    return Prepared(bind, (*geometry.scratch(), *more), detail="patches")


@kernel("conv2d", "numpy")
@kernel("conv3d", "numpy")
@kernel("conv2d_bias", "numpy")
@kernel("conv3d_bias", "numpy")
@kernel("conv2d_bias_add", "numpy")
def conv_numpy(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """conv and conv_bias for any dtype."""
    return _numpy(Geometry(op, ins[0].shape, ins[1].shape, outs[0].shape, ins[0].dtype), _forward_steps)


def _forward_steps(geometry: Geometry, ins: Arrays, outs: Arrays, scratch: Arrays) -> Calls:
    steps: list[Callable[[], Any]] = []
    w = geometry.kernel_by_group(ins[1])
    for part in geometry.chunks():
        chunk = patches(geometry, ins[0][part], scratch)
        steps += [chunk.gather, partial(np.matmul, chunk.matrix, w, out=geometry.by_group(outs[0][part]))]
    for summand in ins[2:]:
        steps.append(partial(np.add, outs[0], summand, out=outs[0]))
    if getattr(geometry.op, "act", "linear") == "relu":
        steps.append(partial(np.maximum, outs[0], 0, out=outs[0]))
    return steps


@kernel("conv2d_grad_input", "numpy")
@kernel("conv3d_grad_input", "numpy")
def conv_grad_input_numpy(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """conv_grad_input for any dtype."""
    return _numpy(Geometry(op, outs[0].shape, ins[1].shape, ins[0].shape, ins[0].dtype), _input_steps)


def _input_steps(geometry: Geometry, ins: Arrays, outs: Arrays, scratch: Arrays) -> Calls:
    steps: list[Callable[[], Any]] = []
    w = geometry.kernel_by_group(ins[1]).transpose(0, 2, 1)
    for part in geometry.chunks():
        chunk = patches(geometry, outs[0][part], scratch)
        steps += [partial(np.matmul, geometry.by_group(ins[0][part]), w, out=chunk.matrix), chunk.scatter]
    return steps


@kernel("conv2d_grad_kernel", "numpy")
@kernel("conv3d_grad_kernel", "numpy")
def conv_grad_kernel_numpy(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """conv_grad_kernel for any dtype."""
    geometry = Geometry(op, ins[0].shape, outs[0].shape, ins[1].shape, ins[0].dtype)
    return _numpy(geometry, _kernel_steps, outs[0])


def _kernel_steps(geometry: Geometry, ins: Arrays, outs: Arrays, scratch: Arrays) -> Calls:
    steps: list[Callable[[], Any]] = [partial(outs[0].fill, 0)]
    added = geometry.kernel_by_group(scratch[2])
    for part in geometry.chunks():
        chunk, g = patches(geometry, ins[0][part], scratch), geometry.by_group(ins[1][part])
        steps += [chunk.gather, partial(np.matmul, chunk.matrix.transpose(0, 2, 1), g, out=added)]
        steps.append(partial(np.add, outs[0], scratch[2], out=outs[0]))
    return steps
