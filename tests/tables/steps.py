"""ETL steps as cases: a column, and what the fitted step makes of it, by plain NumPy in float64."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sparkdl.data.steps.category import OneHot
from sparkdl.data.steps.image import Image
from sparkdl.data.steps.numeric import MinMax, Scale, Standardize
from sparkdl.data.steps.step import Step

draw = np.random.default_rng(4)
NUMBERS = draw.normal(50, 9, 40)
MATRIX = draw.normal(size=(40, 3)) * [1, 10, 0.1] + [0, 5, 100]
BYTES = draw.integers(0, 256, (40, 6), np.uint8)
KINDS = np.array(["b", "a", "c", "a", "ä", "b", "", "c"] * 5)
YEARS = np.array([1999, 2001, 1999, -3] * 10)


@dataclass(frozen=True)
class Case:
    """`step`, unfitted, on the column "c" must give `expected` (B, k)."""

    label: str
    step: Step
    column: Any
    expected: np.ndarray
    fits: bool = True
    exact: float = 1e-12  # how far partitions may move what is fitted


def standardized(x: np.ndarray) -> np.ndarray:
    std = x.std(0)
    return (x - x.mean(0)) / np.where(std > 0, std, 1)


def ranged(x: np.ndarray) -> np.ndarray:
    return (x - x.min(0)) / np.where(x.max(0) > x.min(0), x.max(0) - x.min(0), 1)


def one_hot(x: np.ndarray, order: list[Any]) -> np.ndarray:
    return np.array([[float(value == known) for known in order] for value in x])


def case(
    label: str, step: Callable[..., Step], column: Any, expected: np.ndarray, exact: float = 1e-12, **fields: Any
) -> Case:
    made = step(["c"], **fields)
    return Case(label, made, column, expected, bool(made.fits), exact)


def column_of(x: np.ndarray, dtype: Any) -> Any:
    return pa.array(x.tolist(), pa.list_(dtype))


IMAGES = pa.array([row.tobytes() for row in BYTES], pa.binary())
CASES = [
    case("standardize numbers", Standardize, pa.array(NUMBERS), standardized(NUMBERS[:, None])),
    case("standardize arrays", Standardize, column_of(MATRIX, pa.float64()), standardized(MATRIX)),
    case("standardize ints", Standardize, pa.array(YEARS), standardized(YEARS[:, None])),
    case("standardize a constant", Standardize, pa.array([7.0] * 40), np.zeros((40, 1))),
    case("standardize far from zero", Standardize, pa.array(NUMBERS + 1e9), standardized(NUMBERS[:, None] + 1e9), 1e-7),
    case("min max numbers", MinMax, pa.array(NUMBERS), ranged(NUMBERS[:, None])),
    case("min max arrays", MinMax, column_of(MATRIX, pa.float64()), ranged(MATRIX)),
    case("min max bytes", MinMax, IMAGES, ranged(BYTES.astype(float))),
    case("min max a constant", MinMax, pa.array([7] * 40), np.zeros((40, 1))),
    case("scale bytes", Scale, IMAGES, BYTES / 255),
    case("scale with offset", Scale, pa.array(NUMBERS), NUMBERS[:, None] * 2 - 3, factor=2.0, offset=-3.0),
    case("one-hot texts", OneHot, pa.array(KINDS), one_hot(KINDS, ["", "a", "b", "c", "ä"])),
    case("one-hot ints", OneHot, pa.array(YEARS), one_hot(YEARS, [-3, 1999, 2001])),
    case("one-hot booleans", OneHot, pa.array(YEARS > 0), one_hot(YEARS > 0, [False, True])),
    case("one-hot dictionary", OneHot, pa.array(KINDS).dictionary_encode(), one_hot(KINDS, ["", "a", "b", "c", "ä"])),
    case("image", Image, IMAGES, BYTES / 255, shape=[2, 3, 1]),
    case("image of fixed size", Image, IMAGES.cast(pa.binary(6)), BYTES / 255, shape=[6]),
    case("image raw", Image, IMAGES, BYTES.astype(float), shape=[3, 2], factor=1.0),
]
