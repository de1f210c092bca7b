"""Ops that pass values on and only say something about gradients. Programs drop them: `compile/simplify.py`."""

from collections.abc import Callable
from dataclasses import field
from typing import Any, ClassVar

from sparkdl.base.spec import Spec, Specs
from sparkdl.nd.op import Op, apply, op


class Passing(Op):
    """Its outputs are its first inputs, as they are."""


@op("stop_gradient")
class StopGradient(Passing):
    """x, to gradients a constant."""

    alias: ClassVar[bool] = True

    def infer(self, *ins: Spec) -> Spec:
        return ins[0]

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None,)


@op("custom_gradient")
class CustomGradient(Passing):
    """The first `count` inputs; `pull` makes the gradients of the others of those of the outputs."""

    count: int
    pull: Callable[[tuple[Any, ...]], tuple[Any, ...]] = field(repr=False)

    def infer(self, *ins: Spec) -> Specs:
        return ins[: self.count]

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None,) * self.count + tuple(self.pull(grads))


def stop_gradient(x: Any) -> Any:
    """x, to gradients a constant."""
    return apply(StopGradient(), x)
