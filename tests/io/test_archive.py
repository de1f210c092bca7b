"""A saved network comes back bit for bit; anything else is an ArchiveError that says what and where."""

import contextlib
import io
import json
import zipfile

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings, strategies as st

import sparkdl
from sparkdl.base.errors import ArchiveError
from sparkdl.data.encode import Encoder, to_saved
from sparkdl.data.schema import Columns
from sparkdl.data.steps.numeric import Standardize
from sparkdl.io.archive import FORMAT, from_bytes, load, read, save, to_bytes
from sparkdl.io.container import MOST_JSON
from sparkdl.nn.layers.core import Input
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.layers.norm import BatchNormalization
from sparkdl.nn.network import Network, Sequential


def network() -> Network:
    made = Sequential([Input((6,)), Dense(5, "relu", name="hidden"), BatchNormalization(), Dense(3)]).build(seed=4)
    steps = (Standardize(["a"], mean={"a": [1.5] * 6}, std={"a": [0.1] * 6}),)
    made.preprocessing = to_saved(Encoder(Columns(["a"], label="y"), steps, {"input": (6,)}, outputs=3))
    made.training = {"loss": {"type": "MeanSquaredError"}, "epochs": 3}
    return made


NETWORK = network()
BYTES = to_bytes(NETWORK, extra={"accuracy": 0.9})


