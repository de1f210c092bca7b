"""Normalisation within an example: of each row (layer norm), or of groups of channels (group norm); and gradients.

Differs from batch normalisation in that no example sees another, so that training and inference do the same.
"""

from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec, Specs
from sparkdl.nd.op import Op, apply, op


@op("layer_norm")
class LayerNorm(Op):
    """x (..., C), gamma (C,), beta (C,) -> y (..., C), mean (...,), rstd (...,).   Ba et al., arXiv 1607.06450.

    y = gamma (x - mean) rstd + beta with rstd = 1 / sqrt(variance + eps), the variance biased (divided by C).
    """

    eps: float = 1e-3

    def infer(self, *ins: Spec) -> Specs:
        x, row = ins[0], _row(self.name, ins[0])
        _agree(self.name, x, row, gamma=ins[1], beta=ins[2])
        return x, Spec(x.shape[:-1], x.dtype), Spec(x.shape[:-1], x.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (g, g_mean, g_rstd), (_, mean, rstd), (x, gamma, _) = grads, outs, ins
        parts = (None, None, None) if g is None else layer_norm_grad(g, x, gamma, mean, rstd)
        dx = _statistics_back(parts[0], x, _column(mean), _column(rstd), _column(g_mean), _column(g_rstd))
        return dx, parts[1], parts[2]


@op("layer_norm_grad")
class LayerNormGrad(Op):
    """g (..., C), x, gamma (C,), mean (...,), rstd (...,) -> dx (..., C), dgamma (C,), dbeta (C,).

    With z = (x - mean) rstd: dbeta = sum g, dgamma = sum g z over the rows,
    dx = rstd (g gamma - mean(g gamma) - z mean(g gamma z)) with means along the row.
    """

    def infer(self, *ins: Spec) -> Specs:
        g, x, gamma, mean, rstd = ins
        row, column = _row(self.name, x), Spec(x.shape[:-1], x.dtype)
        if g != x:
            raise ShapeError(f"{self.name}: g must be as x, {x}. Got {g}.")
        _agree(self.name, x, row, gamma=gamma)
        _agree(self.name, x, column, mean=mean, rstd=rstd)
        return x, row, row


@op("layer_norm_residual")
class LayerNormResidual(Op):
    """a, b (..., C), gamma, beta (C,) -> a + b, and layer_norm(a + b): y, mean, rstd. Made by the fuse pass."""

    eps: float = 1e-3

    def infer(self, *ins: Spec) -> Specs:
        if ins[0] != ins[1]:
            raise ShapeError(f"{self.name}: both summands must be alike. Got {ins[0]} and {ins[1]}.")
        y, mean, rstd = LayerNorm(self.eps).infer(ins[0], *ins[2:])
        return ins[0], y, mean, rstd


@op("group_norm")
class GroupNorm(Op):
    """x (B, ..., C), gamma (C,), beta (C,) -> y (B, ..., C), mean (B, G), rstd (B, G).   Wu & He, arXiv 1803.08494.

    The channels form `groups` of C / G neighbours; each group of each example has its own mean and variance.
    """

    groups: int
    eps: float = 1e-3

    def infer(self, *ins: Spec) -> Specs:
        x, row = ins[0], _row(self.name, ins[0])
        _check_groups(self.name, x, self.groups)
        _agree(self.name, x, row, gamma=ins[1], beta=ins[2])
        statistic = Spec((x.shape[0], self.groups), x.dtype)
        return x, statistic, statistic

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        (g, g_mean, g_rstd), (_, mean, rstd), (x, gamma, _) = grads, outs, ins
        parts = (None, None, None) if g is None else group_norm_grad(g, x, gamma, mean, rstd, self.groups)
        if g_mean is None and g_rstd is None:
            return parts
        from sparkdl.nd.ops.shape import reshape

        b, c = x.spec.shape[0], x.spec.shape[-1]
        split = (b, x.spec.size // (b * c), self.groups, c // self.groups)  # (B, P, G, C/G)
        each = [None if s is None else reshape(s, (b, 1, self.groups, 1)) for s in (mean, rstd, g_mean, g_rstd)]
        dx = _statistics_back(None, reshape(x, split), *each)
        dx = reshape(dx, x.spec.shape)
        return (dx if parts[0] is None else parts[0] + dx), parts[1], parts[2]


@op("group_norm_grad")
class GroupNormGrad(Op):
    """g (B, ..., C), x, gamma (C,), mean (B, G), rstd (B, G) -> dx (B, ..., C), dgamma (C,), dbeta (C,)."""

    groups: int

    def infer(self, *ins: Spec) -> Specs:
        g, x, gamma, mean, rstd = ins
        row, statistic = _row(self.name, x), Spec((x.shape[0], self.groups), x.dtype)
        _check_groups(self.name, x, self.groups)
        if g != x:
            raise ShapeError(f"{self.name}: g must be as x, {x}. Got {g}.")
        _agree(self.name, x, row, gamma=gamma)
        _agree(self.name, x, statistic, mean=mean, rstd=rstd)
        return x, row, row


def layer_norm(x: Any, gamma: Any, beta: Any, eps: float = 1e-3) -> tuple[Any, Any, Any]:
    """Normalise each row of x (..., C); returns (y, mean, 1 / sqrt(variance + eps)).

    >>> from sparkdl.nd.array import NDArray
    >>> one, zero = NDArray([1.0, 1.0]), NDArray([0.0, 0.0])
    >>> layer_norm(NDArray([[1.0, 3.0]]), one, zero, eps=0.0)[0]
    NDArray([[-1.,  1.]], dtype=float32, device=cpu)
    """
    y, mean, rstd = apply(LayerNorm(eps), x, gamma, beta)
    return y, mean, rstd


def layer_norm_grad(g: Any, x: Any, gamma: Any, mean: Any, rstd: Any) -> tuple[Any, Any, Any]:
    """Gradients of `layer_norm` in x, gamma, beta, given that of y."""
    dx, dgamma, dbeta = apply(LayerNormGrad(), g, x, gamma, mean, rstd)
    return dx, dgamma, dbeta


def layer_norm_residual(a: Any, b: Any, gamma: Any, beta: Any, eps: float = 1e-3) -> tuple[Any, Any, Any, Any]:
    """(a + b, y, mean, 1 / sqrt(variance + eps)) with y = layer_norm(a + b)."""
    s, y, mean, rstd = apply(LayerNormResidual(eps), a, b, gamma, beta)
    return s, y, mean, rstd


def group_norm(x: Any, gamma: Any, beta: Any, groups: int, eps: float = 1e-3) -> tuple[Any, Any, Any]:
    """Normalise groups of channels of each example x (B, ..., C); returns (y, mean, 1 / sqrt(variance + eps)).

    >>> from sparkdl.nd.array import NDArray
    >>> one, zero = NDArray([1.0, 1.0]), NDArray([0.0, 0.0])
    >>> group_norm(NDArray([[[1.0, 5.0], [3.0, 7.0]]]), one, zero, groups=2, eps=0.0)[1]
    NDArray([[2., 6.]], dtype=float32, device=cpu)
    """
    y, mean, rstd = apply(GroupNorm(groups, eps), x, gamma, beta)
    return y, mean, rstd


def group_norm_grad(g: Any, x: Any, gamma: Any, mean: Any, rstd: Any, groups: int) -> tuple[Any, Any, Any]:
    """Gradients of `group_norm` in x, gamma, beta, given that of y."""
    dx, dgamma, dbeta = apply(GroupNormGrad(groups), g, x, gamma, mean, rstd)
    return dx, dgamma, dbeta


def _row(who: str, x: Spec) -> Spec:
    if len(x.shape) < 2 or x.size == 0 or not x.dtype.startswith("float"):
        raise ShapeError(f"{who}: x must be floats (..., C), not empty. Got {x}.")
    return Spec(x.shape[-1:], x.dtype)


def _check_groups(who: str, x: Spec, groups: int) -> None:
    if groups < 1 or x.shape[-1] % groups:
        raise ShapeError(f"{who}: groups must divide the {x.shape[-1]} channels of {x}. Got {groups}.")


def _agree(who: str, x: Spec, due: Spec, **given: Spec) -> None:
    for name, spec in given.items():
        if spec != due:
            raise ShapeError(f"{who}: {name} must be {due} for x {x}. Got {spec}.")


def _column(value: Any) -> Any:
    """(...,) -> (..., 1)"""
    from sparkdl.nd.ops.shape import reshape

    return None if value is None else reshape(value, (*value.spec.shape, 1))


def _statistics_back(dx: Any, x: Any, mean: Any, rstd: Any, g_mean: Any, g_rstd: Any) -> Any:
    """dx, and what flows back through mean and rstd, which broadcast against x."""
    from sparkdl.nd.ops.shape import broadcast_to

    count = float(x.spec.size // mean.spec.size)
    if g_mean is not None:
        dx = _plus(dx, broadcast_to(g_mean * (1.0 / count), x.spec.shape))
    if g_rstd is not None:
        dx = _plus(dx, (x - mean) * (g_rstd * rstd * rstd * rstd * (-1.0 / count)))
    return dx


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a + b
