"""Fourier transforms: the `fft` extension of the array API standard.

float32 gives complex64, float64 complex128; half precision is computed in float32. All transforms have gradients.

norm: what is divided by the number of elements: "backward" the inverse transforms, "forward" the others, "ortho" all,
      by its square root
n, s: lengths of the transformed axes, by default as they are; longer ones are filled with 0, shorter ones cut off
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import COMPLEX_OF, KINDS, numpy_dtype
from sparkdl.nd.array import NDArray, wrap
from sparkdl.nd.creation import on_cpu
from sparkdl.nd.dtypes import name_of
from sparkdl.nd.elementwise import array
from sparkdl.nd.indexing import one_axis
from sparkdl.nd.manipulation import many_axes, roll
from sparkdl.nd.op import apply
from sparkdl.nd.ops.broadcast import check_kind
from sparkdl.nd.ops.choice import cast
from sparkdl.nd.ops.complexes import conj
from sparkdl.nd.ops.fft import OPPOSITE, Fft, Irfft, Rfft
from sparkdl.nd.ops.shape import PadAxis, slice_axis

__all__ = [
    "fft", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft", "irfft", "irfftn", "rfft",
    "rfftfreq", "rfftn",
]  # fmt: skip


def fft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """y_k = sum of x_j exp(-2 pi i j k / n) over j, along `axis`.   x: floats, real or complex   result: complex

    >>> fft(NDArray([1.0, 2.0]))
    NDArray([ 3.+0.j, -1.+0.j], dtype=complex64, device=cpu)
    """
    return _complex("fft", x, n, axis, norm, False)


def ifft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The inverse of `fft`: x_j = sum of y_k exp(2 pi i j k / n) / n over k."""
    return _complex("ifft", x, n, axis, norm, True)


def _complex(who: str, x: Any, n: int | None, axis: int, norm: str, inverse: bool) -> Any:
    x = _in_complex(who, x)
    at = one_axis(who, axis, len(x.spec.shape))
    return apply(Fft(at, inverse, _norm(who, norm)), _resized(who, x, at, n))


def rfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The first n // 2 + 1 terms of `fft`, of which the others are conjugates.   x: real floats   result: complex

    >>> rfft(NDArray([1.0, 2.0, 3.0]))
    NDArray([ 6. +0.j       , -1.5+0.8660254j], dtype=complex64, device=cpu)
    """
    x = array("rfft", x)
    check_kind("rfft", "real floating", x.spec)
    at = one_axis("rfft", axis, len(x.spec.shape))
    return apply(Rfft(at, _norm("rfft", norm)), _resized("rfft", x, at, n))


def irfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The inverse of `rfft`.   x: floats, complex as a rule   result: real

    n: the length of the result, by default 2 (m - 1) for m elements of x; give it where it is odd
    """
    return _real("irfft", _in_complex("irfft", x), n, axis, norm)


def hfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """`fft` of a signal with x_-j = conj(x_j), of which the first half is given; its terms are real.

    n: the length of the result, by default 2 (m - 1) for m elements of x
    """
    return _real("hfft", conj(_in_complex("hfft", x)), n, axis, OPPOSITE[_norm("hfft", norm)])


def ihfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The inverse of `hfft`.   x: real floats   result: complex, n // 2 + 1 elements"""
    check_kind("ihfft", "real floating", array("ihfft", x).spec)
    return conj(rfft(x, n=n, axis=axis, norm=OPPOSITE[_norm("ihfft", norm)]))


