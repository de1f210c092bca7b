"""Random ops. Their numbers come from counters: an example draws the same under a key, wherever it runs."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import FLOATS, KINDS, Spec
from sparkdl.nd.op import Op, apply, op
from sparkdl.nd.ops.broadcast import broadcast


@op("dropout")
class Dropout(Op):
    """y = x / (1 - rate) where a random word is at least rate * 2^32, else 0. Srivastava et al. 2014, inverted form.

    x: (B, ...)   ids: int64 (B,), the example's number in the data set   key: uint32 (2,)
    Element j of an example (flat, C order) takes word j % 4 of Philox4x32-10 at counter (id low, id high, j // 4, 0).
    """

    rate: float

    @property
    def threshold(self) -> int:
        """The least word that keeps an element; below 2^32, so that it is a word itself."""
        return min(math.ceil(self.rate * 2**32), 2**32 - 1)

    @property
    def scale(self) -> float:
        """What a kept element is multiplied by."""
        return 1.0 / (1.0 - self.rate)

    def infer(self, *ins: Spec) -> Spec:
        x, ids, key = ins
        if not 0.0 <= self.rate < 1.0:
            raise ShapeError(f"dropout: rate must be >= 0 and < 1. Got {self.rate}.")
        if not x.shape or not x.dtype.startswith("float"):
            raise ShapeError(f"dropout: x must be floats with a batch axis. Got {x}.")
        if ids != Spec(x.shape[:1], "int64") or key != Spec((2,), "uint32"):
            raise ShapeError(f"dropout: ids must be int64[{x.shape[0]}] and key uint32[2]. Got {ids} and {key}.")
        return x

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return dropout(grads[0], ins[1], ins[2], self.rate), None, None


def dropout(x: Any, ids: Any, key: Any, rate: float) -> Any:
    """Zero a share `rate` of x (B, ...), at random by example id (B,) and key (2,), and scale the rest up."""
    return apply(Dropout(rate), x, ids, key)


@dataclass(frozen=True)
class Draw(Op):
    """Numbers of a key's stream.   key: uint32 (2,)

    Element i, flat in C order, takes word `start` + i of the stream, or with 64 bits words 2 (start + i) and the next.
    Word k is word k % 4 of Philox4x32-10 at counter (k // 4 low, k // 4 high, 0, 1).
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    start: int = 0

    takes: ClassVar[tuple[str, ...]] = ("float32", "float64")

    def infer(self, *ins: Spec) -> Spec:
        _check_key(self.name, ins[0])
        _check_place(self.name, self.shape, self.start)
        if self.dtype not in self.takes:
            raise DTypeError(f"{self.name}: dtype must be one of {', '.join(self.takes)}. Got {self.dtype}.")
        return Spec(self.shape, self.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return (None,)


@op("random_bits")
class RandomBits(Draw):
    """Words as they are: uint32, or uint64 of two, the lower half first."""

    dtype: str = "uint32"

    takes: ClassVar[tuple[str, ...]] = ("uint32", "uint64")


@op("random_uniform")
class RandomUniform(Draw):
    """The first d digits of a word, or of two in float64, as a fraction in [0, 1).

    d is 24 in float32, 11 in float16, 8 in bfloat16, 53 in float64.
    """

    takes: ClassVar[tuple[str, ...]] = FLOATS


@op("random_normal")
class RandomNormal(Draw):
    """The standard normal distribution, within -bound .. bound, by the inverse of its distribution function (AS 241).

    Computed without logarithms or products that round otherwise elsewhere: the same bits from every kernel.
    """

    bound: float = math.inf

    @property
    def inside(self) -> float:
        """P(|z| < bound)."""
        return math.erf(self.bound / math.sqrt(2.0))

    @property
    def outside(self) -> float:
        """P(z > bound)."""
        return math.erfc(self.bound / math.sqrt(2.0)) / 2

    def infer(self, *ins: Spec) -> Spec:
        if not self.bound > 0:
            raise ShapeError(f"{self.name}: bound must be > 0. Got {self.bound}.")
        return Draw.infer(self, *ins)


@op("random_exponential")
class RandomExponential(Draw):
    """The standard exponential distribution, -log(1 - u); never 0. The same bits from every kernel."""


@op("random_fold")
class RandomFold(Op):
    """The keys of sub-streams by number.   key: uint32 (2,)   data: int64 (N...)   y: uint32 (N..., 2)

    The first two words of Philox4x32-10 at counter (number low, number high, 0, 2); the last 3 for those of a `split`.
    """

    split: bool = False

    def infer(self, *ins: Spec) -> Spec:
        key, data = ins
        _check_key(self.name, key)
        if data.dtype != "int64":
            raise DTypeError(f"{self.name}: data must be int64. Got {data}.")
        return Spec((*data.shape, 2), "uint32")

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return None, None


@op("random_integers")
class RandomIntegers(Op):
    """Whole numbers low .. last, all as likely.   key: uint32 (2,)   low, last: int64 or uint64, broadcast to `shape`

    Below 2^32 different ones word * n / 2^32, with the words refused that would make some more likely (Lemire, "Fast
    random integer generation in an interval", 2019): trial t takes the stream's word at counter (.., .., t, 1). Others
    by as many bits as are needed, until they are in range, of counter (element low, element high, t, 4).
    """

    shape: tuple[int, ...]
    dtype: str = "int64"
    start: int = 0

    def infer(self, *ins: Spec) -> Spec:
        key, low, last = ins
        _check_key(self.name, key)
        _check_place(self.name, self.shape, self.start)
        if low.dtype != last.dtype or low.dtype not in ("int64", "uint64") or self.dtype not in KINDS["integer"]:
            raise DTypeError(f"{self.name}: dtypes must be int64 or uint64. Got {low}, {last} for {self.dtype}.")
        if broadcast(self.name, low.shape, last.shape, self.shape) != self.shape:
            raise ShapeError(f"{self.name}: bounds must broadcast to {self.shape}. Got {low} and {last}.")
        return Spec(self.shape, self.dtype)

    def vjp(self, grads: tuple[Any, ...], outs: tuple[Any, ...], *ins: Any) -> tuple[Any, ...]:
        return None, None, None


def _check_key(who: str, key: Spec) -> None:
    if key != Spec((2,), "uint32"):
        raise ShapeError(f"{who}: key must be uint32[2]. Got {key}.")


def _check_place(who: str, shape: tuple[int, ...], start: int) -> None:
    if start < 0 or any(n < 0 for n in shape):
        raise ShapeError(f"{who}: start and lengths must be >= 0. Got {start} and {shape}.")
