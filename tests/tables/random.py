"""Cases of random ops. Data only; see tests/tables/ops.py."""

from collections.abc import Iterator
from typing import Any

from sparkdl.nd.op import apply
from sparkdl.nd.ops.random import (
    Draw,
    RandomBits,
    RandomExponential,
    RandomFold,
    RandomIntegers,
    RandomNormal,
    RandomUniform,
)
from tests.tables.case import Arg, Case, Shape

_DRAWS = ("random_bits", "random_uniform", "random_normal", "random_exponential")
NOT_DIFFERENTIABLE = {*_DRAWS, "random_fold", "random_integers"}
SMALLEST = dict.fromkeys(sorted(NOT_DIFFERENTIABLE), 2)  # a key has two words

KEY = Arg((2,), "numbers", "uint32")
SHAPES: tuple[Shape, ...] = ((), (1,), (0, 3), (7,), (3, 4), (2, 3, 37))
PLACES: tuple[tuple[Shape, int], ...] = (*((s, 0) for s in SHAPES), ((2060,), 0), ((2060,), 3), ((5,), 2**40 + 1))


def _draws() -> Iterator[Case]:
    for shape, start in PLACES:
        for dtype in ("uint32", "uint64"):
            yield _case(RandomBits(shape, dtype, start))
        for dtype in ("float32", "float64", "bfloat16"):
            yield _case(RandomUniform(shape, dtype, start))
        for dtype in ("float32", "float64"):
            yield _case(RandomNormal(shape, dtype, start))
            yield _case(RandomNormal(shape, dtype, start, 2.0))
            yield _case(RandomExponential(shape, dtype, start))


def _case(op: Draw) -> Case:
    said = f"{op.dtype} {op.shape} from {op.start}{' within' if getattr(op, 'bound', 9) == 2 else ''}"
    return Case(op.name, lambda key: apply(op, key), (KEY,), label=said)


def _folds() -> Iterator[Case]:
    for shape in ((), (1,), (3, 4), (0,)):
        for split in (False, True):
            call = lambda key, data, s=split: apply(RandomFold(s), key, data)  # noqa: E731
            yield Case("random_fold", call, (KEY, Arg(shape, "numbers", "int64")), label=f"split {split}")


def _integers() -> Iterator[Case]:
    for shape, low in (((), ()), ((1,), (1,)), ((0, 3), (3,)), ((3, 40), (3, 1)), ((2000,), ())):
        for dtype, width in (("int64", 6), ("int8", 6), ("uint64", 6), ("int64", 2**40), ("int32", 3 * 2**29)):
            wide = "uint64" if dtype == "uint64" else "int64"
            op = RandomIntegers(shape, dtype, 5)
            args = (KEY, Arg(low, "digits", wide))
            yield Case(op.name, _between(op, width), args, label=f"{dtype} {shape} {width}")


def _between(op: RandomIntegers, width: int) -> Any:
    return lambda key, low: apply(op, key, low, low + width)


CASES: tuple[Case, ...] = (*_draws(), *_folds(), *_integers())
