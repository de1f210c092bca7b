"""The fences of pyproject.toml hold for imports by name too, and the check itself bites."""

import ast

import pytest

from tests.architecture.source import fences, imported, modules

FENCES = fences()


@pytest.mark.parametrize("fence", FENCES, ids=lambda f: f.name)
def test_a_fence_holds(fence):
    broken = [
        f"{module} imports {target}"
        for module, file in modules()
        for target in imported(file.read_text())
        if fence.breaks(module, target)
    ]
    assert not broken


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("sparkdl.nn.layer", "import numba"),
        ("sparkdl.nn.layer", "def f():\n    from ctypes import CDLL"),
        ("sparkdl.kernels.table", "import ctypes.util"),
        ("sparkdl.kernels.ref.conv", "import cupy as cp"),
        ("sparkdl.dist.worker", "import pyspark.sql"),
        ("sparkdl.cli.train", "import_module('pyspark.sql')"),
        ("sparkdl.io.archive", "importlib.import_module(f'pickle{x}')"),
        ("sparkdl.io.archive", "__import__('h5py')"),
        ("sparkdl.nd.array", "import rich"),
        ("sparkdl.nd.array", "if TYPE_CHECKING:\n    pass\nelse:\n    import rich"),
    ],
)
def test_a_breach_is_seen(module, source):
    assert any(f.breaks(module, target) for f in FENCES for target in imported(source))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("sparkdl.kernels.cpu.conv", "import ctypes, numba"),
        ("sparkdl.compile.program", "import ctypes"),
        ("sparkdl.dist.spark", "def f():\n    from pyspark import BarrierTaskContext"),
        ("sparkdl.ml.model", "from pyspark.ml import Model"),
        ("sparkdl.cli.session", "from pyspark.sql import SparkSession"),
        ("sparkdl.cli.train", "if TYPE_CHECKING:\n    from pyspark.sql import SparkSession"),
    ],
)
def test_the_gates_are_open(module, source):
    assert not any(f.breaks(module, target) for f in FENCES for target in imported(source))


def test_numpy_is_never_asked_to_unpickle():
    asked = [
        module
        for module, file in modules()
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and getattr(node.value, "value", True)
    ]
    assert not asked
