"""The one class of networks: a topology and the flat vector of its parameters.

What a network *is* stands here. What is done with it (fit, predict, evaluate, save) lives in higher layers, which this
module must not import: `Later` finds them when they are first used.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MethodType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparkdl.base.errors import ConfError, ShapeError
from sparkdl.graph.graph import Graph
from sparkdl.nn import summary
from sparkdl.nn.layer import Ctx, Layer
from sparkdl.nn.params import Floats, Layout, initialize
from sparkdl.nn.topology import Topology, walk
from sparkdl.nn.wiring import Node


class Later:
    """A method whose code is the function "module:name", imported when it is first used; the object comes first."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __get__(self, obj: object | None, owner: type) -> Callable[..., Any]:
        module, name = self.place.split(":")
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
        return function if obj is None else MethodType(function, obj)


class Network:
    """A network. Its parameters are drawn with seed 0 when first needed, or by `build(seed)`.

    topology:       the layers and how they are wired
    layout:         where each parameter lies in `vector`
    training:       conf of the last fit (loss, optimizer, metrics), or None
    preprocessing:  conf of the fitted steps from a table's columns to the inputs, or None
    """

    fit = Later("sparkdl.train.fit:fit")
    predict = Later("sparkdl.train.predict:predict")
    evaluate = Later("sparkdl.train.evaluate:evaluate")
    save = Later("sparkdl.io.archive:save")

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.training: dict[str, Any] | None = None
        self.preprocessing: Any = None
        self._vector: Floats | None = None

    @cached_property
    def layout(self) -> Layout:
        """Where each parameter lies in the vector. Raises ShapeError where layers do not fit."""
        return Layout.of(self.topology.params())

    @property
    def vector(self) -> Floats:
        """All parameters, (layout.size,) float32, 64-byte aligned; views of it are the tensors."""
        if self._vector is None:
            self.build()
        assert self._vector is not None
        return self._vector

    @vector.setter
    def vector(self, value: Floats) -> None:
        _check_vector(value, self.layout.size)
        self._vector = value

    def build(self, seed: int = 0) -> "Network":
        """Draw fresh parameters; those before are forgotten."""
        self._vector = initialize(self.layout, self.topology.params(), seed)
        return self

    def parameters(self) -> dict[str, Floats]:
        """Each parameter by full name ("dense/kernel"), a view into the vector."""
        return self.layout.views(self.vector)

    def get_weights(self) -> list[Floats]:
        """Copies of the parameters in Keras's order: layer by layer, trained ones first."""
        views = self.parameters()
        return [views[name].copy() for name in self.topology.params()]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Fill the parameters from arrays in the order of `get_weights`. Raises ShapeError when they do not fit."""
        names, views = list(self.topology.params()), self.parameters()
        if len(weights) != len(names):
            raise ShapeError(f"set_weights: needs {len(names)} arrays: {', '.join(names)}. Got {len(weights)}.")
        arrays = [np.asarray(w, np.float32) for w in weights]
        for name, array in zip(names, arrays, strict=True):
            if array.shape != views[name].shape:
                raise ShapeError(f"set_weights: {name} must be {views[name].shape}. Got {array.shape}.")
        for name, array in zip(names, arrays, strict=True):
            views[name][...] = array

    def trace(self, graph: Graph | None, xs: Mapping[str, Any], p: Mapping[str, Any], ctx: Ctx) -> dict[str, Any]:
        """The outputs by name for inputs `xs` (B, ...) and parameters `p`, by full name.

        Adds nodes to `graph`, each labelled with its layer; with arrays instead of symbols it computes now, and
        `graph` is None. State and penalties go to `ctx.updates` and `ctx.losses`.
        """
        _check_names("inputs", self.topology.inputs, xs)

        def visit(node: Node, ins: tuple[Any, ...]) -> Any:
            if graph is not None:
                graph.scope = node.name
            return self._apply(node, ins, p, ctx)

        before = graph.scope if graph is not None else ""
        values = walk(self.topology, xs, visit)
        if graph is not None:
            graph.scope = before
        return {name: values[name] for name in self.topology.outputs}

    def _apply(self, node: Node, ins: tuple[Any, ...], p: Mapping[str, Any], ctx: Ctx) -> Any:
        specs = self.topology.params_by_layer[node.name]
        own = {k: p[f"{node.name}/{k}"] for k in specs}
        ctx.losses.extend(s.regularizer(own[k]) for k, s in specs.items() if s.regularizer and s.trainable)
        return node.layer.apply(own, *ins, ctx=ctx.of(node.name))

    def summary(self) -> str:
        """The layers, their shapes and parameter counts as a table."""
        return summary.table(self.topology)

    def __repr__(self) -> str:
        count = sum(s.size for s in self.topology.params().values())
        return f"Network({', '.join(n.name for n in self.topology.layers)}: {count:,} parameters)"


def Sequential(layers: Sequence[Layer], input_shape: Sequence[int] | None = None) -> Network:  # noqa: N802
    """A network whose layers follow one another. The first is `Input(shape)`, or `input_shape` says it: both without B.

    >>> from sparkdl.nn.layers.core import Input
    >>> from sparkdl.nn.layers.dense import Dense
    >>> Sequential([Input((64,)), Dense(32, "relu"), Dense(10)])
    Network(dense, dense_1: 2,410 parameters)
    """
    if not all(isinstance(given, Layer) for given in layers):
        raise ConfError(f"Sequential: layers must be a list of layers. Got {layers!r}.")
    nodes = tuple(Node(given) for given in layers)
    if input_shape is not None:
        return Network(Topology({"input": tuple(input_shape)}, nodes))
    if not layers or type(layers[0]).__name__ != "Input":
        raise ConfError("Sequential: needs the shape of an example. Start with Input((64,)) or give input_shape=(64,).")
    return Network(Topology(layers=nodes))


def _check_vector(value: NDArray[Any], size: int) -> None:
    if value.shape != (size,) or value.dtype != np.float32:
        raise ShapeError(f"vector: must be float32[{size}]. Got {value.dtype}{list(value.shape)}.")
    if (value.size and value.ctypes.data % 64) or not value.flags.c_contiguous:
        raise ShapeError("vector: must be contiguous and start on a multiple of 64 bytes; make it with `aligned`.")


def _check_names(what: str, wanted: Mapping[str, Any], got: Mapping[str, Any]) -> None:
    if set(wanted) != set(got):
        raise ShapeError(f"{what} must be {', '.join(wanted)}. Got {', '.join(got) or 'none'}.")
