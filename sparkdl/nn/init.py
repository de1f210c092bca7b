"""Initialisers: what a parameter is before training. Keras 3's names, arguments, defaults and formulas.

Each is a record; `__call__(shape, key)` draws a float32 array that depends on nothing but its arguments. With a
`seed` of its own an initialiser ignores the network's key, so that two uses of it give the same numbers, as in Keras.
"""

import math
from typing import Annotated, Any, ClassVar, Literal, TypeVar, dataclass_transform

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.checks import Int, NonNegative, Positive, Real
from sparkdl.base.errors import ShapeError
from sparkdl.base.record import OneOf, record
from sparkdl.base.registry import Registry
from sparkdl.base.rng import Key

Floats = NDArray[np.float32]
Shape = tuple[int, ...]
C = TypeVar("C", bound="Initializer")

# Standard deviation of a standard normal cut at +-2: drawn numbers are divided by it to have the wanted deviation.
_CUT_DEVIATION = 0.87962566103423978


@record
class Initializer:
    """The base of all initialisers."""

    of_kind: ClassVar[bool] = True

    def __call__(self, shape: Shape, key: Key) -> Floats:
        """The initial values of a parameter of `shape`."""
        raise TypeError(f"{type(self).__name__} must say __call__")


INITIALIZERS: Registry[type[Initializer]] = Registry("initializer")
InitializerField = Annotated[Any, OneOf(INITIALIZERS)]


@dataclass_transform(frozen_default=True)
def initializer(cls: type[C]) -> type[C]:
    """Make the class a record and enter it under its name."""
    made = record(cls)
    INITIALIZERS.add(cls.__name__, made)
    return made


@initializer
class Zeros(Initializer):
    """All 0."""

    def __call__(self, shape: Shape, key: Key) -> Floats:
        return np.zeros(shape, np.float32)


@initializer
class Ones(Initializer):
    """All 1."""

    def __call__(self, shape: Shape, key: Key) -> Floats:
        return np.ones(shape, np.float32)


@initializer
class Constant(Initializer):
    """All `value`."""

    value: Real = 0.0

    def __call__(self, shape: Shape, key: Key) -> Floats:
        return np.full(shape, self.value, np.float32)


@initializer
class RandomNormal(Initializer):
    """Normal(mean, stddev)."""

    mean: Real = 0.0
    stddev: NonNegative = 0.05
    seed: Int | None = None

    def __call__(self, shape: Shape, key: Key) -> Floats:
        return _scaled(_stream(self.seed, key).standard_normal(shape, np.float32), self.stddev, self.mean)


@initializer
class RandomUniform(Initializer):
    """Uniform in [minval, maxval)."""

    minval: Real = -0.05
    maxval: Real = 0.05
    seed: Int | None = None

    def __call__(self, shape: Shape, key: Key) -> Floats:
        return _scaled(_stream(self.seed, key).random(shape, np.float32), self.maxval - self.minval, self.minval)


INITIALIZERS.add("normal", RandomNormal)  # Keras's short names
INITIALIZERS.add("uniform", RandomUniform)


@initializer
class TruncatedNormal(Initializer):
    """Normal(mean, stddev), redrawn where it is more than 2 `stddev` from the mean.

    The deviation of what comes out is 0.88 `stddev`, as in Keras.
    """

    mean: Real = 0.0
    stddev: NonNegative = 0.05
    seed: Int | None = None

    def __call__(self, shape: Shape, key: Key) -> Floats:
        return _scaled(_cut_normal(shape, _stream(self.seed, key)), self.stddev, self.mean)


@initializer
class VarianceScaling(Initializer):
    """Zero mean, variance `scale` / n, with n the fan in, the fan out or their mean. Fans: `fans(shape)`.

    "truncated_normal" is widened so that its variance is right after the cut; "uniform" lies within
    sqrt(3 scale / n). Differs from PyTorch, whose defaults for Linear and Conv are uniform in 1 / sqrt(fan in).
    """

    scale: Positive = 1.0
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    distribution: Literal["truncated_normal", "untruncated_normal", "uniform"] = "truncated_normal"
    seed: Int | None = None

    def __call__(self, shape: Shape, key: Key) -> Floats:
        return _variance_scaled(shape, self.scale, self.mode, self.distribution, _stream(self.seed, key))


