"""im2col and col2im: patches against NumPy's windows, the convolution, the adjoint."""

import numpy as np
import pytest

from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import Spec
from sparkdl.compile.jit import compile
from sparkdl.graph.check import check_grads, evaluate
from sparkdl.graph.derive import grad
from sparkdl.graph.graph import Graph
from sparkdl.nd.array import NDArray
from sparkdl.nd.ops.conv import conv2d
from sparkdl.nd.ops.window import same_padding
from sparkdl.nd.patches import col2im, im2col
from sparkdl.nd.reductions import sum as sum_

RNG = np.random.default_rng(0)
SHAPE = (2, 7, 6, 3)
WINDOWS = (  # kernel_size, strides, padding, dilation
    (2, 1, "valid", 1),
    ((3, 2), (2, 1), "same", 1),
    (3, 2, "same", 1),
    ((2, 3), (1, 3), ((1, 0), (0, 2)), (2, 1)),
    (2, 3, ((0, 3), (2, 2)), (3, 2)),
    ((7, 6), 1, "valid", 1),
    (1, 1, "valid", 1),
    ((1, 4), 5, ((0, 0), (3, 3)), 1),
)


def drawn(shape, dtype="float32"):
    return RNG.normal(size=shape).astype(dtype)


def pair(n):
    return (n, n) if isinstance(n, int) else n


def sides(size, strides, padding, dilation):
    """Zeros around the image."""
    if padding == "same":
        return tuple(same_padding(n, *axis) for n, *axis in zip(SHAPE[1:3], size, strides, dilation, strict=True))
    return ((0, 0), (0, 0)) if padding == "valid" else padding


def by_numpy(x, size, strides, padding, dilation):
    """The patches, one place after another."""
    (kh, kw), (sh, sw), (dh, dw) = size, strides, dilation
    x = np.pad(x, ((0, 0), *sides(size, strides, padding, dilation), (0, 0)))
    height, width = (kh - 1) * dh + 1, (kw - 1) * dw + 1
    rows = [
        [
            x[:, i : i + height : dh, j : j + width : dw].reshape(len(x), -1)
            for j in range(0, x.shape[2] - width + 1, sw)
        ]
        for i in range(0, x.shape[1] - height + 1, sh)
    ]
    return np.array(rows).transpose(2, 0, 1, 3)


@pytest.mark.parametrize(("size", "strides", "padding", "dilation"), WINDOWS)
def test_patches_as_numpy(size, strides, padding, dilation):
    x = drawn(SHAPE)
    want = by_numpy(x, pair(size), pair(strides), padding, pair(dilation))
    got = im2col(NDArray(x), size, strides, padding, dilation)
    np.testing.assert_array_equal(got.numpy(), want)
    graph = Graph()
    made = im2col(graph.input("x", Spec(SHAPE)), size, strides, padding, dilation)
    assert made.spec == got.spec
    np.testing.assert_array_equal(evaluate(graph, {"x": x}, [made])[0], want)


@pytest.mark.parametrize(("size", "strides", "padding", "dilation"), WINDOWS)
def test_a_product_with_the_kernel_is_the_convolution(size, strides, padding, dilation):
    x, w = NDArray(drawn(SHAPE, "float64")), NDArray(drawn((*pair(size), 3, 4), "float64"))
    around = sides(pair(size), pair(strides), padding, pair(dilation))
    want = conv2d(x, w, pair(strides), around, pair(dilation))
    got = im2col(x, size, strides, padding, dilation) @ NDArray(w.numpy().reshape(-1, 4))
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("size", "strides", "padding", "dilation"), WINDOWS)
def test_col2im_is_the_adjoint_and_the_gradient(size, strides, padding, dilation):
    """<im2col(x), c> = <x, col2im(c)>."""
    x = NDArray(drawn(SHAPE, "float64"))
    patches = im2col(x, size, strides, padding, dilation)
    c = NDArray(drawn(patches.shape, "float64"))
    back = col2im(c, SHAPE, size, strides, padding, dilation)
    assert back.spec == x.spec
    np.testing.assert_allclose(float(sum_(patches * c)), float(sum_(x * back)), rtol=1e-12)
    slope = grad(lambda x: sum_(im2col(x, size, strides, padding, dilation) * c))(x)
    np.testing.assert_allclose(slope.numpy(), back.numpy(), rtol=1e-12, atol=1e-14)
    compiled = compile(lambda c: col2im(c, SHAPE, size, strides, padding, dilation))(c)
    np.testing.assert_allclose(compiled.numpy(), back.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("size", "strides", "padding", "dilation"), WINDOWS)
