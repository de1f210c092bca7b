"""The topology of a network: a directed graph of named layers, as a record.

As conf it is a table of inputs and a list of layers; `inputs` stands beside a layer's own fields and may be left out
where a layer follows the one before it:

    [network]
    inputs = {pixels = [64]}
    [[network.layers]]
    type = "Dense"
    units = 10
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

import sparkdl.nn.layers  # noqa: F401  a conf may name any layer: LAYERS must be full
from sparkdl.base.checks import Text
from sparkdl.base.errors import ConfError, ShapeError
from sparkdl.base.record import OneOf, record
from sparkdl.base.spec import Spec
from sparkdl.graph.graph import Graph
from sparkdl.nn.layer import LAYERS, Ctx, Layer
from sparkdl.nn.params import ParamSpec
from sparkdl.nn.wiring import Node, Shapes, wire

Visit = Callable[[Node, tuple[Any, ...]], Any]


@dataclass(frozen=True)
class _NodeOf(OneOf):
    """The validator of a node: also a layer, a layer's table with `inputs`, or a layer's name."""

    def parse(self, value: object) -> Node:
        if isinstance(value, Node):
            return value
        if isinstance(value, Mapping):
            table = dict(value)
            inputs = table.pop("inputs", ())
            return Node(super().parse(table), _names(inputs))
        return Node(super().parse(value))


@dataclass(frozen=True)
class _Shapes:
    """The validator of `inputs`."""

    says: str = "a table: name = the shape of one example, a list of ints >= 1"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(self.parse)

    def parse(self, value: object) -> Shapes:
        """The shapes by name."""
        if not isinstance(value, Mapping):
            raise ConfError(f"must be {self.says}. Got {value!r}.")
        for name, shape in value.items():
            if not isinstance(shape, list | tuple) or not all(type(n) is int and n >= 1 for n in shape):
                raise ConfError(f"must be {self.says}. Got {name} = {shape!r}.")
        return {str(name): tuple(shape) for name, shape in value.items()}


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
        raise ConfError(f"inputs must be a list of names. Got {value!r}.")
    return tuple(value)


@record
class Topology:
    """`inputs`: shape of one example by name. `layers`: nodes. `outputs`: names; by default the layer that ends it.

    Once made it is in normal form: layers have names and inputs, and each comes after what it needs.

    >>> from sparkdl.nn.layers.dense import Dense
    >>> net = Topology({"x": (64,)}, (Node(Dense(32)), Node(Dense(10))))
    >>> [(n.name, n.inputs) for n in net.layers], net.outputs
    ([('dense', ('x',)), ('dense_1', ('dense',))], ('dense_1',))
    """

    inputs: Annotated[Shapes, _Shapes()] = field(default_factory=dict)
    layers: tuple[Annotated[Node, _NodeOf(LAYERS)], ...] = ()
    outputs: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        normal = wire(self.inputs, self.layers, self.outputs)
        for name, value in zip(("inputs", "layers", "outputs"), normal, strict=True):
            object.__setattr__(self, name, value)

    def layer(self, name: str) -> Layer:
        """The layer of that name. Raises ConfError when there is none."""
        for node in self.layers:
            if node.name == name:
                return node.layer
        raise ConfError(f"no layer named {name!r}. Known: {', '.join(n.name for n in self.layers)}.")

    def specs(self, batch: int) -> dict[str, Spec]:
        """What each input and layer gives for `batch` examples. Raises ShapeError where layers do not fit."""
        return _probe(self, batch)[0]

    def params(self) -> dict[str, ParamSpec]:
        """All parameters by full name, "dense/kernel", in the layers' order."""
        return {f"{name}/{k}": s for name, own in self.params_by_layer.items() for k, s in own.items()}

    @cached_property
    def params_by_layer(self) -> dict[str, dict[str, ParamSpec]]:
        """Each layer's parameters by short name."""
        return _probe(self, 2)[1]


def walk(topology: Topology, xs: Mapping[str, Any], visit: Visit) -> dict[str, Any]:
    """What `visit(node, inputs)` gives for each node, by name, the inputs included.

    A ShapeError comes out naming the layer and those that feed it.
    """
    values = dict(xs)
    for node in topology.layers:
        ins = tuple(values[name] for name in node.inputs)
        try:
            values[node.name] = visit(node, ins)
        except ShapeError as error:
            raise ShapeError(f"{node}: {error} Got {_sources(topology, node, ins)}.") from error
    return values


def _probe(topology: Topology, batch: int) -> tuple[dict[str, Spec], dict[str, dict[str, ParamSpec]]]:
    """Trace an inference run to see every shape."""
    graph, params = Graph(), {}

    def visit(node: Node, ins: tuple[Any, ...]) -> Any:
        own = {k: _frozen(s, node.layer) for k, s in node.layer.params(*(x.spec for x in ins)).items()}
        params[node.name] = own
        p = {k: graph.input(f"{node.name}/{k}", Spec(s.shape, s.dtype)) for k, s in own.items()}
        return node.layer.apply(p, *ins, ctx=Ctx(scope=node.name))

    xs = {name: graph.input(name, Spec((batch, *shape))) for name, shape in topology.inputs.items()}
    return {name: v.spec for name, v in walk(topology, xs, visit).items()}, params


def _frozen(spec: ParamSpec, layer: Layer) -> ParamSpec:
    return dataclasses.replace(spec, trainable=spec.trainable and layer.trainable)


def _sources(topology: Topology, node: Node, ins: tuple[Any, ...]) -> str:
    pairs = zip(ins, node.inputs, strict=True)
    return " and ".join(f"{batched(x.spec.shape)} from {_who(topology, name)}" for x, name in pairs)


def _who(topology: Topology, name: str) -> str:
    return f"the input {name!r}" if name in topology.inputs else f"{name} ({type(topology.layer(name)).__name__})"


def batched(shape: tuple[int, ...]) -> str:
    """The shape with the batch axis open.

    >>> batched((2, 10))
    '(None, 10)'
    """
    return f"({', '.join(['None', *map(str, shape[1:])])})"
