"""Files of arrays: there and back, against NumPy's and safetensors' own, mapped memory, hostile files."""

import contextlib
import io
import json
import os
import struct
import zipfile

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings, strategies as st

from sparkdl import nd
from sparkdl.base.errors import ArchiveError, DTypeError
from sparkdl.base.spec import ITEMSIZE, numpy_dtype
from sparkdl.nd.array import NDArray
from sparkdl.nd.files import load, save, savez, savez_compressed
from sparkdl.nd.tensorfiles import load_safetensors, save_safetensors

NPY = [d for d in ITEMSIZE if d != "bfloat16"]
SAFE = [d for d in ITEMSIZE if d != "complex128"]
SHAPES = ((), (0,), (1,), (3, 4), (2, 0, 3), (2, 3, 4))


def values(shape, dtype):
    return NDArray((np.arange(np.prod(shape, dtype=int)) % 5).reshape(shape).astype(numpy_dtype(dtype)))


def same(got, want):
    want = want.numpy() if isinstance(want, NDArray) else want
    assert (got.dtype, got.shape) == (want.dtype.name, want.shape)
    np.testing.assert_array_equal(got.numpy(), want)


def npy(header, body=b"", version=b"\x01\x00"):
    text = header.encode() if isinstance(header, str) else header
    length = struct.pack("<H" if version[0] == 1 else "<I", len(text))
    return b"\x93NUMPY" + version + length + text + body


def header(descr="'<f4'", fortran="False", shape="(2,)"):
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}}}\n"


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        for name, data in members.items():
            out.writestr(name.replace("__", "."), data)
    return file


def bytes_of(x):
    file = io.BytesIO()
    save(file, x)
    return file.getvalue()


@pytest.mark.parametrize("dtype", NPY)
@pytest.mark.parametrize("shape", SHAPES)
def test_npy_there_and_back(tmp_path, shape, dtype):
    x, path = values(shape, dtype), tmp_path / "x.npy"
    save(path, x)
    same(load(path), x)
    same(load(path, mmap=True), x)
    np.testing.assert_array_equal(np.load(path), x.numpy())
    file = io.BytesIO()
    np.save(file, x.numpy())
    assert path.read_bytes() == file.getvalue()
    assert os.listdir(tmp_path) == ["x.npy"]


def test_orders_and_strides(tmp_path):
    x = values((3, 4), "float64")
    for y in (x.T, x[:, ::2], x[::-1], x.copy("F")):
        save(tmp_path / "x.npy", y)
        same(load(tmp_path / "x.npy"), y)
        same(load(tmp_path / "x.npy", mmap=True), y)
    save(tmp_path / "x.npy", x.T)
    assert load(tmp_path / "x.npy").strides == x.T.strides


def test_mapped_memory_is_the_file(tmp_path):
    path = tmp_path / "x.npy"
    save(path, values((64, 64), "float32"))
    x = load(path, mmap=True)
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 1.0
    with open(path, "r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(np.float32(77).tobytes())
    assert x[-1, -1].item() == 77.0
    load(path)[0] = 1.0  # in memory of its own


def test_writing_to_a_path_replaces_the_file_as_a_whole(tmp_path):
    path = tmp_path / "x.npy"
    save(path, nd.ones(2))
    old = load(path, mmap=True)
    save(path, nd.zeros(3))
    assert old.tolist() == [1, 1]
    assert load(str(path)).tolist() == [0, 0, 0]
    with pytest.raises(DTypeError):
        save(path, np.array([None]))
    with pytest.raises(FileNotFoundError):
        save(tmp_path / "no" / "x.npy", nd.ones(2))
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "no.npy")
    assert os.listdir(tmp_path) == ["x.npy"]


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "x.npy"
    save(path, nd.ones(2))

    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr("sparkdl.nd.npy.write", fail)
    with pytest.raises(OSError, match="disk full"):
        save(path, nd.zeros(2))
    assert os.listdir(tmp_path) == ["x.npy"]
    assert load(path).tolist() == [1, 1]


