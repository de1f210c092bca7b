"""A product, convolution or normalisation whose large operands are bfloat16: what the precision pass makes."""

from collections.abc import Iterator

from sparkdl.base.errors import ShapeError
from sparkdl.base.spec import BFLOAT16, Spec, Specs
from sparkdl.nd.op import Op, op


@op("mixed")
class Mixed(Op):
    """`inner` of operands that may be bfloat16, summed in float32, with each output rounded to its dtype in `outs`.

    Weights of convolutions are given as float32; the kernel rounds them to bfloat16 as it changes their layout.
    Made by the precision pass after differentiation: it has no gradient.
    """

    inner: Op
    outs: tuple[str, ...]

    def infer(self, *ins: Spec) -> Specs:
        made = self.inner.specs(tuple(Spec(s.shape, "float32" if s.dtype == BFLOAT16 else s.dtype) for s in ins))
        if len(made) != len(self.outs):
            raise ShapeError(f"mixed: outs must name {len(made)} dtypes for {self.inner.name}. Got {self.outs}.")
        return tuple(self._rounded(made))

    def _rounded(self, made: Specs) -> Iterator[Spec]:
        for spec, dtype in zip(made, self.outs, strict=True):
            if dtype != spec.dtype and (spec.dtype, dtype) != ("float32", BFLOAT16):
                raise ShapeError(f"mixed: {self.inner.name} makes {spec}, which cannot be left as {dtype}.")
            yield Spec(spec.shape, dtype)
