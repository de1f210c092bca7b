"""Batch normalisation: oneDNN for float32 (x may be bfloat16), numpy for the rest.

With the relu behind it, and a shortcut's sum, float32 is numba's: oneDNN's own flag for that turns NaN into 0, and
its variance is off by 1e-5 where numba's is by 5e-8. bfloat16 stays oneDNN's, with the rest as a second pass.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparkdl.base.spec import Spec, Specs
from sparkdl.kernels.cpu._onednn_objects import Choice, Layout, choose, number, plain
from sparkdl.kernels.cpu._onednn_recipe import (
    DIFF_DST,
    DIFF_SCALE,
    DIFF_SHIFT,
    DIFF_SRC,
    DST,
    INS,
    MEAN,
    OUTS,
    SCALE,
    SHIFT,
    SRC,
    VARIANCE,
    Recipe,
    Slot,
    call as row,
    images,
    multiplied,
)
from sparkdl.kernels.cpu._rows import call, compiled, floats, numba_kernel
from sparkdl.kernels.table import Array, Arrays, Bound, Prepared, kernel, rowwise

_TRAINING, _BACKWARD = 64, 128  # dnnl_forward_training, dnnl_backward
_ROW = 512  # floats that numba takes together, at least
_SCALE_SHIFT = 2 | 4  # dnnl_use_scale, dnnl_use_shift


def normalised(op: Any, ins: Specs) -> bool:
    """Whether oneDNN serves: statistics and scales are float32, the rest may be bfloat16."""
    return multiplied(op, ins) and all(s.dtype == "float32" for s in ins if len(s.shape) == 1)


def lowered(op: Any, ins: Specs) -> bool:
    """Whether oneDNN serves, and x is bfloat16."""
    return normalised(op, ins) and not floats(op, ins)


@dataclass(frozen=True)
class _Norm:
    """oneDNN's view: x (..., C) as images of one row, a vector (C,), eps."""

    x: Layout
    vector: Layout
    eps: float

    @staticmethod
    def of(op: Any, x: Spec) -> "_Norm":
        c = x.shape[-1]
        return _Norm(images((1, 1, x.size // c, c), x.dtype), plain((c,)), op.eps)

    def forward(self, hint: bool = False) -> Choice:
        """The forward primitive; `hint` when it is only wanted for the backward one."""
        given = (_TRAINING, self.x, self.x, number(self.eps), _SCALE_SHIFT)
        return choose("batch_normalization_forward", *given, hint=hint)

    def backward(self) -> Choice:
        """The backward primitive."""
        given = (_BACKWARD, self.x, self.x, self.x, number(self.eps), _SCALE_SHIFT)
        return choose("batch_normalization_backward", *given, self.forward(hint=True))


@kernel("batch_norm", "onednn", when=normalised)
def batch_norm(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """x (..., C), gamma (C,), beta (C,) -> y, mean (C,), variance (C,)."""
    return _forward(op, ins).prepared()


def _forward(op: Any, ins: Specs) -> Recipe:
    say, recipe = _Norm.of(op, ins[0]), Recipe()
    given = {SRC: Slot(INS, 0, say.x), SCALE: Slot(INS, 1, say.vector), SHIFT: Slot(INS, 2, say.vector)}
    made = {DST: Slot(OUTS, 0, say.x), MEAN: Slot(OUTS, 1, say.vector), VARIANCE: Slot(OUTS, 2, say.vector)}
    recipe.run(say.forward(), given | made)
    return recipe


@kernel("batch_norm_relu", "onednn", when=lowered)
def batch_norm_relu(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """x, gamma, beta, and r (..., C) or none -> relu(y + r), mean, variance."""
    recipe = _forward(op, ins)
    if len(ins) == 3:
        recipe.activate("relu")
    else:
        recipe.then("add relu", lambda i, o: row(compiled("bfloat", "add_relu"), i[3], o[0], o[0].size))
    return recipe.prepared()


@numba_kernel("batch_norm_relu", floats)
def _batch_norm_relu(op: Any, ins: Specs, outs: Specs) -> Prepared:
    channels = ins[0].shape[-1]
    length = channels
    while length < _ROW:
        length *= 2

    def bind(i: Arrays, o: Arrays, scratch: Arrays) -> Bound:
        given = i if len(i) == 4 else (*i, 0)
        sizes = i[0].size // channels, channels, length
        return call("batchnorm", "batch_norm_relu", *given, *o, *scratch, *sizes, float(op.eps))

    return Prepared(
        bind, (Spec((2, channels), "float64"), Spec((3, length))), inplace=((0, 3),) if len(ins) == 4 else ()
    )


@kernel("batch_norm_grad", "onednn", when=normalised)
def batch_norm_grad(op: Any, ins: Specs, outs: Specs) -> Prepared:
    """g, x (..., C), gamma, mean, variance (C,) -> dx (..., C), dgamma (C,), dbeta (C,)."""
    say, recipe = _Norm.of(op, ins[1]), Recipe()
    given = {DIFF_DST: Slot(INS, 0, say.x), SRC: Slot(INS, 1, say.x)}
    vectors = {arg: Slot(INS, k, say.vector) for k, arg in ((2, SCALE), (3, MEAN), (4, VARIANCE))}
    made = {DIFF_SCALE: Slot(OUTS, 1, say.vector), DIFF_SHIFT: Slot(OUTS, 2, say.vector)}
    recipe.run(say.backward(), {**given, **vectors, DIFF_SRC: Slot(OUTS, 0, say.x), **made})
    return recipe.prepared()


def norm_numpy(op: Any, x: Array, gamma: Array, beta: Array) -> tuple[Array, Array, Array]:
    """batch_norm for any dtype."""
    rows = x.reshape(-1, x.shape[-1])
    mean = rows.mean(0)
    centred = rows - mean
    variance = np.square(centred).mean(0)
    centred *= gamma / np.sqrt(variance + x.dtype.type(op.eps))
    centred += beta
    return centred.reshape(x.shape), mean, variance


def norm_relu_numpy(op: Any, x: Array, gamma: Array, beta: Array, *shortcut: Array) -> tuple[Array, Array, Array]:
    """batch_norm_relu for any dtype."""
    y, mean, variance = norm_numpy(op, x, gamma, beta)
    for r in shortcut:
        y += r
    return np.maximum(y, 0, out=y), mean, variance


def norm_grad_numpy(
    op: Any, g: Array, x: Array, gamma: Array, mean: Array, variance: Array
) -> tuple[Array, Array, Array]:
    """batch_norm_grad for any dtype."""
    g, rows = g.reshape(-1, x.shape[-1]), x.reshape(-1, x.shape[-1])
    scale = 1 / np.sqrt(variance + x.dtype.type(op.eps))
    z = (rows - mean) * scale
    dgamma, dbeta = (g * z).sum(0), g.sum(0)
    z *= dgamma / len(rows)
    dx = gamma * scale * (g - dbeta / len(rows) - z)
    return dx.reshape(x.shape), dgamma, dbeta


kernel("batch_norm", "numpy")(rowwise(norm_numpy))
kernel("batch_norm_relu", "numpy")(rowwise(norm_relu_numpy))
kernel("batch_norm_grad", "numpy")(rowwise(norm_grad_numpy))
