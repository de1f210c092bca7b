"""What was measured on this machine, kept on disk: a JSON file of names and choices for each state of the machine."""

import hashlib
import json
import logging
import os
import platform
import tempfile
from importlib.metadata import PackageNotFoundError, version

from sparkdl.kernels.home import cache
from sparkdl.kernels.table import Unsupported
from sparkdl.kernels.threads import count

log = logging.getLogger("sparkdl")


class Measured(dict[str, str]):
    """Choices by what they are for. `save` adds them to what other processes have written meanwhile."""

    def __init__(self) -> None:
        self.path = os.path.join(cache(), "measured", f"{_machine()}.json")
        super().__init__(_read(self.path))
        self._before = dict(self)

    def save(self) -> None:
        """Write the file anew where there is something new. A folder that cannot be written is logged."""
        if dict(self) == self._before:
            return
        try:
            _write(self.path, _read(self.path) | self)
        except OSError as error:
            log.warning("choices measured cannot be kept in %s: %s", self.path, error)


def _machine() -> str:
    """A name for processor, instruction set, library versions and thread count."""
    facts = (platform.machine(), _processor(), _onednn(), _numba(), count())
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:24]


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            lines = [line for line in f if line.startswith(("model", "cpu family", "flags"))]
    except OSError:
        return platform.processor()
    return "".join(dict.fromkeys(lines))


def _onednn() -> tuple[object, ...]:
    from sparkdl.kernels.cpu._onednn import library

    try:
        found = library()
    except Unsupported:
        return ()
    return found.version, int(found.functions.dnnl_get_effective_cpu_isa())


def _numba() -> str:
    try:
        return version("numba")
    except PackageNotFoundError:
        return ""


def _read(path: str) -> dict[str, str]:
    """The file's choices; none where it is missing, cut short or of another form."""
    try:
        with open(path, encoding="utf-8") as f:
            found = json.load(f)
    except (OSError, ValueError):
        return {}
    right = isinstance(found, dict) and all(isinstance(x, str) for pair in found.items() for x in pair)
    return found if right else {}


def _write(path: str, choices: dict[str, str]) -> None:
    """Replace the file at once: another process may read or write it."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as f:
        json.dump(choices, f, indent=0, sort_keys=True)
    os.replace(temporary, path)
