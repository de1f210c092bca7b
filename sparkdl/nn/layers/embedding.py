"""Embedding: numbers that stand for things become vectors."""

from collections.abc import Mapping
from typing import Any

from sparkdl.base.checks import Count
from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import Spec
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.gather import take
from sparkdl.nn.init import InitializerField, RandomUniform
from sparkdl.nn.layer import Ctx, Layer, layer
from sparkdl.nn.params import ParamSpec
from sparkdl.nn.penalties import PenaltyField

EXACT = 2**24  # whole numbers below are float32s


@layer
class Embedding(Layer):
    """y = embeddings[x] for numbers x in 0 .. input_dim - 1: (B, ...) -> (B, ..., output_dim).

    Inputs that come as floats are cut to whole numbers, as Keras does. A number outside gives NaN, which the loss then
    shows.
    """

    input_dim: Count
    output_dim: Count
    embeddings_initializer: InitializerField = RandomUniform()
    embeddings_regularizer: PenaltyField | None = None

    def params(self, *xs: Spec) -> dict[str, ParamSpec]:
        if xs[0].dtype.startswith("float") and self.input_dim > EXACT:
            raise ShapeError(f"input_dim must be at most {EXACT}: float32 inputs do not hold larger numbers exactly.")
        shape = (self.input_dim, self.output_dim)
        return {"embeddings": ParamSpec(shape, self.embeddings_initializer, regularizer=self.embeddings_regularizer)}

    def apply(self, p: Mapping[str, Any], *xs: Any, ctx: Ctx) -> Any:
        ids = xs[0] if "int" in xs[0].spec.dtype else cast(xs[0], "int32")
        return take(p["embeddings"], ids)
