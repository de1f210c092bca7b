"""From graphs to programs. The package itself can be called: `sparkdl.compile(f)` is `sparkdl.compile.jit.compile(f)`.

A package is set as an attribute of the one above when it is first imported, by whomever: a function of its name could
not stay there.
"""

import sys
from types import ModuleType
from typing import Any


class _Door(ModuleType):
    def __call__(self, f: Any = None, **how: Any) -> Any:
        """As `sparkdl.compile.jit.compile`."""
        from sparkdl.compile.jit import compile

        return compile(f, **how)


sys.modules[__name__].__class__ = _Door
