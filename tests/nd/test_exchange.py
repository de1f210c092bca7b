"""Memory shared with other libraries: by address, by writes seen on the other side, and refusals."""

import array
import ctypes

import numpy as np
import pytest

from sparkdl import nd
from sparkdl.base.errors import DTypeError, ShapeError
from sparkdl.base.spec import ITEMSIZE, numpy_dtype
from sparkdl.nd.array import NDArray
from sparkdl.nd.exchange import from_dlpack, from_interface, frombuffer


def address(x):
    return x.numpy().ctypes.data if isinstance(x, nd.NDArray) else x.ctypes.data


TORCH = [d for d in ITEMSIZE if d not in ("uint16", "uint32", "uint64")]


@pytest.mark.parametrize("dtype", TORCH)
def test_torch_to_ours_is_the_same_memory(dtype):
    torch = pytest.importorskip("torch")
    x = torch.ones(2, 3, dtype=getattr(torch, dtype))
    y = from_dlpack(x)
    assert (y.dtype, y.shape, address(y)) == (dtype, (2, 3), x.data_ptr())
    y[0, 0] = False
    assert x[0, 0] == 0
    x[1, 1] = 0
    assert not y.numpy()[1, 1]


@pytest.mark.parametrize("dtype", [d for d in TORCH if d != "bfloat16"])
def test_ours_to_torch_is_the_same_memory(dtype):
    torch = pytest.importorskip("torch")
    x = nd.ones((2, 3), dtype)
    y = torch.from_dlpack(x)
    assert (str(y.dtype), tuple(y.shape), y.data_ptr()) == (f"torch.{dtype}", (2, 3), address(x))
    y[0, 0] = 0
    assert not x.numpy()[0, 0]


def test_torch_strides_and_copies():
    torch = pytest.importorskip("torch")
    x = torch.arange(6.0).reshape(2, 3).T
    y = from_dlpack(x)
    assert y.strides == (4, 12)
    assert address(y) == x.data_ptr()
    assert address(from_dlpack(x, copy=False)) == x.data_ptr()
    own = from_dlpack(x, copy=True)
    assert address(own) != x.data_ptr()
    assert own.numpy().flags.writeable
    assert address(from_dlpack(x.to(torch.bfloat16), copy=True)) != x.data_ptr()
    np.testing.assert_array_equal(own.numpy(), x.numpy())
    assert torch.from_dlpack(y).data_ptr() == x.data_ptr()
    assert from_dlpack(torch.zeros(0, 3)).shape == (0, 3)
    assert from_dlpack(torch.tensor(2.0)).item() == 2.0


def test_torch_refusals():
    torch = pytest.importorskip("torch")
    for bad in (
        torch.zeros(2, requires_grad=True),
        torch.zeros(2, dtype=torch.bfloat16, requires_grad=True),
        torch.zeros(2, dtype=torch.float8_e5m2),
    ):
        with pytest.raises(BufferError):
            from_dlpack(bad)
    with pytest.raises(ValueError, match="meta"):
        from_dlpack(torch.zeros(2, device="meta"))
    with pytest.raises(BufferError, match="bfloat16"):
        torch.from_dlpack(nd.ones(2, "bfloat16"))


def test_numpy_both_ways():
    a = np.arange(6.0).reshape(2, 3)
    assert address(from_dlpack(a)) == address(a)
    x = NDArray(a[:, ::2])
    assert address(np.from_dlpack(x)) == address(a)
    assert address(from_dlpack(x)) == address(a)
    assert address(np.asarray(x)) == address(a)
    half = from_dlpack(np.zeros(2, numpy_dtype("bfloat16")))
    assert half.dtype == "bfloat16"
    assert address(from_dlpack(half)) == address(half)


def test_copies_of_our_own():
    a = np.arange(3.0)
    assert address(from_dlpack(a, copy=True)) != address(a)
    half = nd.ones(3, "bfloat16")
    assert address(from_dlpack(half, copy=True)) != address(half)
    assert address(from_dlpack(a, device="cpu", copy=False)) == address(a)


def test_what_is_read_only_stays_so():
    a = np.arange(3.0)
    a.flags.writeable = False
    x = from_dlpack(a)
    assert address(x) == address(a)
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 1.0
    y = from_dlpack(x, copy=True)
    y[0] = 1.0


class Old:
    """A producer from before DLPack 1.0, on a device of that number."""

    def __init__(self, data, kind=1):
        self.data, self.kind = data, kind

    def __dlpack__(self, stream=None):
        return self.data.__dlpack__()

    def __dlpack_device__(self):
        return (self.kind, 0)