def _real(who: str, x: Any, n: int | None, axis: int, norm: str) -> Any:
    at = one_axis(who, axis, len(x.spec.shape))
    length = 2 * (x.spec.shape[at] - 1) if n is None else _count(who, n)
    if length < 1:
        raise ShapeError(f"{who}: axis {axis} must hold two elements or more where n is not given. Got {x.spec}.")
    return apply(Irfft(at, length, _norm(who, norm)), _resized(who, x, at, length // 2 + 1))


def fftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Any:
    """`fft` along each of `axes`, by default all, or the last len(s); -1 in `s` leaves a length as it is."""
    return _many("fftn", x, s, axes, norm, False)


def ifftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Any:
    """The inverse of `fftn`."""
    return _many("ifftn", x, s, axes, norm, True)


def _many(who: str, x: Any, s: Any, axes: Any, norm: str, inverse: bool) -> Any:
    x = _in_complex(who, x)
    for axis, n in _places(who, x, s, axes):
        x = _complex(who, x, n, axis, norm, inverse)
    return x


def rfftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Any:
    """`rfft` along the last of `axes`, then `fft` along the others.   x: real floats"""
    check_kind("rfftn", "real floating", array("rfftn", x).spec)
    *others, (axis, n) = _places("rfftn", x, s, axes)
    x = rfft(x, n=n, axis=axis, norm=norm)
    for at, length in others:
        x = fft(x, n=length, axis=at, norm=norm)
    return x


def irfftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Any:
    """The inverse of `rfftn`; the last length of the result is by default 2 (m - 1) for m elements of x."""
    x = _in_complex("irfftn", x)
    *others, (axis, n) = _places("irfftn", x, s, axes)
    for at, length in others:
        x = ifft(x, n=length, axis=at, norm=norm)
    return irfft(x, n=n, axis=axis, norm=norm)


def _places(who: str, x: Any, s: Any, axes: Any) -> list[tuple[int, int | None]]:
    """Axes, and their lengths where given."""
    ndim = len(array(who, x).spec.shape)
    count = ndim if s is None else len(s)
    if axes is None and count > ndim:
        raise ShapeError(f"{who}: s must hold {ndim} lengths at most, one for an axis of {x.spec}. Got {tuple(s)}.")
    places = many_axes(who, range(ndim - count, ndim) if axes is None else tuple(axes), ndim)
    lengths = [None] * len(places) if s is None else [None if n == -1 else n for n in s]
    if len(lengths) != len(places) or not places:
        raise ShapeError(f"{who}: s and axes must be as many, one or more. Got s={s}, axes={axes} for {x.spec}.")
    return list(zip(places, lengths, strict=True))


def fftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> NDArray:
    """Frequencies of the terms of `fft`: 0, 1, ..., -2, -1 over n d, for samples that are d apart.

    dtype: of real floats, float32 by default

    >>> fftfreq(4)
    NDArray([ 0.  ,  0.25, -0.5 , -0.25], dtype=float32, device=cpu)
    """
    on_cpu("fftfreq", device)
    return wrap(np.fft.fftfreq(_count("fftfreq", n), d).astype(_dtype("fftfreq", dtype)))


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> NDArray:
    """Frequencies of the terms of `rfft`: 0, 1, ..., n // 2 over n d."""
    on_cpu("rfftfreq", device)
    return wrap(np.fft.rfftfreq(_count("rfftfreq", n), d).astype(_dtype("rfftfreq", dtype)))


def _dtype(who: str, dtype: Any) -> Any:
    name = "float32" if dtype is None else name_of(dtype)
    if name not in KINDS["real floating"]:
        raise DTypeError(f"{who}: dtype must be a real floating. Got {name}.")
    return numpy_dtype(name)


def fftshift(x: Any, /, *, axes: int | Sequence[int] | None = None) -> Any:
    """The term of frequency 0 moved from the front to the middle of `axes`, all by default."""
    return _shifted("fftshift", x, axes, lambda n: n // 2)


def ifftshift(x: Any, /, *, axes: int | Sequence[int] | None = None) -> Any:
    """The inverse of `fftshift`."""
    return _shifted("ifftshift", x, axes, lambda n: -(n // 2))


def _shifted(who: str, x: Any, axes: Any, by: Any) -> Any:
    shape = array(who, x).spec.shape
    places = tuple(range(len(shape))) if axes is None else many_axes(who, axes, len(shape))
    return roll(x, tuple(by(shape[a]) for a in places), axis=places)


def _in_complex(who: str, x: Any) -> Any:
    x = array(who, x)
    check_kind(who, "floating", x.spec)
    return cast(x, COMPLEX_OF.get(x.spec.dtype, x.spec.dtype))


def _resized(who: str, x: Any, axis: int, n: int | None) -> Any:
    """Cut off or filled with 0 to n elements along an axis."""
    length = x.spec.shape[axis]
    if n is None or _count(who, n) == length:
        return x
    return slice_axis(x, axis, 0, n) if n < length else apply(PadAxis(axis, 0, n), x)


def _count(who: str, n: Any) -> int:
    if isinstance(n, bool) or not hasattr(n, "__index__"):
        raise TypeError(f"{who}: n must be an int. Got {n!r}.")
    if n < 1:
        raise ShapeError(f"{who}: n must be >= 1. Got {n}.")
    return int(n)


def _norm(who: str, norm: Any) -> str:
    if norm not in OPPOSITE:
        raise ValueError(f"{who}: norm must be 'backward', 'ortho' or 'forward'. Got {norm!r}.")
    return str(norm)
