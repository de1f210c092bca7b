"""From rows of Arrow to what a network takes: the one encoding that training, scoring and saved archives share."""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sparkdl.base.checks import Count, Positive, Text
from sparkdl.base.errors import DataError
from sparkdl.base.record import from_conf, record, to_conf
from sparkdl.data.arrow import matrix, pick
from sparkdl.data.batches import Affine, Array, Batch, Table
from sparkdl.data.labels import encode_label, encode_weight
from sparkdl.data.schema import Columns, Steps, by_column
from sparkdl.data.steps.step import Step

Task = Literal["classification", "regression"]


@record
class Encoder:
    """How a table becomes the inputs, labels and weights of a network. Saved with it as `network.preprocessing`.

    columns:     the roles of the columns
    steps:       the fitted steps; a column without one gives its numbers as float32
    shapes:      {input: shape of one row}; the columns of an input, one after the other, are reshaped to it
    task:        classification gives labels as class indices, regression as float32
    classes:     the class names where labels are texts, sorted; a label's index is its place here
    outputs:     how many classes (classification) or numbers a row (regression) a label may have; None: any
    weight_mean: mean weight of the training rows; weights are divided by it, so scaling them all changes nothing

    >>> encoder = Encoder(Columns(["a", "b"], label="y"), steps=(), shapes={"input": (2,)}, outputs=2)
    >>> batch = encoder.encode(pa.table({"a": [1.0, 2.0], "b": [3, 4], "y": [0, 1]}))
    >>> batch.x["input"].tolist(), batch.y.tolist()
    ([[1.0, 3.0], [2.0, 4.0]], [0, 1])
    """

    columns: Columns
    steps: Steps
    shapes: dict[Text, tuple[Count, ...]]
    task: Task = "classification"
    classes: tuple[Text, ...] | None = None
    outputs: Count | None = None
    weight_mean: Positive = 1.0

    def encode(self, batch: Any, labels: bool = True) -> Batch:
        """The rows of a RecordBatch, Table or {name: Array} as float32 inputs {input: (B, *shape)} with their labels.

        Labels and weights are left None where the encoder has no such column, or for `labels=False` (scoring).
        Raises DataError naming column, count and first row for what cannot be encoded.
        """
        return self.pack(batch, labels).batch()

    def pack(self, batch: Any, labels: bool = True) -> Table:
        """As `encode`, but inputs whose numbers are narrower than float32 stay so, until a minibatch is made."""
        inputs = {name: self._input(batch, name) for name in self.inputs}
        scales = {name: scale for name, (_, scale) in inputs.items() if scale is not None}
        y = weight = None
        if labels and self.columns.label is not None:
            y = encode_label(pick(batch, self.columns.label), self.columns.label, self.task, self.classes, self.outputs)
        if labels and self.columns.weight is not None:
            weight = encode_weight(pick(batch, self.columns.weight), self.columns.weight, self.weight_mean)
        return Table({name: x for name, (x, _) in inputs.items()}, y, weight, 0, scales)

    @cached_property
    def inputs(self) -> dict[str, tuple[str, ...]]:
        """The columns of each input."""
        return self.columns.inputs(list(self.shapes))

    @cached_property
    def step_of(self) -> dict[str, Step]:
        """The step of each column that has one."""
        return by_column(self.steps, self.columns.feature_names())

    def _input(self, batch: Any, name: str) -> tuple[Array, Affine | None]:
        """The rows of one input (B, *shape), and the scaling that is still due."""
        shape, columns = self.shapes[name], self.inputs[name]
        picked = {column: pick(batch, column) for column in columns}
        rows = len(next(iter(picked.values())))
        if not rows:
            return np.empty((0, *shape), np.float32), None
        scale = self._common_scale(picked)
        blocks = [self._block(c, column, scale) for column, c in picked.items()]
        check_width(name, shape, {column: b.shape[1] for column, b in zip(columns, blocks, strict=True)})
        x = blocks[0] if len(blocks) == 1 else np.concatenate(blocks, 1)
        return x.reshape(rows, *shape), scale

    def _block(self, column: Any, name: str, scale: Affine | None) -> Array:
        """One column's part of an input: (B, k) float32, or its own narrow dtype where scaling is put off."""
        step = self.step_of.get(name, Step())
        if scale is not None:
            x = matrix(column, name)
            step.width(name, x.shape[1])
            return x
        made = step.apply(column, name)
        refuse_infinite(made, name)
        return made

    def _common_scale(self, picked: Mapping[str, Any]) -> Affine | None:
        """The scaling that can wait: all columns of the input are of one narrow type and are scaled alike."""
        scales = {self.step_of.get(name, Step()).affine(name) or self._none(name) for name in picked}
        kinds = {narrow(column.type) for column in picked.values()}
        return scales.pop() if len(scales) == len(kinds) == 1 and None not in scales | kinds else None

    def _none(self, name: str) -> Affine | None:
        return None if name in self.step_of else Affine()


def narrow(kind: Any) -> str | None:
    """The dtype of a column's numbers where it is a whole number of one or two bytes, else None.

    >>> narrow(pa.binary(4)), narrow(pa.list_(pa.int16())), narrow(pa.float32())
    ('uint8', 'int16', None)
    """
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return narrow(kind.value_type)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return "uint8"
    return str(kind) if pa.types.is_integer(kind) and kind.bit_width <= 16 else None


def check_width(name: str, shape: tuple[int, ...], widths: Mapping[str, int]) -> None:
    """Raise DataError when the columns of an input do not fill its shape."""
    due, got = math.prod(shape), sum(widths.values())
    if due != got:
        each = ", ".join(f"{column} ({width})" for column, width in list(widths.items())[:20])
        more = f" and {len(widths) - 20} more" if len(widths) > 20 else ""
        raise DataError(
            f"input {name!r} of the network takes {due} numbers a row, shape {shape}. "
            f"Its columns give {got}: {each}{more}. Change the input's shape or the list of features."
        )


def refuse_infinite(x: NDArray[np.float32], name: str) -> None:
    """Raise DataError when x (B, k) holds NaN or infinite numbers. The sum tells cheaply that it holds none."""
    with np.errstate(all="ignore"):
        if np.isfinite(x.sum()):
            return
    rows = np.flatnonzero(~np.isfinite(x).all(1))
    if len(rows):
        raise DataError(
            f"column {name!r} must hold finite numbers within float32. "
            f"{len(rows)} of {len(x)} rows have NaN, infinite or larger ones, the first is row {int(rows[0])}."
        )


def to_saved(encoder: Encoder) -> dict[str, Any]:
    """The encoder as JSON-able conf, for `network.preprocessing`."""
    conf: dict[str, Any] = to_conf(encoder)
    return conf


def from_saved(conf: Mapping[str, Any]) -> Encoder:
    """The encoder of `network.preprocessing`. Raises ConfError with the path to the fault."""
    return from_conf(Encoder, conf, "preprocessing")
