"""Faults are one message and exit code 2, told before Spark starts and before anything is lost."""

import json
import os
import subprocess
import sys

import pytest

from sparkdl.cli import train as train_module
from sparkdl.cli.main import main
from tests.architecture.source import ROOT

DIGITS = str(ROOT / "conf" / "digits.toml")


@pytest.fixture(autouse=True)
def no_spark(monkeypatch):
    def refuse(*_):
        raise AssertionError("Spark was started")

    for module in ("train", "evaluate", "predict"):
        monkeypatch.setattr(f"sparkdl.cli.{module}.session", refuse)


def fault(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


def test_an_unknown_key(capsys, tmp_path):
    said = fault(capsys, "train", DIGITS, "--set", "training.epohcs=3", "--set", f"output.path={tmp_path}")
    assert said == (
        f"sparkdl: {DIGITS}: training: TrainingConf has no field 'epohcs'. Did you mean 'epochs'? "
        "Known: loss, optimizer, metrics, epochs, batch_size, seed, shuffle, precision, threads.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_missing_conf(capsys):
    assert fault(capsys, "train", "conf/digts.toml").startswith("sparkdl: there is no conf file conf/digts.toml.")


def test_results_that_are_there_are_kept(capsys, tmp_path):
    (tmp_path / "model.zip").write_bytes(b"precious")
    said = fault(capsys, "train", DIGITS, "--set", f"output.path={tmp_path}")
    assert said.startswith(f"sparkdl: {tmp_path}/model.zip exists. Add --overwrite")
    assert [p.name for p in tmp_path.iterdir()] == ["model.zip"]


def test_predictions_that_are_there_are_kept(capsys, tmp_path):
    (tmp_path / "predictions.parquet").mkdir()
    said = fault(capsys, "predict", DIGITS, "--set", f"output.path={tmp_path}")
    assert "predictions.parquet exists. Add --overwrite" in said


def test_an_output_that_cannot_be_written(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    said = fault(capsys, "train", DIGITS, "--set", f"output.path={tmp_path}/file/out")
    assert said.startswith(f"sparkdl: output.path: {tmp_path}/file/out/conf.toml: ")


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_no_trained_network(capsys, tmp_path, command):
    said = fault(capsys, command, DIGITS, "--set", f"output.path={tmp_path}")
    assert said == f"sparkdl: there is no trained network {tmp_path}/model.zip. Make it with: train {DIGITS}\n"


def test_a_trained_network_that_is_none(capsys, tmp_path):
    (tmp_path / "model.zip").write_bytes(b"PK\x03\x04 cut short")
    assert f"{tmp_path}/model.zip" in fault(capsys, "predict", DIGITS, "--set", f"output.path={tmp_path}")


def test_an_unknown_option_is_a_usage_error(capsys):
    assert "No such option" in fault(capsys, "train", DIGITS, "--epochs", "3")


def test_a_bug_is_not_hidden(monkeypatch, tmp_path):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(train_module, "claim", broken)
    with pytest.raises(ZeroDivisionError):
        main(["train", DIGITS, "--set", f"output.path={tmp_path}"])


def test_the_scripts_are_the_same_commands():
    for command in ("train", "evaluate", "predict"):
        done = subprocess.run(
            [sys.executable, ROOT / "jobs" / f"{command}.py", "--help"],
            capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert f"sparkdl {command}" in done.stdout


def test_versions_are_json():
    from sparkdl.cli.result import versions

    assert {"python", "numpy", "pyspark"} <= set(json.loads(json.dumps(versions())))
