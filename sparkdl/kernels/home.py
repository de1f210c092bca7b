"""Where what was compiled and measured on this machine is kept: $SPARKDL_CACHE, or a folder of this user's own."""

import os
import tempfile
from functools import lru_cache


@lru_cache(1)
def cache() -> str:
    """The folder, made when it is first asked for."""
    return os.environ.get("SPARKDL_CACHE") or _own()


def _own() -> str:
    """A folder of compiled code that this user owns and nobody else can write: code is loaded from it."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    for base in (os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), tempfile.gettempdir()):
        path = os.path.join(base, f"sparkdl-{user}")
        try:
            os.makedirs(path, mode=0o700, exist_ok=True)
        except OSError:
            continue
        found = os.stat(path)
        if found.st_uid == user and not found.st_mode & 0o022 and os.access(path, os.W_OK):
            return path
    return tempfile.mkdtemp(prefix="sparkdl-")
