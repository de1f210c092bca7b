"""The files that jobs read and leave: refused before work is lost, written whole or not at all."""

import io
import json
from collections.abc import Mapping
from typing import Any

import pyarrow.parquet as pq

from sparkdl.base.errors import ArchiveError, ConfError
from sparkdl.cli.conf import DataConf, JobConf
from sparkdl.data.samples.tables import SAMPLES
from sparkdl.io.archive import load
from sparkdl.io.paths import exists, open_output_atomic
from sparkdl.nn.network import Network


def claim(job: JobConf, overwrite: bool) -> None:
    """Make sure that the results can be written, by writing the conf.

    Raises ConfError where a trained network is there already and may not be replaced, or nothing can be written.
    """
    out = job.outputs
    refuse_existing(out.model, overwrite)
    try:
        write_text(out.conf, job.to_toml())
    except ArchiveError as error:
        raise ConfError(f"output.path: {error}") from None


def refuse_existing(path: str, overwrite: bool) -> None:
    """Raise ConfError where `path` exists and may not be replaced."""
    if not overwrite and exists(path):
        raise ConfError(f"{path} exists. Add --overwrite to replace it, or choose another with --set output.path=...")


def trained(path: str, conf: str) -> Network:
    """The network that `train` saved. Raises ConfError where there is none, ArchiveError where it cannot be read."""
    if not exists(path):
        raise ConfError(f"there is no trained network {path}. Make it with: train {conf}")
    return load(path)


def write_sample(data: DataConf) -> list[str]:
    """Write the sample's tables where they are missing. Returns the paths that were written."""
    if data.sample is None:
        return []
    tables, wanted = SAMPLES[data.sample](), {"train": data.train, "test": data.test}
    missing = {part: path for part, path in wanted.items() if path is not None and not exists(path)}
    for part, path in missing.items():
        buffer = io.BytesIO()
        pq.write_table(tables[part], buffer)
        with open_output_atomic(path) as file:
            file.write(buffer.getvalue())
    return list(missing.values())


def write_text(path: str, text: str) -> None:
    """A UTF-8 file, in place of one that is there."""
    with open_output_atomic(path, overwrite=True) as file:
        file.write(text.encode())


def write_json(path: str, table: Mapping[str, Any]) -> None:
    """A JSON file; NaN and infinities, which JSON has not, become null."""
    write_text(path, json.dumps(_finite(table), indent=2) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not -float("inf") < value < float("inf") else value
