"""NumPy without warnings: infinities and NaN are results, as IEEE says, not faults.

`np.errstate` takes 600 ns each time, twice what adding 16 numbers takes, because it makes its settings anew. Where
NumPy has the parts that it is made of (2.0 to 2.4 do), the settings are made once: 150 ns.
"""

from collections.abc import Callable
from typing import Any

import numpy as np


def _cheap() -> tuple[Callable[[], Any], Callable[[Any], None]]:
    from numpy._core.umath import _extobj_contextvar, _make_extobj

    settings, enter = _make_extobj(all="ignore"), _extobj_contextvar.set
    return lambda: enter(settings), _extobj_contextvar.reset


def _plain() -> tuple[Callable[[], Any], Callable[[Any], None]]:
    def restore(before: dict[str, Any]) -> None:
        np.seterr(**before)

    return lambda: np.seterr(all="ignore"), restore


def _found() -> tuple[Callable[[], Any], Callable[[Any], None]]:
    try:
        return _cheap()
    except (ImportError, TypeError):
        return _plain()


hush, restore = _found()  # token = hush(); try: ...; finally: restore(token)
