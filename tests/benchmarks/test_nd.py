"""The benchmark of eager arrays: both sides compute the same; rows, bars and files are as agreed. Nothing is timed."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import nd as bench
from sparkdl import nd


@pytest.mark.parametrize("row", bench.ROWS, ids=lambda row: row.name)
def test_both_sides_compute_the_same(row):
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0.1, 1.0, tuple(min(n, 40) for n in shape)).astype("f") for shape in row.shapes]
    got = row.ours(*map(nd.asarray, arrays))
    np.testing.assert_allclose(got.numpy(), row.theirs(*arrays), rtol=1e-5)


def test_the_issues_rows_are_there():
    names = [row.name for row in bench.ROWS]
    assert len(set(names)) == len(names) >= 16
    below = {row.name for row in bench.ROWS if row.bar == 1.0}
    assert below == {"exp", "log", "tanh", "softmax", "sum", "sum over rows"}
    assert bench.ROWS[0].bar == 5.0 and all(row.bar in (1.0, 1.1, 5.0) for row in bench.ROWS)


def test_rows_are_printed_and_written(tmp_path, capsys, monkeypatch):
    row = replace(bench.ROWS[1], shapes=((8,), (8,)), bar=1e9)
    monkeypatch.setattr(bench, "ROWS", (row, replace(row, name="lost", bar=0.0)))
    out = tmp_path / "rows.json"
    assert bench.main(["--seconds", "0", "--json", str(out)]) == 1
    said = capsys.readouterr().out
    assert "ok" in said and "MISSED" in said
    first, second = json.loads(out.read_text())
    assert first["row"] == "add" and second["row"] == "lost" and first["ratio"] == first["ours_us"] / first["numpy_us"]
    assert bench.main(["--seconds", "0", "add"]) == 0