def members(data: bytes = BYTES) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def zipped(parts: dict[str, bytes] | list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in parts.items() if isinstance(parts, dict) else parts:
            file.writestr(name, data)
    return buffer.getvalue()


def with_conf(**changes: object) -> bytes:
    conf = json.loads(members()["conf.json"]) | changes
    return zipped(members() | {"conf.json": json.dumps(conf).encode()})


def with_layer(inputs: int = 6, **layer: object) -> bytes:
    return with_conf(network={"inputs": {"x": [inputs]}, "layers": [layer]})


def with_tensors(change) -> bytes:
    tensors = safetensors.numpy.load(members()["parameters.safetensors"])
    change(tensors)
    return zipped(members() | {"parameters.safetensors": safetensors.numpy.save(tensors)})


def same(a: Network, b: Network) -> bool:
    saved = ("topology", "training", "preprocessing")
    return all(getattr(a, name) == getattr(b, name) for name in saved) and a.vector.tobytes() == b.vector.tobytes()


def test_round_trip_by_bytes_and_file(tmp_path):
    assert same(from_bytes(BYTES), NETWORK)
    path = tmp_path / "deep" / "net.zip"
    NETWORK.save(path)
    assert same(load(path), NETWORK)
    assert same(sparkdl.load(f"file://{path}"), NETWORK)
    assert [p.name for p in path.parent.iterdir()] == ["net.zip"]


def test_equal_networks_give_equal_bytes():
    assert to_bytes(network(), extra={"accuracy": 0.9}) == BYTES
    assert to_bytes(from_bytes(BYTES), extra={"accuracy": 0.9}) == BYTES


def test_optimizer_state_and_extra(tmp_path):
    state = {"momentum/hidden/kernel": np.arange(30, dtype=np.float32).reshape(6, 5), "iterations": np.array(7)}
    save(NETWORK, tmp_path / "net.zip", optimizer_state=state, extra={"history": [{"loss": float("nan")}]})
    found = read(tmp_path / "net.zip")
    assert same(found.network, NETWORK)
    for name, value in state.items():
        np.testing.assert_array_equal(found.optimizer[name], value)
    assert list(found.extra) == ["history"]
    assert read(io_path(tmp_path, BYTES)).optimizer is None
    with pytest.raises(ArchiveError, match=r"metadata\.json: cannot be written as JSON"):
        save(NETWORK, tmp_path / "other.zip", extra={"x": object()})


def io_path(folder, data: bytes):
    path = folder / "given.zip"
    path.write_bytes(data)
    return path


def test_nan_parameters_are_kept():
    made = network()
    made.vector[3] = np.nan
    assert same(from_bytes(to_bytes(made)), made)


def test_a_taken_path_is_refused(tmp_path):
    path = io_path(tmp_path, b"precious")
    with pytest.raises(ArchiveError, match=r"given.zip: there is a file already. Give another name, or overwrite=True"):
        NETWORK.save(path)
    assert path.read_bytes() == b"precious"
    NETWORK.save(path, overwrite=True)
    assert same(load(path), NETWORK)
    with pytest.raises(ArchiveError, match=r"is a folder"):
        NETWORK.save(tmp_path, overwrite=True)


def test_plain_files_are_named(tmp_path):
    with pytest.raises(ArchiveError, match=r"none.zip: cannot be read: No such file"):
        load(tmp_path / "none.zip")
    with pytest.raises(ArchiveError, match=r"given.zip: must be a sparkdl archive, a zip. It is empty"):
        load(io_path(tmp_path, b""))


FOREIGN = [
    (b"hello, world", "must be a sparkdl archive, a zip. It is none"),
    (b"\x80\x04\x95\x0c\x00\x00\x00", "It is a pickle, which is not opened"),
    (b"\x80\x02}q\x00.", "It is a pickle"),
    (b"\x89HDF\r\n\x1a\n" + bytes(99), "It is an HDF5 file"),
    (zipped({"archive/data.pkl": b"\x80\x02."}), "holds 'archive/data.pkl', a pickle"),
    (zipped(members() | {"weights.pickle": b"."}), "holds 'weights.pickle', a pickle"),
    (zipped({"config.json": b"{}", "model.weights.h5": b""}), "holds 'config.json', which no sparkdl archive does"),
    (zipped(members() | {"/etc/passwd": b""}), "holds '/etc/passwd', a path that leaves the archive"),
    (zipped(members() | {"../conf.json": b""}), r"holds '../conf.json', a path that leaves"),
    (zipped(members() | {"C:\\x": b""}), "a path that leaves"),
    (zipped({"conf.json": b"{}"}), "lacks metadata.json, parameters.safetensors"),
    (zipped(members(), zipfile.ZIP_DEFLATED), "conf.json must be stored. It is compressed"),
    (zipped(members() | {"conf.json": b"[" * 100_000 + b"]" * 100_000}), "conf.json is no JSON|nested deeper than 64"),
    (zipped(members() | {"conf.json": b'{"a":' * 99 + b"1" + b"}" * 99}), "must not be nested deeper than 64"),
    (zipped(members() | {"conf.json": b"{"}), "conf.json is no JSON"),
    (zipped(members() | {"conf.json": b"\xff\xfe"}), "conf.json is no JSON"),
    (zipped(members() | {"conf.json": b'{"format": ' + b"9" * 5000 + b"}"}), "conf.json is no JSON"),
    (zipped(members() | {"conf.json": b"[]"}), "conf.json must be a table. Got a list"),
    (zipped(members() | {"conf.json": b" " * (MOST_JSON + 1)}), "conf.json must have at most 16,777,216 bytes"),
    (with_conf(format=None), "must say its format"),
    (with_conf(format=True), "must say its format"),
    (with_conf(format=FORMAT + 1, sparkdl="9.1"), f"was written by sparkdl 9.1 in format {FORMAT + 1}. This is spark"),
    (with_conf(network=None), "network must be a table. Got None"),
    (with_conf(network=[1]), "network must be a table"),
    (with_conf(training="x"), "training must be a table. Got 'x'"),
    (with_layer(type="Dens"), "no layer named 'Dens'. Did you mean 'Dense'"),
    (with_layer(type="Dense", untis=3), "Did you mean 'units'"),
    (with_layer(type="Dense", units=10**12), "does not fit the network"),
    (with_layer(10**30, type="Dense", units=10**30), "does not fit the network"),
    (with_conf(preprocessing={"columns": {"features": ["a"]}}), r"conf.json: preprocessing: Encoder needs '"),
    (with_tensors(lambda t: t.pop("hidden/bias")), "does not fit the network. missing: hidden/bias"),
    (with_tensors(lambda t: t.update(odd=np.zeros(1, np.float32))), "not of this network: odd"),
    (with_tensors(lambda t: t.update({"hidden/bias": np.ones(4, "f4")})), r"hidden/bias must be \(5,\), got \(4,\)"),
    (with_tensors(lambda t: t.update({"hidden/bias": np.zeros(5)})), "hidden/bias must be float32, got float64"),
    (with_tensors(lambda t: t.update(big=np.zeros(10**6, np.float32))), "parameters.safetensors must have at most"),
    (zipped(members() | {"parameters.safetensors": b"junk"}), "parameters.safetensors is no safetensors file"),
    (zipped(members() | {"parameters.safetensors": b"\xff" * 400}), "parameters.safetensors is no safetensors file"),
    (zipped(members() | {"optimizer.safetensors": bytes(2 << 20)}), "optimizer.safetensors must have at most"),
    (BYTES[:-1], "is a damaged or cut-off zip"),
    (BYTES[: len(BYTES) // 2], "is a damaged or cut-off zip"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "told"), FOREIGN, ids=[told[:40] for _, told in FOREIGN])
def test_foreign_and_hostile_files(data, told, tmp_path):
    path = io_path(tmp_path, data)
    with pytest.raises(ArchiveError, match=told) as error:
        load(path)
    assert "given.zip: " in str(error.value)
    with pytest.raises(ArchiveError, match=r"archive"):
        from_bytes(data)
    assert list(tmp_path.iterdir()) == [path]


def test_a_member_twice_is_refused():
    with pytest.warns(UserWarning, match=r"Duplicate name"):
        data = zipped([*members().items(), ("conf.json", b"{}")])
    with pytest.raises(ArchiveError, match=r"holds conf.json twice"):
        from_bytes(data)


def test_a_flipped_bit_in_a_tensor_is_noticed():
    at = BYTES.index(NETWORK.parameters()["hidden/kernel"].tobytes()) + 5
    with pytest.raises(ArchiveError, match=r"parameters.safetensors is damaged: Bad CRC-32"):
        from_bytes(BYTES[:at] + bytes([BYTES[at] ^ 1]) + BYTES[at + 1 :])


@settings(max_examples=400, deadline=None)  # a loaded machine is no fault
@given(cut=st.integers(0, len(BYTES)), flips=st.lists(st.tuples(st.integers(0, len(BYTES) - 1), st.integers(1, 255))))
def test_damage_is_an_archive_error_or_does_no_harm(cut, flips):
    data = bytearray(BYTES)
    for at, bits in flips:
        data[at] ^= bits
    with contextlib.suppress(ArchiveError):
        assert same(from_bytes(bytes(data[:cut] if not flips else data)), NETWORK)


@settings(max_examples=300, deadline=None)  # a loaded machine is no fault
@given(member=st.sampled_from(sorted(members())), at=st.floats(0, 1), junk=st.binary(max_size=20), keep=st.booleans())
def test_damage_behind_a_right_checksum(member, at, junk, keep):
    """The zip is sound, what it holds is not: whatever loads is a network."""
    data = members()[member]
    place = int(at * len(data))
    parts = members() | {member: data[:place] + junk + (data[place + len(junk) * keep :])}
    with contextlib.suppress(ArchiveError):
        assert isinstance(from_bytes(zipped(parts)), Network)
