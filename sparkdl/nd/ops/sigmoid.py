"""Binary cross-entropy of sigmoid(logits), computed from the logits. Dense or sparse targets.

Letters: B rows, C outputs. Targets are one float array (B, C), or the three of sparse rows as in `ops/sparse.py`, of
which those not stored are 0. A target of 0 adds nothing, even where the logit is infinite. A sparse index outside
0 .. C-1 makes the row's loss NaN and has no gradient. Sparse targets take none.
"""

from typing import Any

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec, Specs
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.sparse import check_csr


@op("sigmoid_xent")
class SigmoidXent(Op):
    """loss_b = mean_j max(z, 0) - z t + log(1 + exp(-|z|)); outputs loss (B,) and sigmoid(z) (B, C)."""

    def infer(self, *ins: Spec) -> Specs:
        _check(self.name, ins[0], ins[1:])
        return _each(ins[0]), ins[0]

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        g, g_probs = grads
        z, targets = ins[0], ins[1:]
        to_z = None if g is None else sigmoid_xent_grad(outs[1], targets, g)
        if g_probs is not None:
            through = g_probs * outs[1] * (1.0 - outs[1])
            to_z = through if to_z is None else to_z + through
        if g is None or len(targets) == 3:
            return to_z, *(None for _ in targets)
        return to_z, z * _column(g) * (-1.0 / z.spec.shape[1])


@op("sigmoid_xent_grad")
class SigmoidXentGrad(Op):
    """dz = g (p - t) / C: the gradient of `sigmoid_xent`. p (B, C), targets, g (B,) -> (B, C)."""

    def infer(self, *ins: Spec) -> Spec:
        _check(self.name, ins[0], ins[1:-1])
        _check_weights(self.name, ins[0], ins[-1])
        return ins[0]


@op("sigmoid_xent_both")
class SigmoidXentBoth(Op):
    """`sigmoid_xent` and its gradient in one pass: logits, targets, g (B,) -> loss (B,), dz (B, C).

    `total`: also the sum of dz over the rows, (C,): the gradient of a bias. `bias`: the last input is one, (C,), which
    is added to the logits first. Made by the fuse pass.
    """

    total: bool = False
    bias: bool = False

    def infer(self, *ins: Spec) -> Specs:
        z, given = ins[0], ins[:-1] if self.bias else ins
        _check(self.name, z, given[1:-1])
        _check_weights(self.name, z, given[-1])
        if self.bias and ins[-1] != Spec(z.shape[1:], z.dtype):
            raise ShapeError(f"{self.name}: the bias must be {Spec(z.shape[1:], z.dtype)}. Got {ins[-1]}.")
        return (_each(z), z, *([Spec(z.shape[1:], z.dtype)] if self.total else []))


def sigmoid_xent(logits: Any, *targets: Any) -> Any:
    """Binary cross-entropy of sigmoid(logits) (B, C): (mean loss of each row (B,), probabilities (B, C)).

    >>> from sparkdl.nd.array import NDArray
    >>> sigmoid_xent(NDArray([[0.0, 0.0]]), NDArray([[0.0, 1.0]]))[0]
    NDArray([0.6931472], dtype=float32, device=cpu)
    """
    return apply(SigmoidXent(), logits, *targets)


def sigmoid_xent_grad(probs: Any, targets: tuple[Any, ...], g: Any) -> Any:
    """Gradient of `sigmoid_xent` in the logits, from its probabilities and the gradient g (B,) of the losses."""
    return apply(SigmoidXentGrad(), probs, *targets, g)


def sigmoid_xent_both(logits: Any, targets: tuple[Any, ...], g: Any, total: bool = False) -> Any:
    """(loss (B,), gradient of the logits (B, C), and with `total` its sum over the rows (C,))."""
    return apply(SigmoidXentBoth(total), logits, *targets, g)


def _column(g: Any) -> Any:
    from sparkdl.nd.ops.shape import reshape

    return reshape(g, (*g.spec.shape, 1))


def _each(z: Spec) -> Spec:
    return Spec(z.shape[:1], z.dtype)


def _check(who: str, z: Spec, targets: Specs) -> None:
    if len(z.shape) != 2 or not z.dtype.startswith("float") or z.shape[1] == 0:
        raise ShapeError(f"{who}: logits must be floats (batch, outputs), one output or more. Got {z}.")
    if len(targets) == 3:
        check_csr(who, *targets)
        if targets[0].size != z.shape[0] + 1 or targets[2].dtype != z.dtype:
            raise ShapeError(
                f"{who}: sparse targets must be {z.shape[0]} rows of {z.dtype}. Got {targets[0]} row ends."
            )
    elif targets != (z,):
        raise ShapeError(
            f"{who}: targets must be {z}, or indptr, indices and values. Got {', '.join(map(str, targets))}."
        )


def _check_weights(who: str, z: Spec, g: Spec) -> None:
    if g != _each(z):
        raise ShapeError(f"{who}: g must be {_each(z)}. Got {g}.")
