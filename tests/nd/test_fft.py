"""Fourier transforms against NumPy's, their gradients, and what they refuse."""

from typing import Any

import numpy as np
import pytest

from sparkdl import nd
from sparkdl.base.errors import AxisError, DTypeError, ShapeError
from sparkdl.graph.check import check_grads
from sparkdl.graph.derive import grad
from sparkdl.nd import fft
from sparkdl.nd.array import NDArray

REALS, COMPLEX = ("float32", "float64"), ("complex64", "complex128")
NORMS = ("backward", "ortho", "forward")
rng = np.random.default_rng(0)


def drawn(shape: tuple[int, ...], dtype: str) -> Any:
    made = rng.normal(size=shape)
    return (made + 1j * rng.normal(size=shape) if "complex" in dtype else made).astype(dtype)


def same(got: Any, want: Any) -> None:
    """Values, shape and dtype, up to rounding."""
    eps = 1e-5 if want.dtype.name in ("float32", "complex64") else 1e-12
    assert (got.shape, got.dtype) == (want.shape, want.dtype.name)
    np.testing.assert_allclose(got.numpy(), want, rtol=eps, atol=eps * 10)


KINDS = {
    **dict.fromkeys(("fft", "ifft", "fftn", "ifftn", "irfft", "irfftn", "hfft"), REALS + COMPLEX),
    **dict.fromkeys(("rfft", "rfftn", "ihfft"), REALS),
}
LINES = [(n, d) for n, kinds in KINDS.items() if not n.endswith("n") for d in kinds]
GRIDS = [(n, d) for n, kinds in KINDS.items() if n.endswith("n") for d in kinds]


@pytest.mark.parametrize(("name", "dtype"), LINES)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("axis", "n"), [(-1, None), (0, None), (1, 3), (-2, 9), (1, 1)])
def test_one_axis(name: str, dtype: str, axis: int, n: int | None, norm: str) -> None:
    for shape in ((4, 5, 6), (2, 8), (0, 2)) if axis == -1 else ((4, 5, 6),):
        x = drawn(shape, dtype)
        got = getattr(fft, name)(NDArray(x), n=n, axis=axis, norm=norm)
        same(got, getattr(np.fft, name)(x, n=n, axis=axis, norm=norm))


@pytest.mark.parametrize(("name", "dtype"), GRIDS)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(
    ("axes", "s"), [(None, None), ((0,), None), ((2, 0), None), ((0, 1), (3, 8)), ((1, 2), (-1, 4)), ((-1, 0), (5, 2))]
)
def test_several_axes(name: str, dtype: str, axes: Any, s: Any, norm: str) -> None:
    x = drawn((4, 5, 6), dtype)
    got = getattr(fft, name)(NDArray(x), s=s, axes=axes, norm=norm)
    lengths = None if s is None else [x.shape[a] if n == -1 else n for n, a in zip(s, axes, strict=True)]
    same(got, getattr(np.fft, name)(x, s=lengths, axes=axes, norm=norm))


def test_lengths_alone_are_of_the_last_axes() -> None:
    x = NDArray(drawn((4, 5, 6), "float64"))
    assert fft.fftn(x, s=(3, 2)).tolist() == fft.fftn(x, s=(3, 2), axes=(-2, -1)).tolist()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_gives_complex64(dtype: str) -> None:
    x = nd.astype(nd.asarray(drawn((2, 6), "float32")), dtype)
    want = np.fft.fft(x.numpy().astype("float32"))
    for got in (fft.fft(x), fft.ihfft(x, n=10), fft.rfftn(x)):
        assert got.dtype == "complex64"
    same(fft.fft(x), want)
    assert grad(lambda x: nd.sum(nd.abs(fft.rfft(x))))(x).dtype == dtype


@pytest.mark.parametrize("n", [1, 2, 7, 8])
@pytest.mark.parametrize("dtype", [None, "float32", "float64", "float16"])
def test_frequencies(n: int, dtype: Any) -> None:
    for name in ("fftfreq", "rfftfreq"):
        want = getattr(np.fft, name)(n, 0.5).astype(dtype or "float32")
        same(getattr(fft, name)(n, d=0.5, dtype=dtype, device="cpu"), want)


