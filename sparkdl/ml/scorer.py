"""Scoring Arrow columns with a network: what an executor does for each batch. No Spark."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sparkdl.base.errors import ArchiveError, DataError
from sparkdl.data.encode import Encoder, from_saved
from sparkdl.io.archive import from_bytes
from sparkdl.ml.head import bare, choose, only_output, spread, width
from sparkdl.ml.valid import Rows, valid
from sparkdl.nn.network import Network
from sparkdl.train.predict import outputs

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
        """Predictions for columns of one batch. Raises DataError for rows that cannot be scored."""
        found = self._outputs(columns)
        if not self.classifies:
            flat = found.astype(np.float64)
            return {"prediction": flat[:, 0] if flat.shape[1] == 1 else flat}
        raw, probability = spread(found, self._link)
        chosen = choose(probability, thresholds).astype(np.float64)
        return {"raw": raw, "probability": probability, "prediction": chosen}

    def _outputs(self, columns: Columns) -> NDArray[np.float32]:
        """(B, numbers of the output)"""
        made = outputs(self._network, dict(self.encoder.encode(columns, labels=False).x))
        found = made[only_output(self._network.topology)]
        return np.asarray(found).reshape(len(found), width(self._network.topology))


def encoder_of(network: Network) -> Encoder:
    """The preparation that a trained network carries. Raises ArchiveError when there is none."""
    if not network.preprocessing:
        raise ArchiveError("the network has no preparation of columns: it was not trained on a table.")
    return from_saved(network.preprocessing)


def answer(scorer: Scorer, columns: Columns, invalid: str, thresholds: tuple[float, ...]) -> Any:
    """Predictions as one Arrow struct array. What `invalid` says happens to rows with null, NaN or infinite features:

    error: a DataError; keep: NaN predictions; skip: a null in place of the struct.
    """
    try:  # most batches are sound: only where one is not, it is looked through for the rows to blame
        return struct(scorer(columns, thresholds))
    except DataError as error:
        rows = valid(columns)
        if rows.all():
            raise
        if invalid == "error":
            raise DataError(f"{error} Or set handleInvalid to 'skip' or 'keep'.") from None
    return struct(some(scorer, columns, rows, thresholds), rows if invalid == "skip" else None)


def some(scorer: Scorer, columns: Columns, rows: Rows, thresholds: tuple[float, ...]) -> Predicted:
    """Predictions of all rows, NaN for those not among `rows` (B,)."""
    mask = pa.array(rows)
    found = scorer({name: column.filter(mask) for name, column in columns.items()}, thresholds)
    return {name: _scattered(values, rows) for name, values in found.items()}


def _scattered(values: NDArray[Any], rows: Rows) -> NDArray[Any]:
    made = np.full((len(rows), *values.shape[1:]), np.nan, values.dtype)
    made[rows] = values
    return made


def struct(predicted: Predicted, rows: Rows | None = None) -> Any:
    """Predictions as one Arrow struct array, null outside `rows`."""
    parts = [_arrow(values) for values in predicted.values()]
    mask = None if rows is None else pa.array(~rows)
    return pa.StructArray.from_arrays(parts, names=list(predicted), mask=mask)


def _arrow(values: NDArray[Any]) -> Any:
    if values.ndim == 1:
        return pa.array(values)
    offsets = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.reshape(-1)))