@initializer
class GlorotUniform(Initializer):
    """Uniform within sqrt(6 / (fan in + fan out)). Glorot & Bengio, AISTATS 2010. Keras's default for kernels.

    >>> w = GlorotUniform()((4, 2), Key.of(1))
    >>> w.shape, bool(abs(w).max() <= 1)
    ((4, 2), True)
    """

    seed: Int | None = None

    def __call__(self, shape: Shape, key: Key) -> Floats:
        return _variance_scaled(shape, 1.0, "fan_avg", "uniform", _stream(self.seed, key))


@initializer
class GlorotNormal(Initializer):
    """Truncated normal, variance 2 / (fan in + fan out). Glorot & Bengio, AISTATS 2010."""

    seed: Int | None = None

    def __call__(self, shape: Shape, key: Key) -> Floats:
        return _variance_scaled(shape, 1.0, "fan_avg", "truncated_normal", _stream(self.seed, key))


@initializer
class HeUniform(Initializer):
    """Uniform within sqrt(6 / fan in). He et al., arXiv 1502.01852."""

    seed: Int | None = None

    def __call__(self, shape: Shape, key: Key) -> Floats:
        return _variance_scaled(shape, 2.0, "fan_in", "uniform", _stream(self.seed, key))


@initializer
class HeNormal(Initializer):
    """Truncated normal, variance 2 / fan in. He et al., arXiv 1502.01852."""

    seed: Int | None = None

    def __call__(self, shape: Shape, key: Key) -> Floats:
        return _variance_scaled(shape, 2.0, "fan_in", "truncated_normal", _stream(self.seed, key))


@initializer
class LecunUniform(Initializer):
    """Uniform within sqrt(3 / fan in). LeCun et al., "Efficient backprop", 1998."""

    seed: Int | None = None

    def __call__(self, shape: Shape, key: Key) -> Floats:
        return _variance_scaled(shape, 1.0, "fan_in", "uniform", _stream(self.seed, key))


@initializer
class LecunNormal(Initializer):
    """Truncated normal, variance 1 / fan in. LeCun et al., "Efficient backprop", 1998."""

    seed: Int | None = None

    def __call__(self, shape: Shape, key: Key) -> Floats:
        return _variance_scaled(shape, 1.0, "fan_in", "truncated_normal", _stream(self.seed, key))


@initializer
class Orthogonal(Initializer):
    """`gain` times a matrix whose rows, or columns where there are fewer, are orthonormal.

    Saxe et al., arXiv 1312.6120. A kernel of more axes counts as a matrix (all but the last, last). Raises ShapeError
    below two axes.
    """

    gain: Real = 1.0
    seed: Int | None = None

    def __call__(self, shape: Shape, key: Key) -> Floats:
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal: a parameter must have two axes or more. Got {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = _stream(self.seed, key).standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(tall)
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)  # the decomposition's signs are free: make them repeatable
        return (self.gain * (q if rows >= columns else q.T)).reshape(shape).astype(np.float32)


def fans(shape: Shape) -> tuple[int, int]:
    """(fan in, fan out) of a kernel: for a convolution (KH, KW, C, O) the window's size times C, and times O.

    >>> fans((784, 10)), fans((3, 3, 16, 32)), fans((5,))
    ((784, 10), (144, 288), (5, 5))
    """
    if len(shape) < 2:
        n = shape[0] if shape else 1
        return n, n
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def _stream(seed: int | None, key: Key) -> np.random.Generator:
    return (key if seed is None else Key.of(seed)).generator()


def _scaled(drawn: Floats, factor: float, offset: float) -> Floats:
    drawn *= np.float32(factor)
    drawn += np.float32(offset)
    return drawn


def _variance_scaled(shape: Shape, scale: float, mode: str, distribution: str, draw: np.random.Generator) -> Floats:
    fan_in, fan_out = fans(shape)
    n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    deviation = math.sqrt(scale / max(1.0, n))
    if distribution == "uniform":
        limit = math.sqrt(3.0) * deviation
        return _scaled(draw.random(shape, np.float32), 2 * limit, -limit)
    if distribution == "untruncated_normal":
        return _scaled(draw.standard_normal(shape, np.float32), deviation, 0.0)
    return _scaled(_cut_normal(shape, draw), deviation / _CUT_DEVIATION, 0.0)


def _cut_normal(shape: Shape, draw: np.random.Generator) -> Floats:
    """Standard normal numbers, each redrawn until it lies within +-2."""
    x = draw.standard_normal(math.prod(shape), np.float32)
    while (far := np.flatnonzero(np.abs(x) > 2)).size:
        x[far] = draw.standard_normal(far.size, np.float32)
    return x.reshape(shape)