def test_producers_from_before_1_0():
    a = np.arange(3.0)
    assert address(from_dlpack(Old(a))) == address(a)
    assert address(from_dlpack(Old(a), copy=False)) == address(a)
    assert address(from_dlpack(Old(a), copy=True)) != address(a)


class Far:
    """A producer on a device, which can copy to the CPU."""

    def __init__(self, data):
        self.data, self.asked = data, None

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        self.asked = dl_device
        return self.data.copy().__dlpack__(max_version=max_version)

    def __dlpack_device__(self):
        return (2, 0)


def test_other_devices():
    a = np.arange(3.0)
    with pytest.raises(BufferError, match="CUDA"):
        from_dlpack(Old(a, 2))
    with pytest.raises(BufferError, match="number 99"):
        from_dlpack(Old(a, 99))
    with pytest.raises(ValueError, match="copy is False"):
        from_dlpack(Far(a), device="cpu", copy=False)
    with pytest.raises(ValueError, match="device must be 'cpu'"):
        from_dlpack(a, device="gpu")
    far = Far(a)
    np.testing.assert_array_equal(from_dlpack(far, device="cpu").numpy(), a)
    assert far.asked == (1, 0)


def test_what_is_no_array():
    for bad in (3, "abc", [1.0], object()):
        with pytest.raises(TypeError, match="__dlpack__"):
            from_dlpack(bad)


CODES = (("b", "int8"), ("H", "uint16"), ("q", "int64"), ("f", "float32"), ("d", "float64"))


@pytest.mark.parametrize(("code", "dtype"), CODES)
def test_buffers_of_python(code, dtype):
    a = array.array(code, [1, 2, 3])
    x = frombuffer(a)
    assert (x.dtype, x.shape, address(x)) == (dtype, (3,), a.buffer_info()[0])
    x[0] = 7
    assert a[0] == 7
    m = x.data
    assert (m.format, m.nbytes) == (code if code != "q" else m.format, x.nbytes)
    assert address(frombuffer(m)) == address(x)


def test_parts_of_buffers():
    a = bytearray(range(16))
    start = address(frombuffer(a))
    x = frombuffer(a, "int32", 2, 4)
    assert (x.shape, address(x)) == ((2,), start + 4)
    assert frombuffer(a, "int32", 0).shape == (0,)
    assert frombuffer(b"").shape == (0,)
    assert frombuffer(a, "uint16", offset=16).shape == (0,)
    odd = frombuffer(a, "int32", 1, 1)  # kernels take aligned addresses only
    assert odd.numpy().flags.aligned
    assert odd.item() == int.from_bytes(a[1:5], "little")
    with pytest.raises(ValueError, match="read-only"):
        frombuffer(b"abcd")[0] = 1
    assert frombuffer(memoryview(np.zeros((2, 3)))).shape == (6,)


def test_bad_buffers():
    with pytest.raises(TypeError, match="buffer protocol"):
        frombuffer(3)
    with pytest.raises(ShapeError, match="one piece"):
        frombuffer(memoryview(np.zeros((4, 4)))[::2])
    with pytest.raises(ShapeError, match="do not divide"):
        frombuffer(b"abcde", "int32")
    with pytest.raises(ShapeError, match="need more"):
        frombuffer(b"abcd", "int32", 2)
    for offset in (-1, 5):
        with pytest.raises(ShapeError, match="offset must"):
            frombuffer(b"abcd", offset=offset)
    with pytest.raises(DTypeError, match="numbers"):
        frombuffer(np.zeros(2, "S3"))
    with pytest.raises(DTypeError, match="numbers"):
        frombuffer(np.array([None, 1]))
    with pytest.raises(DTypeError):
        frombuffer(b"abcd", "object")


class Shown:
    """Memory shown by `__array_interface__` alone."""

    def __init__(self, typestr="<f4", read_only=False):
        self.memory = (ctypes.c_float * 6)(*range(6))
        self.__array_interface__ = {
            "shape": (2, 2), "strides": (12, 8), "typestr": typestr, "version": 3,
            "data": (ctypes.addressof(self.memory), read_only),
        }  # fmt: skip


def test_array_interface():
    shown = Shown()
    x = from_interface(shown)
    assert (x.strides, address(x)) == ((12, 8), ctypes.addressof(shown.memory))
    assert x.tolist() == [[0, 2], [3, 5]]
    x[1, 1] = 9.0
    assert shown.memory[5] == 9.0
    assert address(nd.asarray(shown)) == address(x)
    assert not from_interface(Shown(read_only=True)).numpy().flags.writeable
    assert address(from_interface(x)) == address(x)
    with pytest.raises(DTypeError, match="numbers"):
        from_interface(Shown("|S4"))
    with pytest.raises(TypeError, match="__array_interface__"):
        from_interface([1.0])
