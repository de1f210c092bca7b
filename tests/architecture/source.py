"""What the source says, read as syntax: nothing is imported."""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the package: its name and its file."""
    for file in sorted((ROOT / "sparkdl").rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), file


def imported(source: str) -> Iterator[str]:
    """Names of the modules that a source imports: at the top, inside functions, and by a name given as text.

    Imports that only a type checker sees are left out, as import-linter is told to.
    """
    for node in _running(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__", "find_spec"):
            yield from _text(node.args[0]) if node.args else ()


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, without what stands under `if TYPE_CHECKING`."""
    yield node
    hidden = node.body if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING" else ()
    for child in ast.iter_child_nodes(node):
        if child not in hidden:
            yield from _running(child)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _text(node: ast.expr) -> Iterator[str]:
    """A text, or the fixed head of an f-string."""
    head = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
    if isinstance(head, ast.Constant) and isinstance(head.value, str):
        yield head.value


@dataclass(frozen=True)
class Fence:
    """A contract of pyproject.toml: `forbidden` packages, and the module patterns that may import them."""

    name: str
    forbidden: tuple[str, ...]
    allowed: tuple[str, ...]

    def breaks(self, module: str, target: str) -> bool:
        return target.partition(".")[0] in self.forbidden and not any(_matches(module, p) for p in self.allowed)


def _matches(module: str, pattern: str) -> bool:
    """import-linter's `**`: the pattern's package has that module below it."""
    return fnmatchcase(module, pattern.replace(".**", ".*"))


def fences() -> list[Fence]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [
        Fence(
            c["id"], tuple(c["forbidden_modules"]), tuple(i.partition(" -> ")[0] for i in c.get("ignore_imports", ()))
        )
        for c in contracts
        if c["type"] == "forbidden"
    ]