@pytest.mark.parametrize("axes", [None, 0, -1, (0, 2), (1,)], ids=str)
@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_shifts(name: str, axes: Any) -> None:
    for shape in ((4, 5, 3), (1, 2, 0)):
        x = np.arange(np.prod(shape)).reshape(shape)
        same(getattr(fft, name)(NDArray(x), axes=axes), getattr(np.fft, name)(x, axes=axes))


def test_there_and_back() -> None:
    x, z = NDArray(drawn((3, 7), "float32")), NDArray(drawn((3, 6), "complex64"))
    for norm in NORMS:
        same(fft.irfft(fft.rfft(x, norm=norm), n=7, norm=norm), x.numpy())
        same(fft.hfft(fft.ihfft(x, norm=norm), n=7, norm=norm), x.numpy())
        same(fft.ifftn(fft.fftn(z, norm=norm), norm=norm), z.numpy())
        same(fft.irfftn(fft.rfftn(x, norm=norm), s=(3, 7), axes=(0, 1), norm=norm), x.numpy())


@pytest.mark.parametrize("name", KINDS)
def test_gradients(name: str) -> None:
    call = getattr(fft, name)
    for dtype in {"float64", "complex128"} & set(KINDS[name]):
        for norm in NORMS:
            check_grads(lambda x, norm=norm: call(x, norm=norm), [drawn((3, 4), dtype)])


def test_gradients_of_filled_and_cut_grids_and_of_shifts() -> None:
    x, z = drawn((3, 4), "float64"), drawn((3, 4), "complex128")
    check_grads(lambda x: fft.rfftn(x, s=(5, 2), axes=(1, 0)), [x])
    check_grads(lambda z: (fft.irfftn(z, s=(2, 7), axes=(0, 1)), fft.fftshift(z), fft.ifftshift(z, axes=1)), [z])


def test_second_derivatives() -> None:
    for call in (fft.rfft, lambda x: fft.irfft(fft.fft(x)), fft.ihfft):
        slope = grad(lambda x, f=call: nd.sum(nd.abs(f(x)) ** 3))
        check_grads(slope, [drawn((5,), "float64")], rtol=1e-5)


@pytest.mark.parametrize("name", ["rfft", "rfftn", "ihfft"])
def test_real_transforms_take_reals(name: str) -> None:
    with pytest.raises(DTypeError, match=r"must be a real floating. Got complex64"):
        getattr(fft, name)(nd.zeros(3, "complex64"))


@pytest.mark.parametrize("name", KINDS)
def test_bad_input(name: str) -> None:
    call, x = getattr(fft, name), nd.zeros((3, 4))
    with pytest.raises(DTypeError, match="Got int64"):
        call(nd.asarray([[1, 2], [3, 4]]))
    with pytest.raises(ValueError, match=r"norm must be 'backward', 'ortho' or 'forward'. Got 'none'"):
        call(x, norm="none")
    many = name.endswith("n")
    with pytest.raises(AxisError):
        call(x, **({"axes": (2,)} if many else {"axis": 2}))
    with pytest.raises(ShapeError, match=r"n must be >= 1. Got 0"):
        call(x, **({"s": (0,), "axes": (1,)} if many else {"n": 0}))
    with pytest.raises(TypeError, match=r"n must be an int. Got 2.5"):
        call(x, **({"s": (2.5,), "axes": (1,)} if many else {"n": 2.5}))
    with pytest.raises(ShapeError, match="must hold"):
        call(nd.zeros((3, 0)))
    with pytest.raises(DTypeError, match="must be an array"):
        call([1.0, 2.0])


def test_lengths_and_axes_that_do_not_fit() -> None:
    x = nd.zeros((3, 4))
    with pytest.raises(AxisError, match="distinct"):
        fft.fftn(x, axes=(0, 0))
    with pytest.raises(ShapeError, match="s and axes must be as many"):
        fft.fftn(x, s=(2,), axes=(0, 1))
    with pytest.raises(ShapeError, match="2 lengths at most"):
        fft.rfftn(x, s=(2, 2, 2))
    with pytest.raises(ShapeError, match="one or more"):
        fft.irfftn(x, axes=())
    with pytest.raises(ShapeError, match="two elements or more"):
        fft.irfft(nd.zeros((3, 1)))
    with pytest.raises(DTypeError, match=r"must be a real floating. Got int32"):
        fft.fftfreq(4, dtype="int32")
    with pytest.raises(ValueError, match="device"):
        fft.rfftfreq(4, device="moon")
    with pytest.raises(ShapeError, match="n must be >= 1"):
        fft.fftfreq(0)
