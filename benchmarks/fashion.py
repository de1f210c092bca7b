"""Fashion-MNIST's own files as the tables of conf/fashion_lenet.toml: `python -m benchmarks.fashion FOLDER [OUT]`.

The first 50,000 training images are for training, the last 10,000 for validation; the test images are not touched.
"""

import gzip
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CUT = 50_000


def read_idx(file: Path) -> np.ndarray:
    """An IDX file: two zeros, the type 8 (bytes), the number of axes, each axis as big-endian int32, then the bytes."""
    data = gzip.decompress(file.read_bytes())
    if data[:3] != b"\0\0\x08":
        raise ValueError(f"{file} is not an IDX file of bytes")
    shape = np.frombuffer(data, ">i4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def table(images: np.ndarray, labels: np.ndarray) -> pa.Table:
    """images (N, 28, 28) and labels (N,) as the columns `image`, 784 bytes a row, and `label`."""
    flat = np.ascontiguousarray(images).reshape(len(images), -1)
    return pa.table({"image": pa.array([row.tobytes() for row in flat], pa.binary()), "label": labels.astype(np.int32)})


def main(folder: str = "../shared/data/fashion-mnist", out: str = "out/fashion") -> None:
    """Write train.parquet and validation.parquet."""
    images = read_idx(Path(folder, "train-images-idx3-ubyte.gz"))
    labels = read_idx(Path(folder, "train-labels-idx1-ubyte.gz"))
    Path(out).mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", slice(0, CUT)), ("validation", slice(CUT, None))):
        made = table(images[rows], labels[rows])
        pq.write_table(made, Path(out, f"{name}.parquet"))
        print(f"{out}/{name}.parquet: {made.num_rows:,} rows")


if __name__ == "__main__":
    main(*sys.argv[1:])
