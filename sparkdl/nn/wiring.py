"""From a list of layers as a user wrote it to the normal form of a network: every layer named, every input named,
in an order in which each layer comes after what it needs. Faults are ConfErrors that say which layer."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sparkdl.base.errors import ConfError
from sparkdl.base.record import to_conf
from sparkdl.base.registry import near
from sparkdl.nn.layer import Layer
from sparkdl.nn.layers.core import Input

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Node:
    """A layer and the names of what flows into it: layers or the network's inputs. None given: the layer before it."""

    layer: Layer
    inputs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The layer's name; "" before the wiring has given one."""
        return self.layer.name or ""

    def __str__(self) -> str:
        return f"{self.name} ({type(self.layer).__name__})"

    def as_conf(self) -> dict[str, Any]:
        """`inputs` beside the layer's own fields."""
        conf: dict[str, Any] = to_conf(self.layer)
        return conf | {"inputs": list(self.inputs)} if self.inputs else conf


Nodes = tuple[Node, ...]


def wire(
    inputs: Mapping[str, tuple[int, ...]], nodes: Sequence[Node], outputs: Sequence[str]
) -> tuple[Shapes, Nodes, tuple[str, ...]]:
    """The normal form: shapes of the inputs, nodes in running order, names of the outputs."""
    nodes = named(nodes, tuple(inputs))
    shapes = dict(inputs) | {n.name: n.layer.shape for n in nodes if isinstance(n.layer, Input)}
    nodes = connected(tuple(inputs), nodes)
    if not nodes or not shapes:
        raise ConfError("a network needs an input and at least one layer.", ("layers",))
    check_inputs(tuple(shapes), nodes)
    return shapes, ordered(tuple(shapes), nodes), ends(tuple(shapes), nodes, tuple(outputs))


def snake(name: str) -> str:
    """Keras's way from a class to a name.

    >>> snake("MaxPooling2D"), snake("BatchNormalization"), snake("Conv2D")
    ('max_pooling2d', 'batch_normalization', 'conv2d')
    """
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def named(nodes: Sequence[Node], taken: Sequence[str]) -> Nodes:
    """Nodes with names: those given, else dense, dense_1, ... Raises ConfError for a name that is there twice."""
    if bad := [name for name in taken if not name or "/" in name]:
        raise ConfError(f"an input's name must be a text without '/'. Got {bad[0]!r}.", ("inputs",))
    seen = set(taken)
    for k, node in enumerate(nodes):
        if node.layer.name is not None:
            _check_name(node, seen, k)
            seen.add(node.name)
    return tuple(node if node.name else _with_name(node, seen) for node in nodes)


def _check_name(node: Node, seen: set[str], k: int) -> None:
    if not node.name or "/" in node.name:
        raise ConfError(f"a layer's name must be a text without '/'. Got {node.layer.name!r}.", ("layers", k))
    if node.name in seen:
        raise ConfError(f"two layers or inputs are named {node.name!r}. Give one another name.", ("layers", k))


def _with_name(node: Node, seen: set[str]) -> Node:
    base = "input" if isinstance(node.layer, Input) else snake(type(node.layer).__name__)
    name, k = base, 0
    while name in seen:
        k += 1
        name = f"{base}_{k}"
    seen.add(name)
    return Node(dataclasses.replace(node.layer, name=name), node.inputs)


def connected(inputs: Sequence[str], nodes: Sequence[Node]) -> Nodes:
    """Nodes whose inputs are all said; `Input` layers are left out, for they only name an input."""
    previous, made = inputs[0] if len(inputs) == 1 else None, []
    for k, node in enumerate(nodes):
        if not isinstance(node.layer, Input):
            if not node.inputs and previous is None:
                raise ConfError(f"{node}: say its inputs. The network has {len(inputs)} inputs.", ("layers", k))
            made.append(node if node.inputs else Node(node.layer, (str(previous),)))
        previous = node.name
    return tuple(made)


def check_inputs(inputs: Sequence[str], nodes: Sequence[Node]) -> None:
    """Raise ConfError where a layer's inputs are unknown or too many."""
    known = [*inputs, *(n.name for n in nodes)]
    for node in nodes:
        for name in node.inputs:
            if name not in known:
                raise ConfError(f"{node}: no input named {name!r}.{near(name, known)} Known: {', '.join(known)}.")
        if node.layer.arity not in (None, len(node.inputs)):
            raise ConfError(f"{node}: takes {node.layer.arity} input. Got {', '.join(node.inputs)}.")


def ordered(inputs: Sequence[str], nodes: Sequence[Node]) -> Nodes:
    """Nodes, each after what it needs; the given order where it already is so. Raises ConfError for a circle."""
    done, waiting, made = set(inputs), list(nodes), []
    while waiting:
        ready = next((n for n in waiting if done.issuperset(n.inputs)), None)
        if ready is None:
            raise ConfError(f"layers feed each other in a circle: {', '.join(n.name for n in waiting)}.", ("layers",))
        waiting.remove(ready)
        made.append(ready)
        done.add(ready.name)
    return tuple(made)


def ends(inputs: Sequence[str], nodes: Sequence[Node], outputs: tuple[str, ...]) -> tuple[str, ...]:
    """The outputs: as given, else the one layer that feeds no other. Raises ConfError for layers that lead nowhere."""
    used = {name for n in nodes for name in n.inputs}
    last = [n.name for n in nodes if n.name not in used]
    if not outputs and len(last) > 1:
        raise ConfError(f"several layers end the network: {', '.join(last)}. Say which are outputs.", ("outputs",))
    outputs = outputs or tuple(last)
    known = [n.name for n in nodes]
    for name in outputs:
        if name not in known:
            raise ConfError(f"no layer named {name!r}.{near(name, known)} Known: {', '.join(known)}.", ("outputs",))
    idle = [name for name in (*inputs, *last) if name not in used and name not in outputs]
    if idle:
        raise ConfError(f"nothing uses {', '.join(idle)}. Make it an output, or take it out.", ("outputs",))
    return outputs
