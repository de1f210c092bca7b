"""Source of a kernel -> its address in memory. Sources are files named by their hash, so that numba's cache keeps
what it compiled from one process to the next."""

import hashlib
import importlib.util
import os
import sys
import tempfile
from functools import lru_cache
from typing import Any

from sparkdl.kernels.codegen.expr import Expr
from sparkdl.kernels.codegen.numba_source import Alias, source


@lru_cache(4096)
def compiled(expr: Expr, alias: Alias, scattered: int = -1) -> Any:
    """The numba cfunc of an expression; sizes are its run-time arguments."""
    return _load(source(expr, alias, scattered))


@lru_cache(4096)
def _load(text: str) -> Any:
    """Load it as a module. Another process may write the same file at the same time: replace is atomic."""
    from sparkdl.kernels.home import cache

    name = f"k{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    path = os.path.join(cache(), "source", f"{name}.py")
    if not _holds(path, text):
        _write(path, text)
    spec = importlib.util.spec_from_file_location(f"sparkdl_{name}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # numba's cache looks the module up by its name
    spec.loader.exec_module(module)
    return module.kernel


def _holds(path: str, text: str) -> bool:
    try:
        with open(path, encoding="utf-8") as f:
            return f.read() == text
    except OSError:
        return False


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(temporary, path)
