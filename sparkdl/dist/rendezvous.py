"""The one slow gather: every rank says who and where it is, and all of them draw the same conclusions."""

import json
import uuid
from dataclasses import asdict, dataclass

from sparkdl.base.errors import ClusterError
from sparkdl.dist.collective import Gang


@dataclass(frozen=True)
class Hello:
    """What a rank says. run: made up by each; rank 0's counts. fault: whether its rows cannot be trained on."""

    host: str
    port: int
    rows: int
    versions: dict[str, str]
    run: str
    fault: bool = False


@dataclass(frozen=True)
class Peers:
    """All ranks, by rank."""

    hellos: tuple[Hello, ...]

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where they listen."""
        return [(h.host, h.port) for h in self.hellos]

    @property
    def run(self) -> str:
        """The name of this attempt."""
        return self.hellos[0].run

    @property
    def rows(self) -> list[int]:
        """Rows of each."""
        return [h.rows for h in self.hellos]

    @property
    def faulty(self) -> bool:
        """Whether any rank has rows that cannot be trained on."""
        return any(h.fault for h in self.hellos)

    def first_id(self, rank: int) -> int:
        """The global number of a rank's first row."""
        return sum(self.rows[:rank])

    def steps(self, batch_size: int) -> int:
        """Steps of an epoch: those of the rank with most rows."""
        return max(-(-rows // batch_size) for rows in self.rows)


def meet(gang: Gang, port: int, rows: int, versions: dict[str, str], fault: bool) -> Peers:
    """Say hello, hear all others."""
    said = Hello(gang.host, port, rows, versions, uuid.uuid4().hex, fault)
    return Peers(tuple(Hello(**json.loads(text)) for text in gang.gather(json.dumps(asdict(said)))))


def check_versions(peers: Peers, driver: dict[str, str]) -> None:
    """Raise ClusterError where a rank runs other versions than rank 0, or another sparkdl or Python than the driver."""
    first = peers.hellos[0]
    found = [(f"rank {rank} on {h.host}", h.versions) for rank, h in enumerate(peers.hellos)]
    found += [("the driver", {k: v for k, v in driver.items() if k != "numpy"})]
    for who, versions in found:
        for name, version in versions.items():
            if version != first.versions[name]:
                raise ClusterError(
                    f"{name} must be one version everywhere. Got {version} in {who} and {first.versions[name]} in "
                    f"rank 0 on {first.host}. Set PYSPARK_PYTHON, or ship one environment with --archives."
                )