def test_several_in_one_file_and_streams():
    file = io.BytesIO(bytes_of(nd.ones(2)) + bytes_of(nd.zeros(3)))
    assert load(file).tolist() == [1, 1]
    assert load(file).tolist() == [0, 0, 0]

    class Stream:
        def __init__(self, data):
            self.file = io.BytesIO(data)

        def read(self, count=-1):
            return self.file.read(min(count, 7))  # short reads, as sockets give

    same(load(Stream(bytes_of(values((5, 7), "int64")))), values((5, 7), "int64"))
    with pytest.raises(ArchiveError, match="cut off"):
        load(Stream(bytes_of(values((5, 7), "int64"))[:-1]))
    with pytest.raises(ArchiveError, match="cut off"):
        load(Stream(npy(header(shape="(1 << 50,)".replace("1 << 50", str(1 << 50))))))


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", [">", "<"])
def test_versions_and_byte_orders(tmp_path, version, order):
    data = np.arange(4, dtype=f"{order}i4")
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array(file, data, version)
    same(load(tmp_path / "x.npy"), data.astype("=i4"))
    if order == ">":
        with pytest.raises(ValueError, match="Load without mmap"):
            load(tmp_path / "x.npy", mmap=True)


def test_what_npy_has_not():
    for bad in (
        nd.ones(2, "bfloat16"),
        np.array([None, {}]),
        np.array(["a"]),
        np.zeros(2, "M8[s]"),
        np.zeros(2, "f4,i4"),
    ):
        for put in (lambda f, x: save(f, x), lambda f, x: savez(f, a=x)):
            with pytest.raises(DTypeError):
                put(io.BytesIO(), bad)
    with pytest.raises(DTypeError):
        save(io.BytesIO(), [1.0])


HOSTILE = {
    "empty": (b"", "It is empty"),
    "pickle": (b"\x80\x04\x95abc", "a pickle"),
    "hdf5": (b"\x89HDF\r\n", "HDF5"),
    "text": (b"hello world", "begins with b'hello"),
    "magic alone": (b"\x93NUMPY", "cut off"),
    "half a magic": (b"\x93NUM", "begins with"),
    "version": (npy(header(), bytes(8), b"\x09\x00"), "version"),
    "no header": (b"\x93NUMPY\x01\x00", "cut off"),
    "short header": (b"\x93NUMPY\x01\x00\xff\x00{'desc", "cut off"),
    "long header": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "at most 10,000"),
    "header of nothing": (npy(""), "damaged"),
    "header of code": (npy("__import__('os').system('false')"), "damaged"),
    "nested header": (npy("(" * 4000 + ")" * 4000), "damaged|must hold"),
    "header of a list": (npy("[1, 2]"), "must hold"),
    "missing key": (npy("{'descr': '<f4', 'shape': (2,)}"), "must hold"),
    "another key": (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}"), "must hold"),
    "objects": (npy(header("'|O'"), b"\x80\x04N."), "pickled"),
    "objects of a width": (npy(header("'|O8'"), b"\x80\x04N."), "pickled"),
    "records": (npy(header("[('a', '<f4')]"), bytes(8)), "elements must be"),
    "records of objects": (npy(header("[('a', 'O')]"), bytes(8)), "elements must be"),
    "texts": (npy(header("'<U5'"), bytes(40)), "elements must be"),
    "no dtype": (npy(header("'<f9'"), bytes(40)), "elements must be"),
    "long double": (npy(header("'<f16'"), bytes(40)), "elements must be"),
    "times": (npy(header("'<M8[s]'"), bytes(40)), "elements must be"),
    "a number as dtype": (npy(header("4"), bytes(40)), "elements must be"),
    "order": (npy(header(fortran="1"), bytes(8)), "a bool"),
    "list as shape": (npy(header(shape="[2]"), bytes(8)), "must say a shape"),
    "negative": (npy(header(shape="(-1,)"), bytes(8)), "which no array has"),
    "float as length": (npy(header(shape="(2.0,)"), bytes(8)), "which no array has"),
    "bool as length": (npy(header(shape="(True,)"), bytes(8)), "which no array has"),
    "huge": (npy(header(shape=f"({1 << 61},)"), bytes(8)), "which no array has"),
    "huge beside 0": (npy(header(shape=f"(0, {1 << 61})"), bytes(8)), "which no array has"),
    "huge together": (npy(header(shape=f"({1 << 31}, {1 << 31}, 4)"), bytes(8)), "which no array has"),
    "large": (npy(header(shape=f"({1 << 50},)"), bytes(8)), "cut off"),
    "many axes": (npy(header(shape=f"({'1,' * 65})"), bytes(8)), "must say a shape"),
    "one byte less": (npy(header(), bytes(7)), "needs 8 bytes, 7 are there"),
    "no elements": (npy(header()), "needs 8 bytes, 0 are there"),
    "bools": (npy(header("'|b1'"), b"\x01\x02"), "bools"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_npy(tmp_path, name):
    data, said = HOSTILE[name]
    (tmp_path / "x.npy").write_bytes(data)
    for mmap in (False, True):
        with pytest.raises(ArchiveError, match=f"x.npy.*({said}|must be a .npy)"):
            load(tmp_path / "x.npy", mmap=mmap)
    with pytest.raises(ArchiveError, match=said):
        load(io.BytesIO(data))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_changed_bytes_of_an_npy_are_told_or_harmless(data):
    whole = bytearray(bytes_of(values((2, 3), "int32")))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([len(whole), data.draw(st.integers(0, len(whole)))]))
    with contextlib.suppress(ArchiveError):
        assert load(io.BytesIO(bytes(whole[:cut]))).nbytes <= 24