def test_gradients(size, strides, padding, dilation):
    def both(x, c):
        made = im2col(x, size, strides, padding, dilation)
        return made * made, col2im(c * c, SHAPE, size, strides, padding, dilation)

    cols = by_numpy(np.zeros(SHAPE), pair(size), pair(strides), padding, pair(dilation))
    check_grads(both, [drawn(SHAPE), drawn(cols.shape)])


def test_overlaps_sum_up():
    counts = col2im(NDArray(np.ones((1, 2, 2, 4), np.int32)), (1, 3, 3, 1), 2)
    assert counts[0, :, :, 0].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]] and counts.dtype == "int32"


@pytest.mark.parametrize("dtype", ["bool", "uint8", "float16", "bfloat16", "complex64"])
def test_dtypes_stay(dtype):
    x = NDArray(np.ones((1, 3, 3, 1)), dtype)
    patches = im2col(x, 2, padding="same")
    assert patches.dtype == dtype and patches.shape == (1, 3, 3, 4) and not bool(patches[0, 2, 2, 3])
    if dtype != "bool":
        assert col2im(patches, x.shape, 2, padding="same").dtype == dtype


def test_strided_and_empty():
    x = drawn((4, 5, 3, 2))
    turned = x.transpose(3, 2, 1, 0)[:, ::-1]
    np.testing.assert_array_equal(
        im2col(NDArray(turned), 2).numpy(), by_numpy(turned, (2, 2), (1, 1), "valid", (1, 1))
    )  # fmt: skip
    nothing = im2col(NDArray(x[:0]), 2)
    assert nothing.shape == (0, 4, 2, 8) and col2im(nothing, (0, 5, 3, 2), 2).shape == (0, 5, 3, 2)


REFUSED = (
    (lambda x: im2col(x[0], 2), ShapeError, r"im2col: images must be \(B, H, W, C\)"),
    (lambda x: im2col([1.0], 2), DTypeError, "im2col: x must be an array. Got list"),
    (lambda x: im2col(x, 8), ShapeError, r"im2col: a window of \(8, 8\) must fit into \(7, 6\)"),
    (lambda x: im2col(x, 4, dilation=3), ShapeError, "must fit into"),
    (lambda x: im2col(x, 0), ShapeError, r"im2col: a window of \(0, 0\)"),
    (lambda x: im2col(x, (1, 2, 3)), ShapeError, r"im2col: kernel_size must be an int or two. Got \(1, 2, 3\)"),
    (lambda x: im2col(x, 2, strides=(1, 0)), ShapeError, "strides and dilation must be >= 1"),
    (lambda x: im2col(x, 2, strides=0, padding="same"), ShapeError, "strides and dilation must be >= 1"),
    (lambda x: im2col(x, 2, dilation=1.5), ShapeError, "im2col: dilation must be an int or two. Got 1.5"),
    (lambda x: im2col(x, 2, padding="full"), ShapeError, "im2col: padding must be 'valid', 'same' or"),
    (lambda x: im2col(x, 2, padding=1), ShapeError, "im2col: padding must be 'valid', 'same' or"),
    (lambda x: im2col(x, 2, padding=((0, 0.5), (0, 0))), ShapeError, "im2col: padding must be an int or two"),
    (lambda x: im2col(x, 2, padding=((0, -1), (0, 0))), ShapeError, "im2col: .*padding >= 0"),
    (lambda x: col2im(x, SHAPE, 2), ShapeError, r"col2im: cols must be \(2, 6, 5, 12\) for images"),
    (lambda x: col2im(x, SHAPE[1:], 2), ShapeError, r"col2im: images must be \(B, H, W, C\)"),
    (lambda x: col2im(im2col(x > 0.0, 2), SHAPE, 2), DTypeError, "dtype must be a numeric"),
)


@pytest.mark.parametrize(("call", "error", "said"), REFUSED)
def test_refused(call, error, said):
    with pytest.raises(error, match=said):
        call(NDArray(np.zeros(SHAPE, "f")))
