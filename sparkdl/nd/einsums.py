"""Einstein's sums, composed of products of matrices, so that they are traced, compiled and differentiated.

Each array has a label for each axis. Two arrays are joined at a time: labels of both that are needed later go in
front (a batch of products), labels of both that are not are summed by the product, and the rest stand beside.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from sparkdl.base.errors import ShapeError
from sparkdl.nd.dtypes import common
from sparkdl.nd.elementwise import array, into
from sparkdl.nd.indexing import getitem
from sparkdl.nd.ops import batched, matmul as ops, shape
from sparkdl.nd.ops.broadcast import check_kind
from sparkdl.nd.ops.reduce import sum as sum_
from sparkdl.nd.promote import as_dtype

Labels = tuple[str, ...]
_ALLOWED = re.compile(r"[A-Za-z]*(\.\.\.)?[A-Za-z]*")


@dataclass(frozen=True)
class Labelled:
    """An array with a label for each axis."""

    value: Any
    labels: Labels

    def length(self, label: str) -> int:
        """How long the axis is."""
        return int(self.value.spec.shape[self.labels.index(label)])

    def ordered(self, labels: Sequence[str]) -> Any:
        """The array with its axes in this order."""
        order = tuple(self.labels.index(k) for k in labels)
        return self.value if order == tuple(range(len(order))) else shape.transpose(self.value, order)


def einsum(equation: str, *operands: Any, optimize: bool = True, out: Any = None) -> Any:
    """Sums of products over axes that are named by letters (NumPy's and ND4J's einsum).

    equation: the letters of each operand's axes, separated by commas, "->", those of the result. A letter of several
              axes goes over them together; one that the result has not is summed. "..." stands for further axes, which
              broadcast. Without "->" the result has the letters that are there once, in alphabetical order, after "..."
    operands: arrays of numbers; they meet in one dtype, in which is summed
    optimize: join the two arrays first whose product is smallest, and so on; False goes from left to right

    Raises ShapeError naming the equation and the shapes for letters that do not fit them or one another.

    >>> from sparkdl.nd.array import NDArray
    >>> m = NDArray([[1.0, 2.0], [3.0, 4.0]])
    >>> einsum("ij,kj->ik", m, m)
    NDArray([[ 5., 11.],
             [11., 25.]], dtype=float32, device=cpu)
    >>> einsum("ii", m), einsum("...i->...", m)
    (NDArray(5., dtype=float32, device=cpu), NDArray([3., 7.], dtype=float32, device=cpu))
    """
    if not isinstance(equation, str):
        raise TypeError(f"einsum: equation must be a text such as 'ij,jk->ik'. Got {type(equation).__name__}.")
    xs = _alike(operands)
    said = f"einsum {equation!r} of {' and '.join(str(x.spec) for x in xs) or 'nothing'}"
    inputs, result = _parsed(equation, xs, said)
    lengths = _lengths(inputs, xs, said)
    parts = [_narrowed(_diagonals(Labelled(x, k)), lengths) for x, k in zip(xs, inputs, strict=True)]
    return into(_contracted(parts, result, optimize).ordered(result), out)


def _alike(operands: tuple[Any, ...]) -> list[Any]:
    xs = [array("einsum", x) for x in operands]
    for x in xs:
        check_kind("einsum", "numeric", x.spec)
    dtype = common(x.spec.dtype for x in xs) if xs else ""
    return [array("einsum", as_dtype(x, dtype)) for x in xs]


def _parsed(equation: str, xs: list[Any], said: str) -> tuple[list[Labels], Labels]:
    """The labels of each operand's axes and of the result's; those of "..." are numbers, counted from the end."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if not all(_ALLOWED.fullmatch(term) for term in (*terms, right)):
        raise ShapeError(f"{said}: each term must be letters, with one '...' at most.")
    if len(terms) != len(xs) or not xs:
        raise ShapeError(f"{said}: there must be an operand for each of the {len(terms)} terms. Got {len(xs)}.")
    inputs = [_labels(term, len(x.spec.shape), said) for term, x in zip(terms, xs, strict=True)]
    more = max((k for labels in inputs for k in labels if not k.isalpha()), key=int, default=None)
    wide = tuple(str(k) for k in reversed(range(0 if more is None else int(more) + 1)))
    if not arrow:
        return inputs, (*wide, *_once(left))
    head, dots, tail = right.partition("...")
    _check_result(head + tail, left, said)
    if wide and not dots:
        raise ShapeError(f"{said}: the result must have '...', too.")
    return inputs, (*head, *(wide if dots else ()), *tail)


def _labels(term: str, ndim: int, said: str) -> Labels:
    head, dots, tail = term.partition("...")
    more = ndim - len(head) - len(tail)
    if more < 0 or (more and not dots):
        raise ShapeError(f"{said}: {term!r} names {len(head) + len(tail)} axes of an array that has {ndim}.")
    return (*head, *(str(k) for k in reversed(range(more))), *tail)


