"""Elementwise functions in every dtype: NumPy's numbers, the dtypes that the standard says, errors."""

import operator

import numpy as np
import pytest

from sparkdl import nd
from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import KINDS

INTS = sorted(KINDS["integer"])
REALS = [*INTS, "float16", "float32", "float64"]
NUMBERS = [*REALS, "complex64", "complex128"]
FLOATS = ["float16", "float32", "float64", "complex64", "complex128"]


def of(names, dtypes):
    return {name: dtypes for name in names}  # noqa: C420  the lists are shared on purpose


UNARY = {
    **of(["abs", "negative", "sign", "square", "positive"], NUMBERS),
    **of(["floor", "ceil", "trunc"], REALS),
    **of(["round", "isfinite", "isinf", "isnan"], NUMBERS),
    **of(["sqrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "tanh"], FLOATS),
    **of(["sinh", "cosh", "asinh", "reciprocal", "acos", "asin", "atan", "acosh", "atanh"], FLOATS),
    **of(["conj", "real", "imag"], NUMBERS), "bitwise_invert": [*INTS, "bool"], "logical_not": ["bool"],
    "signbit": ["float16", "float32", "float64"],
}  # fmt: skip
BINARY = {
    **of(["add", "subtract", "multiply", "pow", "equal", "not_equal"], NUMBERS), "divide": FLOATS,
    **of(["floor_divide", "remainder", "maximum", "minimum", "less", "greater_equal"], REALS),
    **of(["hypot", "atan2", "logaddexp", "copysign", "nextafter"], ["float16", "float32", "float64"]),
    **of(["bitwise_and", "bitwise_or", "bitwise_xor"], [*INTS, "bool"]),
    **of(["bitwise_left_shift", "bitwise_right_shift"], INTS),
    **of(["logical_and", "logical_or", "logical_xor"], ["bool"]),
}  # fmt: skip


def drawn(dtype, seed=0):
    draw = np.random.default_rng(seed)
    if dtype.startswith("complex"):
        return (draw.uniform(0.2, 0.9, (3, 4)) + 1j * draw.uniform(0.2, 0.9, (3, 4))).astype(dtype)
    low, high = (0, 5) if np.dtype(dtype).kind in "ui" else (0, 2) if dtype == "bool" else (0.2, 0.9)
    return (draw.integers(low, high, (3, 4)) if isinstance(low, int) else draw.uniform(low, high, (3, 4))).astype(dtype)


def theirs(name):
    return getattr(np, name) if name != "logaddexp" else np.logaddexp


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n, dtypes in UNARY.items() for d in dtypes])
def test_one_array(name, dtype):
    x = drawn(dtype)
    x = x + x.dtype.type(1) if name == "acosh" else x
    with np.errstate(all="ignore"):
        want = theirs(name)(x)
    got = getattr(nd, name)(nd.asarray(x))
    np.testing.assert_allclose(got.numpy(), want, rtol=2e-7 if name == "reciprocal" else 0)
    assert got.dtype == want.dtype and got.shape == x.shape


@pytest.mark.parametrize(("name", "dtype"), [(n, d) for n, dtypes in BINARY.items() for d in dtypes])
def test_two_arrays(name, dtype):
    a, b = drawn(dtype), drawn(dtype, 1)
    with np.errstate(all="ignore"):
        want = theirs(name)(a, b)
    got = getattr(nd, name)(nd.asarray(a), nd.asarray(b))
    np.testing.assert_array_equal(got.numpy(), want)
    assert got.dtype == want.dtype
    out = nd.empty(want.shape, dtype=want.dtype)
    assert getattr(nd, name)(nd.asarray(a), nd.asarray(b), out=out) is out
    np.testing.assert_array_equal(out.numpy(), want)


REFUSED = [
    ("exp", "int32"), ("sqrt", "bool"), ("divide", "int64"), ("add", "bool"), ("less", "complex64"), ("floor", "bool"),
    ("logical_and", "int8"), ("bitwise_and", "float32"), ("signbit", "int8"), ("hypot", "complex64"), ("abs", "bool"),
    ("negative", "bool"), ("isnan", "bool"), ("bitwise_left_shift", "bool"), ("erf", "complex64"), ("real", "bool"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "dtype"), REFUSED)
def test_dtypes_that_are_refused(name, dtype):
    x = nd.asarray(drawn(dtype))
    with pytest.raises(DTypeError, match=f"dtype must be .*Got {dtype}.*cast it first"):
        getattr(nd, name)(*(x,) * (2 if name in BINARY else 1))


