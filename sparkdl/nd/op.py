"""An op is a frozen record of its attributes; `apply` is the one place where eager and traced part.

An op says what it means: its shape rule `infer` and its gradient `vjp`, written in ops. How fast it runs is the
kernels' business, under the op's `name`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import get_annotations
from typing import Any, ClassVar, Protocol, TypeVar, dataclass_transform

from sparkdl.base.registry import Registry
from sparkdl.base.spec import Spec, Specs

T = TypeVar("T", bound="Op")


class Value(Protocol):
    """What ops take and give: an NDArray (numbers now) or a Sym (a place in a graph)."""

    rank: ClassVar[int]

    @property
    def spec(self) -> Spec: ...

    def run(self, op: "Op", ins: tuple[Any, ...]) -> tuple[Any, ...]:
        """Apply `op` to `ins`, which hold this value among them."""


@dataclass(frozen=True, slots=True)
class Op:
    """The base of all ops. `name` is the kernels' key; `alias` ops share their input's memory."""

    name: ClassVar[str] = ""
    alias: ClassVar[bool] = False

    def infer(self, *ins: Spec) -> Spec | Specs:
        """Specs of the outputs. Raises ShapeError when the inputs do not fit."""
        raise NotImplementedError(f"{type(self).__name__} must say infer")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        """Gradients of the inputs, None where there is none. `grads` has None for outputs nobody used."""
        raise TypeError(f"{self.name} has no gradient")

    def specs(self, ins: Specs) -> Specs:
        """`infer`, always as a tuple."""
        out = self.infer(*ins)
        return (out,) if isinstance(out, Spec) else out


OPS: Registry[type[Op]] = Registry("op")


@dataclass_transform(frozen_default=True)
def op(name: str) -> Callable[[type[T]], type[T]]:
    """Make the class a frozen record, enter it under `name`."""

    def make(cls: type[T]) -> type[T]:
        cls.name = name
        own = any("ClassVar" not in str(annotation) for annotation in get_annotations(cls).values())
        made = dataclass(frozen=True)(cls) if own else cls  # without fields it is a record already; 0.3 ms each
        OPS.add(name, made)
        return made

    return make


def apply(op: Op, *ins: Any) -> Any:
    """Run `op` on arrays, or add it to the graph when any input is symbolic. One output comes without its tuple."""
    first, highest = ins[0], -1
    for value in ins:
        rank = getattr(value, "rank", -1)
        if rank > highest:
            first, highest = value, rank
    outs = first.run(op, ins)
    return outs[0] if len(outs) == 1 else outs


def is_eager(value: Any) -> bool:
    """Whether it is an array that holds its elements, no symbol and nothing that is differentiated."""
    return getattr(value, "rank", 0) == 1