def _once(left: str) -> list[str]:
    return [k for k in sorted(set(left)) if k.isalpha() and left.count(k) == 1]


def _check_result(right: str, left: str, said: str) -> None:
    for k in right:
        if right.count(k) > 1 or k not in left:
            fault = "is there twice" if right.count(k) > 1 else "is in no operand"
            raise ShapeError(f"{said}: {k!r} of the result {fault}.")


def _lengths(inputs: list[Labels], xs: list[Any], said: str) -> dict[str, int]:
    """How long the axes of each label are; those of length 1 are repeated beside longer ones."""
    found: dict[str, int] = {}
    for labels, x in zip(inputs, xs, strict=True):
        for k, n in zip(labels, x.spec.shape, strict=True):
            if found.get(k, 1) not in (1, n) and n != 1:
                name = repr(k) if k.isalpha() else "'...'"
                raise ShapeError(f"{said}: axes of {name} must agree in length. Got {found[k]} and {n}.")
            found[k] = n if found.get(k, 1) == 1 else found[k]
    return found


def _diagonals(x: Labelled) -> Labelled:
    """Axes of one label as one axis: where all are at the same place."""
    for label in dict.fromkeys(x.labels):
        at = [k for k, other in enumerate(x.labels) if other == label]
        if len(at) > 1:
            rest = [k for k in range(len(x.labels)) if k not in at]
            n = max(x.value.spec.shape[k] for k in at)
            places = [np.arange(n) if x.value.spec.shape[k] == n else np.zeros(n, np.int64) for k in at]
            front = shape.transpose(x.value, (*at, *rest))
            x = Labelled(getitem(front, tuple(places)), (label, *(x.labels[k] for k in rest)))
    return x


def _narrowed(x: Labelled, lengths: dict[str, int]) -> Labelled:
    """Without the axes of length 1 whose label is longer elsewhere: there it goes through all of them."""
    kept = tuple(k for k in x.labels if x.length(k) == lengths[k])
    return Labelled(shape.reshape(x.value, [lengths[k] for k in kept]), kept)


def _contracted(parts: list[Labelled], result: Labels, optimize: bool) -> Labelled:
    """All joined, with the labels of the result."""
    while True:
        parts = [_only(x, {*result, *(k for y in parts if y is not x for k in y.labels)}) for x in parts]
        if len(parts) == 1:
            return parts[0]
        i, j = _next(parts, result) if optimize else (0, 1)
        rest = [x for k, x in enumerate(parts) if k not in (i, j)]
        needed = {*result, *(k for x in rest for k in x.labels)}
        joined = _joined(parts[i], parts[j], needed)
        parts = [*rest, joined] if optimize else [joined, *rest]


def _only(x: Labelled, needed: set[str]) -> Labelled:
    """Summed over the labels that nobody needs."""
    gone = tuple(at for at, k in enumerate(x.labels) if k not in needed)
    return Labelled(sum_(x.value, gone), tuple(k for k in x.labels if k in needed)) if gone else x


def _next(parts: list[Labelled], result: Labels) -> tuple[int, int]:
    """The pair whose product adds least to the elements there are; of such, the one with the fewest products."""

    def cost(pair: tuple[int, int]) -> tuple[int, int]:
        a, b = (parts[k] for k in pair)
        needed = {*result, *(k for n, x in enumerate(parts) if n not in pair for k in x.labels)}
        lengths = {k: x.length(k) for x in (a, b) for k in x.labels}
        made = math.prod(n for k, n in lengths.items() if k in needed)
        return made - a.value.spec.size - b.value.spec.size, math.prod(lengths.values())

    return min(combinations(range(len(parts)), 2), key=cost)


def _joined(a: Labelled, b: Labelled, needed: set[str]) -> Labelled:
    """The product of two, summed over labels of both that are not needed."""
    both = [k for k in a.labels if k in b.labels]
    batch, inner = [k for k in both if k in needed], [k for k in both if k not in needed]
    rows, cols = [k for k in a.labels if k not in both], [k for k in b.labels if k not in both]
    lead, m, k, n = ([x.length(label) for label in of] for x, of in ((a, batch), (a, rows), (a, inner), (b, cols)))
    left = shape.reshape(a.ordered([*batch, *rows, *inner]), (math.prod(lead), math.prod(m), math.prod(k)))
    right = shape.reshape(b.ordered([*batch, *inner, *cols]), (math.prod(lead), math.prod(k), math.prod(n)))
    return Labelled(shape.reshape(_product(left, right), (*lead, *m, *n)), (*batch, *rows, *cols))


def _product(a: Any, b: Any) -> Any:
    """(B, M, K) x (B, K, N) -> (B, M, N), without a product of matrices where there is nothing to sum."""
    if a.spec.shape[2] == 1:
        return a * b
    if a.spec.shape[0] != 1:
        return batched.batch_matmul(a, b)
    return ops.matmul(shape.reshape(a, a.spec.shape[1:]), shape.reshape(b, b.spec.shape[1:]))
