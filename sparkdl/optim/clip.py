"""Gradients held within bounds. Formulas are Keras 3's; written in ops, so they join the compiled step."""

from collections.abc import Sequence
from typing import Any

from sparkdl.nd.ops.arithmetic import clip, maximum, minimum, sqrt, square
from sparkdl.nd.ops.reduce import sum as sum_of


def clip_by_value(g: Any, limit: float) -> Any:
    """Each element within [-limit, limit]."""
    return clip(g, -limit, limit)


def clip_by_norm(parts: Sequence[Any], limit: float) -> list[Any]:
    """Each tensor scaled down so that its own Euclidean norm is at most `limit`."""
    return [g * (limit / maximum(_norm(g), limit)) for g in parts]


def clip_by_global_norm(g: Any, limit: float) -> Any:
    """The whole vector scaled down so that its Euclidean norm is at most `limit`. Pascanu et al., arXiv:1211.5063.

    A NaN or infinite norm makes all of it NaN, so that it cannot pass unseen.
    """
    norm = _norm(g)
    return g * (limit * minimum(1.0 / norm, 1.0 / limit) + (norm - norm))


def _norm(g: Any) -> Any:
    return sqrt(sum_of(square(g)))
