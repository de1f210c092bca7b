"""The namespace has what the array API standard names, called as it says. Numbers: data-apis/array-api-tests."""

import inspect

import pytest

from sparkdl import nd
from tests.tables.standard import FFT, FUNCTIONS, LINALG, METHODS

PLACES = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
NAMES = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
ALL = [
    (space, name, said)
    for space, table in (("", FUNCTIONS), ("linalg", LINALG), ("fft", FFT))
    for name, said in table.items()
]


def parts(said):
    """Parameters that go by place only, by both, by name only."""
    words = said.split()
    first = words[: words.index("/")] if "/" in words else []
    rest = words[len(first) + 1 :] if first else words
    star = next((k for k, w in enumerate(rest) if w.startswith("*")), len(rest))
    return first, rest[:star], [w for w in rest[star:] if w != "*"]


@pytest.mark.parametrize(("space", "name", "said"), ALL, ids=[f"{s}.{n}".lstrip(".") for s, n, _ in ALL])
def test_parameters(space, name, said):
    found = inspect.signature(getattr(getattr(nd, space) if space else nd, name)).parameters
    first, both, named = parts(said)
    ours = list(found.values())
    for k, wanted in enumerate((*first, *both)):
        assert ours[k].kind in PLACES, wanted
        assert wanted in first or (ours[k].name == wanted and ours[k].kind in NAMES)
    for wanted in named:
        assert found[wanted.lstrip("*")].kind in (NAMES if wanted[0] != "*" else (inspect.Parameter.VAR_POSITIONAL,))
    more = [p for p in ours[len(first) + len(both) :] if p.name not in [w.lstrip("*") for w in named]]
    assert all(p.default is not inspect.Parameter.empty for p in more if p.kind in NAMES)


@pytest.mark.parametrize("name", METHODS)
def test_methods_of_arrays(name):
    assert hasattr(nd.zeros((2, 2)), name)


def test_constants_and_version():
    assert nd.newaxis is None and nd.inf > 1e308 and nd.nan != nd.nan
    assert (round(nd.e, 5), round(nd.pi, 5)) == (2.71828, 3.14159)
    assert nd.__array_api_version__ == "2024.12"
    for name in ("bool", "int8", "uint64", "float32", "float64", "complex64", "complex128"):
        assert getattr(nd, name) == name
