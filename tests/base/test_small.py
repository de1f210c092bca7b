"""Registry, spec, errors and keys."""

import numpy as np
import pytest

from sparkdl.base.errors import ConfError, SparkdlError, dotted
from sparkdl.base.registry import Registry, near
from sparkdl.base.rng import Key, philox
from sparkdl.base.spec import Spec


def test_registry_refuses_a_second_entry() -> None:
    names: Registry[int] = Registry("name")
    names.add("a", 1)
    with pytest.raises(ValueError, match="name 'a' is registered twice"):
        names.add("a", 2)
    assert list(names) == ["a"] and "a" in names and "b" not in names


def test_near_names() -> None:
    assert near("Dence", ["Dense", "Conv2D"]) == " Did you mean 'Dense'?"
    assert near("xyz", ["Dense"]) == ""


def test_spec() -> None:
    assert (Spec((2, 3)).size, Spec((2, 3), "float64").nbytes, Spec(()).size) == (6, 48, 1)
    assert str(Spec((2, 3), "int32")) == "int32[2,3]"


def test_errors_are_one_family() -> None:
    assert issubclass(ConfError, SparkdlError) and issubclass(ConfError, ValueError)
    assert dotted(("a", 0, "b")) == "a[0].b"


def test_keys_depend_on_the_path_only() -> None:
    a = Key.of(3).fold("dense").fold(7)
    assert a == Key.of(3).fold("dense", 7) != Key.of(3).fold("dense", 8)
    assert Key.of(3).fold("7") != Key.of(3).fold(7)
    assert a.generator().integers(0, 1 << 30) == a.generator().integers(0, 1 << 30)


def test_philox_known_answers() -> None:
    """Vectors published with the generator (Random123's kat_vectors)."""
    ones = np.full(4, 0xFFFFFFFF, np.uint32)
    assert [hex(int(w)) for w in philox(ones, ones[:2])] == ["0x408f276d", "0x41c83b0e", "0xa20bc7c6", "0x6d5451fd"]
    pi = np.array([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], np.uint32)
    key = np.array([0xA4093822, 0x299F31D0], np.uint32)
    assert [hex(int(w)) for w in philox(pi, key)] == ["0xd16cfe09", "0x94fdcceb", "0x5001e420", "0x24126ea1"]


def test_philox_is_uniform() -> None:
    counter = np.zeros((50_000, 4), np.uint32)
    counter[:, 0] = np.arange(50_000)
    words = philox(counter, Key.of(1).words()).reshape(-1) / 2.0**32
    assert abs(words.mean() - 0.5) < 0.003 and abs(words.var() - 1 / 12) < 0.001
    assert abs(np.corrcoef(words[:-1], words[1:])[0, 1]) < 0.01
