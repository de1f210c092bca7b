"""Public names exist, and the public faces show all there is."""

import importlib

import pytest

import sparkdl
from tests.architecture.source import modules


def test_every_public_name_is_there():
    assert all(getattr(sparkdl, name) is not None for name in sparkdl.__all__)
    assert dir(sparkdl) == sparkdl.__all__


def test_a_wrong_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Sequentiel'"):
        sparkdl.Sequentiel  # noqa: B018


@pytest.mark.parametrize("name", [name for name, file in modules() if "__all__" in file.read_text()])
def test_all_lists_what_a_module_has(name):
    module = importlib.import_module(name)
    assert [n for n in module.__all__ if not hasattr(module, n)] == []
    assert sorted(set(module.__all__)) == sorted(module.__all__)


@pytest.mark.parametrize(
    ("face", "home", "registry"),
    [
        ("sparkdl.layers", "sparkdl.nn.layer", "LAYERS"),
        ("sparkdl.losses", "sparkdl.nn.losses", "LOSSES"),
        ("sparkdl.metrics", "sparkdl.nn.metrics", "METRICS"),
        ("sparkdl.optimizers", "sparkdl.optim.optimizer", "OPTIMIZERS"),
        ("sparkdl.optimizers", "sparkdl.optim.schedules", "SCHEDULES"),
    ],
)
def test_a_face_shows_all_of_its_kind(face, home, registry):
    shown = importlib.import_module(face)
    kinds = getattr(importlib.import_module(home), registry)
    own = {name: kind for name, kind in kinds.items() if name == kind.__name__}  # not Keras's short names
    assert [name for name, kind in own.items() if getattr(shown, name, None) is not kind] == []
    assert set(own) <= set(shown.__all__)
