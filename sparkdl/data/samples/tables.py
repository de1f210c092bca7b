"""Three small public data sets that come with the package, as Arrow tables. Their credit stands in NOTICE.

Each sample is a function that returns its tables by name: `train` and `test`.
"""

import csv
import gzip
import io
from collections.abc import Callable
from importlib.resources import files

import numpy as np
import pyarrow as pa

from sparkdl.base.registry import Registry
from sparkdl.base.rng import Key

ADULT_COLUMNS = {
    "age": pa.int32(), "workclass": pa.string(), "fnlwgt": pa.int32(), "education": pa.string(),
    "education_num": pa.int32(), "marital_status": pa.string(), "occupation": pa.string(), "relationship": pa.string(),
    "race": pa.string(), "sex": pa.string(), "capital_gain": pa.int32(), "capital_loss": pa.int32(),
    "hours_per_week": pa.int32(), "native_country": pa.string(), "income": pa.string(),
}  # fmt: skip
CONCRETE_COLUMNS = (
    "cement", "slag", "fly_ash", "water", "superplasticizer", "coarse_aggregate", "fine_aggregate", "age", "strength",
)  # fmt: skip


def digits() -> dict[str, pa.Table]:
    """UCI optdigits: 3,823 + 1,797 images of 8 x 8 grey levels 0..16, ten classes, the official split.

    Columns: `pixels` (array of 64 floats, row by row), `image` (the same as 64 bytes), `digit` (int 0..9).

    >>> digits()["test"].num_rows
    1797
    """
    return {"train": _digits("optdigits.tra.gz"), "test": _digits("optdigits.tes.gz")}


def _digits(file: str) -> pa.Table:
    numbers = np.array(_rows(file), np.uint8)
    pixels, digit = np.ascontiguousarray(numbers[:, :64]), numbers[:, 64]
    lists = pa.FixedSizeListArray.from_arrays(pa.array(pixels.ravel().astype(np.float32)), 64).cast(
        pa.list_(pa.float32())
    )
    images = pa.array([row.tobytes() for row in pixels], pa.binary())
    return pa.table({"pixels": lists, "image": images, "digit": pa.array(digit.astype(np.int32))})


def adult() -> dict[str, pa.Table]:
    """UCI Adult, 4,000 + 2,000 people: 8 columns of text, 6 of numbers, and whether income is over 50,000 dollars.

    Columns as in `ADULT_COLUMNS`; `income` is '<=50K' or '>50K'. A missing text is '?'.

    >>> sorted(adult()["test"]["income"].unique().to_pylist())
    ['<=50K', '>50K']
    """
    return {"train": _adult("adult_train_4000.csv.gz"), "test": _adult("adult_test_2000.csv.gz")}


def _adult(file: str) -> pa.Table:
    texts = zip(*_rows(file), strict=True)
    return pa.table(
        {name: pa.array(t).cast(kind) for (name, kind), t in zip(ADULT_COLUMNS.items(), texts, strict=True)}
    )


def concrete() -> dict[str, pa.Table]:
    """UCI Concrete: strength in MPa from age in days and seven ingredients in kg/m3. 927 + 103 rows.

    The set has no official split: a seeded tenth is the test table.

    >>> concrete()["test"].num_rows
    103
    """
    numbers = np.array([line.split() for line in _text("concrete.txt.gz").splitlines() if line.strip()], np.float64)
    order = Key.of(0).fold("concrete").generator().permutation(len(numbers))
    cut = len(numbers) // 10
    parts = {"train": np.sort(order[cut:]), "test": np.sort(order[:cut])}
    return {part: pa.table(dict(zip(CONCRETE_COLUMNS, numbers[at].T, strict=True))) for part, at in parts.items()}


def _rows(file: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(_text(file)), skipinitialspace=True) if row]


def _text(file: str) -> str:
    return gzip.decompress((files("sparkdl.data.samples") / file).read_bytes()).decode("ascii")


SAMPLES: Registry[Callable[[], dict[str, pa.Table]]] = Registry("sample")
for _make in (digits, adult, concrete):
    SAMPLES.add(_make.__name__, _make)
