"""Dtypes: promotion, kinds, limits, and what Python's numbers become."""

import itertools

import numpy as np
import pytest

from sparkdl import nd
from sparkdl.base.errors import DTypeError
from sparkdl.base.spec import ITEMSIZE, KINDS
from sparkdl.nd.dtypes import DTYPES, name_of, promoted

NUMPY = [name for name in ITEMSIZE if name != "bfloat16"]
KIND_OF = {name: np.dtype(name).kind for name in NUMPY}
SAME_KIND = [
    (a, b)
    for a, b in itertools.product(NUMPY, NUMPY)
    if KIND_OF[a] == KIND_OF[b] or {KIND_OF[a], KIND_OF[b]} in ({"i", "u"}, {"f", "c"})
]


@pytest.mark.parametrize(("a", "b"), SAME_KIND)
def test_within_a_kind_as_numpy(a, b):
    want = np.promote_types(a, b).name
    if {KIND_OF[a], KIND_OF[b]} == {"i", "u"} and want == "float64":
        with pytest.raises(TypeError, match=r"have no common dtype. Cast one"):
            promoted(a, b)
        return
    assert promoted(a, b) == want == (nd.zeros(2, a) + nd.zeros(2, b)).dtype if a != "bool" else promoted(a, b) == want


@pytest.mark.parametrize(("a", "b"), list(itertools.product(NUMPY, NUMPY)))
def test_promotion_is_symmetric(a, b):
    try:
        assert promoted(a, b) == promoted(b, a)
    except DTypeError:
        with pytest.raises(DTypeError):
            promoted(b, a)


def test_between_kinds():
    assert promoted("int64", "float32") == "float32" and promoted("bool", "int8") == "int8"
    assert promoted("float64", "complex64") == "complex128" and promoted("uint8", "complex64") == "complex64"
    assert promoted("bfloat16", "float16") == "float32" and promoted("bfloat16", "float32") == "float32"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_python_numbers_take_the_dtype_of_floats(dtype):
    x = nd.zeros(2, dtype)
    assert {(x + 1).dtype, (1.5 * x).dtype, (x - True).dtype, nd.maximum(x, 0).dtype} == {DTYPES[dtype]}


def test_python_numbers_beside_others():
    assert (nd.zeros(2, "int8") + 1).dtype == "int8" and (nd.zeros(2, "int64") * 0.5).dtype == "float32"
    assert (nd.asarray([True]) + 1).dtype == "int64" and (nd.zeros(2) + 1j).dtype == "complex64"
    assert (nd.zeros(2, "float64") * 1j).dtype == "complex128"
    with pytest.raises(OverflowError):
        nd.zeros(2, "uint8") + 300


def test_float64_is_never_narrowed_silently():
    wide = np.zeros(3)
    for made in (nd.asarray(wide), nd.asarray(wide) + nd.zeros(3), nd.zeros(3) + wide, nd.zeros(3) + np.float64(1)):
        assert made.dtype == "float64"
    x = nd.zeros(3)
    with pytest.raises(TypeError, match=r"an array of float32 cannot take float64 without loss. Cast it first"):
        x += wide
    with pytest.raises(TypeError, match=r"cannot take float64"):
        x[0] = np.float64(1)


def test_a_dtype_equals_its_name_and_numpys():
    assert nd.float32 == "float32" == nd.zeros(1).dtype and nd.float32 == np.dtype("f4") and nd.float32 == np.float32
    assert nd.float32 != "float64" and nd.float32 != np.int8 and len({nd.float32, "float32"}) == 1
    assert np.dtype(nd.int16) == np.int16 and nd.bfloat16.itemsize == 2 and repr(nd.bool) == "bool"


@pytest.mark.parametrize("given", ["float", "f4", float, np.float32, np.dtype("float32"), nd.float32, "float32"])
def test_dtypes_are_given_as(given):
    assert name_of(given) in ("float32", "float64")


@pytest.mark.parametrize("given", ["flot32", object, "O", "datetime64[s]", str, 3])
def test_no_dtype(given):
    with pytest.raises(TypeError, match=r"dtype must be one of bool, int8"):
        nd.zeros(2, given)


def test_result_type_counts_numbers_last():
    assert nd.result_type(nd.zeros(1, "int8"), 3, nd.int16) == "int16"
    assert nd.result_type(1, 2.0) == "float32" and nd.result_type(nd.float64, 1j) == "complex128"
    with pytest.raises(TypeError, match=r"at least one"):
        nd.result_type()


def test_kinds():
    assert nd.isdtype(nd.bfloat16, "real floating") and nd.isdtype(nd.int8, nd.int8)
    assert not nd.isdtype(nd.bool, "numeric") and nd.isdtype(nd.uint8, ("bool", "unsigned integer"))
    with pytest.raises(ValueError, match=r"kind must be a dtype or one of"):
        nd.isdtype(nd.int8, "floats")


def test_limits():
    assert nd.finfo(nd.bfloat16).eps == 2**-7 and nd.finfo("complex64").dtype == "float32"
    assert nd.iinfo(nd.zeros(1, "uint16")).max == 65535 and nd.finfo(nd.zeros(1)).bits == 32
    with pytest.raises(TypeError, match=r"finfo: dtype must be a float. Got int8"):
        nd.finfo("int8")
    with pytest.raises(TypeError, match=r"iinfo: dtype must be an integer"):
        nd.iinfo("float32")


def test_can_cast():
    assert nd.can_cast(nd.int8, nd.int16) and not nd.can_cast(nd.zeros(1, "float64"), nd.float32)
    assert not nd.can_cast(nd.int8, nd.uint64)


@pytest.mark.parametrize("name", sorted(KINDS["any"]))
def test_every_dtype_can_be_made_and_read(name):
    x = nd.asarray([0, 1], dtype=name)
    assert x.dtype == name and [bool(v) for v in x] == [False, True]
    assert nd.astype(x, nd.complex128).tolist() == [0, 1]


def test_complex_does_not_fit_into_reals():
    with pytest.raises(TypeError, match=r"cast: complex64\[1\] does not fit into float32. Take nd.real or nd.abs"):
        nd.astype(nd.asarray([1j]), nd.float32)
