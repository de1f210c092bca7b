"""What is handed to fit, predict or evaluate (arrays, dicts of arrays, an Arrow table) as checked NumPy arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparkdl.base.errors import DataError, ShapeError
from sparkdl.data.batches import Batch, Table, to_float32
from sparkdl.nn.network import Network
from sparkdl.train.objective import Objective, joined

Array = NDArray[Any]
Arrays = dict[str, Array]


def table_of(network: Network, objective: Objective, x: Any, y: Any, sample_weight: Any = None) -> Table:
    """Rows with labels, checked once: shapes, finite features, labels the loss can take, weights >= 0.

    Where `x` is an Arrow table, `y` and `sample_weight` may be column names; where the network has preprocessing, they
    are by default the columns that this names.
    """
    if is_arrow(x):
        x, y, sample_weight = _columns(network, x, y, sample_weight)
    xs = feature_arrays(network, x)
    ys = objective.labels(network, y)
    rows = same_rows(xs | {f"labels of {k}": v for k, v in ys.items()})
    if not rows:
        raise DataError("training and evaluation need rows. Got none.")
    return Table(xs, joined(ys), None if sample_weight is None else weight_array(sample_weight, rows))


def feature_arrays(network: Network, x: Any) -> Arrays:
    """The inputs by name, (N, *shape) each: floats as float32, ints as they are.

    Raises ShapeError naming the input for a wrong shape, DataError for what is not a finite number.
    """
    shapes = network.topology.inputs
    if is_arrow(x):
        x = _encoded(network, x, False).x if network.preprocessing else _by_input(network, x)
    given = dict(x) if isinstance(x, Mapping) else {next(iter(shapes)): x}
    if set(given) != set(shapes):
        raise ShapeError(f"inputs must be {', '.join(shapes)}. Got {', '.join(map(str, given)) or 'none'}.")
    made = {name: _feature(name, given[name], shape) for name, shape in shapes.items()}
    same_rows(made)
    return made


def same_rows(arrays: Mapping[str, Array]) -> int:
    """The number of rows that all arrays have. Raises DataError when they differ."""
    rows = {name: len(a) for name, a in arrays.items()}
    if len(set(rows.values())) > 1:
        raise DataError(
            f"arrays must have one number of rows. Got {', '.join(f'{n} in {k}' for k, n in rows.items())}."
        )
    return next(iter(rows.values()))


def weight_array(weight: Any, rows: int) -> NDArray[np.float32]:
    """Example weights (rows,) float32. Raises DataError when one is negative or not finite."""
    made = np.asarray(weight, np.float32)
    if made.shape != (rows,):
        raise ShapeError(f"sample_weight must be ({rows},), one number for each row. Got {made.shape}.")
    bad = ~(np.isfinite(made) & (made >= 0))
    if bad.any():
        raise DataError(f"sample_weight must be finite and >= 0. Got {made[bad][0]} in row {int(np.argmax(bad))}.")
    return made


def is_arrow(x: Any) -> bool:
    """Whether this is a pyarrow Table or RecordBatch, without importing pyarrow."""
    return type(x).__module__.startswith("pyarrow") and hasattr(x, "schema")


def _columns(network: Network, x: Any, y: Any, weight: Any) -> tuple[Any, Any, Any]:
    """Features, labels and weights of an Arrow table."""
    from sparkdl.data.arrow import matrix, pick

    if network.preprocessing and y is None:
        batch = _encoded(network, x, True)
        return batch.x, batch.y, batch.weight if weight is None else weight
    named = {k for k in (y, weight) if isinstance(k, str)}
    rest = x.select([name for name in x.schema.names if name not in named])
    y, weight = (_squeezed(matrix(pick(x, v), v)) if isinstance(v, str) else v for v in (y, weight))
    return rest, y, weight


def _encoded(network: Network, x: Any, labels: bool) -> Batch:
    """The rows as the network's preprocessing makes them."""
    from sparkdl.data.encode import from_saved

    return from_saved(network.preprocessing).encode(x, labels)


def _by_input(network: Network, x: Any) -> Arrays:
    """One column an input, of its name; or all columns, in order, for a single input."""
    from sparkdl.data.arrow import matrix, pick

    shapes, names = network.topology.inputs, x.schema.names
    if len(shapes) > 1 or next(iter(shapes)) in names:
        columns = {name: matrix(pick(x, name), name) for name in shapes}
    else:
        columns = {next(iter(shapes)): np.concatenate([matrix(pick(x, n), n) for n in names], axis=1)}
    return {name: _folded(a, shapes[name]) for name, a in columns.items()}


def _squeezed(y: Array) -> Array:
    """(N, 1) -> (N,)"""
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def _folded(a: Array, shape: tuple[int, ...]) -> Array:
    """(N, k) -> (N, *shape) where the counts agree."""
    return a.reshape(len(a), *shape) if a.shape[1] == np.prod(shape, dtype=int) else a


def _feature(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    a = np.asarray(value)
    if a.dtype.kind not in "biuf":
        raise DataError(f"the input {name!r} must be numbers. Got {a.dtype}{_hint(value)}.")
    if a.ndim == 1 and shape == (1,):
        a = a[:, None]
    if not a.ndim or a.shape[1:] != shape:
        raise ShapeError(f"the input {name!r} must be (N, {', '.join(map(str, shape))}). Got {a.shape}.")
    made = to_float32(a) if a.dtype.kind == "f" else a
    if made.dtype.kind == "f":
        _check_finite(name, made)
    return made


def _check_finite(name: str, a: Array) -> None:
    bad = ~np.isfinite(a)
    if bad.any():
        row, count = int(np.argmax(bad.reshape(len(a), -1).any(axis=1))), int(bad.sum())
        raise DataError(
            f"the input {name!r} must be finite in float32. Got {a[bad][0]} in row {row}, {count} such values."
        )


def _hint(value: Any) -> str:
    return "; a Spark DataFrame is trained on by sparkdl.ml" if type(value).__module__.startswith("pyspark") else ""