def test_misplaced_elements_are_not_mapped(tmp_path):
    (tmp_path / "x.npy").write_bytes(npy(header() + " ", bytes(8)))
    start = len(npy(header() + " "))
    assert start % 4, "the case is one of misplaced elements"
    with pytest.raises(ValueError, match=f"begin at byte {start}"):
        load(tmp_path / "x.npy", mmap=True)
    assert load(tmp_path / "x.npy").tolist() == [0, 0]
    with pytest.raises(ValueError, match="needs a path"):
        load(io.BytesIO(bytes_of(nd.ones(2))), mmap=True)


@pytest.mark.parametrize("put", [savez, savez_compressed])
def test_npz_there_and_back(tmp_path, put):
    arrays = {dtype: values((3, 4), dtype) for dtype in NPY}
    path = tmp_path / "x.npz"
    put(path, nd.ones(2), nd.zeros((2, 0)), **arrays)
    with load(path) as found:
        assert list(found) == ["arr_0", "arr_1", *NPY]
        assert len(found) == len(NPY) + 2
        assert "int8" in found
        assert "x" not in found
        for name, x in arrays.items():
            same(found[name], x)
        assert found["arr_1"].shape == (2, 0)
        with pytest.raises(KeyError):
            found["x"]
        assert "arr_0" in repr(found)
    with np.load(path) as numpys:
        for name, x in arrays.items():
            np.testing.assert_array_equal(numpys[name], x.numpy())
    first = path.read_bytes()
    put(path, nd.ones(2), nd.zeros((2, 0)), **arrays)
    assert path.read_bytes() == first
    same(dict(load(path))["int8"], arrays["int8"])  # without `with`: closed when it is gone


def test_npz_of_numpy_and_of_nothing(tmp_path):
    np.savez(tmp_path / "x.npz", np.arange(3), b=np.ones((2, 2), order="F"))
    same(load(tmp_path / "x.npz")["arr_0"], np.arange(3))
    np.savez_compressed(tmp_path / "x.npz", b=np.ones(2))
    same(load(str(tmp_path / "x.npz"))["b"], np.ones(2))
    savez(tmp_path / "x.npz")
    assert dict(load(tmp_path / "x.npz")) == {}
    file = io.BytesIO()
    savez(file, nd.ones(2))
    file.seek(0)
    same(load(file)["arr_0"], nd.ones(2))


def test_an_npz_is_not_mapped(tmp_path):
    savez(tmp_path / "x.npz", nd.ones(2))
    with pytest.raises(ArchiveError, match=r"must be a \.npy file to be mapped"):
        load(tmp_path / "x.npz", mmap=True)


def test_npz_refuses_on_writing():
    with pytest.raises(ValueError, match="arr_0"):
        savez(io.BytesIO(), nd.ones(2), arr_0=nd.ones(2))
    for name in ("../x", "/x", "a/../../b", "c:x", "x\0"):
        with pytest.raises(ArchiveError, match="leaves the archive"):
            savez(io.BytesIO(), **{name: nd.ones(2)})


def opened(file):
    file.seek(0)
    with load(file) as found:
        return {name: found[name] for name in found}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"x__pkl": b"\x80\x04N."}, "no .npy"),
        ({"..\\x__npy": b""}, "leaves the archive"),
        ({"/x__npy": b""}, "leaves the archive"),
        ({"a/../x__npy": b""}, "leaves the archive"),
        ({"x__npy": b"\x80\x04N."}, "x.npy: is no .npy file"),
        ({"x__npy": HOSTILE["objects"][0]}, "x.npy: holds Python objects"),
        ({"x__npy": HOSTILE["one byte less"][0]}, "x.npy: is cut off"),
        ({"x__npy": HOSTILE["large"][0]}, "x.npy: is cut off"),
        ({"x__npy": b""}, "x.npy: is no .npy file"),
    ],
)
def test_hostile_npz(members, said):
    with pytest.raises(ArchiveError, match=said):
        opened(zipped(**members))


