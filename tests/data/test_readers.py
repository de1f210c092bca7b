"""Local files by batches, with the columns asked for."""

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from sparkdl.base.errors import DataError
from sparkdl.data.readers import read, schema

TABLE = pa.table({"a": range(20), "b": [[float(k)] for k in range(20)], "day": ["x", "y"] * 10})


def whole(path: object, columns: list[str] | None = None, **given: int) -> pa.Table:
    return pa.Table.from_batches(list(read(path, columns, **given)))


def test_a_file_of_any_format(tmp_path):
    pq.write_table(TABLE, tmp_path / "t.parquet", row_group_size=7)
    feather.write_feather(TABLE, tmp_path / "t.arrow", compression="uncompressed")
    for name in ("t.parquet", "t.arrow"):
        assert whole(tmp_path / name) == TABLE
        assert whole(f"file://{tmp_path}/{name}", ["b", "a"]) == TABLE.select(["b", "a"])
        assert schema(tmp_path / name) == TABLE.schema
        assert all(batch.num_rows <= 3 for batch in read(tmp_path / name, batch_rows=3))


def test_a_folder_as_spark_writes_it(tmp_path):
    ds.write_dataset(TABLE, tmp_path, format="parquet", partitioning=["day"], partitioning_flavor="hive")
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".part-0.crc").write_bytes(b"x")
    found = whole(tmp_path, ["day", "a"])
    assert found.column_names == ["day", "a"]
    assert sorted(found.to_pylist(), key=lambda r: r["a"]) == TABLE.select(["day", "a"]).to_pylist()


def test_faults(tmp_path):
    pq.write_table(TABLE, tmp_path / "t.parquet")
    (tmp_path / "x.csv").write_text("a,b")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.parquet").write_bytes(b"PAR1" + bytes(40) + b"PAR1")
    with pytest.raises(DataError, match=r"no column named 'aa'. Did you mean 'a'\? It has: a, b, day"):
        read(tmp_path / "t.parquet", ["aa"])
    with pytest.raises(DataError, match=r"there is no such file or folder"):
        read(tmp_path / "none")
    with pytest.raises(DataError, match=r"must be, or hold, files named .parquet"):
        read(tmp_path / "x.csv")
    with pytest.raises(DataError, match=r"the folder holds no data files"):
        read(tmp_path / "empty")
    with pytest.raises(DataError, match=r"cannot be read as parquet"):
        read(tmp_path / "bad.parquet")
    with pytest.raises(DataError, match=r"Read s3a:// with Spark"):
        read("s3a://b/t.parquet")
