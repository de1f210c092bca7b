"""The matrices of Winograd's minimal filtering, F(m, r): m outputs of a filter of r taps by m + r - 1 products.

    y = A' ((G g) * (B' d)),    * elementwise,  d the m + r - 1 inputs, g the r taps

Made by Toom and Cook's interpolation at some points and infinity, in exact fractions (Winograd 1980; Lavin and Gray
2015, arXiv 1509.09308, section 5.1). In two dimensions each matrix stands on both sides.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

Row = tuple[Fraction, ...]
Matrix = tuple[Row, ...]

# Error against float64 of F(4, 3) in two dimensions with 256 channels, root mean square over the largest: 2.0e-6 with
# these, 3.1e-6 with 0 1 -1 2 -2 (Lavin's), 3.2e-6 with 0 1 -1 1/2 -1/2; the sum of products itself has 2.9e-7.
POINTS = (Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 2), Fraction(-2))
SIZE = len(POINTS) + 1  # m + r - 1: all our tiles are 6 x 6


@dataclass(frozen=True)
class Filtering:
    """F(m, r). data: B' (SIZE, SIZE); taps: G (SIZE, r); back: A' (m, SIZE)."""

    data: Matrix
    taps: Matrix
    back: Matrix


def filtering(r: int) -> Filtering:
    """F(SIZE + 1 - r, r).

    >>> filtering(3).back[1]
    (Fraction(0, 1), Fraction(1, 1), Fraction(-1, 1), Fraction(1, 2), Fraction(-2, 1), Fraction(0, 1))
    """
    m = SIZE + 1 - r
    rows = [_at(k) for k in range(len(POINTS))]
    infinity = _product(POINTS)
    whole = _whole(infinity)
    data = (*(row for row, _ in rows), tuple(c * whole for c in infinity))
    taps = (*(tuple(a**k / d for k in range(r)) for a, (_, d) in zip(POINTS, rows, strict=True)), _last(r, whole))
    back = tuple((*(a**i for a in POINTS), Fraction(int(i == m - 1))) for i in range(m))
    return Filtering(data, taps, back)


def _at(k: int) -> tuple[Row, Fraction]:
    """The row of B' for point k, in whole numbers, and by what its row of G is divided."""
    others = [a for j, a in enumerate(POINTS) if j != k]
    coefficients = (*_product(others), Fraction(0))
    whole = _whole(coefficients)
    return tuple(c * whole for c in coefficients), math.prod((POINTS[k] - a for a in others), start=Fraction(whole))


def _last(r: int, whole: int) -> Row:
    return (*(Fraction(0) for _ in range(r - 1)), Fraction(1, whole))


def _product(roots: Sequence[Fraction]) -> Row:
    """Coefficients of the polynomial that is 0 at the roots, lowest first."""
    made = [Fraction(1)]
    for root in roots:
        made = [low - root * high for low, high in zip([Fraction(0), *made], [*made, Fraction(0)], strict=True)]
    return tuple(made)


def _whole(coefficients: Sequence[Fraction]) -> int:
    """The least number that makes them all whole."""
    return math.lcm(*(c.denominator for c in coefficients))