def test_npz_that_are_damaged():
    file = io.BytesIO()
    savez(file, a=values((100,), "float32"))
    whole = file.getvalue()
    for cut in (len(whole) - 1, len(whole) // 2, 30, 4):
        with pytest.raises(ArchiveError, match="damaged"):
            opened(io.BytesIO(whole[:cut]))
    bent = bytearray(whole)
    bent[len(whole) // 2] ^= 255
    with pytest.raises(ArchiveError, match="CRC"):
        opened(io.BytesIO(bytes(bent)))
    locked = bytearray(whole)
    locked[whole.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ArchiveError, match="encrypted"):
        opened(io.BytesIO(bytes(locked)))
    odd = io.BytesIO()
    with zipfile.ZipFile(odd, "w", zipfile.ZIP_BZIP2) as out:
        out.writestr("a.npy", bytes_of(nd.ones(2)))
    with pytest.raises(ArchiveError, match="stored or deflated"):
        opened(odd)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_npz_with_a_name_twice():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("a.npy", bytes_of(nd.ones(2)))
        out.writestr("a.npy", bytes_of(nd.zeros(2)))
    with pytest.raises(ArchiveError, match="twice"):
        opened(file)


def test_npz_bombs():
    file = io.BytesIO()
    savez_compressed(file, a=nd.zeros(1 << 22))
    file.seek(0)
    assert len(file.getvalue()) < 1 << 16
    with load(file, most=1 << 20) as found, pytest.raises(ArchiveError, match=r"at most 1,048,576 bytes.*give `most`"):
        found["a"]
    small = io.BytesIO()  # says less than it holds: no more is unpacked than it says
    with zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("a.npy", npy(header(shape="(4000000,)"), bytes(16_000_000)))
    bent = bytearray(small.getvalue())
    for sign, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        bent[bent.index(sign) + at : bent.index(sign) + at + 4] = struct.pack("<I", 200)
    with pytest.raises(ArchiveError, match=r"CRC|cut off"):
        opened(io.BytesIO(bytes(bent)))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_changed_bytes_of_an_npz_are_told_or_harmless(data):
    file = io.BytesIO()
    savez(file, a=values((2, 3), "int32"), b=nd.ones(1))
    whole = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ArchiveError):
        opened(io.BytesIO(bytes(whole)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mmap", [False, True])
def test_safetensors_there_and_back(tmp_path, shape, mmap):
    arrays = {dtype: values(shape, dtype) for dtype in SAFE}
    path = tmp_path / "x.safetensors"
    save_safetensors(path, arrays, {"made": "heute", "über": "x"})
    found = load_safetensors(path, mmap=mmap)
    assert sorted(found) == sorted(arrays)
    assert found.metadata == {"made": "heute", "über": "x"}
    for name, x in arrays.items():
        same(found[name], x)
        assert found[name].numpy().flags.writeable != mmap
    theirs = safetensors.numpy.load_file(path)
    for name, x in arrays.items():
        np.testing.assert_array_equal(theirs[name], x.numpy())
    assert os.listdir(tmp_path) == ["x.safetensors"]
    assert "int8" in repr(found)


def test_safetensors_are_mapped(tmp_path):
    path = tmp_path / "x.safetensors"
    save_safetensors(path, {"a": values((64,), "bfloat16"), "b": values((3,), "float64"), "c": values((5,), "int8")})
    found = load_safetensors(path)
    start = found["b"].__array_interface__["data"][0]  # the file's order: wide elements first, each where the last ends
    assert found["a"].numpy().ctypes.data == start + 24
    assert found["c"].numpy().ctypes.data == start + 24 + 128
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x07")
    assert found["c"][-1].item() == 7
    with pytest.raises(ValueError, match="read-only"):
        found["c"][0] = 1
    load_safetensors(path, mmap=False)["c"][0] = 1


def test_safetensors_of_files_and_strides():
    file = io.BytesIO()
    x = values((3, 4), "float32")
    save_safetensors(file, {"t": x.T, "s": x[:, ::2], "n": np.arange(3)})
    file.seek(0)
    found = load_safetensors(file)
    same(found["t"], x.T)
    same(found["s"], x[:, ::2])
    same(found["n"], np.arange(3))
    again = io.BytesIO()
    save_safetensors(again, dict(found))
    assert again.getvalue() == file.getvalue()
    save_safetensors(again := io.BytesIO(), {})
    again.seek(0)
    assert dict(load_safetensors(again)) == {}


def test_what_safetensors_has_not():
    for bad in ({"a": nd.ones(2, "complex128")}, {"a": [1.0]}, {"a": np.array(["x"])}, {1: nd.ones(2)}):
        with pytest.raises((TypeError, ValueError)):
            save_safetensors(io.BytesIO(), bad)
    with pytest.raises(TypeError, match="__metadata__"):
        save_safetensors(io.BytesIO(), {"__metadata__": nd.ones(2)})
    with pytest.raises(TypeError, match="texts by name"):
        save_safetensors(io.BytesIO(), {"a": nd.ones(2)}, {"a": 3})


def safe(table, body=b"", length=None):
    text = table if isinstance(table, bytes) else json.dumps(table).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def entry(dtype="F32", shape=(2,), place=(0, 8), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(place)} | more


HOSTILE_SAFE = {
    "empty": (b"", "cut off"),
    "short": (b"\x00\x00", "cut off"),
    "length beyond": (safe({}, length=1000), "header of 1,000 in"),
    "length of 2^63": (safe({}, length=1 << 63), "cut off"),
    "no JSON": (safe(b"{nonsense}"), "damaged"),
    "no table": (safe(b"[1]"), "must be a table"),
    "deep": (safe(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "damaged"),
    "twice": (safe(b'{"a": 1, "a": 2}'), "twice"),
    "no entry": (safe({"a": 3}, bytes(8)), "must say dtype"),
    "a key more": (safe({"a": entry(x=1)}, bytes(8)), "must say dtype"),
    "dtype": (safe({"a": entry("F8")}, bytes(8)), "must be one of"),
    "dtype of a list": (safe({"a": entry(["F32"])}, bytes(8)), "must be one of"),
    "negative": (safe({"a": entry(shape=(-2,))}, bytes(8)), "no sound shape"),
    "floats": (safe({"a": entry(shape=(2.0,))}, bytes(8)), "no sound shape"),
    "places": (safe({"a": entry(place=(0, 4, 8))}, bytes(8)), "no sound shape"),
    "other size": (safe({"a": entry(shape=(3,))}, bytes(8)), "does not take"),
    "backwards": (safe({"a": entry(place=(8, 0))}, bytes(8)), "does not take"),
    "huge": (safe({"a": entry(shape=(1 << 61, 8), place=(0, 1 << 61))}, bytes(8)), "does not take"),
    "overlap": (safe({"a": entry(), "b": entry(place=(4, 12))}, bytes(12)), "out of place"),
    "hole": (safe({"a": entry(), "b": entry(place=(12, 20))}, bytes(20)), "out of place"),
    "cut off": (safe({"a": entry()}, bytes(7)), "out of place"),
    "more behind": (safe({"a": entry()}, bytes(9)), "must end with its last"),
    "metadata": (safe({"__metadata__": {"a": 1}}), "texts by name"),
    "metadata of a list": (safe({"__metadata__": ["a"]}), "texts by name"),
    "bools": (safe({"a": entry("BOOL", (2,), (0, 2))}, b"\x00\x05"), "bools"),
    "lengths beside 0": (safe({"a": entry(shape=(0, 1 << 61, 1 << 61), place=(0, 0))}), "which no array has"),
    "pickle": (b"\x80\x04\x95" + bytes(20), "cut off"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_SAFE)
def test_hostile_safetensors(tmp_path, name):
    data, said = HOSTILE_SAFE[name]
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    for mmap in (False, True):
        with pytest.raises(ArchiveError, match=f"x.safetensors.*{said}"):
            load_safetensors(path, mmap=mmap)
    with pytest.raises(ArchiveError, match=said):
        load_safetensors(io.BytesIO(data))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_the_library_refuses_we_refuse(data):
    file = io.BytesIO()
    save_safetensors(file, {"a": values((2, 3), "int32"), "b": nd.ones(1)}, {"m": "n"})
    whole = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        ours = load_safetensors(io.BytesIO(bytes(whole)))
    except ArchiveError:
        return
    theirs = safetensors.numpy.load(bytes(whole))
    assert set(ours) == set(theirs)
    for name, x in theirs.items():
        np.testing.assert_array_equal(ours[name].numpy(), x)


def test_an_array_of_elements_at_odd_places_is_copied():
    found = load_safetensors(io.BytesIO(safe({"a": entry("I8", (1,), (0, 1)), "b": entry(place=(1, 9))}, bytes(9))))
    assert found["b"].tolist() == [0, 0]
    assert found["b"].numpy().flags.aligned
