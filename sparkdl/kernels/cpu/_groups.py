"""Shapes made small: neighbouring axes that are treated alike become one."""

import math
from itertools import groupby, pairwise


def alternating(shape: tuple[int, ...], marked: tuple[bool, ...]) -> tuple[int, int, int, int] | None:
    """`shape` as (plain, marked, plain, marked) lengths with the same C order; None when four are not enough.

    >>> alternating((2, 3, 4, 5), (True, True, False, False))
    (1, 6, 20, 1)
    >>> alternating((8, 7), (False, True))
    (1, 1, 8, 7)
    """
    axes = [(n, m) for n, m in zip(shape, marked, strict=True) if n != 1]
    groups = [(m, math.prod(n for n, _ in run)) for m, run in groupby(axes, lambda axis: axis[1])]
    first = (4 if groups and groups[-1][0] else 3) - len(groups)  # so that marked ones lie at 1 and 3
    if first < 0:
        return None
    lengths = [1, 1, 1, 1]
    for k, (_, n) in enumerate(groups):
        lengths[first + k] = n
    return lengths[0], lengths[1], lengths[2], lengths[3]


def merged(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A transposition without axes of length 1, axes that stay neighbours in order joined.

    >>> merged((8, 5, 6, 3), (0, 3, 1, 2))
    ((8, 30, 3), (0, 2, 1))
    """
    order = [a for a in axes if shape[a] != 1]
    runs: list[list[int]] = []
    kept = sorted(order)
    after = dict(pairwise(kept))
    for a in order:
        if runs and after.get(runs[-1][-1]) == a:
            runs[-1].append(a)
        else:
            runs.append([a])
    ranked = sorted(runs)  # by their first axis: the order in the input
    return tuple(math.prod(shape[a] for a in run) for run in ranked), tuple(ranked.index(run) for run in runs)
