"""Batch normalisation (Ioffe and Szegedy 2015): y = gamma (x - mean) / sqrt(variance + eps) + beta, statistics over all
axes but the last. At inference the same formula with known statistics is written in elementwise ops, by the layer."""

from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec, Specs
from sparkdl.nd.op import Op, apply, op


@op("batch_norm")
class BatchNorm(Op):
    """x (..., C), gamma (C,), beta (C,) -> y (..., C), mean (C,), variance (C,), the variance biased (divided by N)."""

    eps: float = 1e-3

    def infer(self, *ins: Spec) -> Specs:
        x, per_channel = ins[0], _channels(self.name, ins[0])
        _agree(self.name, x, per_channel, gamma=ins[1], beta=ins[2])
        return x, per_channel, per_channel

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (g, g_mean, g_variance), (_, mean, variance), (x, gamma, _) = grads, outs, ins
        parts = (None, None, None) if g is None else batch_norm_grad(g, x, gamma, mean, variance, self.eps)
        dx, count = parts[0], x.spec.size // x.spec.shape[-1]
        if g_mean is not None:
            dx = _plus(dx, _spread(g_mean, x) / float(count))
        if g_variance is not None:
            dx = _plus(dx, _spread(g_variance, x) * (x - mean) * (2.0 / count))
        return dx, parts[1], parts[2]


@op("batch_norm_grad")
class BatchNormGrad(Op):
    """g (..., C), x, gamma (C,), and the batch's mean (C,) and variance (C,) -> dx (..., C), dgamma (C,), dbeta (C,).

    With z = (x - mean) / sqrt(variance + eps): dbeta = sum g, dgamma = sum g z,
    dx = gamma / sqrt(variance + eps) (g - dbeta/N - z dgamma/N).
    """

    eps: float = 1e-3

    def infer(self, *ins: Spec) -> Specs:
        x, per_channel = ins[1], _channels(self.name, ins[1])
        if ins[0] != x:
            raise ShapeError(f"{self.name}: g must be as x, {x}. Got {ins[0]}.")
        _agree(self.name, x, per_channel, gamma=ins[2], mean=ins[3], variance=ins[4])
        return x, per_channel, per_channel


@op("batch_norm_relu")
class BatchNormRelu(Op):
    """relu(y + r) with y, mean and variance as `batch_norm` has them of x (..., C), gamma (C,), beta (C,); r, as x, may
    lack: 3 inputs or 4. Made by the fuse pass, after differentiation: it has no gradient."""

    eps: float = 1e-3

    def infer(self, *ins: Spec) -> Specs:
        if len(ins) == 4 and ins[3] != ins[0]:
            raise ShapeError(f"{self.name}: r must be as x, {ins[0]}. Got {ins[3]}.")
        x, per_channel = ins[0], _channels(self.name, ins[0])
        _agree(self.name, x, per_channel, gamma=ins[1], beta=ins[2])
        return x, per_channel, per_channel


def batch_norm(x: Any, gamma: Any, beta: Any, eps: float = 1e-3) -> tuple[Any, Any, Any]:
    """Normalise x (..., C) by its own statistics; returns (y, mean, variance).

    >>> from sparkdl.nd.array import NDArray
    >>> one, zero = NDArray([1.0]), NDArray([0.0])
    >>> y, mean, variance = batch_norm(NDArray([[1.0], [3.0]]), one, zero, eps=0.0)
    >>> y.numpy().ravel(), mean.numpy().item(), variance.numpy().item()
    (array([-1.,  1.], dtype=float32), 2.0, 1.0)
    """
    y, mean, variance = apply(BatchNorm(eps), x, gamma, beta)
    return y, mean, variance


def batch_norm_grad(g: Any, x: Any, gamma: Any, mean: Any, variance: Any, eps: float = 1e-3) -> tuple[Any, Any, Any]:
    """Gradients of `batch_norm` in x, gamma, beta, given that of y."""
    dx, dgamma, dbeta = apply(BatchNormGrad(eps), g, x, gamma, mean, variance)
    return dx, dgamma, dbeta


def batch_norm_relu(x: Any, gamma: Any, beta: Any, *shortcut: Any, eps: float = 1e-3) -> tuple[Any, Any, Any]:
    """relu of `batch_norm`, or of it and a shortcut's sum; returns (y, mean, variance)."""
    y, mean, variance = apply(BatchNormRelu(eps), x, gamma, beta, *shortcut)
    return y, mean, variance


def _channels(who: str, x: Spec) -> Spec:
    if len(x.shape) < 2 or x.size == 0:
        raise ShapeError(f"{who}: x must be (..., C) and not empty. Got {x}.")
    return Spec(x.shape[-1:], x.dtype)


def _agree(who: str, x: Spec, due: Spec, **given: Spec) -> None:
    for name, spec in given.items():
        if spec != due:
            raise ShapeError(f"{who}: {name} must be {due} for x {x}. Got {spec}.")


def _spread(g: Any, x: Any) -> Any:
    from sparkdl.nd.ops.shape import broadcast_to

    return broadcast_to(g, x.spec.shape)


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a + b
