"""A saved network: a zip of its conf and its tensors. No code, no pickle; reading one runs nothing that it says.

conf.json                format and sparkdl versions, network, training, preprocessing
metadata.json            what the caller adds: metrics, history
parameters.safetensors   every parameter by its "layer/param" name, in C order, float32
optimizer.safetensors    where training is to go on
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import sparkdl
from sparkdl.base.errors import ArchiveError
from sparkdl.base.record import from_conf, to_conf
from sparkdl.data.encode import from_saved
from sparkdl.io import tensors
from sparkdl.io.container import CONF, METADATA, OPTIMIZER, PARAMETERS, Container, pack, to_json
from sparkdl.io.paths import Path, open_input, open_output_atomic, refuse_taken
from sparkdl.nn.network import Network
from sparkdl.nn.params import aligned
from sparkdl.nn.topology import Topology

FORMAT = 1  # raised when an older sparkdl could not read the file
_SLOTS = 16  # times the parameters: more than the state of any optimizer
T = TypeVar("T")


@dataclass(frozen=True)
class Saved:
    """What an archive holds. `optimizer`: the tensors of `optimizer_state` by name, or None."""

    network: Network
    optimizer: dict[str, NDArray[Any]] | None
    extra: dict[str, Any]


def save(
    network: Network,
    path: Path,
    overwrite: bool = False,
    optimizer_state: Mapping[str, NDArray[Any]] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write the network to a file; it is there whole or not at all. Missing folders are made.

    Raises ArchiveError for a path that is taken (unless `overwrite`) or cannot be written.

    path:            plain, file://, or what pyarrow opens: hdfs://, s3a://, gs://
    optimizer_state: tensors to go on with, by name
    extra:           JSON-able facts to keep beside the network: metrics, history
    """
    refuse_taken(path, overwrite)  # before the work of making the bytes
    data = to_bytes(network, optimizer_state, extra)
    with open_output_atomic(path, overwrite) as file:
        file.write(data)


def load(path: Path) -> Network:
    """The network that `save` wrote. Raises ArchiveError naming file and fault for anything else."""
    return read(path).network


def read(path: Path) -> Saved:
    """The network with its optimizer state and extra facts."""
    with open_input(path) as file:
        return _read(file, str(path))


def to_bytes(
    network: Network,
    optimizer_state: Mapping[str, NDArray[Any]] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> bytes:
    """The archive as bytes; equal networks give equal bytes."""
    members = {
        CONF: to_json(_conf(network), CONF),
        METADATA: to_json(extra or {}, METADATA),
        PARAMETERS: tensors.dump(network.parameters()),
    }
    return pack(members | ({OPTIMIZER: tensors.dump(optimizer_state)} if optimizer_state is not None else {}))


def from_bytes(data: bytes) -> Network:
    """The network of `to_bytes`. Raises ArchiveError for anything else."""
    return _read(io.BytesIO(data), "the archive").network


def _conf(network: Network) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "sparkdl": sparkdl.__version__,
        "network": to_conf(network.topology),
        "training": to_conf(network.training),
        "preprocessing": to_conf(network.preprocessing),
    }


def _read(file: IO[bytes], origin: str) -> Saved:
    container = Container(file, origin)
    conf = container.table(CONF)
    _check_format(conf, origin)
    network = _network(conf, origin)
    shapes = {name: spec.shape for name, spec in _checked(origin, network.topology.params).items()}
    most = tensors.most(shapes)
    found = _tensors(container, PARAMETERS, most)
    tensors.check(found, shapes, f"{origin}: {PARAMETERS}")
    network.vector = aligned(network.layout.size)
    for name, view in network.parameters().items():
        view[...] = found[name]
    optimizer = _tensors(container, OPTIMIZER, most * _SLOTS) if OPTIMIZER in container else None
    return Saved(network, optimizer, container.table(METADATA))


def _tensors(container: Container, member: str, most: int) -> tensors.Tensors:
    return tensors.parse(container.read(member, most), f"{container.origin}: {member}")


def _check_format(conf: Mapping[str, Any], origin: str) -> None:
    found = conf.get("format")
    if type(found) is not int or found < 1:
        raise ArchiveError(f"{origin}: {CONF} must say its format, an int >= 1. Got {found!r}.")
    if found > FORMAT:
        raise ArchiveError(
            f"{origin}: was written by sparkdl {conf.get('sparkdl')} in format {found}. This is sparkdl "
            f"{sparkdl.__version__}, which reads formats up to {FORMAT}. Update it."
        )


def _network(conf: Mapping[str, Any], origin: str) -> Network:
    for name in ("network", "training", "preprocessing"):
        if not isinstance(conf.get(name), dict | None) or (name == "network" and not conf.get(name)):
            raise ArchiveError(f"{origin}: {CONF}: {name} must be a table. Got {conf.get(name)!r:.100}.")
    network = Network(_checked(origin, lambda: from_conf(Topology, conf["network"], "network")))
    network.training, network.preprocessing = conf.get("training"), conf.get("preprocessing")
    if network.preprocessing is not None:
        _checked(origin, lambda: from_saved(network.preprocessing))
    return network


def _checked(origin: str, make: Callable[[], T]) -> T:
    """What `make` makes of the conf; its refusals name the file. A hostile conf may also ask for the absurd."""
    try:
        with np.errstate(all="ignore"):
            return make()
    except (ValueError, TypeError, ArithmeticError, RecursionError, MemoryError) as error:
        raise ArchiveError(f"{origin}: {CONF}: {error}") from error
