"""The benchmarks' machinery: rows load, both sides compute the same, rows have the agreed fields. Nothing is timed."""

import json
import sys
from dataclasses import asdict, replace

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from benchmarks import clock, engine, isa, memory, sides, start
from benchmarks.workloads import FAMILIES, load, normal
from benchmarks.workloads.weights import _flattened, copy_layer, in_order
from sparkdl.nn.layers.dense import Dense
from sparkdl.nn.network import Sequential

FIELDS = ["workload", "ratio", "ours_ms", "torch_ms", "isa", "precision", "batch", "cpu", "versions"]
SMALL = ("mlp_tabular", "lenet")


def test_rows_have_names_and_bars():
    rows = load()
    assert {"mlp_tabular", "mlp_mid", "mlp_wide", "fcn5_infer", "lenet"} <= set(rows)
    for name, row in rows.items():
        assert row.name == name
        assert len(row.bars) == 2 and all(0 < bar <= 1.1 for bar in row.bars)
        assert row.trains == (row.mode != "infer")
    assert FAMILIES == ("dense", "convolution", "recurrent", "attention", "sparse")


def test_a_batch_is_the_same_in_every_call():
    work = load()["mlp_tabular"]
    (x, y), (again, _) = work.data(), work.data()
    assert x.shape == (64, 40) and y.shape == (64,) and (x == again).all()


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("mode", ["train", "gradient", "infer"])
def test_both_sides_compute_the_same(name, mode):
    work = replace(load()[name], batch=8, mode=mode, steps=3)
    assert sides.difference(work) < 1e-4


def test_a_difference_is_seen():
    work = load()["mlp_tabular"]
    spoilt = replace(work, copy=lambda network, module: None, steps=2)
    assert sides.difference(spoilt) > 1e-3
    with pytest.raises(SystemExit, match="mlp_tabular: the sides differ by"):
        engine.measure(spoilt)


def test_forms_of_torch():
    rows = load()
    assert list(sides.torch_forms(rows["mlp_tabular"])) == ["plain", "plain + fused"]
    assert list(sides.torch_forms(replace(rows["lenet"], mode="infer"))) == ["plain", "channels_last"]
    assert len(sides.torch_forms(rows["lenet"])) == 4


def test_a_row_is_written_with_the_agreed_fields(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(engine, "load", lambda: {"tiny": replace(load()["mlp_tabular"], name="tiny", bars=(9.0, 9.0))})
    out = tmp_path / "rows.json"
    assert engine.main(["--seconds", "0", "--json", str(out), "tiny"]) == 0
    (row,) = json.loads(out.read_text())
    assert list(row)[: len(FIELDS)] == FIELDS
    assert row["ratio"] == row["ours_ms"] / row["torch_ms"]
    assert row["workload"] == "tiny" and row["torch_form"].startswith("plain")
    assert "tiny" in capsys.readouterr().out


def test_a_row_that_misses_its_bar_stays_with_its_reason(monkeypatch, capsys):
    lost = replace(load()["mlp_tabular"], bars=(1e-9, 1e-9), reason="because")
    monkeypatch.setattr(engine, "load", lambda: {"mlp_tabular": lost})
    assert engine.main(["--seconds", "0"]) == 1
    said = capsys.readouterr().out
    assert "MISSED" in said and "[because]" in said


def test_bfloat16_is_held_against_our_own_float32():
    work = replace(load()["mlp_tabular"], bf16_bar=9.0)
    made = engine.measure(work, engine.Asked(precision="bfloat16", seconds=0.0))
    assert made.precision == "bfloat16" and made.bar == 9.0 and made.ratio_own is not None and made.kept


def test_an_unknown_workload(capsys):
    with pytest.raises(SystemExit):
        engine.main(["mlp_tabula"])
    assert "no workload 'mlp_tabula'; known: " in capsys.readouterr().err


def test_avx2_starts_the_process_anew_once(monkeypatch):
    seen = []
    monkeypatch.setattr("os.execve", lambda *given: seen.append(given))
    monkeypatch.setattr(sys, "argv", ["engine", "--isa", "avx2"])
    isa.ensure("native", "benchmarks.engine")
    assert not seen
    isa.ensure("avx2", "benchmarks.engine")
    (_, words, variables) = seen.pop()
    assert words[1:] == ["-m", "benchmarks.engine", "--isa", "avx2"] and variables["ONEDNN_MAX_CPU_ISA"] == "AVX2"
    for name, value in isa.AVX2.items():
        monkeypatch.setenv(name, value)
    isa.ensure("avx2", "benchmarks.engine")
    assert not seen


def test_sides_are_alternated():
    calls = []
    times = clock.alternate({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 0.0)
    assert calls == ["a"] * 3 + ["b"] * 3 + ["a", "b"] * 8  # once to see how long it takes, seven times to measure
    assert all(best <= median for best, median in times.values())


def test_weights_that_do_not_fit():
    net = Sequential([Dense(3)], input_shape=(2,)).build(0)
    with pytest.raises(ValueError, match="1 of our layers have weights, 2 of torch's"):
        in_order(net, nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3)))
    with pytest.raises(ValueError, match=r"must be \(4, 2\). Got \(3, 2\)"):
        in_order(net, nn.Linear(2, 4))
    with pytest.raises(ValueError, match="no rule to copy weights into PReLU"):
        copy_layer({}, nn.PReLU())


def test_only_a_linear_right_behind_a_flatten_is_permuted():
    head = nn.Linear(16, 2)
    assert _flattened(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), head, nn.Linear(2, 2))) == {head: 4}
    assert _flattened(nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.ReLU(), head)) == {}


def test_images_are_given_to_torch_channels_first():
    import numpy as np

    work = load()["lenet"]
    image = normal(4, 5, 3)(np.random.default_rng(0), 2)
    assert tuple(work.to_torch(image).shape) == (2, 3, 4, 5)
    assert work.to_torch(np.zeros(3, np.int32)).dtype == torch.int64


def test_bytes_of_a_step_by_each_sides_books():
    work = replace(load()["mlp_tabular"], batch=16)
    for side in memory.SIDES.values():
        step, count = side(work)
        step()
        parameters = sum(p.numel() for p in work.theirs().parameters())
        assert 4 * 4 * parameters < count() < 20 * 4 * parameters
    sizes = dict.fromkeys(("bytes_ours", "bytes_torch", "resident_ours", "resident_torch"), 1e6)
    said = memory.line({"workload": "w", "ratio": 0.5, "ratio_bytes": 0.9} | sizes)
    assert "ratio 0.50  bar 0.80 ok" in said and said.endswith("(by the books: 1.0 and 1.0 MB, 0.90)")


def test_a_fresh_process_reaches_its_first_step(tmp_path):
    found = start.start(str(tmp_path))
    assert set(found) == {*start.PHASES, "total"}
    assert any(tmp_path.iterdir())
    assert start.empty_program(records=3, calls=1) > 0


def test_results_are_records():
    row = engine.Result("w", 0.5, 1.0, 2.0, "AVX2", "float32", 8, "cpu")
    assert list(asdict(row))[:9] == FIELDS