OPERATORS = (
    *("add", "sub", "mul", "floordiv", "mod", "and_", "or_", "xor", "lshift", "rshift"),
    *("lt", "le", "gt", "ge", "eq", "ne"),
)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name):
    a, b, fn = drawn("int32"), drawn("int32", 1) + 1, getattr(operator, name)
    x, y = nd.asarray(a), nd.asarray(b)
    for ours, mine in ((fn(x, y), fn(a, b)), (fn(x, 2), fn(a, 2)), (fn(2, y), fn(2, b)), (fn(x, b), fn(a, b))):
        np.testing.assert_array_equal(ours.numpy(), mine)
        assert ours.dtype == mine.dtype
    assert type(fn(a, y)) is nd.NDArray


def test_unary_operators_and_numbers():
    x = nd.asarray([-1.5, 2.0])
    assert [(-x).tolist(), (+x).tolist(), abs(x).tolist()] == [[1.5, -2.0], [-1.5, 2.0], [1.5, 2.0]]
    assert (~nd.asarray([True])).tolist() == [False] and (2.0**x).tolist() == [np.float32(2) ** np.float32(-1.5), 4.0]
    assert float(x[0]) == -1.5 and int(x[1]) == 2 and complex(x[0]) == -1.5 and [1, 2, 3][nd.asarray(1)] == 2


@pytest.mark.parametrize("kind", [bool, float, int])
def test_only_one_number_is_a_number(kind):
    with pytest.raises(TypeError, match=r"only an array without axes is one number. Got float32\[1\]"):
        kind(nd.asarray([1.0]))
    with pytest.raises(TypeError, match=r"an index must be an integer. Got float32\[\]"):
        operator.index(nd.asarray(1.0))


def test_no_operands():
    x = nd.zeros(2)
    for other in ("a", None, [1.0, 2.0], object()):
        with pytest.raises(TypeError):
            x + other
    with pytest.raises(TypeError, match=r"add: one of the two must be an array. Got int and int"):
        nd.add(1, 2)
    with pytest.raises(TypeError, match=r"exp: x must be an array. Got list; take nd.asarray"):
        nd.exp([1.0])


def test_out_must_fit():
    x = nd.zeros(3)
    with pytest.raises(ShapeError, match=r"out must have the shape \(3,\). Got \(2,\)"):
        nd.add(x, x, out=nd.zeros(2))
    with pytest.raises(DTypeError, match=r"an array of int64 cannot take float32 without loss"):
        nd.add(x, x, out=nd.zeros(3, "int64"))
    with pytest.raises(DTypeError, match=r"out must be an array. Got ndarray"):
        nd.add(x, x, out=np.zeros(3, "f"))
    nd.add(x, 1.0, out=x)
    assert x.tolist() == [1, 1, 1]


def test_no_warnings_and_ieee_results():
    x = nd.asarray([0.0, -1.0, np.inf])
    assert nd.isnan(nd.log(x)).tolist() == [False, True, False] and (1.0 / x).tolist()[0] == np.inf
    assert nd.isnan(x - x).tolist() == [False, False, True] and (x / x).numpy().dtype == np.float32
    assert (nd.asarray([1, 2]) // 0).tolist() == [0, 0]
    assert np.isnan(nd.maximum(x, float("nan")).numpy()).all() and np.isnan(nd.minimum(float("nan"), x).numpy()).all()


def test_clip():
    x = np.array([-2.0, 0.5, 3.0, np.nan], "f")
    for bounds in ((-1.0, 1.0), (None, 1.0), (0, None), (np.float32(0.7), None)):
        np.testing.assert_array_equal(nd.clip(nd.asarray(x), *bounds).numpy(), np.clip(x, *bounds))
    np.testing.assert_array_equal(nd.clip(nd.asarray(x)).numpy(), x)
    assert nd.clip(nd.asarray([1, 9], dtype="int8"), 2, 5).dtype == "int8"
    np.testing.assert_array_equal(
        nd.clip(nd.asarray(x[:3]), nd.asarray([0.0, 0.6, 1.0]), None).numpy(), np.float32([0.0, 0.6, 3.0])
    )


def test_where():
    x, c = nd.asarray([1, 2, 3]), nd.asarray([True, False, True])
    assert nd.where(c, x, 0).tolist() == [1, 0, 3] and nd.where(c, x, 0.5).dtype == "float32"
    with pytest.raises(TypeError, match=r"where: the condition must be bool"):
        nd.where(x, x, x)


def test_bfloat16():
    x = nd.asarray([1.0, 2.5], dtype="bfloat16")
    assert (x + x).dtype == "bfloat16" and (x * 2).tolist() == [2.0, 5.0] and nd.exp(x).dtype == "bfloat16"
    assert nd.sum(x).dtype == "bfloat16" and float(nd.mean(x)) == 1.75 and (x @ x).tolist() == 7.25
    assert nd.sort(-x).tolist() == [-2.5, -1.0] and repr(x) == "NDArray([1, 2.5], dtype=bfloat16, device=cpu)"
