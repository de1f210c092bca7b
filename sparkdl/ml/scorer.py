"""Scoring Arrow columns with a network: what an executor does for each batch. No Spark."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sparkdl.base.errors import ArchiveError
from sparkdl.data.encode import Encoder, from_saved
from sparkdl.io.archive import from_bytes
from sparkdl.ml.head import bare, choose, only_output, spread, width
from sparkdl.ml.valid import refuse_invalid, valid
from sparkdl.nn.network import Network

Columns = Mapping[str, Any]
Predicted = dict[str, NDArray[Any]]


class Scorer:
    """A network with its preparation of columns. Predictions are NumPy arrays by name:

    classification: raw (B, K) float32, probability (B, K) float32, prediction (B,) float64: the class's index
    regression:     prediction (B,) float64, or (B, outputs) where there are several
    """

    def __init__(self, network: Network, encoder: Encoder) -> None:
        self.encoder, self.classifies = encoder, encoder.task == "classification"
        self._network, self._link = bare(network) if self.classifies else (network, "")
        only_output(network.topology)

    @staticmethod
    def of(data: bytes) -> "Scorer":
        """From an archive. Raises ArchiveError when it holds no preparation of columns."""
        network = from_bytes(data)
        return Scorer(network, encoder_of(network))

    def __call__(self, columns: Columns, thresholds: tuple[float, ...] = ()) -> Predicted:
        """Predictions for columns of one batch. Raises DataError for a row that cannot be scored."""
        refuse_invalid(columns)
        return self._predict(columns, thresholds)

    def valid_only(self, columns: Columns, thresholds: tuple[float, ...] = ()) -> tuple[NDArray[np.bool_], Predicted]:
        """Which rows could be scored (B,), and predictions for all rows, NaN where they could not."""
        rows = valid(columns)
        if rows.all():
            return rows, self._predict(columns, thresholds)
        mask = pa.array(rows)
        found = self._predict({name: column.filter(mask) for name, column in columns.items()}, thresholds)
        return rows, {name: _scattered(values, rows) for name, values in found.items()}

    def _predict(self, columns: Columns, thresholds: tuple[float, ...]) -> Predicted:
        outputs = self._outputs(columns)
        if not self.classifies:
            flat = outputs.astype(np.float64)
            return {"prediction": flat[:, 0] if flat.shape[1] == 1 else flat}
        raw, probability = spread(outputs, self._link)
        chosen = choose(probability, thresholds).astype(np.float64)
        return {"raw": raw, "probability": probability, "prediction": chosen}

    def _outputs(self, columns: Columns) -> NDArray[np.float32]:
        """(B, numbers of the output)"""
        outputs = self._network.predict(self.encoder.encode(columns, labels=False).x)
        return np.asarray(outputs).reshape(len(outputs), width(self._network.topology))


def encoder_of(network: Network) -> Encoder:
    """The preparation that a trained network carries. Raises ArchiveError when there is none."""
    if not network.preprocessing:
        raise ArchiveError("the network has no preparation of columns: it was not trained on a table.")
    return from_saved(network.preprocessing)


def _scattered(values: NDArray[Any], rows: NDArray[np.bool_]) -> NDArray[Any]:
    made = np.full((len(rows), *values.shape[1:]), np.nan, values.dtype)
    made[rows] = values
    return made


def answer(scorer: Scorer, columns: Columns, invalid: str, thresholds: tuple[float, ...]) -> Any:
    """Predictions as one Arrow struct array. What `invalid` says happens to rows that cannot be scored:

    error: a DataError; keep: NaN predictions; skip: a null in place of the struct.
    """
    if invalid == "error":
        return struct(scorer(columns, thresholds))
    rows, predicted = scorer.valid_only(columns, thresholds)
    return struct(predicted, rows if invalid == "skip" else None)


def struct(predicted: Predicted, rows: NDArray[np.bool_] | None = None) -> Any:
    """Predictions as one Arrow struct array, null outside `rows`."""
    parts = [_arrow(values) for values in predicted.values()]
    mask = None if rows is None else pa.array(~rows)
    return pa.StructArray.from_arrays(parts, names=list(predicted), mask=mask)


def _arrow(values: NDArray[Any]) -> Any:
    if values.ndim == 1:
        return pa.array(values)
    offsets = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.reshape(-1)))
